// Lists consents in the order of their last change.
// $changed: integer, number of the change to start after
// $uid: string, uid to start after within that change
// $limit: integer, rows
MATCH (consent:Consent)
WHERE consent.changed >= $changed AND (consent.changed > $changed OR consent.uid > $uid)
WITH consent
ORDER BY consent.changed, consent.uid
LIMIT $limit
RETURN collect({
         properties: properties(consent),
         links: COLLECT {
           MATCH (consent)<-[link:CONSENTED]-(other)
           RETURN {type: type(link), start: startNode(link).uid, end: endNode(link).uid, properties: properties(link)}
         }
       }) AS facts
