// Milestones of pairings, and those that are planned still, for the list of what is overdue.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT milestone_uid IF NOT EXISTS FOR (n:Milestone) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT milestone_source_key IF NOT EXISTS FOR (n:Milestone) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX milestone_changed IF NOT EXISTS FOR (n:Milestone) ON (n.changed)
;
CREATE INDEX milestone_state IF NOT EXISTS FOR (n:Milestone) ON (n.state)
;
CREATE CONSTRAINT milestone_of_uid IF NOT EXISTS FOR ()-[r:MILESTONE_OF]-() REQUIRE r.uid IS UNIQUE
