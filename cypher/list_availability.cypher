// Lists availability in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (availability:Availability)
WHERE availability.changed >= $changed AND (availability.changed > $changed OR availability.uid > $uid)
WITH availability
ORDER BY availability.changed, availability.uid
LIMIT $limit
RETURN collect({
         properties: properties(availability),
         links: COLLECT {
           MATCH (availability)<-[link:AVAILABLE]-(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
