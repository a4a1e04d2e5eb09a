// Writes phases: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted),
//   unit, unit_link, programme, programme_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Phase {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:PHASE_OF|PHASE_IN]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  OPTIONAL MATCH (unit:OrganisationUnit {uid: row.unit})
  OPTIONAL MATCH (programme:Programme {uid: row.programme})
  WITH *
  WHERE (row.unit IS NULL) = (unit IS NULL)
    AND (row.programme IS NULL) = (programme IS NULL)
  CREATE (phase:Phase)
  SET phase = row.properties, phase.changed = row.changed
  FOREACH (unit IN CASE WHEN unit IS NULL THEN [] ELSE [unit] END |
    CREATE (phase)-[:PHASE_OF {uid: row.unit_link, since: phase.since, source: phase.source}]->(unit)
  )
  FOREACH (programme IN CASE WHEN programme IS NULL THEN [] ELSE [programme] END |
    CREATE (phase)-[:PHASE_IN {uid: row.programme_link, since: phase.since, source: phase.source}]->(programme)
  )
  RETURN count(phase) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:PHASE_OF|PHASE_IN]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
