// Reads the relationships and the first nodes that some evidence names, in one round trip.
// $needs: list of strings, uids of NEEDS relationships
// $wants: list of strings, uids of WANTS relationships
// $offers: list of strings, uids of OFFERS relationships
// $broader: list of strings, uids of BROADER relationships
// $for_goal: list of strings, uids of FOR_GOAL relationships
// $mentor: list of strings, uids of MENTOR relationships
// $in_unit: list of strings, uids of IN_UNIT relationships
// $belongs_to: list of strings, uids of BELONGS_TO relationships
// $part_of: list of strings, uids of PART_OF relationships
// $goals: list of strings, uids of goals that stand alone
UNWIND $needs AS uid
MATCH (start:Goal)-[edge:NEEDS {uid: uid}]->(end:Skill)
RETURN 'NEEDS' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $wants AS uid
MATCH (start:Person)-[edge:WANTS {uid: uid}]->(end:Skill)
RETURN 'WANTS' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $offers AS uid
MATCH (start:Person)-[edge:OFFERS {uid: uid}]->(end:Skill)
RETURN 'OFFERS' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $broader AS uid
MATCH (start:Skill)-[edge:BROADER {uid: uid}]->(end:Skill)
RETURN 'BROADER' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $for_goal AS uid
MATCH (start:Pairing)-[edge:FOR_GOAL {uid: uid}]->(end:Goal)
RETURN 'FOR_GOAL' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $mentor AS uid
MATCH (start:Pairing)-[edge:MENTOR {uid: uid}]->(end:Person)
RETURN 'MENTOR' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $in_unit AS uid
MATCH (start:Goal|Pairing)-[edge:IN_UNIT {uid: uid}]->(end:OrganisationUnit)
RETURN 'IN_UNIT' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $belongs_to AS uid
MATCH (start:Person)-[edge:BELONGS_TO {uid: uid}]->(end:OrganisationUnit)
RETURN 'BELONGS_TO' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $part_of AS uid
MATCH (start:Session)-[edge:PART_OF {uid: uid}]->(end:Pairing)
RETURN 'PART_OF' AS type, uid, edge.since AS since, edge.until AS until, edge.source AS source,
       {uid: start.uid, kind: labels(start)[0], name: coalesce(start.name, start.title)} AS start,
       {uid: end.uid, kind: labels(end)[0], name: coalesce(end.name, end.title)} AS end
UNION ALL
UNWIND $goals AS uid
MATCH (goal:Goal {uid: uid})
RETURN '' AS type, uid, goal.since AS since, goal.until AS until, goal.source AS source,
       {uid: goal.uid, kind: 'Goal', name: goal.title} AS start, null AS end
