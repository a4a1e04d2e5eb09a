// Reads a milestone with its pairing and whom that one is about.
// $uid: string, uid of the milestone
// $now: instant as of which co-mentors count
MATCH (milestone:Milestone {uid: $uid})-[:MILESTONE_OF]->(pairing:Pairing)
MATCH (mentor:Person)<-[:MENTOR]-(pairing)-[:MENTEE]->(mentee:Person)
RETURN milestone {
         .*,
         since: milestone.since.epochMillis,
         until: milestone.until.epochMillis,
         due_on: milestone.due_on.epochMillis
       } AS properties,
       pairing.uid AS pairing, pairing.status AS status, mentor.uid AS mentor, mentee.uid AS mentee,
       COLLECT {
         MATCH (helper:Person)-[help:HELPS]->(pairing)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now)
         RETURN helper.uid ORDER BY helper.uid
       } AS helpers
