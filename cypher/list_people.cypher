// Lists people in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (person:Person)
WHERE person.changed >= $changed AND (person.changed > $changed OR person.uid > $uid)
WITH person
ORDER BY person.changed, person.uid
LIMIT $limit
RETURN collect({properties: properties(person), links: []}) AS facts
