// Reads uid, mentee, goal and deadline of all requests that wait for an answer.
// $open: list of strings, states of a request that waits
MATCH (request:Request)
USING INDEX request:Request(status)
WHERE request.status IN $open
MATCH (request)-[:ON_BEHALF_OF]->(mentee:Person)
OPTIONAL MATCH (request)-[:FOR_GOAL]->(goal:Goal)
RETURN request.uid AS uid, mentee.uid AS mentee, goal.uid AS goal,
       COLLECT { MATCH (request)-[:IN_PROGRAMME]->(programme:Programme) RETURN programme.uid }[0] AS programme,
       request.since.epochMillis AS asked_on, request.answer_within_days AS days
ORDER BY uid
