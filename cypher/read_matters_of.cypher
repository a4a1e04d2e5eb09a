// Reads the uids of what goes on with one person: their open pairings, and the requests that wait for them or that they made.
// $person: string, uid
// $pairings: list of strings, states of a pairing that goes on
// $requests: list of strings, states of a request that waits
MATCH (person:Person {uid: $person})
RETURN COLLECT {
         MATCH (person)<-[:MENTOR|MENTEE]-(pairing:Pairing)
         WHERE pairing.status IN $pairings
         RETURN DISTINCT pairing.uid ORDER BY pairing.uid
       } AS pairings,
       COLLECT {
         MATCH (person)<-[:ASKS]-(request:Request)
         WHERE request.status IN $requests
         RETURN DISTINCT request.uid ORDER BY request.uid
       } AS asked,
       COLLECT {
         MATCH (person)<-[:ON_BEHALF_OF]-(request:Request)
         WHERE request.status IN $requests
         RETURN DISTINCT request.uid ORDER BY request.uid
       } AS asking
