// Lists scripts in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (script:Script)
USING INDEX script:Script(changed)
WHERE script.changed > $changed
WITH script
ORDER BY script.changed
LIMIT $limit
RETURN collect({
         properties: script {.*, since: script.since.epochMillis, until: script.until.epochMillis},
         links: COLLECT {
           MATCH (script)-[link:SCRIPT_OF]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
