// Reads nodes by uid, with whose they are, whom they are about, in which programmes and, for people, their roles now.
// $uids: list of strings
// $now: instant as of which roles, co-mentors and programmes count
UNWIND $uids AS uid
MATCH (node:Person|Skill|Goal|OrganisationUnit|Programme|Priority|Request|Pairing|Session|Milestone|Tier|Training|OnboardingStep|Override {uid: uid})
RETURN uid, labels(node)[0] AS kind,
       node {
         .*,
         since: node.since.epochMillis,
         until: node.until.epochMillis,
         due_on: node.due_on.epochMillis
       } AS properties,
       COLLECT { MATCH (node)<-[:HAS_GOAL]-(owner:Person) RETURN owner.uid } AS owners,
       COLLECT {
         MATCH (node)-[has:HAS_ROLE]->(role:Role)
         WHERE has.since < $now AND (has.until IS NULL OR has.until >= $now)
         RETURN DISTINCT role.name ORDER BY role.name
       } AS roles,
       COLLECT {
         MATCH (node:Request|Pairing)-[link:ASKS|ON_BEHALF_OF|MENTOR|MENTEE|FOR_GOAL]->(other:Person|Goal)
         RETURN [type(link), other.uid]
       } + COLLECT {
         MATCH (node:Override)-[link:FOR_MENTEE|CHOOSES|INSTEAD_OF|ABOUT_GOAL|LED_TO|DECIDED]-(other:Person|Goal|Request)
         RETURN [type(link), other.uid]
       } + COLLECT {
         MATCH (node:Session|Milestone)-[:PART_OF|MILESTONE_OF]->(:Pairing)-[link:MENTOR|MENTEE]->(other:Person)
         RETURN [type(link), other.uid]
       } AS parties,
       COLLECT {
         MATCH (node:Pairing)<-[help:HELPS]-(helper:Person)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now)
         RETURN helper.uid ORDER BY helper.uid
       } + COLLECT {
         MATCH (node:Session|Milestone)-[:PART_OF|MILESTONE_OF]->(:Pairing)<-[help:HELPS]-(helper:Person)
         WHERE help.since <= $now AND (help.until IS NULL OR help.until > $now)
         RETURN helper.uid ORDER BY helper.uid
       } AS helpers,
       COLLECT {
         MATCH (node:Person)-[member:MEMBER_OF]->(programme:Programme)
         WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
           AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
         RETURN DISTINCT programme.uid ORDER BY programme.uid
       } + COLLECT {
         MATCH (node:Goal)<-[:HAS_GOAL]-(:Person)-[member:MEMBER_OF]->(programme:Programme)
         WHERE member.since <= $now AND (member.until IS NULL OR member.until > $now)
           AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
         RETURN DISTINCT programme.uid ORDER BY programme.uid
       } + COLLECT {
         MATCH (node:Request|Pairing)-[:IN_PROGRAMME]->(programme:Programme)
         RETURN programme.uid
       } + COLLECT {
         MATCH (node:Session|Milestone)-[:PART_OF|MILESTONE_OF]->(:Pairing)-[:IN_PROGRAMME]->(programme:Programme)
         RETURN programme.uid
       } AS programmes
