// Reads, as one row, the relationships and the first nodes that some evidence names.
// $uids: map of lists of strings, by type of relationship in lower case and `goals` and `profiles` for nodes that stand
//   alone;
//   instants come as milliseconds since 1970
CALL () {
  UNWIND $uids.needs AS uid
  MATCH (start:Goal)-[edge:NEEDS {uid: uid}]->(end:Skill)
  RETURN 'NEEDS' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.wants AS uid
  MATCH (start:Person)-[edge:WANTS {uid: uid}]->(end:Skill)
  RETURN 'WANTS' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.offers AS uid
  MATCH (start:Person)-[edge:OFFERS {uid: uid}]->(end:Skill)
  RETURN 'OFFERS' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.broader AS uid
  MATCH (start:Skill)-[edge:BROADER {uid: uid}]->(end:Skill)
  RETURN 'BROADER' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.became AS uid
  MATCH (start:Skill)-[edge:BECAME {uid: uid}]->(end:Skill)
  RETURN 'BECAME' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.for_goal AS uid
  MATCH (start:Pairing)-[edge:FOR_GOAL {uid: uid}]->(end:Goal)
  RETURN 'FOR_GOAL' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.mentor AS uid
  MATCH (start:Pairing)-[edge:MENTOR {uid: uid}]->(end:Person)
  RETURN 'MENTOR' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.mentee AS uid
  MATCH (start:Pairing)-[edge:MENTEE {uid: uid}]->(end:Person)
  RETURN 'MENTEE' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.asks AS uid
  MATCH (start:Request)-[edge:ASKS {uid: uid}]->(end:Person)
  RETURN 'ASKS' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.serves AS uid
  MATCH (start:Goal)-[edge:SERVES {uid: uid}]->(end:Priority)
  RETURN 'SERVES' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.phase_of AS uid
  MATCH (start:Phase)-[edge:PHASE_OF {uid: uid}]->(end:OrganisationUnit)
  RETURN 'PHASE_OF' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.described_by AS uid
  MATCH (start:Person)-[edge:DESCRIBED_BY {uid: uid}]->(end:Profile)
  RETURN 'DESCRIBED_BY' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.in_unit AS uid
  MATCH (start:Goal|Pairing)-[edge:IN_UNIT {uid: uid}]->(end:OrganisationUnit)
  RETURN 'IN_UNIT' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.belongs_to AS uid
  MATCH (start:Person)-[edge:BELONGS_TO {uid: uid}]->(end:OrganisationUnit)
  RETURN 'BELONGS_TO' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.part_of AS uid
  MATCH (start:Session)-[edge:PART_OF {uid: uid}]->(end:Pairing)
  RETURN 'PART_OF' AS type, uid, edge.since.epochMillis AS since, edge.until.epochMillis AS until, edge.source AS source,
         {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
         {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
  UNION ALL
  UNWIND $uids.goals AS uid
  MATCH (goal:Goal {uid: uid})
  RETURN '' AS type, uid, goal.since.epochMillis AS since, goal.until.epochMillis AS until, goal.source AS source,
         {uid: goal.uid, kind: 'Goal', name: goal.title} AS start, null AS end
  UNION ALL
  UNWIND $uids.profiles AS uid
  MATCH (profile:Profile {uid: uid})
  RETURN '' AS type, uid, profile.since.epochMillis AS since, profile.until.epochMillis AS until,
         profile.source AS source, {uid: profile.uid, kind: 'Profile', name: ''} AS start, null AS end
}
RETURN collect({type: type, uid: uid, since: since, until: until, source: source, start: start, end: end}) AS rows
