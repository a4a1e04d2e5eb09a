"""Stalls: pairings in which nobody has met for too long, with the cause that the facts show and what would help.

A pairing has stalled once no session was held in it for as many days as its programme's charter says. Which cause is
told follows from the facts alone; where several hold, it is the one that stands first in `vocabulary.STALL_CAUSES`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mentorgraph.graph.calendar.availability import Window, free_bits, shared_minutes, week_of
from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.states import CLOCK, PAIRING
from mentorgraph.graph.paging import check_first
from mentorgraph.graph.pairings.pairing import move_of, moved_to
from mentorgraph.graph.pairings.sessions import read_minutes
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.store.transported import instant_of
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import STALL_CAUSES

DEFAULT_STALL_DAYS = 45
"""Days without a session after which a pairing has stalled where no charter says so."""
WATCHED_STATES = ("accepted", "active", "stalled")
"""States of a pairing that is to move; one that is paused is not."""
POOR = 0.4
"""A rating below this is poor."""
WEEK = timedelta(days=7)

REMEDIES: Mapping[str, str] = {
    "not_signed": "remind them to sign, or end the pairing",
    "mentor_away": "pause the pairing until then, or offer the mentee somebody else",
    "mentee_away": "pause the pairing until then",
    "no_shared_time": "ask both for another time of availability, or offer the mentee somebody else",
    "hours_spent": "add a co-mentor, or raise the mentor's hours",
    "never_met": "propose a first time to them",
    "poor_feedback": "talk to both, and offer the mentee somebody else",
    "stopped_meeting": "ask both how they want to go on",
}
"""Cause → what a coordinator can do."""


@dataclass(frozen=True, slots=True)
class StallFacts:
    """What may explain that a pairing does not move, as of one instant.

    Attributes:
        status: Where it stands.
        unsigned: Who has not signed the agreement, `mentor` or `mentee`; both where they signed different versions.
        last_met: When the last session began; None where there was none.
        mentor_away_until: End of the mentor's absence, if there is one now.
        mentee_away_until: Likewise.
        shared_minutes: Minutes of the coming seven days in which both are free; None where one has not said.
        minutes_left: Minutes left of the mentor's month; None without a budget.
        ratings: Of each of the two who answered, the last rating.
    """

    status: str
    unsigned: tuple[str, ...] = ()
    last_met: datetime | None = None
    mentor_away_until: datetime | None = None
    mentee_away_until: datetime | None = None
    shared_minutes: int | None = None
    minutes_left: int | None = None
    ratings: Mapping[str, float] | None = None


def causes_of(facts: StallFacts) -> dict[str, str]:
    """Every cause that the facts show, the one that explains most first: cause → the fact, in a sentence."""
    met, left = facts.last_met, facts.minutes_left
    poor = {side: rating for side, rating in (facts.ratings or {}).items() if rating < POOR}
    found = {
        "not_signed": f"The agreement waits for the {' and the '.join(facts.unsigned)}."
        if facts.status == "accepted" and facts.unsigned
        else "",
        "mentor_away": _away("mentor", facts.mentor_away_until),
        "mentee_away": _away("mentee", facts.mentee_away_until),
        "no_shared_time": "Both are never free at the same time in the coming week."
        if facts.shared_minutes == 0
        else "",
        "hours_spent": f"The mentor's hours of this month are spent, {-left} minutes beyond."
        if left is not None and left < 0
        else "The mentor's hours of this month are spent."
        if left == 0
        else "",
        "never_met": "The two have never met." if met is None else "",
        "poor_feedback": " ".join(f"The {side} rated it {rating:g} of 1." for side, rating in sorted(poor.items())),
        "stopped_meeting": f"The last session was on {met.date().isoformat()}." if met is not None else "",
    }
    return {cause: found[cause] for cause in STALL_CAUSES if found[cause]}


def _away(side: str, until: datetime | None) -> str:
    return f"The {side} is away until {until.date().isoformat()}." if until is not None else ""


@dataclass(frozen=True, slots=True)
class Stall:
    """A pairing that has stalled.

    Attributes:
        pairing: Its uid.
        status: Where it stands: `stalled` where that has been written down, else still `active` or `accepted`.
        mentor: uid of the mentor.
        mentee: uid of the mentee.
        goal: uid of the goal; empty for none.
        programme: uid of its programme; empty for none.
        since: From when on it counts as stalled.
        cause: One of `vocabulary.STALL_CAUSES`.
        sentence: The fact behind it.
        remedy: What would help.
        further: The other causes that hold, in their order.
    """

    pairing: str
    status: str
    mentor: str
    mentee: str
    goal: str
    programme: str
    since: datetime
    cause: str
    sentence: str
    remedy: str
    further: tuple[str, ...]


async def list_stalled(
    store: Store, viewer: Viewer, programme: str | None = None, *, first: int | None = 50, now: datetime | None = None
) -> list[Stall]:
    """The pairings that have stalled, for coordinators, the longest stalled first.

    Args:
        store: The graph.
        viewer: On whose behalf.
        programme: uid of a programme; all if none is given.
        first: At most so many; all if None.
        now: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `BAD_USER_INPUT`.
    """
    if not viewer.oversees(programme or ""):
        raise DomainError("only coordinators see which pairings have stalled", code="FORBIDDEN")
    if first is not None:
        check_first(first)
    return (await _stalled(store, programme, now or present()))[:first]


async def _stalled(store: Store, programme: str | None, now: datetime) -> list[Stall]:
    rows = await store.read_quiet_pairings(WATCHED_STATES, programme, now, now + WEEK, DEFAULT_STALL_DAYS)
    month = f"{now.year:04d}-{now.month:02d}"
    minutes = await read_minutes(store, {(row["mentor"], month) for row in rows}) if rows else {}
    found = []
    for row in rows:
        own = minutes.get((row["mentor"], month))
        facts = _facts(row, own.left_as("mentor") if own else None, now)
        (cause, sentence), *further = causes_of(facts).items()
        late, marked = instant_of(row["late"]), row["marked"]
        since = min(late, instant_of(marked)) if row["status"] == "stalled" and marked is not None else min(late, now)
        found.append(
            Stall(
                row["pairing"],
                row["status"],
                row["mentor"],
                row["mentee"],
                row["goal"] or "",
                row["programme"] or "",
                since,
                cause,
                sentence,
                REMEDIES[cause],
                tuple(name for name, _ in further),
            )
        )
    return sorted(found, key=lambda each: (each.since, each.pairing))


def _facts(row: Mapping[str, Any], minutes_left: int | None, now: datetime) -> StallFacts:
    sides = {row["mentor"]: "mentor", row["mentee"]: "mentee"}
    versions: dict[str, set[str]] = {"mentor": set(), "mentee": set()}
    for person, version in row["signatures"]:
        if person in sides:
            versions[sides[person]].add(version)
    missing = tuple(side for side, own in versions.items() if not own)
    unsigned = missing or (() if versions["mentor"] & versions["mentee"] else ("mentor", "mentee"))
    mentor, mentee = row["times"]
    return StallFacts(
        status=row["status"],
        unsigned=unsigned,
        last_met=None if row["met"] is None else instant_of(row["met"]),
        mentor_away_until=_away_until(mentor, now),
        mentee_away_until=_away_until(mentee, now),
        shared_minutes=_minutes_in_common(mentor, mentee, now),
        minutes_left=minutes_left,
        ratings={sides[person]: rating for person, rating in row["ratings"] if person in sides},
    )


def _spans(rows: Sequence[Sequence[int]]) -> list[tuple[datetime, datetime]]:
    return [(instant_of(since), instant_of(until)) for since, until in rows]


def _away_until(times: Mapping[str, Any], now: datetime) -> datetime | None:
    return max((until for since, until in _spans(times["absences"]) if since <= now < until), default=None)


def _minutes_in_common(one: Mapping[str, Any], other: Mapping[str, Any], now: datetime) -> int | None:
    """Minutes of the seven days from an instant on in which both are free; None where one has not said."""
    if not (one["windows"] and other["windows"]):
        return None
    total = 0
    for monday in (week_of(now), week_of(now + WEEK)):
        free = [
            free_bits(
                (Window(*window) for window in times["windows"]),
                [
                    *_spans(times["absences"]),
                    *_spans(times["busy"]),
                    (now - 2 * WEEK, now),
                    (now + WEEK, now + 3 * WEEK),
                ],
                monday,
            )
            for times in (one, other)
        ]
        total += int(shared_minutes(free[0], free[1][None, :])[0])
    return total


async def mark_stalled(
    store: Store, viewer: Viewer, programme: str | None = None, *, clock: Clock = present
) -> list[Stall]:
    """Writes down that pairings have stalled, each with its cause; telling it again changes nothing.

    Only what is active can stall: whoever has not begun stays accepted, and is listed all the same.

    Args:
        store: The graph.
        viewer: On whose behalf; the moves are nobody's but time's.
        programme: uid of a programme; all if none is given.
        clock: The present instant.

    Returns:
        What was moved.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators mark what has stalled", code="FORBIDDEN")

    async def decide(known: Store) -> tuple[list[Record], list[Stall]]:
        now = clock()
        stalled = [each for each in await _stalled(known, programme, now) if each.status == "active"]
        courses = await known.read_courses(each.pairing for each in stalled)
        written = []
        for each in stalled:
            course = courses[each.pairing]
            PAIRING.check(course.status, "stalled", CLOCK, "")
            at = course.after(now)
            written += [
                moved_to(course.pairing, PAIRING, "stalled", at),
                move_of("pairing", each.pairing, "stalled", at, Viewer(), cause=each.cause),
            ]
        return written, stalled

    return await store.decide_and_write(decide)
