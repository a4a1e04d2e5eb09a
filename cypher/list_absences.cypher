// Lists absences in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (absence:Absence)
USING INDEX absence:Absence(changed)
WHERE absence.changed > $changed
WITH absence
ORDER BY absence.changed
LIMIT $limit
RETURN collect({
         properties: absence {.*, since: absence.since.epochMillis, until: absence.until.epochMillis},
         links: COLLECT {
           MATCH (absence)<-[link:ABSENT]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
