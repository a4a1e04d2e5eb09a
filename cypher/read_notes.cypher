// Reads the notes on some sessions for whoever may read them: the two of the pairing, and who is a co-mentor of it now.
// $sessions: list of strings, uids
// $viewer: string, uid of who reads
// $now: instant as of which co-mentors count
UNWIND $sessions AS uid
MATCH (session:Session {uid: uid})-[:PART_OF]->(pairing:Pairing)
WHERE EXISTS { MATCH (pairing)-[:MENTOR|MENTEE]->(person:Person) WHERE person.uid = $viewer }
   OR EXISTS {
     MATCH (person:Person)-[help:HELPS]->(pairing)
     WHERE person.uid = $viewer AND help.since <= $now AND (help.until IS NULL OR help.until > $now)
   }
RETURN uid,
       COLLECT {
         MATCH (session)<-[:NOTE_OF]-(note:Note)<-[:WROTE]-(person:Person)
         RETURN note {.uid, .source, .agreed, .next_step, since: note.since.epochMillis, person: person.uid}
         ORDER BY note.since, note.uid
       } AS notes
