// Lists priorities in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (priority:Priority)
USING INDEX priority:Priority(changed)
WHERE priority.changed > $changed
WITH priority
ORDER BY priority.changed
LIMIT $limit
RETURN collect({
         properties: priority {.*, since: priority.since.epochMillis, until: priority.until.epochMillis},
         links: []
       }) AS facts
