// Reads the migrations that were applied, with the hash of each.
MATCH (migration:Migration)
RETURN migration.name AS name, migration.sha256 AS sha256
ORDER BY name
