// Reads who is enrolled in a programme, as what, and which of its open pairings each of them is in.
// $programme: string, uid
// $now: instant as of which facts count
// $open: list of strings, states of a pairing that takes up a place
MATCH (programme:Programme {uid: $programme})<-[member:MEMBER_OF]-(person:Person)
WHERE member.since < $now AND (member.until IS NULL OR member.until >= $now)
  AND (person.until IS NULL OR person.until >= $now)
WITH programme, person, collect(DISTINCT coalesce(member.role, '')) AS roles
RETURN person.uid AS uid, roles,
       COLLECT {
         MATCH (person)<-[:MENTOR|MENTEE]-(pairing:Pairing)-[:IN_PROGRAMME]->(programme)
         WHERE pairing.since < $now
           AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
         RETURN DISTINCT pairing.uid ORDER BY pairing.uid
       } AS pairings
ORDER BY uid
