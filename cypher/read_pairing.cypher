// Reads a pairing with whom it is about, when it was moved last, and who signed which agreement.
// $uid: string, uid of the pairing
MATCH (pairing:Pairing {uid: $uid})
MATCH (pairing)-[:MENTOR]->(mentor:Person)
MATCH (pairing)-[:MENTEE]->(mentee:Person)
OPTIONAL MATCH (pairing)-[:FOR_GOAL]->(goal:Goal)
OPTIONAL MATCH (pairing)-[:IN_UNIT]->(unit:OrganisationUnit)
OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
RETURN pairing {.*, since: pairing.since.epochMillis, until: pairing.until.epochMillis} AS properties,
       {mentor: mentor.uid, mentee: mentee.uid, goal: goal.uid, unit: unit.uid, programme: programme.uid} AS links,
       COLLECT {
         MATCH (move:Move)-[:OF_PAIRING]->(pairing)
         RETURN move.since.epochMillis ORDER BY move.since DESC LIMIT 1
       } AS moved,
       COLLECT {
         MATCH (person:Person)-[:SIGNED]->(signature:Signature)-[:AGREES_TO]->(pairing)
         RETURN [person.uid, signature.text_version]
       } AS signatures
