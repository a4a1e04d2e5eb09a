// Reads one page of skills in the order of their uids.
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
// $with_total: boolean, whether all of them are counted
CALL () {
  MATCH (skill:Skill)
  WHERE skill.uid > $after AND skill.uid < $before
  RETURN skill.uid AS uid
  ORDER BY uid
  LIMIT $forward
  UNION ALL
  MATCH (skill:Skill)
  WHERE skill.uid > $after AND skill.uid < $before
  RETURN skill.uid AS uid
  ORDER BY uid DESC
  LIMIT $backward
}
WITH collect(uid) AS uids
RETURN uids, CASE WHEN $with_total THEN COUNT { (:Skill) } END AS total
