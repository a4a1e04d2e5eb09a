// Writes identities: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted), person, person_link
//   (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Identity {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)<-[link:DECLARED]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (person:Person {uid: row.person})
  CREATE (identity:Identity)
  SET identity = row.properties, identity.changed = row.changed
  CREATE (person)-[:DECLARED {uid: row.person_link, since: identity.since, source: identity.source}]->(identity)
  RETURN count(identity) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)<-[link:DECLARED]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
