// Reads all steps of onboarding with their programme, in their order; instants come as milliseconds since 1970.
// $necessities: list of strings, of which steps
MATCH (step:OnboardingStep)
WHERE step.necessity IN $necessities
OPTIONAL MATCH (step)-[:STEP_OF]->(programme:Programme)
RETURN step {.*, since: step.since.epochMillis, until: step.until.epochMillis} AS properties,
       programme.uid AS programme
ORDER BY step.position, step.name, step.uid
