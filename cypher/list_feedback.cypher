// Lists feedback in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (feedback:Feedback)
WHERE feedback.changed >= $changed AND (feedback.changed > $changed OR feedback.uid > $uid)
WITH feedback
ORDER BY feedback.changed, feedback.uid
LIMIT $limit
RETURN collect({
         properties: properties(feedback),
         links: COLLECT {
           MATCH (feedback)-[link:ABOUT|GAVE]-(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
