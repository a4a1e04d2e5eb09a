// Onboarding steps by their necessity, for the rule that nobody is recommended before the mandatory ones, and completions
// by when they expire.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE INDEX onboarding_step_necessity IF NOT EXISTS FOR (n:OnboardingStep) ON (n.necessity)
;
CREATE INDEX completed_until IF NOT EXISTS FOR ()-[r:COMPLETED]-() ON (r.until)
