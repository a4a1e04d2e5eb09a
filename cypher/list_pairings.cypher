// Lists pairings in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (pairing:Pairing)
USING INDEX pairing:Pairing(changed)
WHERE pairing.changed > $changed
WITH pairing
ORDER BY pairing.changed
LIMIT $limit
RETURN collect({
         properties: pairing {.*, since: pairing.since.epochMillis, until: pairing.until.epochMillis},
         links: COLLECT {
           MATCH (pairing)-[link:MENTOR|MENTEE|FOR_GOAL|IN_UNIT|IN_PROGRAMME]->(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
