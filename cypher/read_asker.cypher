// Reads whoever asks, be it one or many, and the goals that are asked about; who does not exist is absent.
// $asked: list of maps: mentee (uid) and goal (uid or null; null takes the latest one that is open)
// $now: instant as of which facts count
// $pinned_at: instant as of which pins count
// $week: instant with which the week of that one begins
// $next_week: instant with which the next one does; instants come as milliseconds since 1970
// $programme: string, uid of the programme that is meant
// $is_meant: boolean; false takes the only one that they are enrolled in
// $open: list of strings, states of a pairing that takes up a place
UNWIND $asked AS asked
MATCH (mentee:Person {uid: asked.mentee})
CALL (mentee, asked) {
  OPTIONAL MATCH (mentee)-[:HAS_GOAL]->(goal:Goal)
  WHERE CASE
    WHEN asked.goal IS NULL THEN goal.since < $now AND (goal.until IS NULL OR goal.until >= $now)
    ELSE goal.uid = asked.goal
  END
  RETURN goal
  ORDER BY goal.since DESC, goal.uid
  LIMIT 1
}
WITH mentee, goal, COLLECT {
       MATCH (mentee)-[member:MEMBER_OF]->(programme:Programme)
       WHERE NOT $is_meant AND coalesce(member.role, 'mentee') = 'mentee'
         AND member.since < $now AND (member.until IS NULL OR member.until >= $now)
         AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
       RETURN DISTINCT programme.uid
       LIMIT 2
     } AS enrolled
WITH mentee, goal, CASE WHEN NOT $is_meant AND size(enrolled) = 1 THEN enrolled[0] ELSE $programme END AS meant
RETURN mentee.uid AS mentee, mentee.name AS name, goal.uid AS goal, goal.title AS title,
       mentee.until.epochMillis AS left_on, mentee.zone AS zone,
       COLLECT {
         MATCH (programme:Programme {uid: meant})
         RETURN {
           uid: programme.uid,
           format: programme.format,
           drafts: COLLECT {
             MATCH (policy:Policy)-[:SET_FOR]->(programme)
             WHERE policy.since <= $now AND (policy.until IS NULL OR policy.until > $now)
             RETURN policy.content ORDER BY policy.since DESC, policy.uid LIMIT 1
           }
         }
       } AS programmes,
       COLLECT {
         MATCH (mentee)-[:DESCRIBED_BY]->(profile:Profile)
         WHERE profile.since < $now AND (profile.until IS NULL OR profile.until >= $now)
         RETURN {
           grade: profile.grade,
           languages: profile.languages,
           formats: profile.formats,
           communication: profile.communication
         }
         ORDER BY profile.since DESC, profile.uid LIMIT 1
       } AS profiles,
       COLLECT {
         MATCH (mentee)-[member:MEMBER_OF]->(programme:Programme)
         WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
           AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
         RETURN DISTINCT programme.uid
       } AS takes_part,
       COUNT {
         MATCH (mentee)<-[:MENTEE]-(pairing:Pairing)
         WHERE pairing.since < $now
           AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
       } AS mentors,
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
         RETURN [absence.since.epochMillis, absence.until.epochMillis]
       } AS absences,
       COLLECT {
         MATCH (mentee)-[:BUSY]->(busy:BusyTime)
         WHERE busy.since < $next_week AND busy.until > $week
         RETURN [busy.since.epochMillis, busy.until.epochMillis]
       } AS busy
