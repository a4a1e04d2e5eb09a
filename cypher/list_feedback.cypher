// Lists feedback in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (feedback:Feedback)
USING INDEX feedback:Feedback(changed)
WHERE feedback.changed > $changed
WITH feedback
ORDER BY feedback.changed
LIMIT $limit
RETURN collect({
         properties: feedback {.*, since: feedback.since.epochMillis, until: feedback.until.epochMillis},
         links: COLLECT {
           MATCH (feedback)-[link:ABOUT|GAVE]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
