// Reads the moves of some requests and pairings, in their order.
// $uids: list of strings
UNWIND $uids AS uid
MATCH (moved:Request|Pairing {uid: uid})<-[:OF_REQUEST|OF_PAIRING]-(move:Move)
OPTIONAL MATCH (person:Person)-[:MADE]->(move)
RETURN uid, move.state AS state, move.since.epochMillis AS at, move.reason AS reason, move.note AS note,
       move.cause AS cause, person.uid AS person
ORDER BY uid, move.since, move.uid
