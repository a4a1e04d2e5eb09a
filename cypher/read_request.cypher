// Reads a request with whom it is about, when it was moved last, and the parts of places of the mentor that are taken.
// $uid: string, uid of the request
// $open: list of strings, states of a pairing that takes up a place
// $now: instant as of which shares of co-mentors count
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
       COLLECT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)
         WHERE pairing.until IS NULL AND pairing.status IN $open
           AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
         RETURN 1.0
       } + COLLECT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)<-[help:HELPS]-(:Person)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now)
           AND pairing.until IS NULL AND pairing.status IN $open
           AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
         RETURN -help.share
       } + COLLECT {
         MATCH (mentor)-[help:HELPS]->(pairing:Pairing)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now)
           AND pairing.until IS NULL AND pairing.status IN $open
           AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
         RETURN help.share
       } AS taken,
       COUNT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)-[:IN_PROGRAMME]->(programme)
         WHERE pairing.until IS NULL AND pairing.status IN $open
       } AS taken_in_programme
