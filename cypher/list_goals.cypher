// Lists goals in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (goal:Goal)
WHERE goal.changed >= $changed AND (goal.changed > $changed OR goal.uid > $uid)
WITH goal
ORDER BY goal.changed, goal.uid
LIMIT $limit
RETURN collect({
         properties: properties(goal),
         links: COLLECT {
           MATCH (goal)-[link:HAS_GOAL|IN_UNIT|SERVES]-(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
