// Finds the pairings of one person that go on or ended lately.
// $person: string, uid
// $ended_after: instant
MATCH (:Person {uid: $person})<-[:MENTOR|MENTEE]-(pairing:Pairing)
WHERE pairing.until IS NULL OR pairing.until > $ended_after
RETURN DISTINCT pairing.uid AS uid
