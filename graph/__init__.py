"""The domain: people, skills, goals, sessions, pairings and programmes; rules, matching and reasons.

Its packages, each of which may use only those before it: `rules`, `facts`, `calendar`, `embedded`, `store`, `people`,
`skills`, `pairings`, `exchange`, `columns`, `signals`, `ranking`, `decisions`, `explaining`; `world` knows facts alone.
"""
