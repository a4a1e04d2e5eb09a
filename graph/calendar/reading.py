"""From an .ics file to the times of one person: busy, absent, and weekly windows of availability.

What a component says that cannot be understood leaves that component out, and the result tells how many for which
reason; a file as a whole is refused where it is none, or where it asks for too much work.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import vDDDTypes, vPeriod
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from mentorgraph.graph.calendar.components import Component, Property, read_components
from mentorgraph.graph.calendar.errors import LeftOut, UnreadableCalendar
from mentorgraph.graph.calendar.recurrence import Work, end_of, occurrences, read_rule
from mentorgraph.graph.facts.values import SLOT_MINUTES
from mentorgraph.graph.facts.values import zone as known_zone

MOST_OCCURRENCES = 5_000
"""Busy times and absences within the horizon, over the whole file."""
LONGEST = timedelta(days=366)
DAY = timedelta(days=1)
YEARS = range(1901, 2200)
"""Years of the times that are looked at; one within what facts may have, so that no zone leads out of that."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open span of time in UTC."""

    since: datetime
    until: datetime

    def meets(self, other: "Span") -> bool:
        """Whether both share time."""
        return self.since < other.until and other.since < self.until


@dataclass(frozen=True, slots=True, order=True)
class StatedWindow:
    """A weekly window in local time, and from when to when it is stated.

    Attributes:
        weekday: 1 for Monday to 7 for Sunday.
        start: Local time such as `09:00`.
        end: Local time, up to `24:00`.
        zone: IANA zone.
        since: When it begins to hold; None for always.
        until: When it ceases to; None for never.
    """

    weekday: int
    start: str
    end: str
    zone: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """The times that a calendar tells of its owner.

    Attributes:
        busy: Busy spans that meet the horizon, disjoint and ascending.
        absences: Spans of a day or more in which the owner is away, likewise.
        windows: Weekly windows of availability; None where the file says nothing of them that can be understood.
        left_out: Reason → number of components that could not be understood.
    """

    busy: tuple[Span, ...]
    absences: tuple[Span, ...]
    windows: tuple[StatedWindow, ...] | None
    left_out: Mapping[str, int]


def read_calendar(data: bytes | str, horizon: Span, zone: str = "") -> Times:
    """Reads the times of an .ics file.

    Args:
        data: The file, in UTF-8.
        horizon: Which busy times and absences are wanted.
        zone: IANA zone of times that name none; else the one that the calendar names for itself.

    Raises:
        UnreadableCalendar: It is no calendar, or larger or more laborious than the bounds.
    """
    root = read_components(data)
    reading = _Reading(root, horizon, zone)
    reading.events(root.walk("VEVENT"))
    reading.free_busy(root.walk("VFREEBUSY"))
    reading.availability(list(root.walk("VAVAILABILITY")))
    absences = union(reading.away)
    return Times(union(reading.busy), absences, reading.windows, dict(sorted(reading.left_out.items())))


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as disjoint spans that do not touch, ascending."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        else:
            found.append(span)
    return tuple(found)


