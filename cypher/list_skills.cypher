// Lists skills in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (skill:Skill)
WHERE skill.changed >= $changed AND (skill.changed > $changed OR skill.uid > $uid)
WITH skill
ORDER BY skill.changed, skill.uid
LIMIT $limit
RETURN collect({properties: properties(skill), links: []}) AS facts
