// Reads which of some skills are to be named no longer.
// $skills: list of strings, uids
UNWIND $skills AS uid
MATCH (skill:Skill {uid: uid})
WHERE EXISTS { (skill)-[:IN_STATE]->(state:SkillState {state: 'deprecated'}) WHERE state.until IS NULL }
RETURN uid, skill.name AS name
ORDER BY uid
