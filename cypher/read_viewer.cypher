// Reads on whose behalf a person asks: whether they have left, their roles, running programmes and acquaintances.
// $person: string, uid
// $now: instant as of which roles and programmes count
MATCH (person:Person {uid: $person})
RETURN person.until IS NOT NULL AND person.until <= $now AS has_left,
       COLLECT {
         MATCH (person)-[has:HAS_ROLE]->(role:Role)
         WHERE has.since <= $now AND (has.until IS NULL OR has.until > $now)
         RETURN DISTINCT role.name ORDER BY role.name
       } AS roles,
       COLLECT {
         MATCH (person)-[member:MEMBER_OF]->(programme:Programme)
         WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
           AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
         RETURN DISTINCT programme.uid ORDER BY programme.uid
       } AS programmes,
       COLLECT {
         MATCH (person)-[:MENTOR|MENTEE|HELPS]-(:Pairing)-[:MENTOR|MENTEE|HELPS]-(other:Person)
         RETURN DISTINCT other.uid ORDER BY other.uid
       } + COLLECT {
         MATCH (person)<-[:ASKS|ON_BEHALF_OF]-(:Request)-[:ASKS|ON_BEHALF_OF]->(other:Person)
         RETURN DISTINCT other.uid ORDER BY other.uid
       } AS acquaintances
