// Lists moves in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (move:Move)
USING INDEX move:Move(changed)
WHERE move.changed > $changed
WITH move
ORDER BY move.changed
LIMIT $limit
RETURN collect({
         properties: move {.*, since: move.since.epochMillis, until: move.until.epochMillis},
         links: COLLECT {
           MATCH (move)-[link:OF_REQUEST|OF_PAIRING|MADE]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
