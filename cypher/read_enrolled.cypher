// Reads who is enrolled in a programme, as what, and in which of its open pairings and requests each of them is.
// $programme: string, uid
// $now: instant as of which facts count
// $open: list of strings, states of a pairing that takes up a place
// $waiting: list of strings, states of a request that waits for its answer
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
       } AS pairings,
       COLLECT {
         MATCH (person)<-[:ASKS|ON_BEHALF_OF]-(request:Request)-[:IN_PROGRAMME]->(programme)
         WHERE request.status IN $waiting
         RETURN DISTINCT request.uid ORDER BY request.uid
       } AS requests
ORDER BY uid
