// Reads the milestones of some pairings, in the order in which they are due.
// $pairings: list of strings, uids
UNWIND $pairings AS uid
MATCH (pairing:Pairing {uid: uid})
RETURN uid,
       COLLECT {
         MATCH (milestone:Milestone)-[:MILESTONE_OF]->(pairing)
         RETURN milestone {
           .*,
           since: milestone.since.epochMillis,
           until: milestone.until.epochMillis,
           due_on: milestone.due_on.epochMillis
         }
         ORDER BY milestone.due_on, milestone.uid
       } AS milestones
