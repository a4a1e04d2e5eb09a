// Notes that the numbers of changes are no longer those that anybody may remember, as the graph was put back.
MATCH (counter:ChangeCounter {kind: 'graph'})
SET counter.lineage = randomUUID()
