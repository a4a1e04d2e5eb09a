// Lists requests in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (request:Request)
USING INDEX request:Request(changed)
WHERE request.changed > $changed
WITH request
ORDER BY request.changed
LIMIT $limit
RETURN collect({
         properties: request {.*, since: request.since.epochMillis, until: request.until.epochMillis},
         links: COLLECT {
           MATCH (request)-[link:ASKS|ON_BEHALF_OF|FOR_GOAL|IN_PROGRAMME]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
