// Identities by which people have agreed to be found, read for nothing but an explicit wish of one request.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT identity_uid IF NOT EXISTS FOR (n:Identity) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX identity_changed IF NOT EXISTS FOR (n:Identity) ON (n.changed)
;
CREATE INDEX identity_attribute IF NOT EXISTS FOR (n:Identity) ON (n.attribute)
;
CREATE CONSTRAINT declared_uid IF NOT EXISTS FOR ()-[r:DECLARED]-() REQUIRE r.uid IS UNIQUE
