// Writes overrides: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted),
//   mentee, mentee_link, mentor, mentor_link, proposed, proposed_link, goal, goal_link, request, request_link, person,
//   person_link (uids of target and relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Override {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN EXISTS {
         MATCH (other:Override {source: new.source, external_id: new.external_id})
         WHERE other.uid <> row.uid
       } THEN 'taken'
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:FOR_MENTEE|CHOOSES|INSTEAD_OF|ABOUT_GOAL|LED_TO|DECIDED]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (mentee:Person {uid: row.mentee}), (mentor:Person {uid: row.mentor})
  OPTIONAL MATCH (proposed:Person {uid: row.proposed})
  OPTIONAL MATCH (goal:Goal {uid: row.goal})
  OPTIONAL MATCH (request:Request {uid: row.request})
  OPTIONAL MATCH (person:Person {uid: row.person})
  WITH *
  WHERE (row.proposed IS NULL) = (proposed IS NULL)
    AND (row.goal IS NULL) = (goal IS NULL)
    AND (row.request IS NULL) = (request IS NULL)
    AND (row.person IS NULL) = (person IS NULL)
  CREATE (override:Override)
  SET override = row.properties, override.changed = row.changed
  CREATE (override)-[:FOR_MENTEE {uid: row.mentee_link, since: override.since, source: override.source}]->(mentee)
  CREATE (override)-[:CHOOSES {uid: row.mentor_link, since: override.since, source: override.source}]->(mentor)
  FOREACH (proposed IN CASE WHEN proposed IS NULL THEN [] ELSE [proposed] END |
    CREATE (override)-[:INSTEAD_OF {uid: row.proposed_link, since: override.since, source: override.source}]->(proposed)
  )
  FOREACH (goal IN CASE WHEN goal IS NULL THEN [] ELSE [goal] END |
    CREATE (override)-[:ABOUT_GOAL {uid: row.goal_link, since: override.since, source: override.source}]->(goal)
  )
  FOREACH (request IN CASE WHEN request IS NULL THEN [] ELSE [request] END |
    CREATE (override)-[:LED_TO {uid: row.request_link, since: override.since, source: override.source}]->(request)
  )
  FOREACH (person IN CASE WHEN person IS NULL THEN [] ELSE [person] END |
    CREATE (person)-[:DECIDED {uid: row.person_link, since: override.since, source: override.source}]->(override)
  )
  RETURN count(override) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:FOR_MENTEE|CHOOSES|INSTEAD_OF|ABOUT_GOAL|LED_TO|DECIDED]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
