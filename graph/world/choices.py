"""Who is paired with whom in a generated world, and for how long."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import numpy.typing as npt

from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal, HiddenGoal, HiddenMentor
from mentorgraph.graph.world.clocks import overlap_minutes
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.goals import Goal
from mentorgraph.graph.world.people import Person

GONE = 1000
"""More places than anybody has: taken away, they leave none."""

LOWEST, HIGHEST = -400, 1600
"""No appeal lies outside."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What decides how a mentor and a goal get on, apart from topic and skills."""

    time: int
    pace_gap: int

    @classmethod
    def of(cls, mentor: HiddenMentor, goal: HiddenGoal) -> "Fit":
        """How the two fit."""
        minutes = overlap_minutes(mentor.clock, goal.clock)
        return cls(truth.time_level(minutes), abs(mentor.pace - goal.pace))


@dataclass(frozen=True, slots=True)
class Pairing:
    """A mentor, by position, and a goal; days count as `date.toordinal` does.

    Attributes:
        ends: The first day after it; may lie after the last day of the world.
        stalled: The day on which they stopped meeting, 0 for those that go on.
        left: Whether it ends because the mentor left.
    """

    goal: Goal
    mentor: int
    fit: Fit
    starts: int
    ends: int
    stalled: int
    left: bool


@cache
def _odds() -> npt.NDArray[np.int64]:
    """exp(appeal / 100) in thousandths, for every appeal from `LOWEST` to `HIGHEST`.

    `Decimal.exp` is correctly rounded everywhere; the C library's exponential is not.
    """
    with localcontext() as context:
        context.prec = 30
        return np.array([int((Decimal(each) / 100).exp() * 1000) for each in range(LOWEST, HIGHEST + 1)], np.int64)


def make_pairings(seed: int, goals: Sequence[Goal], appeal: Appeal, people: Mapping[str, Person]) -> list[Pairing]:
    """Lets the goals find mentors in the order of their start; one in twelve finds two."""
    draws = Draws(seed, "pairings")
    places = np.zeros(len(appeal.mentors), np.int64)
    changes = _roster(appeal, people)
    heapq.heapify(changes)
    pairings = []
    for goal in sorted((each for each in goals if each.starts), key=lambda each: (each.starts, each.hidden.id)):
        while changes and changes[0][0] <= goal.starts:
            _, mentor, change = heapq.heappop(changes)
            places[mentor] += change
        odds = _odds()[appeal.of(goal.hidden) - LOWEST] * (places > 0)
        for _ in range(2 if draws.chance(0.08) else 1):
            sums = odds.cumsum()
            if not sums[-1]:
                break
            mentor = int(np.searchsorted(sums, draws.below(int(sums[-1])), side="right"))
            odds[mentor] = 0
            pairing = _course(draws, goal, mentor, appeal.mentors[mentor])
            pairings.append(pairing)
            places[mentor] -= 1
            heapq.heappush(changes, (pairing.ends, mentor, 1))
    return pairings


def _roster(appeal: Appeal, people: Mapping[str, Person]) -> list[tuple[int, int, int]]:
    """Day, mentor and change of places: coming, leaving, being absent. Nobody is matched without having agreed."""
    changes = []
    for position, mentor in enumerate(appeal.mentors):
        person = people[mentor.id]
        if not person.agrees:
            continue
        changes.append((mentor.since, position, person.places))
        if mentor.until:
            changes.append((mentor.until, position, -GONE))
        for since, until in person.absences:
            changes += [(since, position, -GONE), (until, position, GONE)]
    return changes


def _course(draws: Draws, goal: Goal, number: int, mentor: HiddenMentor) -> Pairing:
    """How long the two are paired and whether they stall."""
    fit = Fit.of(mentor, goal.hidden)
    ends = goal.starts + draws.between(80, 220)
    stalled = 0
    if draws.below(1000) < truth.stall_permille(fit.time, fit.pace_gap, goal.hidden.motivation, mentor.quality):
        stalled = goal.starts + draws.between(14, 70)
        ends = stalled + draws.between(45, 100)
    left = 0 < mentor.until < ends
    if left:
        ends = mentor.until
        stalled = stalled if stalled < ends else 0
    return Pairing(goal, number, fit, goal.starts, ends, stalled, left)
