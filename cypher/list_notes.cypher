// Lists notes in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (note:Note)
USING INDEX note:Note(changed)
WHERE note.changed > $changed
WITH note
ORDER BY note.changed
LIMIT $limit
RETURN collect({
         properties: note {.*, since: note.since.epochMillis, until: note.until.epochMillis},
         links: COLLECT {
           MATCH (note)-[link:NOTE_OF|WROTE]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
