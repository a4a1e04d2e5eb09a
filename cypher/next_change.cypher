// Counts one more change of the graph, notes it for each kind that it touches, and returns its number.
// $kinds: list of strings, names of the kinds
MATCH (total:ChangeCounter {kind: 'graph'})
SET total.value = total.value + 1
WITH total.value AS change
MATCH (counter:ChangeCounter)
WHERE counter.kind IN $kinds
SET counter.value = change
RETURN DISTINCT change
