// Reads a pairing with its people and its time.
// $pairing: string, uid
MATCH (pairing:Pairing {uid: $pairing})
MATCH (mentor:Person)<-[:MENTOR]-(pairing)-[:MENTEE]->(mentee:Person)
RETURN pairing.status AS status, pairing.since.epochMillis AS since, pairing.until.epochMillis AS until,
       mentor.uid AS mentor, mentee.uid AS mentee
