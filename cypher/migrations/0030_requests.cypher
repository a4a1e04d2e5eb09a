// Requests for mentors, the moves of requests and pairings, and the signatures under agreements.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT request_uid IF NOT EXISTS FOR (n:Request) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT request_source_key IF NOT EXISTS FOR (n:Request) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX request_changed IF NOT EXISTS FOR (n:Request) ON (n.changed)
;
CREATE CONSTRAINT move_uid IF NOT EXISTS FOR (n:Move) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX move_changed IF NOT EXISTS FOR (n:Move) ON (n.changed)
;
CREATE CONSTRAINT signature_uid IF NOT EXISTS FOR (n:Signature) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX signature_changed IF NOT EXISTS FOR (n:Signature) ON (n.changed)
;
CREATE INDEX request_status IF NOT EXISTS FOR (n:Request) ON (n.status)
;
CREATE CONSTRAINT asks_uid IF NOT EXISTS FOR ()-[r:ASKS]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT on_behalf_of_uid IF NOT EXISTS FOR ()-[r:ON_BEHALF_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT of_request_uid IF NOT EXISTS FOR ()-[r:OF_REQUEST]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT of_pairing_uid IF NOT EXISTS FOR ()-[r:OF_PAIRING]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT made_uid IF NOT EXISTS FOR ()-[r:MADE]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT agrees_to_uid IF NOT EXISTS FOR ()-[r:AGREES_TO]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT signed_uid IF NOT EXISTS FOR ()-[r:SIGNED]-() REQUIRE r.uid IS UNIQUE
