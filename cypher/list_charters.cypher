// Lists charters in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (charter:Charter)
USING INDEX charter:Charter(changed)
WHERE charter.changed > $changed
WITH charter
ORDER BY charter.changed
LIMIT $limit
RETURN collect({
         properties: charter {.*, since: charter.since.epochMillis, until: charter.until.epochMillis},
         links: COLLECT {
           MATCH (charter)-[link:GOVERNS|OWNS]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
