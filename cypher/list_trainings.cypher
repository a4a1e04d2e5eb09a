// Lists trainings in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (training:Training)
USING INDEX training:Training(changed)
WHERE training.changed > $changed
WITH training
ORDER BY training.changed
LIMIT $limit
RETURN collect({
         properties: training {.*, since: training.since.epochMillis, until: training.until.epochMillis},
         links: []
       }) AS facts
