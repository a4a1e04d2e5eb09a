// Reads, as one row, the number of the last change of the graph and of each kind, and their lineage.
MATCH (counter:ChangeCounter)
RETURN collect([counter.kind, counter.value, coalesce(counter.lineage, '')]) AS counters
