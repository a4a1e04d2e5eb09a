"""When people could meet: spans in which all of them are free, in whatever zones they live.

Everything is looked at in slots of five minutes of UTC, as availability is: what the clocks of a zone skip is no time
in which somebody is free, and what they show twice counts both times.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.calendar.availability import ROW_BYTES, Bits, Window, monday_of, span_bits, week_of, window_bits
from mentorgraph.graph.calendar.reading import Span, StatedWindow
from mentorgraph.graph.facts.values import SLOT_MINUTES

STEP_MINUTES = 15
"""Proposals begin at multiples of this in UTC, which is so on the clocks of all zones."""
WORK_DAYS = (1, 2, 3, 4, 5)
WORK_HOURS = ("09:00", "17:00")
"""When those who have said nothing of their time are asked to meet: Monday to Friday, where they live."""


@dataclass(frozen=True, slots=True)
class PersonTimes:
    """What is known of the time of one person.

    Attributes:
        zone: IANA zone in which their days begin and end.
        windows: Weekly windows in which they are free; where there are none, the working hours of their zone count.
        taken: Spans in which they are busy, away or in a session.
        holidays: Days, of their zone, on which they do not meet.
    """

    zone: str
    windows: Sequence[StatedWindow] = ()
    taken: Sequence[Span] = ()
    holidays: frozenset[date] = field(default_factory=frozenset)


def propose_slots(people: Sequence[PersonTimes], within: Span, minutes: int, first: int) -> list[Span]:
    """The earliest spans in which all are free; no two of them share time.

    Args:
        people: Everybody who is to be there.
        within: Where the spans have to lie.
        minutes: How long each is.
        first: At most so many.
    """
    found: list[Span] = []
    length = timedelta(minutes=minutes)
    slots, step = -(-minutes // SLOT_MINUTES), STEP_MINUTES // SLOT_MINUTES
    monday = week_of(within.since)
    origin = monday_of(within.since)
    free = np.concatenate([_free(people, each) for each in _weeks(monday, within.until)])
    before = np.concatenate([[0], np.cumsum(free)])
    starts = np.flatnonzero(before[slots:] - before[:-slots] == slots) if len(free) >= slots else np.zeros(0, np.int64)
    for start in starts[starts % step == 0].tolist():
        since = origin + start * timedelta(minutes=SLOT_MINUTES)
        if since < within.since or (found and since < found[-1].until):
            continue
        if len(found) == first or since + length > within.until:
            break
        found.append(Span(since, since + length))
    return found


def _weeks(monday: date, until: datetime) -> Iterator[date]:
    while datetime.combine(monday, time(), UTC) < until:
        yield monday
        monday += timedelta(days=7)


def _free(people: Iterable[PersonTimes], monday: date) -> NDArray[np.bool_]:
    """The slots of a week in which all are free: `bool[SLOTS]`."""
    shared = np.full(ROW_BYTES, 0xFF, np.uint8)
    for person in people:
        shared &= _free_bits(person, monday)
    return np.unpackbits(shared).astype(bool)


def _free_bits(person: PersonTimes, monday: date) -> Bits:
    free = np.zeros(ROW_BYTES, np.uint8)
    for each in person.windows or [StatedWindow(day, *WORK_HOURS, person.zone) for day in WORK_DAYS]:
        bits = window_bits(Window(each.weekday, each.start, each.end, each.zone), monday)
        if each.since is not None:
            bits = bits & ~span_bits(_FIRST, each.since, monday)
        if each.until is not None:
            bits = bits & ~span_bits(each.until, _LAST, monday)
        free |= bits
    week = datetime.combine(monday, time(), UTC)
    for span in person.taken:
        if span.meets(Span(week, week + timedelta(days=7))):
            free &= ~span_bits(span.since, span.until, monday)
    for day in person.holidays:
        begin, end = (_midnight(each, person.zone) for each in (day, day + timedelta(days=1)))
        free &= ~span_bits(begin, end, monday)
    return free


_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
