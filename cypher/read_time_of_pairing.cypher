// Reads a pairing with its people, its time, its programme and the phases in which that one rests.
// $pairing: string, uid
MATCH (pairing:Pairing {uid: $pairing})
MATCH (mentor:Person)<-[:MENTOR]-(pairing)-[:MENTEE]->(mentee:Person)
OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
RETURN pairing.status AS status, pairing.since.epochMillis AS since, pairing.until.epochMillis AS until,
       mentor.uid AS mentor, mentee.uid AS mentee, programme.uid AS programme, programme.format AS format,
       COLLECT {
         MATCH (programme)<-[:PHASE_IN]-(phase:Phase)
         RETURN [phase.since.epochMillis, phase.until.epochMillis] ORDER BY phase.since, phase.uid
       } AS phases,
       COLLECT { MATCH (helper:Person)-[:HELPS]->(pairing) RETURN helper.uid ORDER BY helper.uid } AS helpers
