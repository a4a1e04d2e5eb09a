// Lists pairings in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (pairing:Pairing)
WHERE pairing.changed >= $changed AND (pairing.changed > $changed OR pairing.uid > $uid)
WITH pairing
ORDER BY pairing.changed, pairing.uid
LIMIT $limit
RETURN collect({
         properties: properties(pairing),
         links: COLLECT {
           MATCH (pairing)-[link:MENTOR|MENTEE|FOR_GOAL|IN_UNIT|IN_PROGRAMME]->(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
