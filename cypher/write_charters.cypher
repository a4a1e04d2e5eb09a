// Writes charters: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted),
//   programme, programme_link, owner, owner_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Charter {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:GOVERNS|OWNS]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (programme:Programme {uid: row.programme})
  OPTIONAL MATCH (owner:Person {uid: row.owner})
  WITH *
  WHERE (row.owner IS NULL) = (owner IS NULL)
  CREATE (charter:Charter)
  SET charter = row.properties, charter.changed = row.changed
  CREATE (charter)-[:GOVERNS {uid: row.programme_link, since: charter.since, source: charter.source}]->(programme)
  FOREACH (owner IN CASE WHEN owner IS NULL THEN [] ELSE [owner] END |
    CREATE (owner)-[:OWNS {uid: row.owner_link, since: charter.since, source: charter.source}]->(charter)
  )
  RETURN count(charter) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:GOVERNS|OWNS]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
