"""When people are free: weekly windows in local time become minutes of one concrete week in UTC.

Nothing in UTC is stored, since the clocks of two zones change on different days. A week is a row of 2,016 slots of five
minutes, kept as bits, so that the overlap of one person with everybody is one `and` and one count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.values import SLOT_MINUTES

SLOTS = 7 * 24 * 60 // SLOT_MINUTES
ROW_BYTES = SLOTS // 8

Bits = NDArray[np.uint8]
"""Free slots of one week, `ROW_BYTES` bytes a person."""


@dataclass(frozen=True, slots=True)
class Window:
    """A weekly window in local time.

    Attributes:
        weekday: 1 for Monday to 7 for Sunday (ISO 8601).
        start: Local time of its beginning, such as `09:00`.
        end: Local time of its end, up to `24:00`.
        zone: IANA zone of these times.
    """

    weekday: int
    start: str
    end: str
    zone: str


def week_of(now: datetime) -> date:
    """The Monday that begins the week of an instant, in UTC."""
    day = now.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=50_000)
def window_bits(window: Window, monday: date) -> Bits:
    """The slots of a UTC week that a window covers: `uint8[ROW_BYTES]`, not to be changed.

    A local time that the clocks skip counts from the instant at which they jump; one that comes twice counts from its
    first and until its last occurrence.
    """
    slots = np.zeros(SLOTS, dtype=bool)
    origin = datetime.combine(monday, time(), UTC)
    for offset in range(-2, 9):
        day = monday + timedelta(days=offset)
        if day.isoweekday() == window.weekday:
            first = _slot(_instant(day, window.start, window.zone, fold=0), origin)
            last = _slot(_instant(day, window.end, window.zone, fold=1), origin)
            slots[max(first, 0) : max(last, 0)] = True
    return np.packbits(slots)


def _slot(instant: datetime, origin: datetime) -> int:
    return round((instant - origin) / timedelta(minutes=SLOT_MINUTES))


def _instant(day: date, local: str, zone: str, fold: int) -> datetime:
    hours, minutes = map(int, local.split(":"))
    if hours == 24:
        day, hours = day + timedelta(days=1), 0
    wall = datetime.combine(day, time(hours, minutes, fold=fold), ZoneInfo(zone))
    return wall.astimezone(UTC)


def free_bits(windows: Iterable[Window], absences: Iterable[tuple[datetime, datetime]], monday: date) -> Bits:
    """The free slots of one person in one week.

    Args:
        windows: Windows that are valid in that week.
        absences: Half-open spans in which the person is away.
        monday: The week.

    Returns:
        `uint8[ROW_BYTES]`.
    """
    free = np.zeros(ROW_BYTES, dtype=np.uint8)
    for window in windows:
        free |= window_bits(window, monday)
    for since, until in absences:
        free &= ~span_bits(since, until, monday)
    return free


def span_bits(since: datetime, until: datetime, monday: date) -> Bits:
    """The slots of a week that lie in a half-open span of time: `uint8[ROW_BYTES]`."""
    slots = np.zeros(SLOTS, dtype=bool)
    origin = datetime.combine(monday, time(), UTC)
    slots[min(max(_slot(since, origin), 0), SLOTS) : min(max(_slot(until, origin), 0), SLOTS)] = True
    return np.packbits(slots)


def shared_minutes(one: Bits, others: Bits) -> NDArray[np.int64]:
    """Minutes of the week in which one person and each of the others are free.

    Args:
        one: `uint8[ROW_BYTES]`.
        others: `uint8[n, ROW_BYTES]`.

    Returns:
        `int64[n]`.
    """
    minutes: NDArray[np.int64] = np.bitwise_count(others & one).sum(axis=1, dtype=np.int64) * SLOT_MINUTES
    return minutes
