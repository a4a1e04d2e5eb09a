// Reads the pairings in which nothing has happened for too long, with what may explain it.
// $states: list of strings, states of a pairing that is to move
// $programme: string or null, uid; null for the pairings of all programmes and of none
// $now: instant as of which facts count
// $soon: instant with which the time looked at ends; busy times come as milliseconds since 1970
// $default_days: integer, days without a session after which a pairing has stalled where no charter says so
UNWIND $states AS state
MATCH (pairing:Pairing {status: state})
USING INDEX pairing:Pairing(status)
WHERE pairing.since <= $now
OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
WITH pairing, programme
WHERE $programme IS NULL OR programme.uid = $programme
WITH pairing, programme,
     head(COLLECT {
       MATCH (charter:Charter)-[:GOVERNS]->(programme)
       WHERE charter.since <= $now AND (charter.until IS NULL OR charter.until > $now)
       RETURN coalesce(charter.stall_days, $default_days) ORDER BY charter.since DESC, charter.uid DESC LIMIT 1
     }) AS charter_days,
     head(COLLECT {
       MATCH (pairing)<-[:PART_OF]-(session:Session)
       RETURN session.since ORDER BY session.since DESC LIMIT 1
     }) AS met,
     head(COLLECT {
       MATCH (move:Move)-[:OF_PAIRING]->(pairing)
       WHERE move.state = 'active'
       RETURN move.since ORDER BY move.since DESC LIMIT 1
     }) AS resumed,
     head(COLLECT {
       MATCH (move:Move)-[:OF_PAIRING]->(pairing)
       WHERE move.state = 'stalled'
       RETURN move.since ORDER BY move.since DESC LIMIT 1
     }) AS marked
WITH pairing, programme, met, marked, coalesce(charter_days, $default_days) AS days,
     reduce(last = pairing.since, each IN [met, resumed] | CASE WHEN each > last THEN each ELSE last END) AS quiet
WITH pairing, programme, met, marked, quiet, quiet + duration({days: days}) AS late
WHERE late <= $now OR pairing.status = 'stalled'
MATCH (mentor:Person)<-[:MENTOR]-(pairing)-[:MENTEE]->(mentee:Person)
OPTIONAL MATCH (pairing)-[:FOR_GOAL]->(goal:Goal)
RETURN pairing.uid AS pairing, pairing.status AS status, mentor.uid AS mentor, mentee.uid AS mentee, goal.uid AS goal,
       programme.uid AS programme,
       met.epochMillis AS met, quiet.epochMillis AS quiet, late.epochMillis AS late, marked.epochMillis AS marked,
       COLLECT {
         MATCH (person:Person)-[:SIGNED]->(signature:Signature)-[:AGREES_TO]->(pairing)
         RETURN [person.uid, signature.text_version]
       } AS signatures,
       COLLECT {
         MATCH (person:Person)-[:GAVE]->(answer:Feedback)-[:ABOUT]->(pairing)
         WHERE answer.since <= $now
         RETURN [person.uid, answer.rating] ORDER BY answer.since, answer.uid
       } AS ratings,
       COLLECT {
         UNWIND [mentor, mentee] AS person
         RETURN {
           windows: COLLECT {
             MATCH (person)-[:AVAILABLE]->(window:Availability)
             WHERE window.since <= $now AND (window.until IS NULL OR window.until > $now)
             RETURN [window.weekday, window.start, window.end, window.zone]
           },
           absences: COLLECT {
             MATCH (person)-[:ABSENT]->(absence:Absence)
             WHERE absence.since < $soon AND absence.until > $now
             RETURN [absence.since.epochMillis, absence.until.epochMillis]
           },
           busy: COLLECT {
             MATCH (person)-[:BUSY]->(busy:BusyTime)
             WHERE busy.since < $soon AND busy.until > $now
             RETURN [busy.since.epochMillis, busy.until.epochMillis]
           }
         }
       } AS times
ORDER BY late, pairing
