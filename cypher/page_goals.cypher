// Reads one page of goals in the order of their uids.
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (goal:Goal)
WHERE goal.uid > $after
RETURN goal.uid AS uid
ORDER BY uid
LIMIT $limit
