// Lists busy times in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (busy:BusyTime)
USING INDEX busy:BusyTime(changed)
WHERE busy.changed > $changed
WITH busy
ORDER BY busy.changed
LIMIT $limit
RETURN collect({
         properties: busy {.*, since: busy.since.epochMillis, until: busy.until.epochMillis},
         links: COLLECT {
           MATCH (busy)<-[link:BUSY]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
