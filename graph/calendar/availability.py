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

from mentorgraph.graph.facts.values import SLOT_MINUTES

SLOTS = 7 * 24 * 60 // SLOT_MINUTES
DAY_SLOTS = SLOTS // 7
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


def monday_of(now: datetime) -> datetime:
    """The instant that begins the week of another one, in UTC."""
    return datetime.combine(week_of(now), time(), UTC)


def month_of(now: datetime) -> datetime:
    """The instant that begins the month of another one, in UTC."""
    return datetime.combine(now.astimezone(UTC).date().replace(day=1), time(), UTC)


@lru_cache(maxsize=50_000)
def window_bits(window: Window, monday: date) -> Bits:
    """The slots of a UTC week in which the wall clock shows a time of a window: `uint8[ROW_BYTES]`, not to be changed.

    What the clocks skip never comes, and what they show twice counts both times.
    """
    midnight = (window.weekday - 1) * DAY_SLOTS
    local = _local_slots(window.zone, monday)
    return np.packbits((local >= midnight + _slot_of_day(window.start)) & (local < midnight + _slot_of_day(window.end)))


@lru_cache(maxsize=1_000)
def _local_slots(zone: str, monday: date) -> NDArray[np.int16]:
    """What the wall clock of a zone shows in each slot of a UTC week, in slots since Monday 00:00: `int16[SLOTS]`."""
    first, slot = datetime.combine(monday, time(), UTC), timedelta(minutes=SLOT_MINUTES)
    shifts = np.empty(SLOTS, np.int64)
    for day in range(7):
        begin = first + timedelta(days=day)
        # Clocks that show the same distance from UTC at both ends of a day have not changed in it.
        changes = _shift(begin, zone) != _shift(begin + timedelta(days=1), zone)
        steps = range(DAY_SLOTS) if changes else range(1)
        shifts[day * DAY_SLOTS : (day + 1) * DAY_SLOTS] = [_shift(begin + step * slot, zone) for step in steps]
    return ((np.arange(SLOTS) + shifts) % SLOTS).astype(np.int16)


def _shift(instant: datetime, zone: str) -> int:
    """How many slots the wall clock of a zone is ahead of UTC."""
    return ahead_of_utc(instant, zone) // timedelta(minutes=SLOT_MINUTES)


def ahead_of_utc(instant: datetime, zone: str) -> timedelta:
    """How far the wall clock of a zone is ahead of UTC at an instant."""
    return instant.astimezone(_rules_of(zone)).utcoffset() or timedelta()


@lru_cache(maxsize=1_000)
def _rules_of(zone: str) -> ZoneInfo:
    """The rules of a zone, of which Python itself keeps only the last few and reads the others from files."""
    return ZoneInfo(zone)


def _slot_of_day(local: str) -> int:
    hours, minutes = map(int, local.split(":"))
    return (hours * 60 + minutes) // SLOT_MINUTES


def free_bits(windows: Iterable[Window], taken: Iterable[tuple[datetime, datetime]], monday: date) -> Bits:
    """The free slots of one person in one week.

    Args:
        windows: Windows that are valid in that week.
        taken: Half-open spans in which the person is away or busy.
        monday: The week.

    Returns:
        `uint8[ROW_BYTES]`.
    """
    free = np.zeros(ROW_BYTES, dtype=np.uint8)
    for window in windows:
        free |= window_bits(window, monday)
    for since, until in taken:
        free &= ~span_bits(since, until, monday)
    return free


def span_bits(since: datetime, until: datetime, monday: date) -> Bits:
    """The slots of a week that lie in a half-open span of time: `uint8[ROW_BYTES]`."""
    slots = np.zeros(SLOTS, dtype=bool)
    origin = datetime.combine(monday, time(), UTC)
    slot = timedelta(minutes=SLOT_MINUTES)
    # An absence or a busy time covers every slot that it touches.
    slots[max((since - origin) // slot, 0) : max(-((origin - until) // slot), 0)] = True
    return np.packbits(slots)


def shared_minutes(one: Bits, others: Bits) -> NDArray[np.int64]:
    """Minutes of the week in which one person and each of the others are free.

    Args:
        one: `uint8[ROW_BYTES]`.
        others: `uint8[n, ROW_BYTES]`.

    Returns:
        `int64[n]`.
    """
    # Four bytes at a time, which divide a row.
    both = np.ascontiguousarray(others & one).view(np.uint32)
    minutes: NDArray[np.int64] = np.bitwise_count(both).sum(axis=1, dtype=np.uint16).astype(np.int64) * SLOT_MINUTES
    return minutes
