// What coordinators decide about recommendations, beside the answer of the model.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT override_uid IF NOT EXISTS FOR (n:Override) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT override_source_key IF NOT EXISTS FOR (n:Override) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX override_changed IF NOT EXISTS FOR (n:Override) ON (n.changed)
;
CREATE INDEX override_recommendation IF NOT EXISTS FOR (n:Override) ON (n.recommendation)
;
CREATE CONSTRAINT for_mentee_uid IF NOT EXISTS FOR ()-[r:FOR_MENTEE]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT chooses_uid IF NOT EXISTS FOR ()-[r:CHOOSES]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT instead_of_uid IF NOT EXISTS FOR ()-[r:INSTEAD_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT about_goal_uid IF NOT EXISTS FOR ()-[r:ABOUT_GOAL]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT led_to_uid IF NOT EXISTS FOR ()-[r:LED_TO]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT decided_uid IF NOT EXISTS FOR ()-[r:DECIDED]-() REQUIRE r.uid IS UNIQUE
