// Reads the scripts that hold for programmes of a format, or for one of them, as of an instant.
// $programme: string, uid; null for none
// $format: string, format of the programme; null for none
// $now: instant
MATCH (script:Script)
WHERE script.changed >= 0
  AND script.since <= $now AND (script.until IS NULL OR script.until > $now)
  AND (script.format IS NULL OR script.format = $format)
OPTIONAL MATCH (script)-[:SCRIPT_OF]->(programme:Programme)
WITH script, programme.uid AS programme
WHERE programme IS NULL OR programme = $programme
RETURN script.uid AS uid, script.title AS title, script.text AS text, script.format AS format, script.source AS source,
       script.since.epochMillis AS since, programme
ORDER BY script.title, uid
