// Reads programmes with all that was ever laid down for them; instants come as milliseconds since 1970.
// $uids: list of strings
UNWIND $uids AS uid
MATCH (programme:Programme {uid: uid})
RETURN programme {.*, since: programme.since.epochMillis, until: programme.until.epochMillis} AS programme,
       COLLECT {
         MATCH (charter:Charter)-[:GOVERNS]->(programme)
         RETURN {
           properties: charter {.*, since: charter.since.epochMillis, until: charter.until.epochMillis},
           owners: COLLECT { MATCH (charter)<-[:OWNS]-(owner:Person) RETURN owner.uid }
         }
         ORDER BY charter.since, charter.uid
       } AS charters,
       COLLECT {
         MATCH (policy:Policy)-[:SET_FOR]->(programme)
         RETURN policy {.*, since: policy.since.epochMillis, until: policy.until.epochMillis}
         ORDER BY policy.since, policy.uid
       } AS policies,
       COLLECT {
         MATCH (tier:Tier)-[:TIER_OF]->(programme)
         RETURN tier {.*, since: tier.since.epochMillis, until: tier.until.epochMillis}
         ORDER BY tier.role, tier.rank, tier.since, tier.uid
       } AS tiers,
       COLLECT {
         MATCH (training:Training)<-[demand:DEMANDS]-(tier:Tier)-[:TIER_OF]->(programme)
         RETURN {
           properties: demand {.*, since: demand.since.epochMillis, until: demand.until.epochMillis},
           tier: tier.uid,
           training: training.uid
         }
         ORDER BY training.name, training.uid, demand.since, demand.uid
       } AS demands,
       COLLECT {
         MATCH (step:OnboardingStep)-[:STEP_OF]->(programme)
         RETURN step {.*, since: step.since.epochMillis, until: step.until.epochMillis}
         ORDER BY step.position, step.since, step.uid
       } AS steps
