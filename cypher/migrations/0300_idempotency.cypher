// Keys by which a repeated mutation is known, with the answer that it was given the first time.
// Statements are separated by a line that holds nothing but a semicolon.
CREATE CONSTRAINT idempotency_key_uid IF NOT EXISTS FOR (n:IdempotencyKey) REQUIRE n.uid IS UNIQUE
;
CREATE INDEX idempotency_key_at IF NOT EXISTS FOR (n:IdempotencyKey) ON (n.at)
