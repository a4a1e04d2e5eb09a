// Lists units in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (unit:OrganisationUnit)
USING INDEX unit:OrganisationUnit(changed)
WHERE unit.changed > $changed
WITH unit
ORDER BY unit.changed
LIMIT $limit
RETURN collect({
         properties: unit {.*, since: unit.since.epochMillis, until: unit.until.epochMillis},
         links: []
       }) AS facts
