// What a Neo4j user would write to find mentors: those who offer most of the skills that a goal needs or its owner wants.
// $goal: string, uid of the goal
// $now: instant as of which facts count
// $told: instant as of which the goal's needs and the wants of whoever set it count
// $first: how many mentors
MATCH (mentee:Person)-[:HAS_GOAL]->(goal:Goal {uid: $goal})
CALL (mentee, goal) {
  MATCH (goal)-[need:NEEDS]->(skill:Skill)
  WHERE need.since < $told AND (need.until IS NULL OR need.until >= $told)
  RETURN skill
  UNION
  MATCH (mentee)-[want:WANTS]->(skill:Skill)
  WHERE want.since < $told AND (want.until IS NULL OR want.until >= $told)
  RETURN skill
}
MATCH (skill)<-[offer:OFFERS]-(mentor:Person)
WHERE mentor <> mentee AND offer.since < $now AND (offer.until IS NULL OR offer.until >= $now)
WITH mentor, count(*) AS shared, sum(offer.level) AS level
WHERE EXISTS {
  MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
  WHERE role.since < $now AND (role.until IS NULL OR role.until >= $now)
}
RETURN mentor.uid AS mentor, mentor.name AS name, shared, level
ORDER BY shared DESC, level DESC, mentor
LIMIT $first
