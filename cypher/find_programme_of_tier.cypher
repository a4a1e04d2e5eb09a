// Finds the programme that a tier belongs to.
// $tier: string, uid
MATCH (tier:Tier {uid: $tier})-[:TIER_OF]->(programme:Programme)
RETURN programme.uid AS uid
