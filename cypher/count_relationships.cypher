// Counts all relationships by type and labels of both ends, and among them those that no listing can show.
MATCH (start)-[edge]->(end)
RETURN type(edge) AS type, labels(start) AS start, labels(end) AS end, count(*) AS count,
       count(CASE WHEN edge.uid IS :: STRING NOT NULL THEN null ELSE 1 END) AS without_uid,
       count(CASE WHEN edge.changed IS :: INTEGER NOT NULL THEN null ELSE 1 END) AS without_change,
       count(CASE WHEN edge.since IS :: ZONED DATETIME AND edge.until IS :: ZONED DATETIME THEN null ELSE 1 END)
         AS without_instant,
       min(toStringOrNull(edge.uid)) AS example
