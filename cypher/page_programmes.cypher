// Reads one page of programmes in the order of their uids.
// $archived: boolean or null, whether they have ended; null for all
// $now: instant by which they have
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
MATCH (programme:Programme)
WHERE $archived IS NULL
  OR coalesce(programme.until <= $now OR programme.until <= programme.since, false) = $archived
WITH programme.uid AS uid
ORDER BY uid
WITH collect(uid) AS uids
WITH size(uids) AS total, [uid IN uids WHERE uid > $after AND uid < $before] AS page
RETURN total, CASE WHEN $backward > 0 THEN page[-$backward..] ELSE page[..$forward] END AS uids
