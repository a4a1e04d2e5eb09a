// Reads what coordinators have decided about recommendations to one person, ended or not, in the order of its beginning.
// $mentee: string, uid of the person
MATCH (mentee:Person {uid: $mentee})<-[:FOR_MENTEE]-(override:Override)-[:CHOOSES]->(mentor:Person)
USING INDEX SEEK mentee:Person(uid)
OPTIONAL MATCH (override)-[:INSTEAD_OF]->(proposed:Person)
OPTIONAL MATCH (override)-[:ABOUT_GOAL]->(goal:Goal)
OPTIONAL MATCH (override)-[:LED_TO]->(request:Request)
OPTIONAL MATCH (override)<-[:DECIDED]-(person:Person)
RETURN override {.*, since: override.since.epochMillis, until: override.until.epochMillis} AS properties,
       {mentee: mentee.uid, mentor: mentor.uid, proposed: proposed.uid, goal: goal.uid, request: request.uid,
        person: person.uid} AS links
ORDER BY override.since, override.uid
