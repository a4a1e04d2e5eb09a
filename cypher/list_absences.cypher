// Lists absences in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (absence:Absence)
WHERE absence.changed >= $changed AND (absence.changed > $changed OR absence.uid > $uid)
WITH absence
ORDER BY absence.changed, absence.uid
LIMIT $limit
RETURN collect({
         properties: properties(absence),
         links: COLLECT {
           MATCH (absence)<-[link:ABSENT]-(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
