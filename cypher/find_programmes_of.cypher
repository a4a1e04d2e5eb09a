// Finds the programmes of a format that run at an instant.
// $format: string
// $now: instant
MATCH (programme:Programme)
USING INDEX programme:Programme(uid)
WHERE programme.uid > '' AND programme.format = $format
  AND programme.since <= $now AND (programme.until IS NULL OR programme.until > $now)
RETURN programme.uid AS uid
ORDER BY uid
LIMIT 20
