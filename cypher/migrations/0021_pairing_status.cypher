// Pairings by their state, so that those in which nobody has met for long are found without reading all of them.
CREATE INDEX pairing_status IF NOT EXISTS FOR (n:Pairing) ON (n.status)
