"""The occurrences of a recurrence rule up to a horizon, within work that is known before it begins.

dateutil walks a rule that matches no date until the year 9999, and one with an interval of 0 for ever. It takes one
step of the interval per period, so an interval that counts its steps ends the walk at the horizon.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, SupportsIndex

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from icalendar import vRecur

from mentorgraph.graph.calendar.errors import LeftOut, UnreadableCalendar

MOST_WORK = 3_000_000
"""Days that are looked at for all rules of a file, about a second."""
LARGEST_INTERVAL = 1_000
MOST_TIMES = 24
"""Times of day that one rule may name."""
MOST_ENTRIES = 400
"""Days, weeks and months that one rule may name."""

_FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
_DAYS = {DAILY: 1, WEEKLY: 7, MONTHLY: 28, YEARLY: 365}
"""Days in the shortest period."""
_STEP = 10
"""What one step costs beside the days that it looks at, in days."""
_PARTS = {
    "BYMONTH": "bymonth",
    "BYMONTHDAY": "bymonthday",
    "BYYEARDAY": "byyearday",
    "BYWEEKNO": "byweekno",
    "BYSETPOS": "bysetpos",
    "BYHOUR": "byhour",
    "BYMINUTE": "byminute",
}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", *_PARTS}


class Work:
    """The work that may still be done for one file."""

    def __init__(self, most: int = MOST_WORK) -> None:
        self.left = most

    def spend(self, amount: int) -> None:
        """Takes some of it.

        Raises:
            UnreadableCalendar: There is less.
        """
        self.left -= amount
        if self.left < 0:
            raise UnreadableCalendar("the rules of the calendar ask for too much work; export fewer years")


class _PastHorizon(Exception):
    """The walk has taken as many steps as there are periods."""


class _Interval(int):
    """An interval that ends the walk of a rule after a number of steps."""

    steps: int

    @classmethod
    def of(cls, value: int, steps: int) -> "_Interval":
        made = cls(value)
        made.steps = steps
        return made

    def _step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise _PastHorizon

    def __radd__(self, other: int) -> int:
        self._step()
        return other + int(self)

    def __mul__(self, other: SupportsIndex) -> int:
        self._step()
        return int(self) * int(other)


def occurrences(
    rule: str, start: datetime, until_wall: datetime | None, horizon: tuple[datetime, datetime], work: Work
) -> Iterator[datetime]:
    """The occurrences of a rule that begin within a horizon, ascending; all times are those of one wall clock.

    Args:
        rule: As an RRULE property has it.
        start: When the first one begins.
        until_wall: Where the rule's UNTIL lies on that wall clock; None where it has none.
        horizon: First and last wall time, both included.
        work: What may still be done.

    Raises:
        LeftOut: It is no rule, or one that cannot be followed.
        UnreadableCalendar: It asks for more work than is left.
    """
    parts = read_rule(rule)
    frequency = _FREQUENCIES[str(parts["FREQ"][0])]
    interval = parts.get("INTERVAL", [1])[0]
    first, last = horizon
    if until_wall is not None:
        last = min(last, until_wall)
    if last < start:
        return
    ahead = _DAYS[frequency] * interval
    if "COUNT" not in parts and frequency in (DAILY, WEEKLY):
        # Whole intervals that lie before the horizon, one less so that the week of the first occurrence stays whole.
        start += timedelta(days=max((first - start).days // ahead - 1, 0) * ahead)
    steps = (last - start).days // ahead + 2
    times = len(parts.get("BYHOUR", [0])) * len(parts.get("BYMINUTE", [0]))
    work.spend(steps * (_DAYS[frequency] + _STEP) * times * (1 + len(parts.get("BYSETPOS", []))))
    by: dict[str, Any] = {name: parts[part] for part, name in _PARTS.items() if part in parts}
    walk = iter(
        rrule(
            frequency,  # type: ignore[arg-type] # its stubs want the number itself
            dtstart=start,
            interval=_Interval.of(interval, steps),
            count=parts["COUNT"][0] if "COUNT" in parts else None,
            wkst=_WEEKDAYS.index(str(parts["WKST"][0])) if "WKST" in parts else 0,
            byweekday=[_weekday(str(each)) for each in parts["BYDAY"]] if "BYDAY" in parts else None,
            **by,
        )
    )
    try:
        yield from (each for each in takewhile(lambda each: each <= last, walk) if each >= first)
    except _PastHorizon:
        return


def read_rule(rule: str) -> dict[str, list[Any]]:
    """The parts of a rule that can be followed.

    Raises:
        LeftOut: It is no rule, or one that cannot be followed.
    """
    try:
        parts: dict[str, list[Any]] = {
            name.upper(): list(value) if isinstance(value, list | tuple) else [value]
            for name, value in vRecur.from_ical(rule).items()
        }
    except (ValueError, TypeError, KeyError):
        raise LeftOut("has a rule that cannot be read") from None
    if not parts.keys() <= _KNOWN or len(parts.get("FREQ", [])) != 1 or any(not each for each in parts.values()):
        raise LeftOut("has a rule that cannot be read")
    if str(parts["FREQ"][0]) not in _FREQUENCIES:
        raise LeftOut("repeats more often than daily")
    for name in ("INTERVAL", "COUNT"):
        if not all(isinstance(each, int) and each >= 1 for each in parts.get(name, [])):
            raise LeftOut("has a rule that cannot be read")
    if parts.get("INTERVAL", [1])[0] > LARGEST_INTERVAL:
        raise LeftOut(f"has an interval above {LARGEST_INTERVAL}")
    if len(parts.get("BYHOUR", [0])) * len(parts.get("BYMINUTE", [0])) > MOST_TIMES:
        raise LeftOut("repeats more often than hourly")
    if sum(len(each) for each in parts.values()) > MOST_ENTRIES:
        raise LeftOut("has a rule that cannot be read")
    for name, low, high in (("BYHOUR", 0, 23), ("BYMINUTE", 0, 59), ("BYMONTH", 1, 12)):
        if not all(isinstance(each, int) and low <= each <= high for each in parts.get(name, [])):
            raise LeftOut("has a rule that cannot be read")
    for name, most in (("BYMONTHDAY", 31), ("BYYEARDAY", 366), ("BYWEEKNO", 53), ("BYSETPOS", 366)):
        if not all(isinstance(each, int) and 1 <= abs(each) <= most for each in parts.get(name, [])):
            raise LeftOut("has a rule that cannot be read")
    for each in parts.get("BYDAY", []):
        _weekday(str(each))
    if "WKST" in parts and str(parts["WKST"][0]) not in _WEEKDAYS:
        raise LeftOut("has a rule that cannot be read")
    return parts


def end_of(until: date) -> datetime:
    """The last wall time that an UNTIL allows which is a day or a time."""
    return until if isinstance(until, datetime) else datetime.combine(until, time(23, 59, 59))


def _weekday(text: str) -> weekday:
    number, name = text[:-2], text[-2:].upper()
    if name not in _WEEKDAYS or (number and not number.lstrip("+-").isdecimal()):
        raise LeftOut("has a rule that cannot be read")
    place = int(number) if number else None
    if place is not None and not 1 <= abs(place) <= 53:
        raise LeftOut("has a rule that cannot be read")
    return weekday(_WEEKDAYS.index(name), place)
