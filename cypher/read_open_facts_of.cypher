// Reads the windows of availability and the consents of one person that have not ended.
// $person: string, uid of the person
MATCH (person:Person {uid: $person})-[:AVAILABLE|CONSENTED]->(fact:Availability|Consent)
WHERE fact.until IS NULL
RETURN labels(fact)[0] AS kind, fact {.*, since: fact.since.epochMillis} AS properties
ORDER BY fact.uid
