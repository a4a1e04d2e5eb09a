// Lists overrides in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (override:Override)
USING INDEX override:Override(changed)
WHERE override.changed > $changed
WITH override
ORDER BY override.changed
LIMIT $limit
RETURN collect({
         properties: override {.*, since: override.since.epochMillis, until: override.until.epochMillis},
         links: COLLECT {
           MATCH (override)-[link:FOR_MENTEE|CHOOSES|INSTEAD_OF|ABOUT_GOAL|LED_TO|DECIDED]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
