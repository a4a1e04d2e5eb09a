// The life of skills: their states, what they became, which others they ask for, and how people were rated in them.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT skill_state_uid IF NOT EXISTS FOR (n:SkillState) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX skill_state_changed IF NOT EXISTS FOR (n:SkillState) ON (n.changed)
;
CREATE CONSTRAINT in_state_uid IF NOT EXISTS FOR ()-[r:IN_STATE]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT became_uid IF NOT EXISTS FOR ()-[r:BECAME]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX became_changed IF NOT EXISTS FOR ()-[r:BECAME]-() ON (r.changed)
;
CREATE CONSTRAINT related_uid IF NOT EXISTS FOR ()-[r:RELATED]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX related_changed IF NOT EXISTS FOR ()-[r:RELATED]-() ON (r.changed)
;
CREATE CONSTRAINT rated_uid IF NOT EXISTS FOR ()-[r:RATED]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX rated_changed IF NOT EXISTS FOR ()-[r:RATED]-() ON (r.changed)
