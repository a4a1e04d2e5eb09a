// Reads one page of one person's goals in the order of their uids.
// $person: string, uid of the person
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (person:Person {uid: $person})-[:HAS_GOAL]->(goal:Goal)
USING INDEX SEEK person:Person(uid)
WITH goal.uid AS uid
WHERE uid > $after
RETURN uid
ORDER BY uid
LIMIT $limit
