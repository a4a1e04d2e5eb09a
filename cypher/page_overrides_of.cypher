// Reads a page of uids of what coordinators have decided about recommendations to a person.
// $mentee: string, uid of the person
// $at: instant or null; only what holds then
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
MATCH (mentee:Person {uid: $mentee})<-[:FOR_MENTEE]-(override:Override)
USING INDEX SEEK mentee:Person(uid)
WHERE override.uid > $after
  AND ($at IS NULL OR (override.since <= $at AND (override.until IS NULL OR override.until > $at)))
RETURN override.uid AS uid
ORDER BY uid
LIMIT $limit
