// Reads one page of programmes in the order of their uids.
// $archived: boolean or null, whether they have ended; null for all
// $now: instant by which they have
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
// $with_total: boolean, whether all of them are counted
CALL () {
  MATCH (programme:Programme)
  WHERE programme.uid > $after AND programme.uid < $before
    AND ($archived IS NULL
      OR coalesce(programme.until <= $now OR programme.until <= programme.since, false) = $archived)
  RETURN programme.uid AS uid
  ORDER BY uid
  LIMIT $forward
  UNION ALL
  MATCH (programme:Programme)
  WHERE programme.uid > $after AND programme.uid < $before
    AND ($archived IS NULL
      OR coalesce(programme.until <= $now OR programme.until <= programme.since, false) = $archived)
  RETURN programme.uid AS uid
  ORDER BY uid DESC
  LIMIT $backward
}
WITH collect(uid) AS uids
RETURN uids, CASE WHEN $with_total THEN COUNT {
  MATCH (programme:Programme)
  WHERE $archived IS NULL
    OR coalesce(programme.until <= $now OR programme.until <= programme.since, false) = $archived
} END AS total
