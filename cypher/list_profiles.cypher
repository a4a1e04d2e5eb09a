// Lists profiles in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (profile:Profile)
USING INDEX profile:Profile(changed)
WHERE profile.changed > $changed
WITH profile
ORDER BY profile.changed
LIMIT $limit
RETURN collect({
         properties: profile {.*, since: profile.since.epochMillis, until: profile.until.epochMillis},
         links: COLLECT {
           MATCH (profile)-[link:DESCRIBED_BY]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
