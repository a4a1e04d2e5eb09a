// Reads a training, and the demands for it that have not ended by an instant.
// $uid: string
// $at: instant
MATCH (training:Training {uid: $uid})
RETURN training {.*, since: training.since.epochMillis, until: training.until.epochMillis} AS training,
       COLLECT {
         MATCH (training)<-[demand:DEMANDS]-(tier:Tier)
         WHERE demand.until IS NULL OR demand.until > $at
         RETURN {
           properties: demand {.*, since: demand.since.epochMillis, until: demand.until.epochMillis},
           tier: tier.uid,
           training: training.uid
         }
         ORDER BY demand.uid
       } AS demands
