"""Generates a whole community with a known truth from a seed."""

from collections.abc import Callable
from datetime import date

from mentorgraph.graph.world.first import make, plain_appeal
from mentorgraph.graph.world.pattern import Pattern
from mentorgraph.graph.world.second import tell_on
from mentorgraph.graph.world.tables import World

LAST_DAY = date(2026, 6, 30)
FEWEST_PEOPLE = 50
VERSIONS = (1, 2)
STEPS = 5
"""How often `progress` is called for a world of version 1."""
STEPS_2 = 6
"""The same for version 2."""


def generate(
    people: int = 2_000,
    months: int = 24,
    seed: int = 7,
    last_day: date = LAST_DAY,
    progress: Callable[[str], None] = lambda step: None,
    *,
    version: int = 1,
    pattern: Pattern | None = None,
) -> World:
    """Makes a community; equal arguments give equal bytes.

    Args:
        people: How many people, 50 or more.
        months: How long its history is.
        seed: Which of the many such communities.
        last_day: The day up to which things have happened.
        progress: Called with the name of each of the `STEPS` (or `STEPS_2`) steps as it begins.
        version: 1, or 2 for a world that tells of requests, surveys, onboarding and more besides.
        pattern: Whose pairings go badly, though they look well; version 2 only.
    """
    if people < FEWEST_PEOPLE or months < 1:
        raise ValueError(f"a world needs at least {FEWEST_PEOPLE} people and one month")
    if version not in VERSIONS or (pattern is not None and version != 2):
        raise ValueError("there are worlds of version 1 and 2, and only those of version 2 have a pattern")
    made = make(people, months, seed, last_day, progress, pattern.appeal if pattern else plain_appeal)
    if version == 1:
        return World(people, months, seed, made.first_day, last_day, made.tables, made.truth)
    progress("what else is told")
    tables, truth = tell_on(made, pattern)
    return World(people, months, seed, made.first_day, last_day, tables, truth, version)
