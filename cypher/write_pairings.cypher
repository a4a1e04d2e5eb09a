// Writes pairings: creates the unknown, updates what differs, reports [uid, status] of each row.
// $rows: list of maps: uid, changed (number of the change), properties, link_uids (sorted), mentor, mentor_link,
//   mentee, mentee_link, goal, goal_link, unit, unit_link, programme, programme_link (uids of target and
//   relationship)
// $apply: boolean; false only reports
UNWIND $rows AS row
OPTIONAL MATCH (old:Pairing {uid: row.uid})
WITH row, old, row.properties AS new
WITH row, old,
     CASE
       WHEN EXISTS {
         MATCH (other:Pairing {source: new.source, external_id: new.external_id})
         WHERE other.uid <> row.uid
       } THEN 'taken'
       WHEN old IS NULL THEN 'created'
       WHEN COLLECT {
         MATCH (old)-[link:MENTOR|MENTEE|FOR_GOAL|IN_UNIT|IN_PROGRAMME]->()
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
  OPTIONAL MATCH (unit:OrganisationUnit {uid: row.unit})
  OPTIONAL MATCH (programme:Programme {uid: row.programme})
  WITH *
  WHERE (row.goal IS NULL) = (goal IS NULL)
    AND (row.unit IS NULL) = (unit IS NULL)
    AND (row.programme IS NULL) = (programme IS NULL)
  CREATE (pairing:Pairing)
  SET pairing = row.properties, pairing.changed = row.changed
  CREATE (pairing)-[:MENTOR {uid: row.mentor_link, since: pairing.since, source: pairing.source}]->(mentor)
  CREATE (pairing)-[:MENTEE {uid: row.mentee_link, since: pairing.since, source: pairing.source}]->(mentee)
  FOREACH (goal IN CASE WHEN goal IS NULL THEN [] ELSE [goal] END |
    CREATE (pairing)-[:FOR_GOAL {uid: row.goal_link, since: pairing.since, source: pairing.source}]->(goal)
  )
  FOREACH (unit IN CASE WHEN unit IS NULL THEN [] ELSE [unit] END |
    CREATE (pairing)-[:IN_UNIT {uid: row.unit_link, since: pairing.since, source: pairing.source}]->(unit)
  )
  FOREACH (programme IN CASE WHEN programme IS NULL THEN [] ELSE [programme] END |
    CREATE (pairing)-[:IN_PROGRAMME
      {uid: row.programme_link, since: pairing.since, source: pairing.source}
    ]->(programme)
  )
  RETURN count(pairing) AS created
}
CALL (row, old, status) {
  WITH * WHERE $apply AND status IN ['changed', 'ended']
  SET old = row.properties, old.changed = row.changed
  WITH old
  MATCH (old)-[link:MENTOR|MENTEE|FOR_GOAL|IN_UNIT|IN_PROGRAMME]->()
  SET link.since = old.since, link.source = old.source
}
RETURN collect([
         row.uid,
         CASE WHEN $apply AND status = 'created' AND created = 0 THEN 'dangling' ELSE status END
       ]) AS statuses
