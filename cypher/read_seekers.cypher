// Reads what lets some people seek a mentor, and when they are free.
// $people: list of strings, uids
// $now: instant as of which facts count
// $week: instant with which the week of that one begins
// $next_week: instant with which the next one does; busy times come as milliseconds since 1970
UNWIND $people AS uid
MATCH (mentee:Person {uid: uid})
RETURN uid,
       EXISTS {
         MATCH (mentee)-[:CONSENTED]->(consent:Consent {purpose: 'matching'})
         WHERE consent.since < $now AND (consent.until IS NULL OR consent.until >= $now)
       } AS consented,
       COLLECT {
         MATCH (step:OnboardingStep {necessity: 'mandatory'})
         WHERE step.since < $now AND (step.until IS NULL OR step.until >= $now)
           AND coalesce(step.role, 'mentee') = 'mentee'
           AND (NOT EXISTS { (step)-[:STEP_OF]->(:Programme) } OR EXISTS {
             MATCH (step)-[:STEP_OF]->(:Programme)<-[member:MEMBER_OF]-(mentee)
             WHERE coalesce(member.role, 'mentee') = 'mentee'
               AND member.since < $now AND (member.until IS NULL OR member.until >= $now)
           })
           AND NOT EXISTS {
             MATCH (mentee)-[did:DID]->(step)
             WHERE did.since < $now AND (did.until IS NULL OR did.until >= $now)
           }
         RETURN step.name
         ORDER BY step.position, step.name, step.uid
       } AS missing_steps,
       COLLECT {
         MATCH (mentee)-[:AVAILABLE]->(window:Availability)
         WHERE window.since < $now AND (window.until IS NULL OR window.until >= $now)
         RETURN [window.weekday, window.start, window.end, window.zone]
       } AS windows,
       COLLECT {
         MATCH (mentee)-[:ABSENT]->(absence:Absence)
         WHERE absence.since < $now
         RETURN [absence.since, absence.until]
       } AS absences,
       COLLECT {
         MATCH (mentee)-[:BUSY]->(busy:BusyTime)
         WHERE busy.since < $next_week AND busy.until > $week
         RETURN [busy.since.epochMillis, busy.until.epochMillis]
       } AS busy
