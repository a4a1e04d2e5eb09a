// Lists tiers in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (tier:Tier)
USING INDEX tier:Tier(changed)
WHERE tier.changed > $changed
WITH tier
ORDER BY tier.changed
LIMIT $limit
RETURN collect({
         properties: tier {.*, since: tier.since.epochMillis, until: tier.until.epochMillis},
         links: COLLECT {
           MATCH (tier)-[link:TIER_OF]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
