// Reserves numbers for some changes of the graph, under its lock, notes the last one for each kind, and returns it.
//   Setting `locked` takes the lock of the node. Left to take one for what is read and set at once, Neo4j takes two and
//   gives back one of them, so a transaction that sends this twice and one that waits for it stop each other.
// $count: integer, how many numbers
// $kinds: list of strings, names of the kinds
MATCH (total:ChangeCounter {kind: 'graph'})
SET total.locked = true
WITH total, total.value + $count AS last
SET total.value = last
WITH last
MATCH (counter:ChangeCounter)
WHERE counter.kind IN $kinds
SET counter.value = last
RETURN DISTINCT last
