// Reads what is known of an idempotency key: the hash of what was asked for, and the answer where it was kept.
// $uid: string, identity of the key
// $since: instant; older ones do not count
MATCH (key:IdempotencyKey {uid: $uid})
WHERE key.at >= $since
RETURN key.digest AS digest, key.answer AS answer
