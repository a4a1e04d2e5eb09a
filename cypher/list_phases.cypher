// Lists phases in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (phase:Phase)
USING INDEX phase:Phase(changed)
WHERE phase.changed > $changed
WITH phase
ORDER BY phase.changed
LIMIT $limit
RETURN collect({
         properties: phase {.*, since: phase.since.epochMillis, until: phase.until.epochMillis},
         links: COLLECT {
           MATCH (phase)-[link:PHASE_OF|PHASE_IN]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
