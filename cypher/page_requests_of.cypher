// Reads a page of uids of the requests that a person made or got.
// $person: string, uid of the person
// $states: list of strings, the states that are wanted
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
MATCH (person:Person {uid: $person})<-[:ASKS|ON_BEHALF_OF]-(request:Request)
USING INDEX SEEK person:Person(uid)
WHERE request.status IN $states
WITH request.uid AS uid
ORDER BY uid
WITH collect(uid) AS uids
WITH size(uids) AS total, [uid IN uids WHERE uid > $after AND uid < $before] AS page
RETURN total, CASE WHEN $backward > 0 THEN page[-$backward..] ELSE page[..$forward] END AS uids
