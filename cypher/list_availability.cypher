// Lists availability in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (availability:Availability)
USING INDEX availability:Availability(changed)
WHERE availability.changed > $changed
WITH availability
ORDER BY availability.changed
LIMIT $limit
RETURN collect({
         properties: availability {.*, since: availability.since.epochMillis, until: availability.until.epochMillis},
         links: COLLECT {
           MATCH (availability)<-[link:AVAILABLE]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
