// Pairings by their end, so that those that ended lately are found without reading all that ever were.
CREATE INDEX pairing_until IF NOT EXISTS FOR (n:Pairing) ON (n.until)
