// Pages through the people that a source knows, in the order of its keys.
// $source: string, name of the source
// $after: string, key to start after
// $limit: integer, rows
MATCH (person:Person)
WHERE person.source = $source AND person.external_id > $after
WITH person
ORDER BY person.external_id
LIMIT $limit
RETURN person.uid AS uid, person.external_id AS key, person.until IS NOT NULL AS has_left
