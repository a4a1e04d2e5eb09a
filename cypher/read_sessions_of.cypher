// Reads which sessions some pairings have, the latest first.
// $pairings: list of strings, uids
UNWIND $pairings AS uid
MATCH (pairing:Pairing {uid: uid})
RETURN uid,
       COLLECT {
         MATCH (session:Session)-[:PART_OF]->(pairing)
         RETURN session.uid
         ORDER BY session.since DESC, session.uid
       } AS sessions
