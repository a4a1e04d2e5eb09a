// Lists identities in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (identity:Identity)
USING INDEX identity:Identity(changed)
WHERE identity.changed > $changed
WITH identity
ORDER BY identity.changed
LIMIT $limit
RETURN collect({
         properties: identity {.*, since: identity.since.epochMillis, until: identity.until.epochMillis},
         links: COLLECT {
           MATCH (identity)<-[link:DECLARED]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
