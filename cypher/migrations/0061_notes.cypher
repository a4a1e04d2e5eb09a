// Notes on sessions, which the people of a pairing write for each other.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT note_uid IF NOT EXISTS FOR (n:Note) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX note_changed IF NOT EXISTS FOR (n:Note) ON (n.changed)
;
CREATE CONSTRAINT note_of_uid IF NOT EXISTS FOR ()-[r:NOTE_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT wrote_uid IF NOT EXISTS FOR ()-[r:WROTE]-() REQUIRE r.uid IS UNIQUE
