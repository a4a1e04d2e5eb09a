// Erases all notes on sessions that somebody wrote, and tells how many there were.
// $person: string, uid of the person
MATCH (:Person {uid: $person})-[:WROTE]->(note:Note)
DETACH DELETE note
RETURN count(*) AS erased
