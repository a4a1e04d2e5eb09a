// Reads how much of their places some people have given away, over all programmes and in each.
// $people: list of strings, uids
// $now: instant as of which facts count
// $open: list of strings, states of a pairing that takes up a place
UNWIND $people AS uid
MATCH (mentor:Person {uid: uid})
RETURN uid,
       COLLECT {
         MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
         WHERE role.since <= $now AND (role.until IS NULL OR role.until > $now)
         RETURN coalesce(role.max_mentees, -1)
       } AS places,
       COLLECT {
         MATCH (mentor)-[member:MEMBER_OF]->(programme:Programme)
         WHERE coalesce(member.role, 'mentor') = 'mentor' AND member.max_mentees IS NOT NULL
           AND member.since <= $now AND (member.until IS NULL OR member.until > $now)
         RETURN [programme.uid, member.max_mentees]
       } AS limits,
       COLLECT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)
         WHERE pairing.since <= $now
           AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until > $now END
           AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
         OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
         RETURN [programme.uid, 1.0]
       } + COLLECT {
         MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)<-[help:HELPS]-(:Person)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now) AND pairing.since <= $now
           AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until > $now END
           AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
         OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
         RETURN [programme.uid, -help.share]
       } + COLLECT {
         MATCH (mentor)-[help:HELPS]->(pairing:Pairing)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now) AND pairing.since <= $now
           AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until > $now END
           AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
         OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
         RETURN [programme.uid, help.share]
       } AS parts
ORDER BY uid
