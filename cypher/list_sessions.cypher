// Lists sessions in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (session:Session)
USING INDEX session:Session(changed)
WHERE session.changed > $changed
WITH session
ORDER BY session.changed
LIMIT $limit
RETURN collect({
         properties: session {.*, since: session.since.epochMillis, until: session.until.epochMillis},
         links: COLLECT {
           MATCH (session)-[link:PART_OF]->(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
