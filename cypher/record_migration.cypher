// Records that a migration was applied whole.
// $name: string, file name without its ending
// $sha256: string, hash of the file
MERGE (migration:Migration {name: $name})
ON CREATE SET migration.sha256 = $sha256, migration.applied_at = datetime()
