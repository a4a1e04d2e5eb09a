// The model of version 1: identity, source keys and the order of changes, as far as Community can enforce them.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT unit_uid IF NOT EXISTS FOR (n:OrganisationUnit) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT unit_source_key IF NOT EXISTS FOR (n:OrganisationUnit) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX unit_changed IF NOT EXISTS FOR (n:OrganisationUnit) ON (n.changed)
;
CREATE CONSTRAINT skill_uid IF NOT EXISTS FOR (n:Skill) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT skill_source_key IF NOT EXISTS FOR (n:Skill) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX skill_changed IF NOT EXISTS FOR (n:Skill) ON (n.changed)
;
CREATE CONSTRAINT programme_uid IF NOT EXISTS FOR (n:Programme) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT programme_source_key IF NOT EXISTS FOR (n:Programme) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX programme_changed IF NOT EXISTS FOR (n:Programme) ON (n.changed)
;
CREATE CONSTRAINT priority_uid IF NOT EXISTS FOR (n:Priority) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT priority_source_key IF NOT EXISTS FOR (n:Priority) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX priority_changed IF NOT EXISTS FOR (n:Priority) ON (n.changed)
;
CREATE CONSTRAINT person_uid IF NOT EXISTS FOR (n:Person) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT person_source_key IF NOT EXISTS FOR (n:Person) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX person_changed IF NOT EXISTS FOR (n:Person) ON (n.changed)
;
CREATE CONSTRAINT goal_uid IF NOT EXISTS FOR (n:Goal) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT goal_source_key IF NOT EXISTS FOR (n:Goal) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX goal_changed IF NOT EXISTS FOR (n:Goal) ON (n.changed)
;
CREATE CONSTRAINT pairing_uid IF NOT EXISTS FOR (n:Pairing) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT pairing_source_key IF NOT EXISTS FOR (n:Pairing) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX pairing_changed IF NOT EXISTS FOR (n:Pairing) ON (n.changed)
;
CREATE CONSTRAINT session_uid IF NOT EXISTS FOR (n:Session) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT session_source_key IF NOT EXISTS FOR (n:Session) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX session_changed IF NOT EXISTS FOR (n:Session) ON (n.changed)
;
CREATE CONSTRAINT feedback_uid IF NOT EXISTS FOR (n:Feedback) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT feedback_source_key IF NOT EXISTS FOR (n:Feedback) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX feedback_changed IF NOT EXISTS FOR (n:Feedback) ON (n.changed)
;
CREATE CONSTRAINT availability_uid IF NOT EXISTS FOR (n:Availability) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX availability_changed IF NOT EXISTS FOR (n:Availability) ON (n.changed)
;
CREATE CONSTRAINT absence_uid IF NOT EXISTS FOR (n:Absence) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX absence_changed IF NOT EXISTS FOR (n:Absence) ON (n.changed)
;
CREATE CONSTRAINT consent_uid IF NOT EXISTS FOR (n:Consent) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX consent_changed IF NOT EXISTS FOR (n:Consent) ON (n.changed)
;
CREATE CONSTRAINT role_uid IF NOT EXISTS FOR (n:Role) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT broader_uid IF NOT EXISTS FOR ()-[r:BROADER]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX broader_changed IF NOT EXISTS FOR ()-[r:BROADER]-() ON (r.changed)
;
CREATE CONSTRAINT has_role_uid IF NOT EXISTS FOR ()-[r:HAS_ROLE]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX has_role_changed IF NOT EXISTS FOR ()-[r:HAS_ROLE]-() ON (r.changed)
;
CREATE CONSTRAINT needs_uid IF NOT EXISTS FOR ()-[r:NEEDS]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX needs_changed IF NOT EXISTS FOR ()-[r:NEEDS]-() ON (r.changed)
;
CREATE CONSTRAINT offers_uid IF NOT EXISTS FOR ()-[r:OFFERS]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX offers_changed IF NOT EXISTS FOR ()-[r:OFFERS]-() ON (r.changed)
;
CREATE CONSTRAINT wants_uid IF NOT EXISTS FOR ()-[r:WANTS]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX wants_changed IF NOT EXISTS FOR ()-[r:WANTS]-() ON (r.changed)
;
CREATE CONSTRAINT belongs_to_uid IF NOT EXISTS FOR ()-[r:BELONGS_TO]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX belongs_to_changed IF NOT EXISTS FOR ()-[r:BELONGS_TO]-() ON (r.changed)
;
CREATE CONSTRAINT member_of_uid IF NOT EXISTS FOR ()-[r:MEMBER_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX member_of_changed IF NOT EXISTS FOR ()-[r:MEMBER_OF]-() ON (r.changed)
;
CREATE CONSTRAINT blocks_uid IF NOT EXISTS FOR ()-[r:BLOCKS]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX blocks_changed IF NOT EXISTS FOR ()-[r:BLOCKS]-() ON (r.changed)
;
CREATE CONSTRAINT about_uid IF NOT EXISTS FOR ()-[r:ABOUT]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT absent_uid IF NOT EXISTS FOR ()-[r:ABSENT]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT available_uid IF NOT EXISTS FOR ()-[r:AVAILABLE]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT consented_uid IF NOT EXISTS FOR ()-[r:CONSENTED]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT for_goal_uid IF NOT EXISTS FOR ()-[r:FOR_GOAL]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT gave_uid IF NOT EXISTS FOR ()-[r:GAVE]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT has_goal_uid IF NOT EXISTS FOR ()-[r:HAS_GOAL]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT in_programme_uid IF NOT EXISTS FOR ()-[r:IN_PROGRAMME]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT in_unit_uid IF NOT EXISTS FOR ()-[r:IN_UNIT]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT mentee_uid IF NOT EXISTS FOR ()-[r:MENTEE]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT mentor_uid IF NOT EXISTS FOR ()-[r:MENTOR]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT part_of_uid IF NOT EXISTS FOR ()-[r:PART_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT serves_uid IF NOT EXISTS FOR ()-[r:SERVES]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT change_counter_kind IF NOT EXISTS FOR (n:ChangeCounter) REQUIRE n.kind IS UNIQUE
