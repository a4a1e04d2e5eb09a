// Reads the uids of what coordinators have decided about some recommendations, in the order of its beginning.
// $recommendations: list of strings, uids of recommendations
UNWIND $recommendations AS recommendation
MATCH (override:Override {recommendation: recommendation})
RETURN recommendation, override.uid AS uid
ORDER BY override.since, uid