class _Reading:
    """What was read of one file so far."""

    def __init__(self, root: Component, horizon: Span, zone: str) -> None:
        self._horizon = horizon
        self._work = Work()
        self._zones: dict[str, str | None] = {}
        self._locations = {
            _first_value(part, "TZID"): _first_value(part, "X-LIC-LOCATION") for part in root.walk("VTIMEZONE")
        }
        own = next((found for part in root.parts if (found := _first_value(part, "X-WR-TIMEZONE"))), "")
        self._floating = zone or self._known(own) or ""
        self._found = 0
        self.busy: list[Span] = []
        self.away: list[Span] = []
        self.windows: tuple[StatedWindow, ...] | None = None
        self.left_out: Counter[str] = Counter()

    # --- events -----------------------------------------------------------------------------------------------------

    def events(self, events: Iterable[Component]) -> None:
        """Takes in events; those that change single occurrences of others stand in place of these."""
        masters: list[Component] = []
        moved: dict[str, set[datetime]] = defaultdict(set)
        changes: list[Component] = []
        for event in events:
            with_id = "RECURRENCE-ID" in event.lines
            (changes if with_id else masters).append(event)
            if with_id and (uid := _first_value(event, "UID")):
                try:
                    stands_for = event.one("RECURRENCE-ID")
                    if stands_for is not None:
                        moved[uid].add(self._start(stands_for)[1])
                        if stands_for.range:
                            self.left_out["changes all later occurrences"] += 1
                except LeftOut:
                    pass  # it is told when the event itself is taken
        for event in masters:
            self._try_event(event, moved.get(_first_value(event, "UID"), set()))
        for event in changes:
            self._try_event(event, set())

    def _try_event(self, event: Component, moved: set[datetime]) -> None:
        try:
            self._event(event, moved)
        except LeftOut as error:
            self.left_out[error.reason] += 1

    def _event(self, event: Component, moved: set[datetime]) -> None:
        state = event.text("X-MICROSOFT-CDO-BUSYSTATUS")
        if event.text("STATUS") == "CANCELLED" or event.text("TRANSP") == "TRANSPARENT" or state == "FREE":
            return
        if "EXRULE" in event.lines:
            raise LeftOut("has an EXRULE, which iCalendar has given up")
        begins = event.one("DTSTART")
        if begins is None:
            raise LeftOut("has no DTSTART")
        wall, since, zone = self._start(begins)
        is_day = _is_day(begins)
        length, days = self._length(event, begins, since)
        excluded, excluded_days = self._excluded(event)
        spans = []
        for start in {wall, *self._repeated(event, wall, zone, max(length, days))}:
            at = _utc(start, zone)
            if at in moved or at in excluded or (start.date(), zone) in excluded_days:
                continue
            until = _utc(start + days, zone) if is_day else at + length
            spans.append(Span(at, until))
        for at, end in self._dates(event, "RDATE"):
            if at not in excluded and at not in moved:
                spans.append(Span(at, end or at + max(length, days)))
        for span in spans:
            self._take(span, is_away=state == "OOF" and span.until - span.since >= DAY)

    def _repeated(self, event: Component, wall: datetime, zone: str, length: timedelta) -> Iterator[datetime]:
        """Wall times of the occurrences of the rules of an event that may meet the horizon."""
        rules = event.all("RRULE")
        if len(rules) > 1:
            raise LeftOut("has RRULE more than once")
        if rules:
            end = self._until(rules[0].value, zone)
            first, last = _wall(self._horizon.since - length - DAY, zone), _wall(self._horizon.until + DAY, zone)
            yield from occurrences(rules[0].value, wall, end, (first, last), self._work)

    def _until(self, rule: str, zone: str) -> datetime | None:
        found = read_rule(rule).get("UNTIL")
        if not found:
            return None
        until = _checked(end_of(found[0]))
        return until if until.tzinfo is None else _wall(until, zone)

    def _length(self, component: Component, begins: Property, since: datetime) -> tuple[timedelta, timedelta]:
        """How long a component takes: exactly, and in days of the calendar where it takes whole days."""
        ends, lasts = component.one("DTEND"), component.one("DURATION")
        if ends is not None:
            length = self._start(ends)[1] - since
            days = self._start(ends)[0] - self._start(begins)[0]
        else:
            nothing = DAY if _is_day(begins) else timedelta()
            length = days = _duration(lasts.value) if lasts is not None else nothing
        if length < timedelta() or (_is_day(begins) and days <= timedelta()):
            raise LeftOut("ends before it begins")
        if length > LONGEST:
            raise LeftOut("lasts longer than a year")
        return length, days

    def _excluded(self, event: Component) -> tuple[set[datetime], set[tuple[date, str]]]:
        """The instants at which an event does not take place, and the days on which it does not."""
        instants: set[datetime] = set()
        days: set[tuple[date, str]] = set()
        for each in event.all("EXDATE"):
            for value in each.value.split(","):
                wall, at, zone = self._start(_with_value(each, value))
                instants.add(at)
                if _is_day(_with_value(each, value)):
                    begins = event.one("DTSTART")
                    own = self._start(begins)[2] if begins is not None else zone
                    days.add((wall.date(), own))
        return instants, days

    def _dates(self, event: Component, name: str) -> Iterator[tuple[datetime, datetime | None]]:
        """The instants of a list of dates, with an end where they are periods."""
        for each in event.all(name):
            for value in each.value.split(","):
                if each.value_type == "PERIOD" or "/" in value:
                    start, _, end = value.partition("/")
                    at = self._start(_with_value(each, start))[1]
                    until = at + _duration(end) if end[:1] in "P+-" else self._start(_with_value(each, end))[1]
                    if until < at:
                        raise LeftOut("ends before it begins")
                    yield at, until
                else:
                    yield self._start(_with_value(each, value))[1], None

    # --- free and busy ----------------------------------------------------------------------------------------------

    def free_busy(self, components: Iterable[Component]) -> None:
        """Takes in what other calendars publish as free and busy."""
        for component in components:
            try:
                for each in component.all("FREEBUSY"):
                    if each.free_busy_type == "FREE":
                        continue
                    for value in each.value.split(","):
                        span = _period(value)
                        away = each.free_busy_type == "BUSY-UNAVAILABLE" and span.until - span.since >= DAY
                        self._take(span, is_away=away)
            except LeftOut as error:
                self.left_out[error.reason] += 1

    # --- availability (RFC 7953) ------------------------------------------------------------------------------------

    def availability(self, components: list[Component]) -> None:
        """Takes in availability: of several components the one of the highest priority."""
        windows: list[StatedWindow] = []
        for component in components[:]:
            if component.parts:
                continue
            components.remove(component)
            try:
                self._unavailable(component)
            except LeftOut as error:
                self.left_out[error.reason] += 1
        if not components:
            return
        best = min(map(_priority, components))
        for component in components:
            if _priority(component) != best:
                self.left_out["is availability of a lower priority"] += 1
                continue
            for part in component.walk("AVAILABLE"):
                try:
                    windows += self._windows(component, part)
                except LeftOut as error:
                    self.left_out[error.reason] += 1
        self.windows = _joined(windows) or None

    def _unavailable(self, component: Component) -> None:
        """A span without any time that is available."""
        begins = component.one("DTSTART")
        if begins is None or not ("DTEND" in component.lines or "DURATION" in component.lines):
            raise LeftOut("is unavailable without an end")
        _, since, _ = self._start(begins)
        length, _ = self._length(component, begins, since)
        kind = component.text("BUSYTYPE")
        self._take(Span(since, since + length), is_away=kind in ("", "BUSY-UNAVAILABLE") and length >= DAY)

    def _windows(self, whole: Component, part: Component) -> list[StatedWindow]:
        begins, rules = part.one("DTSTART"), part.all("RRULE")
        if begins is None:
            raise LeftOut("has no DTSTART")
        if _is_day(begins) or len(rules) != 1 or "EXDATE" in part.lines or "RDATE" in part.lines:
            raise LeftOut("is no weekly window")
        rule = read_rule(rules[0].value)
        weekly = rule["FREQ"] == ["WEEKLY"] or (rule["FREQ"] == ["DAILY"] and "BYDAY" not in rule)
        if (
            not weekly
            or rule.get("INTERVAL", [1]) != [1]
            or rule.keys() - {"FREQ", "INTERVAL", "BYDAY", "UNTIL", "WKST"}
        ):
            raise LeftOut("is no weekly window")
        wall, since, zone = self._start(begins)
        length, _ = self._length(part, begins, since)
        if not timedelta() < length <= DAY:
            raise LeftOut("is no weekly window")
        names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
        every = [1, 2, 3, 4, 5, 6, 7] if rule["FREQ"] == ["DAILY"] else [wall.isoweekday()]
        weekdays = [names.index(str(each)[-2:].upper()) + 1 for each in rule["BYDAY"]] if "BYDAY" in rule else every
        last = self._until(rules[0].value, zone)
        ends = [_utc(last, zone)] if last is not None else []
        starts = [since]
        for name, bounds in (("DTSTART", starts), ("DTEND", ends)):
            bound = whole.one(name)
            if bound is not None:
                bounds.append(self._start(bound)[1])
        first = wall.hour * 60 + wall.minute + bool(wall.second)
        spans = [(first, first + int(length.total_seconds()) // 60)]
        if spans[0][1] > 24 * 60:
            spans = [(first, 24 * 60), (24 * 60, spans[0][1])]
        return [
            StatedWindow((weekday - 1 + start // (24 * 60)) % 7 + 1, *clock, zone, max(starts), min(ends, default=None))
            for weekday in weekdays
            for start, end in spans
            if (clock := _clock(start, end)) is not None
        ]

    # --- times ------------------------------------------------------------------------------------------------------

    def _take(self, span: Span, *, is_away: bool) -> None:
        if span.since.year not in YEARS or span.until.year not in YEARS:
            raise LeftOut("lies outside the years 1901 to 2199")
        if span.since < span.until and span.meets(self._horizon):
            self._found += 1
            if self._found > MOST_OCCURRENCES:
                raise UnreadableCalendar(
                    f"the calendar has more than {MOST_OCCURRENCES} busy times in the weeks to come; export fewer weeks"
                )
            (self.away if is_away else self.busy).append(span)

    def _start(self, given: Property) -> tuple[datetime, datetime, str]:
        """A time as the wall clock shows it, as an instant, and the zone of that clock."""
        try:
            read = vDDDTypes.from_ical(given.value.strip())  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, OverflowError):
            raise LeftOut("has a time that cannot be read") from None
        if isinstance(read, datetime):
            wall = _checked(read)
        elif isinstance(read, date):
            wall = _checked(datetime.combine(read, time()))
        else:
            raise LeftOut("has a time that cannot be read")
        if wall.tzinfo is not None:
            return wall.replace(tzinfo=None), wall.astimezone(UTC), "UTC"
        zone = self._known(given.zone) if given.zone else self._floating
        if not zone:
            raise LeftOut("has a time in a zone that is not known" if given.zone else "has a time without a zone")
        return wall, _utc(wall, zone), zone

    def _known(self, name: str) -> str | None:
        """The IANA zone that a calendar means by a name."""
        if name not in self._zones:
            path = name.split("/")[-3:]
            tried = [name, WINDOWS_TO_OLSON.get(name, ""), self._locations.get(name, "")]
            tried += ["/".join(path[place:]) for place in range(len(path) - 1)]
            self._zones[name] = next(filter(None, map(_zone, tried)), None)
        return self._zones[name]


def _zone(name: str) -> str:
    try:
        return known_zone(name)
    except ValueError:
        return ""


def _first_value(component: Component, name: str) -> str:
    """The value of a property, or what may be one; empty where there is none."""
    lines = component.lines.get(name)
    return lines[0].partition(":")[2].strip() if lines else ""


def _priority(component: Component) -> int:
    """1 for the highest to 9; no priority, and 0, come last."""
    value = _first_value(component, "PRIORITY")
    return int(value) if value in set("123456789") else 10


def _is_day(given: Property) -> bool:
    return len(given.value.strip()) == 8


def _with_value(given: Property, value: str) -> Property:
    return Property(value, given.zone, given.value_type, given.free_busy_type, given.range)


def _checked(instant: datetime) -> datetime:
    if instant.year not in YEARS:
        raise LeftOut("lies outside the years 1901 to 2199")
    return instant


def _utc(wall: datetime, zone: str) -> datetime:
    """The instant at which a clock shows a time: the first of two, and by the clock before a gap in the gap.

    Source: RFC 5545, section 3.3.5.
    """
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _duration(text: str) -> timedelta:
    try:
        read = vDDDTypes.from_ical(text.strip())  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, OverflowError):
        raise LeftOut("has a time that cannot be read") from None
    if not isinstance(read, timedelta):
        raise LeftOut("has a time that cannot be read")
    if read < timedelta():
        raise LeftOut("ends before it begins")
    if read > LONGEST:
        raise LeftOut("lasts longer than a year")
    return read


def _period(text: str) -> Span:
    """A period of free and busy time, which is in UTC."""
    try:
        start, end = vPeriod.from_ical(text.strip())  # type: ignore[no-untyped-call]
        if isinstance(end, timedelta):
            end = _checked(start) + end
    except (ValueError, TypeError, OverflowError):
        raise LeftOut("has a time that cannot be read") from None
    if not (isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo and end.tzinfo):
        raise LeftOut("has a time that cannot be read")
    if end < start:
        raise LeftOut("ends before it begins")
    if _checked(end) - _checked(start) > LONGEST:
        raise LeftOut("lasts longer than a year")
    return Span(start.astimezone(UTC), end.astimezone(UTC))


def _clock(start: int, end: int) -> tuple[str, str] | None:
    """Times of day of a window in whole slots that lie in it, from minutes since its first midnight."""
    offset = start // (24 * 60) * 24 * 60
    start, end = -(-(start - offset) // SLOT_MINUTES) * SLOT_MINUTES, (end - offset) // SLOT_MINUTES * SLOT_MINUTES
    return None if start >= end else (f"{start // 60:02d}:{start % 60:02d}", f"{end // 60:02d}:{end % 60:02d}")


def _joined(windows: Iterable[StatedWindow]) -> tuple[StatedWindow, ...]:
    """The same windows, those that overlap and hold at the same time made one."""
    groups: dict[tuple[object, ...], list[StatedWindow]] = defaultdict(list)
    for each in windows:
        groups[each.weekday, each.zone, each.since, each.until].append(each)
    found = []
    for group in groups.values():
        group.sort(key=lambda each: (each.start, each.end))
        merged = group[:1]
        for each in group[1:]:
            last = merged[-1]
            if each.start <= last.end:
                end = max(last.end, each.end)
                merged[-1] = StatedWindow(last.weekday, last.start, end, last.zone, last.since, last.until)
            else:
                merged.append(each)
        found += merged
    return tuple(sorted(found, key=lambda each: (each.weekday, each.start, each.end, each.zone)))
