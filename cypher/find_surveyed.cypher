// Finds the pairings whose people may have a survey to answer: those that go on, and those that ended lately.
// $states: list of strings, states of a pairing that goes on
// $ended_after: instant
// $programme: string or null, uid; null for the pairings of all programmes and of none
CALL () {
  UNWIND $states AS state
  MATCH (pairing:Pairing {status: state})
  USING INDEX pairing:Pairing(status)
  RETURN pairing
  UNION
  MATCH (pairing:Pairing)
  USING INDEX pairing:Pairing(until)
  WHERE pairing.until > $ended_after
  RETURN pairing
}
OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
WITH pairing, programme
WHERE $programme IS NULL OR programme.uid = $programme
RETURN DISTINCT pairing.uid AS uid
