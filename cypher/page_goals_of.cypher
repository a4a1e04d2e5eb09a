// Reads one page of one person's goals in the order of their uids.
// $person: string, uid of the person
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (:Person {uid: $person})-[:HAS_GOAL]->(goal:Goal)
WHERE goal.uid > $after
RETURN goal.uid AS uid
ORDER BY uid
LIMIT $limit
