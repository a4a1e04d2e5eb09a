// The life of programmes and people: charters, tiers, trainings, onboarding, profiles, co-mentors and project phases.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT phase_uid IF NOT EXISTS FOR (n:Phase) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX phase_changed IF NOT EXISTS FOR (n:Phase) ON (n.changed)
;
CREATE CONSTRAINT phase_of_uid IF NOT EXISTS FOR ()-[r:PHASE_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT phase_in_uid IF NOT EXISTS FOR ()-[r:PHASE_IN]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT training_uid IF NOT EXISTS FOR (n:Training) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT training_source_key IF NOT EXISTS FOR (n:Training) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX training_changed IF NOT EXISTS FOR (n:Training) ON (n.changed)
;
CREATE CONSTRAINT tier_uid IF NOT EXISTS FOR (n:Tier) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT tier_source_key IF NOT EXISTS FOR (n:Tier) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX tier_changed IF NOT EXISTS FOR (n:Tier) ON (n.changed)
;
CREATE CONSTRAINT tier_of_uid IF NOT EXISTS FOR ()-[r:TIER_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT demands_uid IF NOT EXISTS FOR ()-[r:DEMANDS]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX demands_changed IF NOT EXISTS FOR ()-[r:DEMANDS]-() ON (r.changed)
;
CREATE CONSTRAINT onboarding_step_uid IF NOT EXISTS FOR (n:OnboardingStep) REQUIRE n.uid IS UNIQUE
;
CREATE CONSTRAINT onboarding_step_source_key IF NOT EXISTS FOR (n:OnboardingStep) REQUIRE (n.source, n.external_id) IS UNIQUE
;
CREATE INDEX onboarding_step_changed IF NOT EXISTS FOR (n:OnboardingStep) ON (n.changed)
;
CREATE CONSTRAINT step_of_uid IF NOT EXISTS FOR ()-[r:STEP_OF]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT charter_uid IF NOT EXISTS FOR (n:Charter) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX charter_changed IF NOT EXISTS FOR (n:Charter) ON (n.changed)
;
CREATE CONSTRAINT governs_uid IF NOT EXISTS FOR ()-[r:GOVERNS]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT owns_uid IF NOT EXISTS FOR ()-[r:OWNS]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT profile_uid IF NOT EXISTS FOR (n:Profile) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX profile_changed IF NOT EXISTS FOR (n:Profile) ON (n.changed)
;
CREATE CONSTRAINT described_by_uid IF NOT EXISTS FOR ()-[r:DESCRIBED_BY]-() REQUIRE r.uid IS UNIQUE
;
CREATE CONSTRAINT completed_uid IF NOT EXISTS FOR ()-[r:COMPLETED]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX completed_changed IF NOT EXISTS FOR ()-[r:COMPLETED]-() ON (r.changed)
;
CREATE CONSTRAINT did_uid IF NOT EXISTS FOR ()-[r:DID]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX did_changed IF NOT EXISTS FOR ()-[r:DID]-() ON (r.changed)
;
CREATE CONSTRAINT helps_uid IF NOT EXISTS FOR ()-[r:HELPS]-() REQUIRE r.uid IS UNIQUE
;
CREATE INDEX helps_changed IF NOT EXISTS FOR ()-[r:HELPS]-() ON (r.changed)
