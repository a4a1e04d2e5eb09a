// Lists programmes in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (programme:Programme)
WHERE programme.changed >= $changed AND (programme.changed > $changed OR programme.uid > $uid)
WITH programme
ORDER BY programme.changed, programme.uid
LIMIT $limit
RETURN collect({properties: properties(programme), links: []}) AS facts
