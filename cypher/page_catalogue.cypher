// Reads one page of the mentors whom somebody may be shown and who fit a filter, with what the catalogue tells of them.
// $after: string, uid to start after; empty for the first page
// $limit: integer, rows
// $now: instant as of which facts count
// $open: list of strings, states of a pairing that takes up a place
// $wanted: map, since the database plans anew for every combination of parameters of other types; null is not asked for:
//   viewer: string, uid of who asks; whoever blocks them, or is blocked by them, is left out; empty for nobody
//   within: list of strings or null, uids of the programmes whose people they may see, beside those who are in none
//   known: list of strings, uids of people whom they may see in any case
//   places: float, places of who has not said how many
//   skills: list of strings or null, uids of skills of which one has to be offered
//   counts_as: map from the uid of each merged skill to the one that it counts for
//   least_level: float or null, at which level it has to be offered
//   trust: map from the source of a rating to its weight when it is given, at_first, and to its half_life_years
//   format: string or null, a form in which they take part
//   style: string or null, how they coach
//   channels: list of strings or null, how they like to talk
//   language: string or null, a language tag, which stands for those that narrow it as well
//   programme: string or null, uid of a programme in which they are mentors
//   is_free: boolean or null, whether one more pairing goes
WITH COLLECT {
  MATCH (step:OnboardingStep {necessity: 'mandatory'})
  WHERE step.since <= $now AND (step.until IS NULL OR step.until > $now) AND coalesce(step.role, 'mentor') = 'mentor'
  RETURN step
} AS steps
MATCH (mentor:Person)
WHERE mentor.uid > $after
  AND (mentor.until IS NULL OR mentor.until > $now)
  AND EXISTS {
    MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
    WHERE role.since <= $now AND (role.until IS NULL OR role.until > $now)
  }
  AND EXISTS {
    MATCH (mentor)-[:CONSENTED]->(consent:Consent {purpose: 'matching'})
    WHERE consent.since <= $now AND (consent.until IS NULL OR consent.until > $now)
  }
  AND NOT EXISTS {
    MATCH (mentor)-[block:BLOCKS]-(other:Person)
    WHERE other.uid = $wanted.viewer AND block.since <= $now AND (block.until IS NULL OR block.until > $now)
  }
  AND ($wanted.within IS NULL OR mentor.uid IN $wanted.known OR EXISTS {
    MATCH (mentor)-[member:MEMBER_OF]->(programme:Programme)
    WHERE programme.uid IN $wanted.within AND member.since <= $now AND (member.until IS NULL OR member.until > $now)
      AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
  } OR NOT EXISTS {
    MATCH (mentor)-[member:MEMBER_OF]->(programme:Programme)
    WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
      AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
  })
  AND ($wanted.programme IS NULL OR EXISTS {
    MATCH (mentor)-[member:MEMBER_OF]->(programme:Programme)
    WHERE programme.uid = $wanted.programme AND coalesce(member.role, 'mentor') = 'mentor'
      AND member.since <= $now AND (member.until IS NULL OR member.until > $now)
  })
  AND ($wanted.skills IS NULL OR EXISTS {
    MATCH (mentor)-[fact:OFFERS|RATED]->(skill:Skill)
    WHERE skill.uid IN $wanted.skills AND fact.since <= $now AND (fact.until IS NULL OR fact.until > $now)
    WITH coalesce($wanted.counts_as[skill.uid], skill.uid) AS counted, fact, $wanted.trust[coalesce(fact.rated_by, 'self')] AS trust,
         $now.epochSeconds / 86400 - fact.since.epochSeconds / 86400 AS days
    WITH counted, fact,
         CASE
           WHEN fact.level IS NULL THEN 0.0
           ELSE trust.at_first * 0.5 ^ (CASE WHEN days > 0 THEN days ELSE 0 END / 365.25 / trust.half_life_years)
         END AS weight
    WITH counted, count(CASE WHEN type(fact) = 'OFFERS' THEN 1 END) AS offers, min(fact.level) AS lowest,
         max(fact.level) AS highest, sum(weight * coalesce(fact.level, 0)) / sum(weight) AS mean
    WHERE offers > 0
      AND ($wanted.least_level IS NULL
        OR CASE WHEN mean < lowest THEN lowest WHEN mean > highest THEN highest ELSE mean END >= $wanted.least_level)
    RETURN counted
  })
  AND all(step IN steps WHERE
    (EXISTS { (step)-[:STEP_OF]->(:Programme) } AND NOT EXISTS {
      MATCH (step)-[:STEP_OF]->(:Programme)<-[member:MEMBER_OF]-(mentor)
      WHERE coalesce(member.role, 'mentor') = 'mentor'
        AND member.since <= $now AND (member.until IS NULL OR member.until > $now)
    }) OR EXISTS {
      MATCH (mentor)-[did:DID]->(step)
      WHERE did.since <= $now AND (did.until IS NULL OR did.until > $now)
    })
