// Reads one page of skills in the order of their uids.
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (skill:Skill)
WHERE skill.uid > $after
RETURN skill.uid AS uid
ORDER BY uid
LIMIT $limit
