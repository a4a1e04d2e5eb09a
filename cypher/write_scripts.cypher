// Writes scripts: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted),
//   programme, programme_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Script {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:SCRIPT_OF]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  OPTIONAL MATCH (programme:Programme {uid: row.programme})
  WITH *
  WHERE (row.programme IS NULL) = (programme IS NULL)
  CREATE (script:Script)
  SET script = row.properties, script.changed = row.changed
  FOREACH (programme IN CASE WHEN programme IS NULL THEN [] ELSE [programme] END |
    CREATE (script)-[:SCRIPT_OF {uid: row.programme_link, since: script.since, source: script.source}]->(programme)
  )
  RETURN count(script) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:SCRIPT_OF]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
