// Lists signatures in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (signature:Signature)
USING INDEX signature:Signature(changed)
WHERE signature.changed > $changed
WITH signature
ORDER BY signature.changed
LIMIT $limit
RETURN collect({
         properties: signature {.*, since: signature.since.epochMillis, until: signature.until.epochMillis},
         links: COLLECT {
           MATCH (signature)-[link:AGREES_TO|SIGNED]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
