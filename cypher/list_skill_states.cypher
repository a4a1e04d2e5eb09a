// Lists states of skills in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (state:SkillState)
USING INDEX state:SkillState(changed)
WHERE state.changed > $changed
WITH state
ORDER BY state.changed
LIMIT $limit
RETURN collect({
         properties: state {.*, since: state.since.epochMillis, until: state.until.epochMillis},
         links: COLLECT {
           MATCH (state)<-[link:IN_STATE]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
