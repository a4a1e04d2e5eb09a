// Reads the windows of availability and the consents of one person that have not ended.
// $person: string, uid of the person
// $at: instant by which they have not ended
MATCH (person:Person {uid: $person})-[:AVAILABLE|CONSENTED]->(fact:Availability|Consent)
USING INDEX SEEK person:Person(uid)
WHERE fact.until IS NULL OR fact.until > $at
RETURN labels(fact)[0] AS kind, fact {.*, since: fact.since.epochMillis, until: fact.until.epochMillis} AS properties
ORDER BY fact.uid
