// Reads who mentors or has mentored somebody in a pairing that has begun.
// $person: string, uid of the mentee
// $now: instant
MATCH (:Person {uid: $person})<-[:MENTEE]-(pairing:Pairing)-[:MENTOR]->(mentor:Person)
WHERE pairing.since <= $now
RETURN DISTINCT mentor.uid AS uid
ORDER BY uid
