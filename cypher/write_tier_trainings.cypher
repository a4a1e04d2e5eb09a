// Writes tier trainings: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, tier and training (uids of both ends)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH ()-[old:DEMANDS {uid: row.uid}]->()
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN startNode(old).uid <> row.tier OR endNode(old).uid <> row.training THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (tier:Tier {uid: row.tier}), (training:Training {uid: row.training})
  CREATE (tier)-[fact:DEMANDS]->(training)
  SET fact = row.properties, fact.changed = row.changed
  RETURN count(fact) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
