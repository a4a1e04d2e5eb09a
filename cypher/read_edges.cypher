// Reads, as one row, the relationships and the first nodes that some evidence names.
// $uids: map of lists of strings, by type of relationship in lower case and `goals` and `profiles` for nodes that stand
//   alone;
//   each comes as a list, which is cheaper than a map: type, uid, since, until, source, then uid, kind and name of both
//   ends; instants are milliseconds since 1970
CALL () {
  UNWIND $uids.needs AS uid
  MATCH (start:Goal)-[edge:NEEDS {uid: uid}]->(end:Skill)
  RETURN ['NEEDS', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.wants AS uid
  MATCH (start:Person)-[edge:WANTS {uid: uid}]->(end:Skill)
  RETURN ['WANTS', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.offers AS uid
  MATCH (start:Person)-[edge:OFFERS {uid: uid}]->(end:Skill)
  RETURN ['OFFERS', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.broader AS uid
  MATCH (start:Skill)-[edge:BROADER {uid: uid}]->(end:Skill)
  RETURN ['BROADER', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.became AS uid
  MATCH (start:Skill)-[edge:BECAME {uid: uid}]->(end:Skill)
  RETURN ['BECAME', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.for_goal AS uid
  MATCH (start:Pairing)-[edge:FOR_GOAL {uid: uid}]->(end:Goal)
  RETURN ['FOR_GOAL', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.mentor AS uid
  MATCH (start:Pairing)-[edge:MENTOR {uid: uid}]->(end:Person)
  RETURN ['MENTOR', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.mentee AS uid
  MATCH (start:Pairing)-[edge:MENTEE {uid: uid}]->(end:Person)
  RETURN ['MENTEE', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.asks AS uid
  MATCH (start:Request)-[edge:ASKS {uid: uid}]->(end:Person)
  RETURN ['ASKS', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.serves AS uid
  MATCH (start:Goal)-[edge:SERVES {uid: uid}]->(end:Priority)
  RETURN ['SERVES', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.phase_of AS uid
  MATCH (start:Phase)-[edge:PHASE_OF {uid: uid}]->(end:OrganisationUnit)
  RETURN ['PHASE_OF', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.described_by AS uid
  MATCH (start:Person)-[edge:DESCRIBED_BY {uid: uid}]->(end:Profile)
  RETURN ['DESCRIBED_BY', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.in_unit AS uid
  MATCH (start:Goal|Pairing)-[edge:IN_UNIT {uid: uid}]->(end:OrganisationUnit)
  RETURN ['IN_UNIT', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.belongs_to AS uid
  MATCH (start:Person)-[edge:BELONGS_TO {uid: uid}]->(end:OrganisationUnit)
  RETURN ['BELONGS_TO', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.part_of AS uid
  MATCH (start:Session)-[edge:PART_OF {uid: uid}]->(end:Pairing)
  RETURN ['PART_OF', uid, edge.since.epochMillis, edge.until.epochMillis, edge.source,
          start.uid, labels(start)[0], coalesce(start.name, start.title),
          end.uid, labels(end)[0], coalesce(end.name, end.title)] AS row
  UNION ALL
  UNWIND $uids.goals AS uid
  MATCH (goal:Goal {uid: uid})
  RETURN ['', uid, goal.since.epochMillis, goal.until.epochMillis, goal.source, uid, 'Goal', goal.title] AS row
  UNION ALL
  UNWIND $uids.profiles AS uid
  MATCH (profile:Profile {uid: uid})
  RETURN ['', uid, profile.since.epochMillis, profile.until.epochMillis, profile.source, uid, 'Profile', ''] AS row
}
RETURN collect(row) AS rows
