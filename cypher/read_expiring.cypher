// Reads the completions of trainings that expire by an instant and were not renewed, of people who are still there.
// $by: instant
// $now: instant as of which people are there and trainings are in use
MATCH (person:Person)-[done:COMPLETED]->(training:Training)
USING INDEX done:COMPLETED(until)
WHERE done.until <= $by
  AND (person.until IS NULL OR person.until > $now)
  AND training.valid_days IS NOT NULL
  AND (training.until IS NULL OR training.until > $now)
  AND NOT EXISTS {
    MATCH (person)-[later:COMPLETED]->(training)
    WHERE later.since > done.since
  }
RETURN person.uid AS person, training.uid AS training, done.since.epochMillis AS since,
       done.until.epochMillis AS until
ORDER BY until, person, training
