"""Who is paired with whom in a generated world, when they meet, how it ends, and what they say about it."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import numpy.typing as npt

from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal
from mentorgraph.graph.world.clocks import SLOT_MINUTES, iso, meeting_slots, overlap_minutes, time_of_day
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.goals import Goal
from mentorgraph.graph.world.people import Ids, Period, Person
from mentorgraph.graph.world.tables import Tables
from mentorgraph.graph.world.wording import comment

PACE_DAYS = (7, 14, 30)
MINUTES = (25, 30, 45, 50, 60, 90)
KINDS = ("live", "live", "live", "live", "asynchronous", "written", "recorded")
LOWEST, HIGHEST = -400, 1600


@dataclass(slots=True)
class Pairing:
    """A mentor, by position, and a goal; days count as `date.toordinal` does, `stalled` is 0 for those that go on."""

    goal: Goal
    mentor: int
    starts: int
    ends: int
    stalled: int
    left: bool


@cache
def _weights() -> npt.NDArray[np.int64]:
    """exp(appeal / 100) as whole numbers, for every appeal from `LOWEST` to `HIGHEST`.

    `Decimal.exp` is correctly rounded everywhere; the C library's is not.
    """
    with localcontext() as context:
        context.prec = 30
        return np.array([int((Decimal(each) / 100).exp() * 1000) for each in range(LOWEST, HIGHEST + 1)], np.int64)


def make_pairings(
    seed: int, goals: Sequence[Goal], appeal: Appeal, people: dict[str, Person], period: Period
) -> list[Pairing]:
    """Lets the goals find mentors in the order of their start; one in twelve finds two."""
    draws = Draws(seed, "pairings")
    places = np.zeros(len(appeal.mentors), np.int64)
    changes = _roster(appeal, people)
    heapq.heapify(changes)
    pairings = []
    for goal in sorted((g for g in goals if g.starts), key=lambda g: (g.starts, g.hidden.id)):
        while changes and changes[0][0] <= goal.starts:
            _, mentor, change = heapq.heappop(changes)
            places[mentor] += change
        open_now = places > 0
        weights = _weights()[np.clip(appeal.of(goal.hidden), LOWEST, HIGHEST) - LOWEST] * open_now
        for _ in range(2 if draws.chance(0.08) else 1):
            sums = weights.cumsum()
            if not sums[-1]:
                break
            mentor = int(np.searchsorted(sums, draws.below(int(sums[-1])), side="right"))
            weights[mentor] = 0
            pairing = _course(draws, goal, mentor, appeal, period)
            pairings.append(pairing)
            places[mentor] -= 1
            heapq.heappush(changes, (pairing.ends, mentor, 1))
    return pairings


def _roster(appeal: Appeal, people: dict[str, Person]) -> list[tuple[int, int, int]]:
    """Day, mentor and change of places: coming, leaving and being absent. A very low count stands for "not there"."""
    gone = 1000
    changes = []
    for position, mentor in enumerate(appeal.mentors):
        person = people[mentor.id]
        if not person.agrees:
            continue
        changes.append((mentor.since, position, person.places))
        if mentor.until:
            changes.append((mentor.until, position, -gone))
        for since, until in person.absences:
            changes += [(since, position, -gone), (until, position, gone)]
    return changes


def _course(draws: Draws, goal: Goal, mentor: int, appeal: Appeal, period: Period) -> Pairing:
    """How long the two are paired and whether they stall."""
    facts, hidden = appeal.mentors[mentor], goal.hidden
    ends = goal.starts + draws.between(80, 220)
    time = truth.time_level(overlap_minutes(facts.clock, hidden.clock))
    risk = truth.stall_permille(time, abs(facts.pace - hidden.pace), hidden.motivation, facts.quality)
    stalled = 0
    if draws.below(1000) < risk:
        stalled = goal.starts + draws.between(14, 70)
        ends = stalled + draws.between(45, 100)
    left = 0 < facts.until < ends
    if left:
        ends = max(goal.starts + 1, facts.until)
        stalled = stalled if stalled < ends else 0
    return Pairing(goal, mentor, goal.starts, ends, stalled, left)


def tell_pairings(
    seed: int, tables: Tables, pairings: Sequence[Pairing], appeal: Appeal, period: Period, width: int
) -> list[dict[str, object]]:
    """Writes pairings, sessions, feedback, memberships and blocks.

    Returns:
        The stalled pairings, for the truth.
    """
    draws = Draws(seed, "meetings")
    ids, session_ids, feedback_ids = Ids("m", width), Ids("s", width + 1), Ids("f", width + 1)
    stalls: list[dict[str, object]] = []
    joined: set[tuple[str, str]] = set()
    together: dict[tuple[str, str], int] = {}
    poor: list[tuple[str, str, int]] = []
    for pairing in pairings:
        goal, mentor = pairing.goal, appeal.mentors[pairing.mentor]
        hidden, mentee = goal.hidden, goal.person
        id = ids.next()
        days, planned = _meetings(draws, pairing, appeal, period)
        for day in days:
            _tell_session(draws, tables, session_ids, id, pairing, appeal, day)
        ended = pairing.ends <= period.last
        result = truth.outcome(
            topic=appeal.nearness(pairing.mentor, hidden.topic),
            coverages=appeal.coverages(pairing.mentor, hidden),
            time=truth.time_level(overlap_minutes(mentor.clock, hidden.clock)),
            pace_gap=abs(mentor.pace - hidden.pace),
            quality=mentor.quality,
            motivation=hidden.motivation,
            held_permille=1000 * len(days) // max(1, planned),
            noise=draws.bell(truth.NOISE_OUTCOME),
            stalled=bool(pairing.stalled),
            left=pairing.left,
        )
        if ended:
            status = "ended" if pairing.stalled or pairing.left else "completed"
        elif pairing.stalled and pairing.stalled + 21 <= period.last:
            status = "stalled"
        else:
            status = "paused" if draws.chance(0.03) else "active"
        programme = goal.programme
        tables.add(
            "pairings",
            id,
            mentor.id,
            mentee.id,
            hidden.id,
            mentee.unit.id,
            programme.id if programme else "",
            iso(pairing.starts),
            iso(pairing.ends) if ended else "",
            status,
            _share(result) if ended else "",
        )
        if pairing.stalled and pairing.stalled <= period.last:
            stalls.append({"pairing_id": id, "on": iso(pairing.stalled)})
        if programme:
            for person, role, since in ((mentor.id, "mentor", pairing.starts), (mentee.id, "mentee", hidden.asked)):
                if (person, programme.id) not in joined:
                    joined.add((person, programme.id))
                    until = iso(programme.until) if programme.until <= period.last else ""
                    since = min(since, programme.until - 1)
                    tables.add("memberships", person, programme.id, role, iso(since), until)
        _tell_feedback(draws, tables, feedback_ids, id, mentor.id, mentee.id, pairing, result, period)
        together[mentee.id, mentor.id] = max(together.get((mentee.id, mentor.id), 0), pairing.starts)
        if ended and result < 250 and draws.chance(0.25):
            poor.append((mentee.id, mentor.id, pairing.ends))
    for mentee_id, mentor_id, day in poor:
        if together[mentee_id, mentor_id] < day:
            tables.add("blocks", mentee_id, mentor_id, iso(day), "")
    return stalls


def _share(thousandths: int) -> str:
    """A share in two digits."""
    return f"{(thousandths + 5) // 10 / 100:.2f}"


def _meetings(draws: Draws, pairing: Pairing, appeal: Appeal, period: Period) -> tuple[list[int], int]:
    """The days on which the two met up to the last day, and how many meetings their rhythm would have given."""
    mentor, hidden = appeal.mentors[pairing.mentor], pairing.goal.hidden
    time = truth.time_level(overlap_minutes(mentor.clock, hidden.clock))
    step = (PACE_DAYS[mentor.pace] + PACE_DAYS[hidden.pace]) // 2
    held = 0.5 + 0.08 * time + 0.04 * hidden.motivation
    slots = meeting_slots(mentor.clock, hidden.clock)
    days = []
    planned = 0
    day = pairing.starts + draws.between(1, 9)
    while day < min(pairing.ends, period.last):
        planned += 1
        if (not pairing.stalled or day <= pairing.stalled) and draws.chance(held):
            weekday = draws.pick(slots) * SLOT_MINUTES // (24 * 60)
            meets = day + (weekday - (day - 1)) % 7  # day 1 of date.toordinal is a Monday
            if meets < min(pairing.ends, period.last):
                days.append(meets)
        day += step
    return days, planned


def _tell_session(
    draws: Draws, tables: Tables, ids: Ids, pairing_id: str, pairing: Pairing, appeal: Appeal, day: int
) -> None:
    slots = meeting_slots(appeal.mentors[pairing.mentor].clock, pairing.goal.hidden.clock)
    per_day = 24 * 60 // SLOT_MINUTES
    today = [slot % per_day for slot in slots if slot // per_day == (day - 1) % 7] or [36]
    at = f"{iso(day)}T{time_of_day(draws.pick(today) * SLOT_MINUTES)}:00Z"
    tables.add("sessions", ids.next(), pairing_id, at, str(draws.pick(MINUTES)), draws.pick(KINDS))


def _tell_feedback(
    draws: Draws,
    tables: Tables,
    ids: Ids,
    pairing_id: str,
    mentor_id: str,
    mentee_id: str,
    pairing: Pairing,
    result: int,
    period: Period,
) -> None:
    """Surveys half-way and at the end; each side answers some of them."""
    for day, noise, share in ((pairing.starts + 45, 250, 0.25), (pairing.ends + 3, 130, 0.55)):
        if day > period.last or (day < pairing.ends) != (share < 0.5):
            continue
        for person in (mentee_id, mentor_id):
            if draws.chance(share):
                rating = min(1000, max(0, result + draws.bell(noise)))
                words = comment(draws, rating) if draws.chance(0.5) else ""
                tables.add("feedback", ids.next(), pairing_id, person, iso(day), _share(rating), words)
