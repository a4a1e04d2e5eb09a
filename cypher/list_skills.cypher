// Lists skills in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (skill:Skill)
USING INDEX skill:Skill(changed)
WHERE skill.changed > $changed
WITH skill
ORDER BY skill.changed
LIMIT $limit
RETURN collect({
         properties: skill {.*, since: skill.since.epochMillis, until: skill.until.epochMillis},
         links: []
       }) AS facts
