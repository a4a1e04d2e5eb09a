// Reads the times of some people: zone, windows, and in a span their absences, busy times, live sessions and phases.
// $people: list of strings, uids
// $since: instant with which the span begins
// $until: instant with which it ends
// $day_before: instant a day before it begins; no session lasts longer
UNWIND $people AS uid
MATCH (person:Person {uid: uid})
RETURN uid, person.zone AS zone,
       COLLECT {
         MATCH (person)-[:AVAILABLE]->(window:Availability)
         WHERE window.since < $until AND (window.until IS NULL OR window.until > $since)
         RETURN window {.weekday, .start, .end, .zone, since: window.since.epochMillis, until: window.until.epochMillis}
       } AS windows,
       COLLECT {
         MATCH (person)-[:ABSENT]->(absence:Absence)
         WHERE absence.since < $until AND absence.until > $since
         RETURN absence {.*, since: absence.since.epochMillis, until: absence.until.epochMillis}
       } AS absences,
       COLLECT {
         MATCH (person)-[:BUSY]->(busy:BusyTime)
         WHERE busy.since < $until AND busy.until > $since
         RETURN busy {.*, since: busy.since.epochMillis, until: busy.until.epochMillis}
       } AS busy_times,
       COLLECT {
         MATCH (person)<-[:MENTOR|MENTEE]-(:Pairing)<-[:PART_OF]-(session:Session)
         WHERE session.since < $until AND session.since > $day_before AND coalesce(session.kind, 'live') = 'live'
         RETURN session {.uid, .minutes, since: session.since.epochMillis}
       } AS sessions,
       COLLECT {
         MATCH (person)-[member:BELONGS_TO]->(:OrganisationUnit)<-[:PHASE_OF]-(phase:Phase)
         WHERE phase.since < $until AND phase.until > $since
           AND member.since < phase.until AND (member.until IS NULL OR member.until > phase.since)
         RETURN phase {since: phase.since.epochMillis, until: phase.until.epochMillis}
       } AS phases
