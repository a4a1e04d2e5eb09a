// Makes sure that the fixed roles and the change counters exist.
// $roles: list of maps: uid, name
// $kinds: list of strings, `graph` among them
CALL () {
  UNWIND $roles AS row
  MERGE (role:Role {uid: row.uid})
  SET role.name = row.name
}
UNWIND $kinds AS kind
MERGE (counter:ChangeCounter {kind: kind})
ON CREATE SET counter.value = 0, counter.lineage = CASE kind WHEN 'graph' THEN randomUUID() END
