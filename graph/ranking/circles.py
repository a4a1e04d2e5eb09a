"""Circles: mentees of a programme of the format `cohort` around those who lead, planned for the whole group at once.

A circle has one leader, whom the rules allow with each of its mentees, a size within limits, and an hour of the week at
which all of it are free. Who wishes to learn what the leader offers fits by the score that ranks mentors; how much the
mentees of a circle are to differ is asked for as the number of skills that they wish to learn together.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.calendar.availability import monday_of
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.free_time import week
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.values import SLOT_MINUTES
from mentorgraph.graph.ranking.grouping import Hindrance, enrolled_in, hindrances
from mentorgraph.graph.ranking.matching import Judged, Recommender
from mentorgraph.graph.ranking.optimum import Meeting, best_circles
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.scoring import DECIMALS, Scorer
from mentorgraph.graph.rules.evaluator import PairFacts
from mentorgraph.graph.viewer import Viewer

SMALLEST, LARGEST = 2, 12
"""Mentees that a circle may be asked to have."""
MEETING_MINUTES = 60
"""How long all of a circle have to be free at one time."""

_SLOTS = MEETING_MINUTES // SLOT_MINUTES
_HOUR_SLOTS = 60 // SLOT_MINUTES

NO_LEADER, NOBODY_ALLOWED, TIME_UNKNOWN, NO_COMMON_HOUR, NO_SEAT = (
    "no_leader",
    "nobody_allowed",
    "time_unknown",
    "no_common_hour",
    "no_seat",
)
CAUSES = (NO_LEADER, NOBODY_ALLOWED, TIME_UNKNOWN, NO_COMMON_HOUR, NO_SEAT)
"""Why somebody has no seat: nobody leads; rules forbid all who do; they have not said when they are free; no leader
whom the rules allow is free for an hour when they are; or no circle that may be held had a seat left for them."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A mentee of a circle.

    Attributes:
        mentee: Their uid.
        score: How they rank the leader.
        signals: The summands of that.
    """

    mentee: str
    score: float
    signals: tuple[SignalValue, ...]


@dataclass(frozen=True, slots=True)
class SharedWish:
    """A skill that mentees of a circle wish to learn.

    Attributes:
        skill: Its uid.
        wishing: How many of them wish it.
        is_offered: Whether the leader offers it.
    """

    skill: str
    wishing: int
    is_offered: bool


@dataclass(frozen=True, slots=True)
class Circle:
    """A leader with some mentees.

    Attributes:
        leader: uid of the leader.
        starts: When in the present week all of them are free for `MEETING_MINUTES`, in UTC.
        seats: The mentees, in the order of their uids.
        wishes: What the mentees wish to learn, the most wished first.
    """

    leader: str
    starts: datetime
    seats: tuple[Seat, ...]
    wishes: tuple[SharedWish, ...]


@dataclass(frozen=True, slots=True)
class Unseated:
    """A mentee without a circle.

    Attributes:
        person: Their uid.
        cause: One of `CAUSES`.
        hindrances: The rules that forbid them leaders.
    """

    person: str
    cause: str
    hindrances: tuple[Hindrance, ...]


@dataclass(frozen=True, slots=True)
class CirclePlan:
    """Who meets with whom, as far as is known now; nothing of it is written.

    Attributes:
        programme: uid of the programme.
        model_version: Version of the model that ranked.
        circles: The circles, by the uids of their leaders.
        unseated: Mentees without one, by their uids.
        idle: uids of those who could lead and lead none.
        paired: uids of mentees who are in an open pairing of the programme, and not planned for.
        waiting: uids of mentees who are in one of its requests that waits for an answer, and not planned for.
        total: Sum of the scores of the seats.
    """

    programme: str
    model_version: str
    circles: tuple[Circle, ...]
    unseated: tuple[Unseated, ...]
    idle: tuple[str, ...]
    paired: tuple[str, ...]
    waiting: tuple[str, ...]
    total: float


async def plan_circles(
    recommender: Recommender,
    viewer: Viewer,
    programme: str,
    *,
    least: int = SMALLEST,
    most: int = 6,
    least_skills: int = 0,
    scorer: Scorer | None = None,
) -> CirclePlan:
    """Plans circles for all mentees of a programme who are in none of its pairings and requests.

    Whoever is enrolled as a mentor or facilitator can lead; the rules ask that they have the role of a mentor. Where
    the policy counts places, a circle is no larger than the places that its leader has left.

    Args:
        recommender: What ranks.
        viewer: On whose behalf; not for participants.
        programme: uid of a programme of the format `cohort`.
        least: Mentees that a circle needs.
        most: Mentees that it has at most.
        least_skills: Different skills that its mentees together wish to learn at least.
        scorer: What ranks; the one of the recommender if none is given.

    Raises:
        DomainError: As `enrolled_in`; `BAD_USER_INPUT` for limits that contradict each other; `TOO_LARGE`, the best
            plan was not found in time.
        DatabaseUnavailable: The graph cannot be asked.
    """
    _refuse_limits(least, most, least_skills)
    enrolled = await enrolled_in(recommender, viewer, programme, "cohort")
    leaders = [each.uid for each in enrolled if each.is_enrolled_as("mentor", "facilitator")]
    mentees = [each for each in enrolled if each.is_enrolled_as("mentee")]
    seeking = [each.uid for each in mentees if each.is_free]
    judged: dict[tuple[str, str], Judged] = {}
    wished: dict[str, frozenset[str]] = {}
    places: dict[str, int] = {}
    for person in seeking:
        others = [each for each in leaders if each != person]
        asker, found = await recommender.judge_for(viewer, person, others, scorer=scorer, programme=programme)
        wished[person] = frozenset(asker.columns.skills.uids[wish.skill] for wish in asker.asked.wishes)
        judged |= {(person, leader): each for leader, each in found.items()}
        counts = asker.scorer.policy.rules.counts_places
        places |= {leader: _places_left(each.pair, most, counts) for leader, each in found.items()}
    now = recommender.clock()
    columns = await recommender.fresh_columns()
    hours = _hours(columns, {*seeking, *leaders}, now)
    allowed = {
        leader: [person for person in seeking if (person, leader) in judged and not judged[person, leader].refusals]
        for leader in leaders
    }
    meetings = [
        each
        for leader, people in allowed.items()
        if leader in hours and places.get(leader, 0) >= least
        for each in _meetings(leader, [person for person in people if person in hours], hours)
    ]
    scores = {pair: each.score for pair, each in judged.items()}
    held = await asyncio.to_thread(
        best_circles, meetings, scores, least, places, skills=wished, least_skills=least_skills
    )
    circles = [_circle(columns, meeting, people, judged, wished, now) for meeting, people in held]
    seated = {seat.mentee for circle in circles for seat in circle.seats}
    leading = {circle.leader for circle in circles}
    return CirclePlan(
        programme,
        (scorer or recommender.scorer).model_version,
        tuple(circles),
        tuple(_unseated(person, leaders, judged, hours) for person in seeking if person not in seated | leading),
        tuple(leader for leader in leaders if leader not in leading | seated),
        tuple(each.uid for each in mentees if each.pairings),
        tuple(each.uid for each in mentees if each.requests and not each.pairings),
        round(sum(seat.score for circle in circles for seat in circle.seats), DECIMALS),
    )


def _refuse_limits(least: int, most: int, least_skills: int) -> None:
    if not SMALLEST <= least <= most <= LARGEST:
        told = f"least is {least} and most is {most}; give {SMALLEST} ≤ least ≤ most ≤ {LARGEST}"
        raise DomainError(told, code="BAD_USER_INPUT", field="most" if SMALLEST <= least <= LARGEST else "least")
    if not 0 <= least_skills <= 100:
        raise DomainError("leastSkills is not 0 to 100", code="BAD_USER_INPUT", field="leastSkills")


def _places_left(pair: PairFacts, most: int, counts_places: bool) -> int:
    """How many mentees a leader can take, up to some."""
    left = [float(most)]
    if counts_places:
        left.append(pair.places - pair.taken)
        if pair.places_in_programme is not None:
            left.append(pair.places_in_programme - pair.taken_in_programme)
    return max(int(min(left) + 1e-9), 0)


def _hours(columns: Columns, people: Collection[str], now: datetime) -> dict[str, NDArray[np.bool_]]:
    """At which slots of the week each person is free for a whole meeting: `bool[slots]`; absent who has not said."""
    free = week(columns, now)
    found: dict[str, NDArray[np.bool_]] = {}
    for uid in people:
        person = columns.people.find(uid)
        if person != NONE and free.stated[person]:
            slots = np.unpackbits(free.free[person]).astype(bool)
            found[uid] = np.logical_and.reduce(np.lib.stride_tricks.sliding_window_view(slots, _SLOTS), axis=1)
    return found


def _meetings(leader: str, people: list[str], hours: Mapping[str, NDArray[np.bool_]]) -> list[Meeting]:
    """The meetings that a leader could hold: at times than which no other one suits the same people and more."""
    groups: dict[frozenset[str], int] = {}
    # A full hour is easier to keep in mind than any other time.
    for slot in sorted(np.flatnonzero(hours[leader]), key=lambda slot: (slot % _HOUR_SLOTS != 0, slot)):
        groups.setdefault(frozenset(each for each in people if hours[each][slot]), int(slot))
    largest = [each for each in groups if each and not any(each < other for other in groups)]
    return [Meeting(leader, groups[each], each) for each in largest]


def _circle(
    columns: Columns,
    meeting: Meeting,
    people: tuple[str, ...],
    judged: Mapping[tuple[str, str], Judged],
    wished: Mapping[str, frozenset[str]],
    now: datetime,
) -> Circle:
    counted = Counter(skill for person in people for skill in wished[person])
    offered = _offered(columns, meeting.leader, now.timestamp())
    wishes = sorted(counted, key=lambda skill: (-counted[skill], skill))
    return Circle(
        meeting.leader,
        monday_of(now) + timedelta(minutes=meeting.slot * SLOT_MINUTES),
        tuple(
            Seat(person, judged[person, meeting.leader].score, judged[person, meeting.leader].signals)
            for person in people
        ),
        tuple(SharedWish(skill, counted[skill], skill in offered) for skill in wishes),
    )


def _offered(columns: Columns, person: str, now: float) -> frozenset[str]:
    """Uids of the skills that somebody offers, by what they count for."""
    offers, skills = columns.tables["offers"], columns.skills_of("offers", "skill", now)
    valid = offers.valid(now)
    rows = columns.rows_by("offers", "person").of(columns.people.find(person))
    return frozenset(columns.skills.uids[int(skills[row])] for row in rows if valid[row])


def _unseated(
    person: str,
    leaders: Collection[str],
    judged: Mapping[tuple[str, str], Judged],
    hours: Mapping[str, NDArray[np.bool_]],
) -> Unseated:
    others = [each for each in leaders if (person, each) in judged]
    refused = hindrances(judged[person, each].refusals for each in others)
    allowed = [each for each in others if not judged[person, each].refusals]
    if not others:
        cause = NO_LEADER
    elif not allowed:
        cause = NOBODY_ALLOWED
    elif person not in hours:
        cause = TIME_UNKNOWN
    elif not any(each in hours and (hours[person] & hours[each]).any() for each in allowed):
        cause = NO_COMMON_HOUR
    else:
        cause = NO_SEAT
    return Unseated(person, cause, refused)
