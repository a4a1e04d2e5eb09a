// Writes milestones: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted), pairing, pairing_link
//   (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Milestone {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN EXISTS {
         MATCH (other:Milestone {source: new.source, external_id: new.external_id})
         WHERE other.uid <> row.uid
       } THEN 'taken'
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:MILESTONE_OF]->()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (pairing:Pairing {uid: row.pairing})
  CREATE (milestone:Milestone)
  SET milestone = row.properties, milestone.changed = row.changed
  CREATE (milestone)-[:MILESTONE_OF {uid: row.pairing_link, since: milestone.since, source: milestone.source}]->(pairing)
  RETURN count(milestone) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:MILESTONE_OF]->()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
