// Reads one page of the trainings that have not ended, in the order of their uids.
// $now: instant by which they have not
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (training:Training)
WHERE training.uid > $after AND (training.until IS NULL OR training.until > $now)
RETURN training.uid AS uid
ORDER BY uid
LIMIT $limit
