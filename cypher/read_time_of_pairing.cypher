// Reads a pairing with its people, its time and the phases in which its programme rests.
// $pairing: string, uid
MATCH (pairing:Pairing {uid: $pairing})
MATCH (mentor:Person)<-[:MENTOR]-(pairing)-[:MENTEE]->(mentee:Person)
RETURN pairing.status AS status, pairing.since.epochMillis AS since, pairing.until.epochMillis AS until,
       mentor.uid AS mentor, mentee.uid AS mentee,
       COLLECT {
         MATCH (pairing)-[:IN_PROGRAMME]->(:Programme)<-[:PHASE_IN]-(phase:Phase)
         RETURN [phase.since.epochMillis, phase.until.epochMillis] ORDER BY phase.since, phase.uid
       } AS phases
