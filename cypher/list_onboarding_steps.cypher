// Lists onboarding steps in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (step:OnboardingStep)
USING INDEX step:OnboardingStep(changed)
WHERE step.changed > $changed
WITH step
ORDER BY step.changed
LIMIT $limit
RETURN collect({
         properties: step {.*, since: step.since.epochMillis, until: step.until.epochMillis},
         links: COLLECT {
           MATCH (step)-[link:STEP_OF]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
