// Writes feedback: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted), pairing, pairing_link,
//   person, person_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Feedback {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN EXISTS {
         MATCH (other:Feedback {source: new.source, external_id: new.external_id})
         WHERE other.uid <> row.uid
       } THEN 'taken'
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:ABOUT|GAVE]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (pairing:Pairing {uid: row.pairing}), (person:Person {uid: row.person})
  CREATE (feedback:Feedback)
  SET feedback = row.properties, feedback.changed = row.changed
  CREATE (feedback)-[:ABOUT {uid: row.pairing_link, since: feedback.since, source: feedback.source}]->(pairing)
  CREATE (person)-[:GAVE {uid: row.person_link, since: feedback.since, source: feedback.source}]->(feedback)
  RETURN count(feedback) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:ABOUT|GAVE]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
