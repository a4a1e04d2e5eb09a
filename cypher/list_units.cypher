// Lists units in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (unit:OrganisationUnit)
WHERE unit.changed >= $changed AND (unit.changed > $changed OR unit.uid > $uid)
WITH unit
ORDER BY unit.changed, unit.uid
LIMIT $limit
RETURN collect({properties: properties(unit), links: []}) AS facts
