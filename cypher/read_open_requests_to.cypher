// Reads uid, mentee and goal of the requests to one mentor that wait for an answer.
// $mentor: string, uid of the person
// $open: list of strings, states of a request that waits
MATCH (mentor:Person {uid: $mentor})<-[:ASKS]-(request:Request)-[:ON_BEHALF_OF]->(mentee:Person)
USING INDEX SEEK mentor:Person(uid)
WHERE request.status IN $open
OPTIONAL MATCH (request)-[:FOR_GOAL]->(goal:Goal)
RETURN request.uid AS uid, mentee.uid AS mentee, goal.uid AS goal,
       COLLECT { MATCH (request)-[:IN_PROGRAMME]->(programme:Programme) RETURN programme.uid }[0] AS programme
ORDER BY uid
