// Reads the mentors of whom nothing was heard since an instant, though somebody waits for them; milliseconds since 1970.
// $open: list of strings, states of a request that waits
// $waiting: list of strings, states of a pairing whose people are to meet
// $heard: instant after which any sign of life counts
// $now: instant as of which facts count
CALL () {
  UNWIND $open + ['expired'] AS status
  MATCH (request:Request {status: status})-[:ASKS]->(mentor:Person)
  WHERE request.since <= $heard OR request.since + duration({days: request.answer_within_days}) <= $now
  RETURN mentor, max((request.since + duration({days: request.answer_within_days})).epochMillis) AS waited
  UNION
  UNWIND $waiting AS status
  MATCH (pairing:Pairing {status: status})-[:MENTOR]->(mentor:Person)
  WHERE pairing.since <= $heard
  RETURN mentor, max($now.epochMillis) AS waited
}
WITH mentor, max(waited) AS waited
WHERE mentor.since <= $heard AND (mentor.until IS NULL OR mentor.until > $now)
  AND EXISTS {
    MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
    WHERE role.since <= $heard AND (role.until IS NULL OR role.until > $now)
  }
  AND NOT EXISTS {
    MATCH (mentor)-[:ABSENT]->(absence:Absence)
    WHERE absence.since <= $now AND absence.until > $heard
  }
WITH mentor, waited, COLLECT {
  MATCH (mentor)-[:MADE|SIGNED|GAVE|CONSENTED|AVAILABLE|DESCRIBED_BY|HAS_GOAL]->(told)
  WHERE told.since <= $now
  RETURN told.since.epochMillis
} + COLLECT {
  MATCH (mentor)-[:CONSENTED|AVAILABLE|DESCRIBED_BY|HAS_GOAL]->(told)
  WHERE told.until <= $now
  RETURN told.until.epochMillis
} + COLLECT {
  MATCH (mentor)-[told:COMPLETED|DID|OFFERS|WANTS|MEMBER_OF|BLOCKS|HELPS]->()
  WHERE told.since <= $now
  RETURN told.since.epochMillis
} + COLLECT {
  MATCH (mentor)<-[:MENTOR|MENTEE]-(:Pairing)<-[:PART_OF]-(session:Session)
  WHERE session.since <= $now
  RETURN session.since.epochMillis
} + COLLECT {
  MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)
  WHERE pairing.since <= $now
  RETURN pairing.since.epochMillis
} + COLLECT {
  MATCH (mentor)<-[:ON_BEHALF_OF]-(request:Request)
  WHERE request.since <= $now
  RETURN request.since.epochMillis
} AS signs
WITH mentor, waited, reduce(last = mentor.since.epochMillis, each IN signs | CASE WHEN each > last THEN each ELSE last END) AS last
WHERE last <= $heard.epochMillis AND last <= waited
RETURN mentor.uid AS person, last
ORDER BY person
