// Reads the numbers of the last changes of some pairings, and of those of some people, and of what happened in them.
// $pairings: list of strings, uids of pairings
// $people: list of strings, uids of people who are or were mentor, mentee or co-mentor
CALL () {
  UNWIND $pairings AS asked
  MATCH (pairing:Pairing {uid: asked})
  RETURN asked, pairing
  UNION
  UNWIND $people AS asked
  MATCH (:Person {uid: asked})-[:MENTOR|MENTEE|HELPS]-(pairing:Pairing)
  RETURN asked, pairing
}
RETURN asked, pairing.uid AS pairing,
       [pairing.changed] + COLLECT {
         MATCH (pairing)<-[:OF_PAIRING|AGREES_TO|MILESTONE_OF|PART_OF]-(fact:Move|Signature|Milestone|Session)
         RETURN fact.changed
       } + COLLECT {
         MATCH (pairing)<-[help:HELPS]-(:Person)
         RETURN help.changed
       } AS changes
