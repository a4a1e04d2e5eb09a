// Reads whoever asks, and the goal that is asked about.
// $mentee: string, uid of the person
// $goal: string or null, uid of the goal; null takes the latest one that is open
// $now: instant as of which facts count
// $pinned_at: instant as of which pins count
// $week: instant with which the week of that one begins
// $next_week: instant with which the next one does; busy times come as milliseconds since 1970
MATCH (mentee:Person {uid: $mentee})
OPTIONAL MATCH (mentee)-[:HAS_GOAL]->(goal:Goal)
WHERE CASE WHEN $goal IS NULL THEN goal.since < $now AND (goal.until IS NULL OR goal.until >= $now) ELSE goal.uid = $goal END
WITH mentee, goal
ORDER BY goal.since DESC, goal.uid
LIMIT 1
RETURN mentee.uid AS mentee, mentee.name AS name, goal.uid AS goal, goal.title AS title,
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
         MATCH (mentee)<-[:FOR_MENTEE]-(override:Override {action: 'pin'})-[:CHOOSES]->(mentor:Person)
         WHERE override.since < $pinned_at AND override.until >= $pinned_at
           AND (NOT EXISTS { (override)-[:ABOUT_GOAL]->(:Goal) } OR EXISTS { (override)-[:ABOUT_GOAL]->(goal) })
         RETURN [mentor.uid, override.uid] ORDER BY override.uid
       } AS pins,
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
