// Lists priorities in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (priority:Priority)
WHERE priority.changed >= $changed AND (priority.changed > $changed OR priority.uid > $uid)
WITH priority
ORDER BY priority.changed, priority.uid
LIMIT $limit
RETURN collect({properties: properties(priority), links: []}) AS facts
