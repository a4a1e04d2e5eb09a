// Keeps the answer to the request that holds an idempotency key, and drops some keys that are too old.
// $uid: string, identity of the key
// $token: string, what tells the request from others with the same key
// $answer: string, JSON
// $since: instant; older keys may go
// $limit: integer, how many go at most
OPTIONAL MATCH (key:IdempotencyKey {uid: $uid})
WHERE key.token = $token
SET key.answer = $answer
WITH count(key) AS kept
CALL () {
  MATCH (old:IdempotencyKey)
  WHERE old.at < $since
  WITH old ORDER BY old.at, old.uid LIMIT $limit
  DELETE old
}
RETURN kept
