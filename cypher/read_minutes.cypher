// Reads, for some people and months, the minutes of their sessions by role, and the hours that their roles give.
// $months: list of maps: person (uid), since and until (instants with which the month begins and the next one does)
UNWIND $months AS month
MATCH (person:Person {uid: month.person})
RETURN person.uid AS person, month.since AS since,
       COLLECT {
         MATCH (person)<-[end:MENTOR|MENTEE]-(:Pairing)<-[:PART_OF]-(session:Session)
         WHERE session.since >= month.since AND session.since < month.until
         WITH toLower(type(end)) AS role, sum(session.minutes) AS minutes
         RETURN [role, minutes] ORDER BY role
       } AS used,
       COLLECT {
         MATCH (person)-[has:HAS_ROLE]->(role:Role)
         WHERE has.since < month.until AND (has.until IS NULL OR has.until > month.since)
           AND has.hours_per_month IS NOT NULL
         RETURN [role.name, has.hours_per_month] ORDER BY has.since, has.uid
       } AS hours
