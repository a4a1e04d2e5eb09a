// Reads the number of the last change of the graph and of each kind, and which lineage the numbers belong to.
MATCH (counter:ChangeCounter)
RETURN counter.kind AS kind, counter.value AS change, coalesce(counter.lineage, '') AS lineage
