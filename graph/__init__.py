"""The domain: people, skills, goals, sessions, pairings and programmes; rules, matching and reasons."""
