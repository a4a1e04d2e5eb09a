// Reads one page of one person's goals in the order of their uids.
// $person: string, uid of the person
// $after: string, uid behind which the page begins; empty for the beginning
// $before: string, uid before which it ends; the greatest string for the end
// $forward: integer, rows from its beginning; 0 where those of its end are wanted
// $backward: integer, rows from its end; 0 where those of its beginning are wanted
MATCH (person:Person {uid: $person})-[:HAS_GOAL]->(goal:Goal)
USING INDEX SEEK person:Person(uid)
WITH goal.uid AS uid
ORDER BY uid
WITH collect(uid) AS uids
WITH size(uids) AS total, [uid IN uids WHERE uid > $after AND uid < $before] AS page
RETURN total, CASE WHEN $backward > 0 THEN page[-$backward..] ELSE page[..$forward] END AS uids
