// Reads the pairings in some states with their last session and the days within which they are to meet again.
// $states: list of strings
// $programme: string or null, uid; null for the pairings of all programmes and of none
// $now: instant as of which facts count
UNWIND $states AS state
MATCH (pairing:Pairing {status: state})
USING INDEX pairing:Pairing(status)
WHERE pairing.since <= $now AND (pairing.until IS NULL OR pairing.until > $now)
OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
WITH pairing, programme
WHERE $programme IS NULL OR programme.uid = $programme
MATCH (mentor:Person)<-[:MENTOR]-(pairing)-[:MENTEE]->(mentee:Person)
RETURN pairing.uid AS pairing, mentor.uid AS mentor, mentee.uid AS mentee, pairing.since.epochMillis AS since,
       coalesce(pairing.check_in_days, programme.check_in_days) AS cadence_days,
       COLLECT {
         MATCH (pairing)<-[:PART_OF]-(session:Session)
         WHERE session.since <= $now
         RETURN session.since.epochMillis ORDER BY session.since DESC LIMIT 1
       } AS last
