// Reads one page of people in the order of their uids.
// $is_present: boolean or null, whether they take part; null for those who have left as well
// $now: instant as of which they do
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
// $with_total: boolean, whether all of them are counted
CALL () {
  MATCH (person:Person)
  WHERE person.uid > $after AND person.uid < $before
    AND ($is_present IS NULL OR (person.until IS NULL OR person.until > $now) = $is_present)
  RETURN person.uid AS uid
  ORDER BY uid
  LIMIT $forward
  UNION ALL
  MATCH (person:Person)
  WHERE person.uid > $after AND person.uid < $before
    AND ($is_present IS NULL OR (person.until IS NULL OR person.until > $now) = $is_present)
  RETURN person.uid AS uid
  ORDER BY uid DESC
  LIMIT $backward
}
WITH collect(uid) AS uids
RETURN uids, CASE WHEN $with_total THEN COUNT {
  MATCH (person:Person)
  WHERE $is_present IS NULL OR (person.until IS NULL OR person.until > $now) = $is_present
} END AS total
