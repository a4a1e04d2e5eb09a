"""The life of a pairing: requests, agreements, sessions, surveys, stalls, and what follows when somebody leaves."""
