// Reads which trainings some tiers ask for, or asked for when they ended.
// $tiers: list of strings, uids
UNWIND $tiers AS uid
MATCH (tier:Tier {uid: uid})-[demand:DEMANDS]->(training:Training)
WHERE coalesce(demand.until = tier.until, demand.until IS NULL)
RETURN DISTINCT uid, training.uid AS training, training.name AS name
ORDER BY uid, name, training
