// Reads the fixed roles.
MATCH (role:Role)
RETURN role.uid AS uid, role.name AS name
