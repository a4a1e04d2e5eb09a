// Lists wants in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (start:Person)-[fact:WANTS]->(end:Skill)
WHERE fact.changed >= $changed AND (fact.changed > $changed OR fact.uid > $uid)
WITH start, fact, end
ORDER BY fact.changed, fact.uid
LIMIT $limit
RETURN collect({properties: properties(fact), links: [{start: start.uid, end: end.uid}]}) AS facts
