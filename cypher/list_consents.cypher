// Lists consents in the order of their last change; instants come as milliseconds since 1970.
// $changed: integer, number of the change to start after
// $limit: integer, rows
MATCH (consent:Consent)
USING INDEX consent:Consent(changed)
WHERE consent.changed > $changed
WITH consent
ORDER BY consent.changed
LIMIT $limit
RETURN collect({
         properties: consent {.*, since: consent.since.epochMillis, until: consent.until.epochMillis},
         links: COLLECT {
           MATCH (consent)<-[link:CONSENTED]-(other)
           RETURN {
             type: type(link),
             start: startNode(link).uid,
             end: endNode(link).uid,
             properties: link {.*, since: link.since.epochMillis, until: link.until.epochMillis}
           }
         }
       }) AS facts
