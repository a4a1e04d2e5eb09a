// Finds those of some people who agree to a purpose.
// $people: list of strings, uids
// $purpose: string
// $now: instant as of which consents count
UNWIND $people AS uid
MATCH (person:Person {uid: uid})
WHERE EXISTS {
  MATCH (person)-[:CONSENTED]->(consent:Consent {purpose: $purpose})
  WHERE consent.since < $now AND (consent.until IS NULL OR consent.until >= $now)
}
RETURN uid
