// Lists milestones in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (milestone:Milestone)
USING INDEX milestone:Milestone(changed)
WHERE milestone.changed > $changed
WITH milestone
ORDER BY milestone.changed
LIMIT $limit
RETURN collect({
         properties: milestone {
           .*,
           since: milestone.since.epochMillis,
           until: milestone.until.epochMillis,
           due_on: milestone.due_on.epochMillis
         },
         links: COLLECT {
           MATCH (milestone)-[link:MILESTONE_OF]->(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
