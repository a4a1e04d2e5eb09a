// Reads a page of uids of the requests that a person made or got.
// $person: string, uid of the person
// $states: list of strings, the states that are wanted
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (person:Person {uid: $person})<-[:ASKS|ON_BEHALF_OF]-(request:Request)
USING INDEX SEEK person:Person(uid)
WHERE request.uid > $after AND request.status IN $states
RETURN request.uid AS uid
ORDER BY uid
LIMIT $limit
