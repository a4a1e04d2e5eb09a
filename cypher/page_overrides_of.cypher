// Reads a page of uids of what coordinators have decided about recommendations to a person.
// $mentee: string, uid of the person
// $at: instant or null; only what holds then
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
MATCH (mentee:Person {uid: $mentee})<-[:FOR_MENTEE]-(override:Override)
USING INDEX SEEK mentee:Person(uid)
WHERE $at IS NULL OR (override.since <= $at AND (override.until IS NULL OR override.until > $at))
WITH override.uid AS uid
ORDER BY uid
WITH collect(uid) AS uids
WITH size(uids) AS total, [uid IN uids WHERE uid > $after AND uid < $before] AS page
RETURN total, CASE WHEN $backward > 0 THEN page[-$backward..] ELSE page[..$forward] END AS uids
