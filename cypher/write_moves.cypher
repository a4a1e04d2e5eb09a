// Writes moves: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted),
//   request, request_link, pairing, pairing_link, person, person_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Move {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:OF_REQUEST|OF_PAIRING|MADE]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  OPTIONAL MATCH (request:Request {uid: row.request})
  OPTIONAL MATCH (pairing:Pairing {uid: row.pairing})
  OPTIONAL MATCH (person:Person {uid: row.person})
  WITH *
  WHERE (row.request IS NULL) = (request IS NULL)
    AND (row.pairing IS NULL) = (pairing IS NULL)
    AND (row.person IS NULL) = (person IS NULL)
  CREATE (move:Move)
  SET move = row.properties, move.changed = row.changed
  FOREACH (request IN CASE WHEN request IS NULL THEN [] ELSE [request] END |
    CREATE (move)-[:OF_REQUEST {uid: row.request_link, since: move.since, source: move.source}]->(request)
  )
  FOREACH (pairing IN CASE WHEN pairing IS NULL THEN [] ELSE [pairing] END |
    CREATE (move)-[:OF_PAIRING {uid: row.pairing_link, since: move.since, source: move.source}]->(pairing)
  )
  FOREACH (person IN CASE WHEN person IS NULL THEN [] ELSE [person] END |
    CREATE (person)-[:MADE {uid: row.person_link, since: move.since, source: move.source}]->(move)
  )
  RETURN count(move) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:OF_REQUEST|OF_PAIRING|MADE]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
