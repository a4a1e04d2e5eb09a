// Reads nodes by uid, with whose they are and, for people, the roles they have now.
// $uids: list of strings
// $now: instant as of which roles count
UNWIND $uids AS uid
MATCH (node:Person|Skill|Goal|OrganisationUnit|Programme|Priority|Pairing|Session {uid: uid})
RETURN uid, labels(node)[0] AS kind,
       node {.*, since: node.since.epochMillis, until: node.until.epochMillis} AS properties,
       COLLECT { MATCH (node)<-[:HAS_GOAL]-(owner:Person) RETURN owner.uid } AS owners,
       COLLECT {
         MATCH (node)-[has:HAS_ROLE]->(role:Role)
         WHERE has.since < $now AND (has.until IS NULL OR has.until >= $now)
         RETURN DISTINCT role.name ORDER BY role.name
       } AS roles
