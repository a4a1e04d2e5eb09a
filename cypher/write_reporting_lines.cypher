// Writes reporting lines: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, person and manager (uids of both ends)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH ()-[old:REPORTS_TO {uid: row.uid}]->()
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN old IS NULL THEN 'created'
       WHEN startNode(old).uid <> row.person OR endNode(old).uid <> row.manager THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (person:Person {uid: row.person}), (manager:Person {uid: row.manager})
  CREATE (person)-[fact:REPORTS_TO]->(manager)
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
