// Reads the milestones of pairings that go on which should have been reached by now, the longest overdue first.
// $planned: string, state of a milestone that is not closed
// $states: list of strings, states of a pairing that goes on
// $programme: string or null, uid; null for the pairings of all programmes and of none
// $now: instant
// $limit: integer, rows
MATCH (milestone:Milestone {state: $planned})
USING INDEX milestone:Milestone(state)
WHERE milestone.due_on < $now
MATCH (milestone)-[:MILESTONE_OF]->(pairing:Pairing)
WHERE pairing.status IN $states
  AND ($programme IS NULL OR EXISTS { (pairing)-[:IN_PROGRAMME]->(:Programme {uid: $programme}) })
WITH milestone, pairing
ORDER BY milestone.due_on, milestone.uid
LIMIT $limit
RETURN milestone.uid AS milestone, pairing.uid AS pairing, milestone.due_on.epochMillis AS due
