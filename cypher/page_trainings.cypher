// Reads one page of the trainings that have not ended, in the order of their uids.
// $now: instant by which they have not
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
// $with_total: boolean, whether all of them are counted
CALL () {
  MATCH (training:Training)
  WHERE training.uid > $after AND training.uid < $before
    AND (training.until IS NULL OR training.until > $now)
  RETURN training.uid AS uid
  ORDER BY uid
  LIMIT $forward
  UNION ALL
  MATCH (training:Training)
  WHERE training.uid > $after AND training.uid < $before
    AND (training.until IS NULL OR training.until > $now)
  RETURN training.uid AS uid
  ORDER BY uid DESC
  LIMIT $backward
}
WITH collect(uid) AS uids
RETURN uids, CASE WHEN $with_total THEN COUNT {
  MATCH (training:Training)
  WHERE training.until IS NULL OR training.until > $now
} END AS total
