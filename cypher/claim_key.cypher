// Claims an idempotency key that nobody has, or that is too old, and tells whose it is then.
// $uid: string, identity of the key
// $digest: string, hash of what is asked for
// $token: string, what tells this request from others with the same key
// $now: instant
// $since: instant; older keys may be claimed anew
MERGE (key:IdempotencyKey {uid: $uid})
ON CREATE SET key.digest = $digest, key.token = $token, key.at = $now
WITH key
CALL (key) {
  WITH key WHERE key.at < $since
  SET key.digest = $digest, key.token = $token, key.at = $now, key.answer = null
}
RETURN key.token AS token
