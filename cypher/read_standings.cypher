// Reads what the tiers of programmes ask for in a role, and what is the case with people; milliseconds since 1970.
// $asked: list of maps: person and programme (uids), role (mentor or mentee)
// $now: instant as of which facts count
UNWIND $asked AS asked
MATCH (person:Person {uid: asked.person})
MATCH (programme:Programme {uid: asked.programme})
WITH person, programme, asked.role AS as_role
RETURN person.uid AS person, programme.uid AS programme, as_role AS role,
       person.since.epochMillis AS joined, person.until.epochMillis AS left,
       COUNT {
         MATCH (person)<-[end:MENTOR|MENTEE]-(pairing:Pairing {status: 'completed'})
         WHERE toLower(type(end)) = as_role AND pairing.until <= $now
       } AS completed,
       COLLECT {
         MATCH (person)-[offer:OFFERS]->(skill:Skill)
         WHERE offer.since <= $now AND (offer.until IS NULL OR offer.until > $now)
         RETURN {
           level: offer.level,
           since: offer.since.epochMillis,
           ratings: COLLECT {
             MATCH (person)-[rated:RATED]->(skill)
             WHERE rated.since <= $now AND (rated.until IS NULL OR rated.until > $now)
             RETURN {level: rated.level, rated_by: rated.rated_by, since: rated.since.epochMillis}
             ORDER BY rated.uid
           }
         }
         ORDER BY offer.uid
       } AS offers,
       COLLECT {
         MATCH (person)-[member:MEMBER_OF {role: as_role}]->(programme)
         WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
           AND member.hours_per_month IS NOT NULL
         RETURN member.hours_per_month
       } AS hours_here,
       COLLECT {
         MATCH (person)-[has:HAS_ROLE]->(:Role {name: as_role})
         WHERE has.since <= $now AND (has.until IS NULL OR has.until > $now) AND has.hours_per_month IS NOT NULL
         RETURN has.hours_per_month
       } AS hours,
       COLLECT {
         MATCH (tier:Tier {role: as_role})-[:TIER_OF]->(programme)
         WHERE tier.since <= $now AND (tier.until IS NULL OR tier.until > $now)
         RETURN {
           properties: tier {.*, since: tier.since.epochMillis, until: tier.until.epochMillis},
           trainings: COLLECT {
             MATCH (tier)-[demand:DEMANDS]->(training:Training)
             WHERE demand.since <= $now AND (demand.until IS NULL OR demand.until > $now)
             RETURN {
               uid: training.uid,
               name: training.name,
               valid_days: training.valid_days,
               taken: COLLECT {
                 MATCH (person)-[done:COMPLETED]->(training)
                 WHERE done.since <= $now
                 RETURN {since: done.since.epochMillis, until: done.until.epochMillis}
               }
             }
             ORDER BY training.name, training.uid
           }
         }
         ORDER BY tier.rank, tier.uid
       } AS tiers
ORDER BY person, programme, role
