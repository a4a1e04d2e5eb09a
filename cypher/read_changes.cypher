// Reads the number of the last change of the graph and of each kind.
MATCH (counter:ChangeCounter)
RETURN counter.kind AS kind, counter.value AS change
