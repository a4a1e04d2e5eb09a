// Reads the facts of some people and goals that were written after a change, or began or ended between two instants.
// $uids: list of strings, uids of people and goals
// $labels: list of strings, labels of nodes and types of relationships that count
// $change: integer, number of the change
// $then: instant from which on beginnings and ends count
// $now: instant until which they do
// $limit: integer, rows for each of them
UNWIND $uids AS uid
MATCH (own:Person|Goal {uid: uid})
CALL (own) {
  WITH own AS fact
  RETURN fact {.*, since: fact.since.epochMillis, until: fact.until.epochMillis} AS properties, labels(fact)[0] AS label,
         fact.changed AS changed, fact.since AS since, fact.until AS until, true AS is_start, [] AS ends
  UNION ALL
  MATCH (own)-[fact]-(other)
  WHERE type(fact) IN $labels
  RETURN fact {.*, since: fact.since.epochMillis, until: fact.until.epochMillis} AS properties, type(fact) AS label,
         fact.changed AS changed, fact.since AS since, fact.until AS until, startNode(fact) = own AS is_start,
         [[labels(other)[0], other.uid, coalesce(other.name, other.title, '')]] AS ends
  UNION ALL
  MATCH (own)--(fact)
  WHERE labels(fact)[0] IN $labels
  WITH DISTINCT own, fact
  RETURN fact {.*, since: fact.since.epochMillis, until: fact.until.epochMillis} AS properties, labels(fact)[0] AS label,
         fact.changed AS changed, fact.since AS since, fact.until AS until, true AS is_start,
         COLLECT {
           MATCH (fact)--(other:Person|Goal|Skill|OrganisationUnit|Programme)
           WHERE other <> own
           WITH DISTINCT other
           RETURN [labels(other)[0], other.uid, coalesce(other.name, other.title, '')] ORDER BY other.uid
         } AS ends
}
WITH *
WHERE changed > $change OR (since >= $then AND since < $now) OR (until >= $then AND until < $now)
ORDER BY uid, since, label, properties.uid
WITH uid, collect({label: label, properties: properties, is_start: is_start, ends: ends})[..$limit] AS facts
RETURN uid, facts
