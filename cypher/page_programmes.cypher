// Reads one page of programmes in the order of their uids.
// $archived: boolean or null, whether they have ended; null for all
// $now: instant by which they have
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (programme:Programme)
WHERE programme.uid > $after
  AND ($archived IS NULL
    OR coalesce(programme.until <= $now OR programme.until <= programme.since, false) = $archived)
RETURN programme.uid AS uid
ORDER BY uid
LIMIT $limit
