// Lists policies in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (policy:Policy)
USING INDEX policy:Policy(changed)
WHERE policy.changed > $changed
WITH policy
ORDER BY policy.changed
LIMIT $limit
RETURN collect({
         properties: policy {.*, since: policy.since.epochMillis, until: policy.until.epochMillis},
         links: COLLECT {
           MATCH (policy)-[link:SET_FOR]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
