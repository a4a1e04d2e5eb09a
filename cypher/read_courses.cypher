// Reads some pairings with what happened in them: moves, answers, co-mentors, and the charters of their programmes.
// $uids: list of strings
UNWIND $uids AS uid
MATCH (pairing:Pairing {uid: uid})
MATCH (pairing)-[:MENTOR]->(mentor:Person)
MATCH (pairing)-[:MENTEE]->(mentee:Person)
OPTIONAL MATCH (pairing)-[:FOR_GOAL]->(goal:Goal)
OPTIONAL MATCH (pairing)-[:IN_UNIT]->(unit:OrganisationUnit)
OPTIONAL MATCH (pairing)-[:IN_PROGRAMME]->(programme:Programme)
RETURN pairing {.*, since: pairing.since.epochMillis, until: pairing.until.epochMillis} AS properties,
       {mentor: mentor.uid, mentee: mentee.uid, goal: goal.uid, unit: unit.uid, programme: programme.uid} AS links,
       COLLECT {
         MATCH (move:Move)-[:OF_PAIRING]->(pairing)
         RETURN move {.*, since: move.since.epochMillis}
       } AS moves,
       COLLECT {
         MATCH (person:Person)-[:GAVE]->(answer:Feedback)-[:ABOUT]->(pairing)
         RETURN answer {.*, since: answer.since.epochMillis, person: person.uid}
       } AS answers,
       COLLECT {
         MATCH (person:Person)-[help:HELPS]->(pairing)
         RETURN help {.*, since: help.since.epochMillis, until: help.until.epochMillis, person: person.uid}
       } AS helpers,
       COLLECT {
         MATCH (charter:Charter)-[:GOVERNS]->(programme)
         RETURN charter {
           .uid, .skill_weight, .confidence_weight, .delivery_weight, .success_threshold, .survey_days, .stall_days,
           since: charter.since.epochMillis, until: charter.until.epochMillis
         }
       } AS charters
