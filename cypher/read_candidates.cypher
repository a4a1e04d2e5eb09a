// Reads, as one row, for some mentors of one mentee or of many, the facts that the hard rules ask for.
// $asked: list of maps: mentees (uids of those who ask), mentors (uids), programme (uid of the one they would be paired
//   in, or of nothing); what concerns a mentor alone is read once for all mentees
// $now: instant as of which facts count
// $week: instant with which the week of that one begins
// $next_week: instant with which the next one does; instants come as milliseconds since 1970
// $month: instant with which the month of $now begins
// $open: list of strings, states of a pairing that takes up a place
WITH COLLECT {
  MATCH (step:OnboardingStep {necessity: 'mandatory'})
  WHERE step.since < $now AND (step.until IS NULL OR step.until >= $now) AND coalesce(step.role, 'mentor') = 'mentor'
  RETURN step
  ORDER BY step.position, step.name, step.uid
} AS steps
UNWIND $asked AS asked
WITH steps, asked, COLLECT {
  UNWIND asked.mentees AS each
  MATCH line = (:Person {uid: each})-[:REPORTS_TO*1..5]->(boss:Person)
  WHERE all(one IN relationships(line) WHERE one.since < $now AND (one.until IS NULL OR one.until >= $now))
  RETURN [each, boss.uid, length(line)]
} AS bosses
UNWIND asked.mentors AS uid
MATCH (mentor:Person {uid: uid})
WITH asked, bosses, uid, mentor, mentor.until.epochMillis AS left_on,
     mentor.zone AS zone,
     COLLECT {
       MATCH (mentor)-[:DESCRIBED_BY]->(profile:Profile)
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
       MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
       WHERE role.since < $now AND (role.until IS NULL OR role.until >= $now) AND role.hours_per_month IS NOT NULL
       RETURN [role.hours_per_month, reduce(sum = 0, minutes IN COLLECT {
         MATCH (mentor)<-[:MENTOR]-(:Pairing)<-[:PART_OF]-(session:Session)
         WHERE session.since >= $month AND session.since < $now
         RETURN session.minutes
       } | sum + minutes)]
     } AS hours,
     COLLECT {
       MATCH (mentor)-[member:MEMBER_OF]->(:Programme {uid: asked.programme})
       WHERE coalesce(member.role, 'mentor') = 'mentor'
         AND member.since < $now AND (member.until IS NULL OR member.until >= $now)
       RETURN coalesce(member.hours_per_month, -1.0)
     } AS enrolments,
     COLLECT {
       MATCH (mentor)-[member:MEMBER_OF]->(programme:Programme)
       WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
         AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
       RETURN DISTINCT programme.uid
     } AS programmes,
     COLLECT {
       MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
       WHERE role.since < $now AND (role.until IS NULL OR role.until >= $now)
       RETURN coalesce(role.max_mentees, -1)
     } AS places,
     EXISTS {
       MATCH (mentor)-[:CONSENTED]->(consent:Consent {purpose: 'matching'})
       WHERE consent.since < $now AND (consent.until IS NULL OR consent.until >= $now)
     } AS consented,
     COLLECT {
       MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)
       WHERE pairing.since < $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
         AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
       RETURN 1.0
     } + COLLECT {
       MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)<-[help:HELPS]-(:Person)
       WHERE help.since < $now AND (help.until IS NULL OR help.until >= $now) AND pairing.since < $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
         AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
       RETURN -help.share
     } + COLLECT {
       MATCH (mentor)-[help:HELPS]->(pairing:Pairing)
       WHERE help.since < $now AND (help.until IS NULL OR help.until >= $now) AND pairing.since < $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
         AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
       RETURN help.share
     } AS taken,
     COLLECT {
       MATCH (mentor)-[member:MEMBER_OF]->(:Programme {uid: asked.programme})
       WHERE coalesce(member.role, 'mentor') = 'mentor' AND member.max_mentees IS NOT NULL
         AND member.since < $now AND (member.until IS NULL OR member.until >= $now)
       RETURN member.max_mentees
     } AS places_in_programme,
     COUNT {
       MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)-[:IN_PROGRAMME]->(:Programme {uid: asked.programme})
       WHERE pairing.since < $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
     } AS taken_in_programme,
     COLLECT {
       UNWIND steps AS step
       WITH step
       WHERE (NOT EXISTS { (step)-[:STEP_OF]->(:Programme) } OR EXISTS {
           MATCH (step)-[:STEP_OF]->(:Programme)<-[member:MEMBER_OF]-(mentor)
           WHERE coalesce(member.role, 'mentor') = 'mentor'
             AND member.since < $now AND (member.until IS NULL OR member.until >= $now)
         })
         AND NOT EXISTS {
           MATCH (mentor)-[did:DID]->(step)
           WHERE did.since < $now AND (did.until IS NULL OR did.until >= $now)
         }
       RETURN step.name
     } AS missing_steps,
     COLLECT {
       MATCH (mentor)-[:ABSENT]->(absence:Absence)
       WHERE absence.since < $now AND absence.until >= $now
       RETURN absence.until.epochMillis
     } AS away_until,
     COLLECT {
       MATCH (mentor)-[:AVAILABLE]->(window:Availability)
       WHERE window.since < $now AND (window.until IS NULL OR window.until >= $now)
       RETURN [window.weekday, window.start, window.end, window.zone]
     } AS windows,
     COLLECT {
       MATCH (mentor)-[:ABSENT]->(absence:Absence)
       WHERE absence.since < $now
       RETURN [absence.since.epochMillis, absence.until.epochMillis]
     } AS absences,
     COLLECT {
       MATCH (mentor)-[:BUSY]->(busy:BusyTime)
       WHERE busy.since < $next_week AND busy.until > $week
       RETURN [busy.since.epochMillis, busy.until.epochMillis]
     } AS busy
