// Reads how many pairings and requests of a programme are open, and the memberships that have not ended by an instant.
// $programme: string, uid
// $at: instant
// $open: list of strings, states of a pairing that takes up a place
// $waiting: list of strings, states of a request that waits for its answer
MATCH (programme:Programme {uid: $programme})
RETURN COUNT {
         MATCH (programme)<-[:IN_PROGRAMME]-(pairing:Pairing)
         WHERE pairing.until IS NULL AND pairing.status IN $open
       } AS pairings,
       COUNT {
         MATCH (programme)<-[:IN_PROGRAMME]-(request:Request)
         WHERE request.status IN $waiting
       } AS requests,
       COLLECT {
         MATCH (programme)<-[member:MEMBER_OF]-(person:Person)
         WHERE member.until IS NULL OR member.until > $at
         RETURN {
           properties: member {.*, since: member.since.epochMillis, until: member.until.epochMillis},
           person: person.uid
         }
         ORDER BY member.uid
       } AS memberships
