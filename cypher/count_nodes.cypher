// Counts all nodes by their labels, and among them those that no listing can show.
MATCH (node)
RETURN labels(node) AS labels, count(*) AS count,
       count(CASE WHEN node.uid IS :: STRING NOT NULL THEN null ELSE 1 END) AS without_uid,
       count(CASE WHEN node.changed IS :: INTEGER NOT NULL THEN null ELSE 1 END) AS without_change,
       count(CASE WHEN node.since IS :: ZONED DATETIME AND node.until IS :: ZONED DATETIME THEN null ELSE 1 END)
         AS without_instant,
       min(toStringOrNull(node.uid)) AS example