WITH mentor, COLLECT {
       MATCH (mentor)-[:DESCRIBED_BY]->(profile:Profile)
       WHERE profile.since <= $now AND (profile.until IS NULL OR profile.until > $now)
       RETURN profile
       ORDER BY profile.since DESC, profile.uid DESC
       LIMIT 1
     }[0] AS profile
WHERE ($wanted.format IS NULL OR any(each IN profile.formats WHERE toLower(each) = toLower($wanted.format)))
  AND ($wanted.style IS NULL OR toLower(profile.coaching_style) = toLower($wanted.style))
  AND ($wanted.channels IS NULL OR profile.communication IN $wanted.channels)
  AND ($wanted.language IS NULL
    OR any(each IN profile.languages WHERE
      toLower(each) = toLower($wanted.language) OR toLower(each) STARTS WITH toLower($wanted.language) + '-'))
WITH mentor, profile,
     COLLECT {
       MATCH (mentor)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
       WHERE role.since <= $now AND (role.until IS NULL OR role.until > $now) AND role.max_mentees IS NOT NULL
       RETURN role.max_mentees
       ORDER BY role.max_mentees DESC
     } AS places,
     COLLECT {
       MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)
       WHERE pairing.since <= $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until > $now END
         AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
       RETURN 1.0 - reduce(given = 0.0, share IN COLLECT {
         MATCH (pairing)<-[help:HELPS]-(:Person)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now)
         RETURN help.share
       } | given + share)
     } + COLLECT {
       MATCH (mentor)-[help:HELPS]->(pairing:Pairing)
       WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now) AND pairing.since <= $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until > $now END
         AND NOT EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {format: 'micro'}) }
       RETURN help.share
     } AS taken,
     COLLECT {
       MATCH (mentor)-[member:MEMBER_OF]->(programme:Programme)
       WHERE programme.uid = $wanted.programme AND coalesce(member.role, 'mentor') = 'mentor'
         AND member.since <= $now AND (member.until IS NULL OR member.until > $now) AND member.max_mentees IS NOT NULL
       RETURN member.max_mentees
       ORDER BY member.max_mentees DESC
     } AS places_there,
     COUNT {
       MATCH (mentor)<-[:MENTOR]-(pairing:Pairing)-[:IN_PROGRAMME]->(programme:Programme)
       WHERE programme.uid = $wanted.programme AND pairing.since <= $now
         AND CASE WHEN pairing.until IS NULL THEN pairing.status IN $open ELSE pairing.until > $now END
     } AS taken_there,
     EXISTS { MATCH (programme:Programme {format: 'micro'}) WHERE programme.uid = $wanted.programme } AS takes_no_place
WITH mentor, profile,
     takes_no_place
       OR (reduce(sum = 1.0, each IN taken | sum + each) <= coalesce(places[0], $wanted.places) + 1e-9
         AND coalesce(taken_there < places_there[0], true)) AS is_free
WHERE $wanted.is_free IS NULL OR is_free = $wanted.is_free
WITH mentor, profile, is_free
ORDER BY mentor.uid
LIMIT $limit
RETURN mentor.uid AS uid, is_free,
       profile {.*, since: profile.since.epochMillis, until: profile.until.epochMillis} AS profile,
       COLLECT {
         MATCH (mentor)-[fact:OFFERS|RATED]->(skill:Skill)
         WHERE fact.since <= $now AND (fact.until IS NULL OR fact.until > $now)
         RETURN {
           skill: skill.uid,
           is_offer: type(fact) = 'OFFERS',
           level: fact.level,
           rated_by: coalesce(fact.rated_by, 'self'),
           since: fact.since.epochMillis
         }
         ORDER BY fact.uid
       } AS skills,
       COLLECT {
         MATCH (mentor)-[:AVAILABLE]->(window:Availability)
         WHERE window.since <= $now AND (window.until IS NULL OR window.until > $now)
         RETURN window {.*, since: window.since.epochMillis, until: window.until.epochMillis}
         ORDER BY window.weekday, window.start, window.end, window.uid
       } AS windows,
       COLLECT {
         MATCH (mentor)-[:HAS_GOAL]->(goal:Goal)
         WHERE goal.since <= $now AND (goal.until IS NULL OR goal.until > $now)
         RETURN goal.uid
         ORDER BY goal.since DESC, goal.uid
         LIMIT 20
       } AS goals
ORDER BY uid
