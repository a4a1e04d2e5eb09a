// Writes requests: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted),
//   mentor, mentor_link, mentee, mentee_link, goal, goal_link, programme, programme_link (uids of target and
//   relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Request {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN EXISTS {
         MATCH (other:Request {source: new.source, external_id: new.external_id})
         WHERE other.uid <> row.uid
       } THEN 'taken'
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:ASKS|ON_BEHALF_OF|FOR_GOAL|IN_PROGRAMME]-()
         RETURN link.uid ORDER BY link.uid
       } <> row.link_uids THEN 'conflict'
       WHEN new {.*, changed: old.changed} = properties(old) THEN 'same'
       WHEN old.until IS NULL AND new.until IS NOT NULL THEN 'ended'
       ELSE 'changed'
     END AS status
CALL (row, status) {
  WITH * WHERE $apply AND status = 'created'
  MATCH (mentor:Person {uid: row.mentor}), (mentee:Person {uid: row.mentee})
  OPTIONAL MATCH (goal:Goal {uid: row.goal})
  OPTIONAL MATCH (programme:Programme {uid: row.programme})
  WITH *
  WHERE (row.goal IS NULL) = (goal IS NULL)
    AND (row.programme IS NULL) = (programme IS NULL)
  CREATE (request:Request)
  SET request = row.properties, request.changed = row.changed
  CREATE (request)-[:ASKS {uid: row.mentor_link, since: request.since, source: request.source}]->(mentor)
  CREATE (request)-[:ON_BEHALF_OF {uid: row.mentee_link, since: request.since, source: request.source}]->(mentee)
  FOREACH (goal IN CASE WHEN goal IS NULL THEN [] ELSE [goal] END |
    CREATE (request)-[:FOR_GOAL {uid: row.goal_link, since: request.since, source: request.source}]->(goal)
  )
  FOREACH (programme IN CASE WHEN programme IS NULL THEN [] ELSE [programme] END |
    CREATE (request)-[:IN_PROGRAMME
      {uid: row.programme_link, since: request.since, source: request.source}
    ]->(programme)
  )
  RETURN count(request) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:ASKS|ON_BEHALF_OF|FOR_GOAL|IN_PROGRAMME]-()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
