// Lists programmes in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (programme:Programme)
USING INDEX programme:Programme(changed)
WHERE programme.changed > $changed
WITH programme
ORDER BY programme.changed
LIMIT $limit
RETURN collect({
         properties: programme {.*, since: programme.since.epochMillis, until: programme.until.epochMillis},
         links: []
       }) AS facts
