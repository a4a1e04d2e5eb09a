"""Generates a whole community with a known truth from a seed."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from mentorgraph.graph.model import ALWAYS
from mentorgraph.graph.values import plain
from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal, Topic, tell
from mentorgraph.graph.world.choices import make_pairings
from mentorgraph.graph.world.clocks import first_day_of, iso
from mentorgraph.graph.world.goals import Goal, make_goals, tell_goals, tell_offers
from mentorgraph.graph.world.meetings import Chronicle
from mentorgraph.graph.world.people import (
    Period,
    Unit,
    hidden_mentors,
    make_people,
    make_topics,
    make_units,
)
from mentorgraph.graph.world.profiles import tell_coordinators, tell_people
from mentorgraph.graph.world.programmes import make_programmes, tell_programmes
from mentorgraph.graph.world.tables import Tables, World
from mentorgraph.graph.world.taxonomy import taxonomy
from mentorgraph.graph.world.wording import wording

LAST_DAY = date(2026, 6, 30)
FEWEST_PEOPLE = 50
STEPS = 5
"""How often `progress` is called."""


def generate(
    people: int = 2_000,
    months: int = 24,
    seed: int = 7,
    last_day: date = LAST_DAY,
    progress: Callable[[str], None] = lambda step: None,
) -> World:
    """Makes a community; equal arguments give equal bytes.

    Args:
        people: How many people, 50 or more.
        months: How long its history is.
        seed: Which of the many such communities.
        last_day: The day up to which things have happened.
        progress: Called with the name of each of the `STEPS` steps as it begins.
    """
    if people < FEWEST_PEOPLE or months < 1:
        raise ValueError(f"a world needs at least {FEWEST_PEOPLE} people and one month")
    first_day = first_day_of(last_day, months)
    period = Period.of(first_day, last_day)
    width = len(str(people)) + 1
    tables = Tables()
    progress("people")
    topics = make_topics(seed)
    units = make_units(seed, people, len(str(people)))
    everybody = make_people(seed, people, width, period, topics, units)
    programmes = make_programmes(first_day, last_day)
    mentors = hidden_mentors(seed, everybody, topics)
    progress("goals")
    goals = make_goals(seed, everybody, topics, programmes, period, width)
    progress("pairings")
    appeal = Appeal(topics, mentors)
    pairings = make_pairings(seed, goals, appeal, {person.id: person for person in everybody})
    progress("meetings")
    _tell_surroundings(tables, units, first_day.isoformat())
    tell_programmes(tables, programmes)
    tell_people(seed, tables, everybody, units, period)
    tell_coordinators(seed, tables, everybody, programmes, period)
    tell_offers(seed, tables, mentors, period)
    chronicle = Chronicle.begin(seed, tables, appeal, period, width)
    for pairing in pairings:
        chronicle.tell(pairing)
    chronicle.tell_blocks()
    tell_goals(seed, tables, goals, topics, chronicle.achieved, period)
    progress("truth")
    leaves = [
        {"person_id": person.id, "since": iso(since), "until": iso(until)}
        for person in everybody
        for since, until in person.absences
        if since > period.last
    ]
    told = _truth(topics, appeal, goals) | {
        "expected_outcomes": chronicle.expected,
        "stalled": chronicle.stalls,
        "future_leaves": leaves,
    }
    return World(people, months, seed, first_day, last_day, tables, told)


def _tell_surroundings(tables: Tables, units: Sequence[Unit], first: str) -> None:
    """Writes what does not depend on people."""
    for unit in units:
        tables.add("units", unit.id, unit.name, unit.area)
    for skill in taxonomy().skills.values():
        aliases = "|".join(skill.aliases)
        tables.add("skills", skill.id, skill.name, skill.kind, str(skill.tier), skill.field, aliases)
        if skill.broader_id:
            tables.add("broader", skill.id, skill.broader_id, plain(ALWAYS))
    for number, priority in enumerate(wording()["priorities"], start=1):
        tables.add("priorities", f"priority-{number}", priority["name"], priority["description"], first)


def _truth(topics: Sequence[Topic], appeal: Appeal, goals: Sequence[Goal]) -> dict[str, Any]:
    """What `Appeal.from_truth` needs, and what was planted."""
    source = Path(truth.__file__).read_bytes()
    return {
        "version": truth.VERSION,
        "sha256": hashlib.sha256(source).hexdigest(),
        "parameters": {name: value for name, value in vars(truth).items() if name.isupper()},
        "bias": {
            "what": "coordinators favour mentors of the mentee's unit; it does nothing for the outcome",
            "hundredths_of_a_logit": truth.UNIT_BIAS,
        },
        "confounder": {
            "what": "motivated mentees choose well-known mentors and do better with anybody",
            "hundredths_of_a_logit_per_fame_by_motivation": truth.FAME_APPEAL,
            "thousandths_of_outcome_per_motivation": truth.MOTIVATION_OUTCOME,
        },
        "topics": [asdict(topic) for topic in topics],
        "mentors": [tell(mentor) for mentor in appeal.mentors],
        "goals": [tell(goal.hidden) for goal in goals],
    }
