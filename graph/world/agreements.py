"""What people of a generated world consent to, on which text, and what they take back."""

from datetime import date

from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.history import History
from mentorgraph.graph.world.requests import Requests

TEXT = "2026-01"
"""Version of the text that some agree to in place of the first one."""
FOREVER = 10**7


def recording_consents(history: History) -> dict[str, list[tuple[int, int]]]:
    """Who consents to recordings, and when: some more than in version 1, and some for a while only."""
    draws, made = history.draws("recording"), history.made
    told = {row[0] for row in made.tables.rows["consents"] if row[1] == "recording"}
    found = {}
    for person in made.people.values():
        if person.id not in told and not draws.chance(0.4):
            continue
        since = person.joined if person.id in told else max(person.joined, made.period.first)
        until = draws.between(since, made.period.last) if draws.chance(0.1) else person.left or FOREVER
        found[person.id] = [(since, min(until, person.left or FOREVER))]
    return found


def tell_consents(history: History, recording: dict[str, list[tuple[int, int]]], requests: Requests) -> list[str]:
    """Writes consents, new texts and withdrawals; returns who took back the one to matching.

    Args:
        history: The world.
        recording: What `recording_consents` gave.
        requests: Whoever is in one has a consent to matching that holds.
    """
    draws, made = history.draws("consents"), history.made
    renewed = min(history.last, max(made.period.first, date(2026, 1, 15).toordinal()))
    withdrawn = []
    for id, purpose, text, since, until in made.tables.rows["consents"]:
        person = made.people[id]
        if purpose == "recording":
            continue
        ends = date.fromisoformat(until).toordinal() if until else 0
        if purpose == "matching" and id not in requests.first and person.joined < history.last and draws.chance(0.15):
            ends = draws.between(person.joined, history.last)
            withdrawn.append(id)
        elif purpose in ("stories", "audit_attributes") and draws.chance(0.04):
            ends = draws.between(person.joined, history.last)
        if person.left:
            ends = min(ends or person.left, person.left)
        if person.joined < renewed and (not ends or renewed < ends) and renewed < history.last and draws.chance(0.3):
            history.tables.add("consents", id, purpose, text, since, iso(renewed))
            history.tables.add("consents", id, purpose, TEXT, iso(renewed), iso(ends) if ends else "")
        else:
            history.tables.add("consents", id, purpose, text, since, iso(ends) if ends else "")
    for id, spans in recording.items():
        for since_day, until_day in spans:
            until = iso(until_day) if until_day < FOREVER else ""
            history.tables.add("consents", id, "recording", TEXT, iso(since_day), until)
    return withdrawn
