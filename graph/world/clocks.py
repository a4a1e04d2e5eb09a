"""Days, and the weekly hours that people of generated worlds can meet."""

import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

Clock: TypeAlias = tuple[str, str]
"""A time zone and the name of a weekly pattern."""

SLOT_MINUTES = 30
SLOTS = 7 * 24 * 60 // SLOT_MINUTES

PATTERNS: dict[str, tuple[tuple[int, ...], int, int]] = {
    "mornings": ((1, 2, 3, 4, 5), 8 * 60, 11 * 60),
    "lunch breaks": ((1, 2, 3, 4, 5), 12 * 60, 13 * 60 + 30),
    "afternoons": ((1, 2, 4), 14 * 60, 17 * 60 + 30),
    "early week": ((1, 2), 9 * 60, 17 * 60),
    "late week": ((3, 4, 5), 10 * 60, 16 * 60),
    "evenings": ((1, 2, 3, 4), 18 * 60 + 30, 21 * 60 + 30),
    "weekends": ((6, 7), 10 * 60, 15 * 60),
    "before work": ((1, 3, 5), 6 * 60, 8 * 60),
    "office hours": ((1, 2, 3, 4, 5), 9 * 60, 17 * 60),
}
"""Weekly patterns in local time: weekdays (1 is Monday), start and end in minutes after midnight."""


@cache
def regions() -> list[dict[str, Any]]:
    """The regions of `names.toml`: name, zones with their offsets, given and family names."""
    text = Path(__file__).with_name("names.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["region"]
    return found


@cache
def offsets() -> dict[str, int]:
    """Minutes east of UTC of every zone, in winter.

    Written down rather than looked up, and without summer time: the bytes of a world must not depend on which edition
    of the zone database a machine has.
    """
    return {zone: minutes for region in regions() for zone, minutes in region["zones"].items()}


@cache
def slots(clock: Clock) -> int:
    """The week of a clock in UTC as bits: bit i is the half hour that starts 30·i minutes after Monday 00:00 UTC."""
    zone, pattern = clock
    weekdays, start, end = PATTERNS[pattern]
    bits = 0
    for weekday in weekdays:
        for minute in range(start, end, SLOT_MINUTES):
            utc = ((weekday - 1) * 24 * 60 + minute - offsets()[zone]) // SLOT_MINUTES
            bits |= 1 << utc % SLOTS
    return bits


def overlap_minutes(one: Clock, other: Clock) -> int:
    """How many minutes of a week both clocks have free."""
    return (slots(one) & slots(other)).bit_count() * SLOT_MINUTES


@cache
def meeting_slots(one: Clock, other: Clock) -> list[int]:
    """The half hours of the UTC week in which two people meet: those both have free, else the first one's own."""
    shared = slots(one) & slots(other) or slots(one)
    return [slot for slot in range(SLOTS) if shared >> slot & 1]


def first_day_of(last_day: date, months: int) -> date:
    """The day after the one `months` months before `last_day`; the last day of a month counts as its end."""
    after = last_day + timedelta(days=1)
    month = after.year * 12 + after.month - 1 - months
    day = after.day
    while True:
        try:
            return date(month // 12, month % 12 + 1, day)
        except ValueError:
            day -= 1


@cache
def iso(day: int) -> str:
    """A day, counted as `date.toordinal` does, as the bundle writes it."""
    return date.fromordinal(day).isoformat()


@cache
def time_of_day(minutes: int) -> str:
    """Minutes after midnight as `09:30`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