UNWIND asked.mentees AS other
OPTIONAL MATCH (mentee:Person {uid: other})
WITH uid, other, left_on, zone, profiles, hours, enrolments, programmes, places, consented, taken, places_in_programme,
     taken_in_programme, missing_steps, away_until, windows, absences, busy,
     [boss IN bosses WHERE boss[0] = other AND boss[1] = uid | boss[2]] AS manages,
     COLLECT {
       MATCH line = (mentor)-[:REPORTS_TO*1..5]->(boss:Person)
       WHERE boss.uid = other
         AND all(each IN relationships(line) WHERE each.since < $now AND (each.until IS NULL OR each.until >= $now))
       RETURN length(line)
     } AS reports,
     COLLECT {
       MATCH (mentor)<-[:ASKS]-(request:Request {status: 'declined'})-[:ON_BEHALF_OF]->(mentee)
       WHERE request.until <= $now
       RETURN [request.until.epochMillis, COLLECT { MATCH (request)-[:FOR_GOAL]->(goal:Goal) RETURN goal.uid }]
     } AS declined,
     EXISTS {
       MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)-[:MENTEE]->(mentee)
       WHERE pairing.since < $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
     } OR EXISTS {
       MATCH (mentor)-[help:HELPS]->(pairing:Pairing)-[:MENTEE]->(mentee)
       WHERE help.since < $now AND (help.until IS NULL OR help.until >= $now) AND pairing.since < $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until >= $now END
     } AS paired,
     EXISTS {
       MATCH (mentor)-[block:BLOCKS]-(mentee)
       WHERE block.since < $now AND (block.until IS NULL OR block.until >= $now)
     } AS blocked,
     COLLECT {
       MATCH (mentee)<-[:FOR_MENTEE]-(override:Override {action: 'forbid'})-[:CHOOSES]->(mentor)
       WHERE override.since < $now AND override.until >= $now
       RETURN [override.until.epochMillis, override.reason] ORDER BY override.until DESC
     } AS forbidden
RETURN collect({
  uid: uid,
  mentee: other,
  left_on: left_on,
  zone: zone,
  profiles: profiles,
  hours: hours,
  enrolments: enrolments,
  programmes: programmes,
  places: places,
  consented: consented,
  taken: taken,
  places_in_programme: places_in_programme,
  taken_in_programme: taken_in_programme,
  missing_steps: missing_steps,
  away_until: away_until,
  windows: windows,
  absences: absences,
  busy: busy,
  manages: manages,
  reports: reports,
  declined: declined,
  paired: paired,
  blocked: blocked,
  forbidden: forbidden
}) AS rows
