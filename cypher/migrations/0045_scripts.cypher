// Scripts: texts that mentor and mentee read alike.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT script_uid IF NOT EXISTS FOR (n:Script) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX script_changed IF NOT EXISTS FOR (n:Script) ON (n.changed)
;
CREATE CONSTRAINT script_of_uid IF NOT EXISTS FOR ()-[r:SCRIPT_OF]-() REQUIRE r.uid IS UNIQUE
