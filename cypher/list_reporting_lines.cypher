// Lists reporting lines in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (start:Person)-[fact:REPORTS_TO]->(end:Person)
USING INDEX fact:REPORTS_TO(changed)
WHERE fact.changed > $changed
WITH start, fact, end
ORDER BY fact.changed
LIMIT $limit
RETURN collect({
         properties: fact {.*, since: fact.since.epochMillis, until: fact.until.epochMillis},
         links: [{start: start.uid, end: end.uid}]
       }) AS facts
