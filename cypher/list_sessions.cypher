// Lists sessions in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (session:Session)
WHERE session.changed >= $changed AND (session.changed > $changed OR session.uid > $uid)
WITH session
ORDER BY session.changed, session.uid
LIMIT $limit
RETURN collect({
         properties: properties(session),
         links: COLLECT {
           MATCH (session)-[link:PART_OF]->(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
