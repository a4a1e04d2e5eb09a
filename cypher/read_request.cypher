// Reads a request with whom it is about, when it was moved last, and how many places of the mentor are taken.
// $uid: string, uid of the request
// $open: list of strings, states of a pairing that takes up a place
MATCH (request:Request {uid: $uid})
MATCH (request)-[:ASKS]->(mentor:Person)
MATCH (request)-[:ON_BEHALF_OF]->(mentee:Person)
OPTIONAL MATCH (request)-[:FOR_GOAL]->(goal:Goal)
OPTIONAL MATCH (request)-[:IN_PROGRAMME]->(programme:Programme)
RETURN request {.*, since: request.since.epochMillis, until: request.until.epochMillis} AS properties,
       {mentor: mentor.uid, mentee: mentee.uid, goal: goal.uid, programme: programme.uid} AS links,
       COLLECT {
         MATCH (move:Move)-[:OF_REQUEST]->(request)
         RETURN move.since.epochMillis ORDER BY move.since DESC LIMIT 1
       } AS moved,
       COUNT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)
         WHERE pairing.until IS NULL AND pairing.status IN $open
       } AS taken,
       COUNT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)-[:IN_PROGRAMME]->(programme)
         WHERE pairing.until IS NULL AND pairing.status IN $open
       } AS taken_in_programme
