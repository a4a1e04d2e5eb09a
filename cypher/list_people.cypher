// Lists people in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (person:Person)
USING INDEX person:Person(changed)
WHERE person.changed > $changed
WITH person
ORDER BY person.changed
LIMIT $limit
RETURN collect({
         properties: person {.*, since: person.since.epochMillis, until: person.until.epochMillis},
         links: []
       }) AS facts
