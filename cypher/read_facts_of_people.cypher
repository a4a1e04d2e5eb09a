// Reads some people with what they are and did, ended or not, but for their pairings; instants come as milliseconds since 1970.
// $people: list of strings, uids
UNWIND $people AS uid
MATCH (person:Person {uid: uid})
RETURN person {.*, since: person.since.epochMillis, until: person.until.epochMillis} AS properties,
       COLLECT {
         MATCH (person)-[fact:HAS_ROLE|BELONGS_TO|OFFERS|WANTS|MEMBER_OF|BLOCKS|REPORTS_TO|COMPLETED|DID|HELPS]->(end)
         RETURN {
           label: type(fact),
           properties: fact {.*, since: fact.since.epochMillis, until: fact.until.epochMillis},
           ends: [{type: '', uid: end.uid}]
         }
         ORDER BY fact.uid
       } + COLLECT {
         MATCH (person)-[:AVAILABLE|CONSENTED|HAS_GOAL|DESCRIBED_BY|ABSENT]->(node:Availability|Consent|Goal|Profile|Absence)
         RETURN {
           label: labels(node)[0],
           properties: node {.*, since: node.since.epochMillis, until: node.until.epochMillis},
           ends: COLLECT { MATCH (node)-[link:IN_UNIT|SERVES]->(end) RETURN {type: type(link), uid: end.uid} }
         }
         ORDER BY node.uid
       } AS facts
