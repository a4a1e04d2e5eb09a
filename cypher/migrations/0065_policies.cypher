// Policies of programmes, and who reports to whom.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT policy_uid IF NOT EXISTS FOR (n:Policy) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX policy_changed IF NOT EXISTS FOR (n:Policy) ON (n.changed)
;
CREATE CONSTRAINT set_for_uid IF NOT EXISTS FOR ()-[r:SET_FOR]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT reports_to_uid IF NOT EXISTS FOR ()-[r:REPORTS_TO]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX reports_to_changed IF NOT EXISTS FOR ()-[r:REPORTS_TO]-() ON (r.changed)
