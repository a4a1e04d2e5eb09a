// Lists goals in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (goal:Goal)
USING INDEX goal:Goal(changed)
WHERE goal.changed > $changed
WITH goal
ORDER BY goal.changed
LIMIT $limit
RETURN collect({
         properties: goal {.*, since: goal.since.epochMillis, until: goal.until.epochMillis},
         links: COLLECT {
           MATCH (goal)-[link:HAS_GOAL|IN_UNIT|SERVES]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
