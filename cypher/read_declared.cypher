// Reads the mentors who have agreed to be found by an identity, for a list in which somebody asks for it.
// $attribute: string, kind of identity
// $value: string, the identity in any letter case
// $now: instant as of which facts count
MATCH (identity:Identity {attribute: $attribute})<-[:DECLARED]-(person:Person)
WHERE toLower(identity.value) = toLower($value)
  AND identity.since < $now AND (identity.until IS NULL OR identity.until >= $now)
  AND EXISTS {
    MATCH (person)-[role:HAS_ROLE]->(:Role {name: 'mentor'})
    WHERE role.since < $now AND (role.until IS NULL OR role.until >= $now)
  }
RETURN DISTINCT person.uid AS uid
ORDER BY uid
