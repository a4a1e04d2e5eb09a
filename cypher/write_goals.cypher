// Writes goals: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted), person, person_link,
//   unit, unit_link, priority, priority_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Goal {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN EXISTS {
         MATCH (other:Goal {source: new.source, external_id: new.external_id})
         WHERE other.uid <> row.uid
       } THEN 'taken'
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:HAS_GOAL|IN_UNIT|SERVES]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (person:Person {uid: row.person})
  OPTIONAL MATCH (unit:OrganisationUnit {uid: row.unit})
  OPTIONAL MATCH (priority:Priority {uid: row.priority})
  WITH *
  WHERE (row.unit IS NULL) = (unit IS NULL)
    AND (row.priority IS NULL) = (priority IS NULL)
  CREATE (goal:Goal)
  SET goal = row.properties, goal.changed = row.changed
  CREATE (person)-[:HAS_GOAL {uid: row.person_link, since: goal.since, source: goal.source}]->(goal)
  FOREACH (unit IN CASE WHEN unit IS NULL THEN [] ELSE [unit] END |
    CREATE (goal)-[:IN_UNIT {uid: row.unit_link, since: goal.since, source: goal.source}]->(unit)
  )
  FOREACH (priority IN CASE WHEN priority IS NULL THEN [] ELSE [priority] END |
    CREATE (goal)-[:SERVES {uid: row.priority_link, since: goal.since, source: goal.source}]->(priority)
  )
  RETURN count(goal) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:HAS_GOAL|IN_UNIT|SERVES]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
