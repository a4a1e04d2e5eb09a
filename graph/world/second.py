"""Version 2 of a generated world: it goes on from version 1, and tells how everything came about."""

import hashlib
from pathlib import Path
from typing import Any

from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.agreements import recording_consents, tell_consents
from mentorgraph.graph.world.charters import tell_charters, tell_set_up
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.courses import begin, end, tell_courses, tell_sessions
from mentorgraph.graph.world.descriptions import tell_profiles, tell_times
from mentorgraph.graph.world.first import Made
from mentorgraph.graph.world.history import History, copied
from mentorgraph.graph.world.milestones import tell_milestones
from mentorgraph.graph.world.onboarding import tell_onboarding
from mentorgraph.graph.world.pattern import Pattern
from mentorgraph.graph.world.requests import Requests
from mentorgraph.graph.world.skill_lives import tell_skills
from mentorgraph.graph.world.stalls import find_causes
from mentorgraph.graph.world.surveys import tell_surveys
from mentorgraph.graph.world.tables import Tables


def tell_on(made: Made, pattern: Pattern | None) -> tuple[Tables, dict[str, Any]]:
    """Tells a world of version 1 as one of version 2.

    Args:
        made: The world.
        pattern: What to plant.

    Returns:
        All rows, and the truth behind them.
    """
    history = History.of(made)
    copied(history, ("units", "priorities", "people", "unit_membership", "goals", "goal_skills", "blocks"))
    hours = find_causes(history)
    recording = recording_consents(history)
    tell_sessions(history, recording)
    begin(history)
    requests = Requests.tell(history)
    pairings = {life.id: life.pairing for life in history.lives}
    losses = pattern.losses(made.seed, made.appeal, pairings) if pattern else {}
    charters = tell_charters(history)
    tell_set_up(history)
    outcomes, results = tell_surveys(history, losses, charters)
    end(history)
    tell_courses(history, outcomes)
    tell_milestones(history)
    _tell_roles(history, hours)
    _tell_availability(history)
    held = tell_onboarding(history, requests)
    withdrawn = tell_consents(history, recording, requests)
    tell_profiles(history)
    tell_times(history)
    planted = tell_skills(history)
    told = {
        **made.truth,
        "version": truth_2.VERSION,
        "second": {
            "sha256": hashlib.sha256(Path(truth_2.__file__).read_bytes()).hexdigest(),
            "parameters": {name: value for name, value in vars(truth_2).items() if name.isupper()},
        },
        "results": results,
        "stalled": _stalls(history),
        "future_leaves": _leaves(history),
        "silent": requests.silent,
        "consent_withdrawn": withdrawn,
        "skills": planted,
        **held,
    }
    if pattern:
        told["pattern"] = pattern.tell(made.appeal, pairings, losses)
    return history.tables, told


def _tell_roles(history: History, hours: dict[str, int]) -> None:
    """Writes roles as version 1 does, with the hours that stalled pairings ran out of."""
    for person, role, since, until, places, given in history.made.tables.rows["roles"]:
        own = str(hours.get(person, given)) if role == "mentor" else given
        history.tables.add("roles", person, role, since, until, places, own)


def _tell_availability(history: History) -> None:
    history.tables.rows["availability"] = list(history.made.tables.rows["availability"])


def _stalls(history: History) -> list[dict[str, Any]]:
    """Every stall with its cause, those that were got over too."""
    found = []
    for life in history.lives:
        moves = [each for each in life.moves if each.state == "stalled"]
        found += [
            {"pairing_id": life.id, "on": iso(move.day), "cause": move.cause, "seen_on": iso(move.day), "over": True}
            for move in moves
            if move.day != life.seen
        ]
        if life.cause:
            seen = iso(life.seen) if life.seen else ""
            told = {"pairing_id": life.id, "on": iso(life.stalled), "cause": life.cause, "seen_on": seen}
            found.append({**told, "over": False})
    return found


def _leaves(history: History) -> list[dict[str, str]]:
    """Absences that begin after the last day."""
    return [
        {"person_id": person, "since": iso(since), "until": iso(until)}
        for person, since, until, _ in sorted(history.absences)
        if since > history.last
    ]
