// Reserves numbers for some changes of the graph, notes the last one for each kind that they touch, and returns it.
// $count: integer, how many numbers
// $kinds: list of strings, names of the kinds
MATCH (total:ChangeCounter {kind: 'graph'})
SET total.value = total.value + $count
WITH total.value AS last
MATCH (counter:ChangeCounter)
WHERE counter.kind IN $kinds
SET counter.value = last
RETURN DISTINCT last
