"""The times of one person as an .ics file that calendar programs subscribe to: free and busy, sessions, availability.

It holds times and our own ids only, no name and no word of what a session is about.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Availability, Available, Calendar, Event, FreeBusy, vPeriod, vRecur

from mentorgraph.graph.calendar.reading import Span, StatedWindow

PRODUCT = "-//mentorgraph//calendar//EN"
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class PublishedSession:
    """A session as a calendar shows it.

    Attributes:
        uid: Its identity.
        span: When it takes place.
    """

    uid: str
    span: Span


def write_calendar(
    person: str,
    now: datetime,
    *,
    busy: Iterable[Span] = (),
    absences: Iterable[Span] = (),
    windows: Sequence[StatedWindow] = (),
    sessions: Iterable[PublishedSession] = (),
) -> bytes:
    """Writes the times of a person.

    Args:
        person: uid of the person, who is not named otherwise.
        now: The present instant, with which each component is stamped.
        busy: Busy times.
        absences: Times away.
        windows: Weekly windows of availability.
        sessions: Sessions with their beginning and end.

    Returns:
        The file, in UTF-8 with the line ends that RFC 5545 wants.
    """
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add_component(_free_busy(person, now, sorted(busy), sorted(absences)))
    for session in sorted(sessions, key=lambda each: (each.span, each.uid)):
        event = Event()
        event.add("UID", f"{session.uid}@mentorgraph")
        event.add("DTSTAMP", now.astimezone(UTC))
        event.add("DTSTART", session.span.since)
        event.add("DTEND", session.span.until)
        event.add("SUMMARY", "Mentoring session")
        event.add("CLASS", "PRIVATE")
        calendar.add_component(event)
    if windows:
        calendar.add_component(_availability(person, now, windows))
        years = {"first_date": now.date() - timedelta(days=366), "last_date": now.date() + timedelta(days=2 * 366)}
        calendar.add_missing_timezones(**years)
    return bytes(calendar.to_ical())


def _free_busy(person: str, now: datetime, busy: Sequence[Span], absences: Sequence[Span]) -> FreeBusy:
    found = FreeBusy()
    found.add("UID", f"{person}@mentorgraph")
    found.add("DTSTAMP", now.astimezone(UTC))
    spans = [*busy, *absences]
    if spans:
        found.add("DTSTART", min(span.since for span in spans))
        found.add("DTEND", max(span.until for span in spans))
    for kind, those in (("BUSY", busy), ("BUSY-UNAVAILABLE", absences)):
        for span in those:
            found.add("FREEBUSY", vPeriod((span.since, span.until)), parameters={"FBTYPE": kind})
    return found


def _availability(person: str, now: datetime, windows: Sequence[StatedWindow]) -> Availability:
    found = Availability()
    found.add("UID", f"availability-{person}@mentorgraph")
    found.add("DTSTAMP", now.astimezone(UTC))
    for number, window in enumerate(windows):
        part = Available()
        part.add("UID", f"availability-{number}-{person}@mentorgraph")
        part.add("DTSTAMP", now.astimezone(UTC))
        zone = ZoneInfo(window.zone)
        begins = (window.since or now).astimezone(zone)
        day = begins.date() + timedelta(days=(window.weekday - begins.isoweekday()) % 7)
        start = _minutes(window.start)
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=start)
        part.add("DTSTART", wall.replace(tzinfo=zone))
        part.add("DURATION", timedelta(minutes=_minutes(window.end) - start))
        rule: dict[str, object] = {"FREQ": "WEEKLY", "BYDAY": _WEEKDAYS[window.weekday - 1]}
        if window.until is not None:
            rule["UNTIL"] = window.until.astimezone(UTC)
        part.add("RRULE", vRecur(rule))
        found.add_component(part)
    return found


def _minutes(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    return hours * 60 + minutes
