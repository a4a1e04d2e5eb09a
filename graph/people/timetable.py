"""The times of people in the graph: taken from their calendars, published as one, and searched for time in common.

A calendar is told as a whole: busy times and absences of its source that it does not tell again end, as weekly windows
do. Of a calendar nothing but times reaches this module.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from mentorgraph.graph.calendar.availability import monday_of
from mentorgraph.graph.calendar.reading import Span, StatedWindow, Times, read_calendar
from mentorgraph.graph.calendar.slots import PersonTimes, propose_slots
from mentorgraph.graph.calendar.writing import PublishedSession, write_calendar
from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record, Row
from mentorgraph.graph.facts.rows import facts_of, without_gaps
from mentorgraph.graph.people.recording import SOURCE as OWN_SOURCE
from mentorgraph.graph.people.recording import may_speak_for
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.store.time_reads import TimesOf
from mentorgraph.graph.viewer import Viewer

SOURCE = "calendar"
"""Source of the times of a calendar that has no name of its own."""
WEEKS_AHEAD = 13
"""Weeks of a calendar that are taken and published, from the Monday of the present one."""
WEEKS_BACK = 4
"""Weeks before that which are published."""
MOST_WEEKS = 12
"""Weeks that are searched for time in common."""
MOST_PEOPLE = 8
MOST_SLOTS = 50
MOST_HOLIDAYS = 100


@dataclass(frozen=True, slots=True)
class ImportedTimes:
    """What became of a calendar.

    Attributes:
        busy_times: Busy times that it tells.
        absences: Absences that it tells.
        windows: Weekly windows that it tells; None where it tells none and the known ones stay.
        begun: Facts that were not known, or known otherwise.
        ended: Facts that it does not tell any more.
        left_out: Reason → number of components that could not be understood.
    """

    busy_times: int
    absences: int
    windows: int | None
    begun: int
    ended: int
    left_out: Mapping[str, int]


async def import_calendar(
    store: Store,
    viewer: Viewer,
    person: str,
    data: bytes | str,
    *,
    source: str = SOURCE,
    now: datetime | None = None,
) -> ImportedTimes:
    """Takes the times of a person's calendar, in place of what that source told before.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        data: The .ics file.
        source: Name of the calendar; calendars of several names stand side by side.
        now: The present instant.

    Raises:
        UnreadableCalendar: It is no calendar, or larger or more laborious than the bounds.
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
    """
    may_speak_for(viewer, person)
    now = now or present()
    horizon = _horizon(now)
    known = await _times_of(store, [person], horizon)
    times = await asyncio.to_thread(read_calendar, data, horizon, known[person].zone)
    told = {
        each.uid: each
        for kind, spans in (("busy_times", times.busy), ("absences", times.absences))
        for span in spans
        for each in _fact(kind, person, source, {"since": span.since, "until": span.until})
    }

    async def decide(known: Store) -> tuple[list[Record], ImportedTimes]:
        before = (await _times_of(known, [person], horizon))[person]
        stored = {
            each["uid"]: Record(kind, each["uid"], _own(each), {"person": person})
            for kind, facts in (("busy_times", before.busy_times), ("absences", before.absences))
            for each in facts
            if each["source"] == source
        }
        begun = [each for uid, each in told.items() if uid not in stored or stored[uid].properties != each.properties]
        ended = [_ended(each, now) for uid, each in stored.items() if uid not in told and _lasts(each, now)]
        if times.windows is not None:
            given = [each for each in await known.read_open_facts_of(person, now) if each.kind == "availability"]
            wanted = _window_facts(times.windows, person, source, now)
            begun += [each for key, each in wanted.items() if key not in set(map(_window, given))]
            ended += [_ended(each, now) for each in given if _window(each) not in wanted]
        return [*begun, *ended], _counted(times, len(begun), len(ended))

    return await store.decide_and_write(decide)


async def export_calendar(store: Store, viewer: Viewer, person: str, *, now: datetime | None = None) -> bytes:
    """A person's free and busy times, windows and live sessions as an .ics file, from four weeks ago on.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
    """
    may_speak_for(viewer, person)
    now = now or present()
    horizon = _horizon(now)
    times = (await _times_of(store, [person], Span(horizon.since - timedelta(weeks=WEEKS_BACK), horizon.until)))[person]
    return write_calendar(
        person,
        now,
        busy=[_span(each) for each in times.busy_times],
        absences=[_span(each) for each in times.absences],
        windows=sorted(_stated(each) for each in times.windows if "until" not in each or each["until"] > now),
        sessions=[PublishedSession(each["uid"], _held(each)) for each in times.sessions],
    )


async def propose_times(
    store: Store,
    viewer: Viewer,
    people: Sequence[str] = (),
    *,
    pairing: str = "",
    minutes: int = 60,
    weeks: int = 4,
    first: int = 10,
    holidays: Iterable[date] = (),
    now: datetime | None = None,
) -> list[Span]:
    """The earliest times at which the people of a pairing, or any that a coordinator names, can meet.

    Args:
        store: The graph.
        viewer: On whose behalf; participants ask for their own pairings only.
        people: uids of the people, where no pairing is given.
        pairing: uid of the pairing.
        minutes: How long they meet, 5 to 480.
        weeks: How far to look, 1 to 12.
        first: At most so many, 1 to 50.
        holidays: Days on which nobody meets, each where they live.
        now: The present instant.

    Raises:
        DomainError: `BAD_USER_INPUT`, `FORBIDDEN`, `NOT_FOUND`.
    """
    days = frozenset(holidays)
    for name, value, low, high in (
        ("minutes", minutes, 5, 480),
        ("weeks", weeks, 1, MOST_WEEKS),
        ("first", first, 1, MOST_SLOTS),
        ("holidays", len(days), 0, MOST_HOLIDAYS),
    ):
        if not low <= value <= high:
            what = f"{name} has {value} entries" if name == "holidays" else f"{name} is {value}"
            raise DomainError(f"{what}; it goes from {low} to {high}", code="BAD_USER_INPUT", field=name)
    if bool(people) == bool(pairing):
        raise DomainError("name either a pairing or people", code="BAD_USER_INPUT", field="pairingId")
    phases: list[Span] = []
    if pairing:
        people, phases = await _pairing_of(store, viewer, pairing)
    elif not viewer.sees_everybody:
        raise DomainError("you may look for time within your own pairings only", code="FORBIDDEN", field="personIds")
    if not 2 <= len(set(people)) <= MOST_PEOPLE:
        raise DomainError(f"name 2 to {MOST_PEOPLE} people", code="BAD_USER_INPUT", field="personIds")
    now = now or present()
    within = Span(now, now + timedelta(weeks=weeks))
    known = await _times_of(store, people, within)
    everybody = [_person_times(known[each], phases, days) for each in sorted(set(people))]
    return await asyncio.to_thread(propose_slots, everybody, within, minutes, first)


async def record_phase(store: Store, viewer: Viewer, phase: Row, *, source: str = OWN_SOURCE) -> None:
    """Records when a part of the organisation or a programme has no time; a phase told with another end is corrected.

    Args:
        store: The graph.
        viewer: On whose behalf: coordinators.
        phase: `name`, `since`, `until`, and `unit_id`, whose members have no time, or `programme_id`, which rests.
        source: Where this is known from.

    Raises:
        InvalidFact: A value cannot be taken.
        DomainError: `FORBIDDEN`, or `NOT_FOUND` where there is no such unit or programme.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators tell when others have no time", code="FORBIDDEN")
    told = facts_of("phases", without_gaps(phase), source)
    known = await store.compare(told)
    if any(known[each.uid] == "created" and each.properties["until"] == each.properties["since"] for each in told):
        raise DomainError("this phase is not known, so there is nothing to take back", code="NOT_FOUND", field="name")
    await store.write(told)


async def _pairing_of(store: Store, viewer: Viewer, pairing: str) -> tuple[list[str], list[Span]]:
    """The people of a pairing, and when its programme rests."""
    found = await store.read_time_of_pairing(pairing)
    people = [found["mentor"], found["mentee"]] if found else []
    if found is None or not (viewer.sees_everybody or viewer.person in people):
        raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
    return people, [Span(*each) for each in found["phases"]]


async def _times_of(store: Store, people: Sequence[str], within: Span) -> dict[str, TimesOf]:
    found = await store.read_times_of(people, within.since, within.until)
    if set(found) != set(people):
        raise DomainError("no person has this id", code="NOT_FOUND", field="personId")
    return found


def _horizon(now: datetime) -> Span:
    """Whole weeks, so that a calendar that is told again in the same week changes nothing."""
    return Span(monday_of(now), monday_of(now) + timedelta(weeks=WEEKS_AHEAD))


def _person_times(times: TimesOf, phases: Sequence[Span], holidays: frozenset[date]) -> PersonTimes:
    windows = tuple(map(_stated, times.windows))
    zone = times.zone or next((each.zone for each in windows), "")
    if not zone:
        raise DomainError(
            "somebody has stated neither when they are free nor where they live; let them state one of the two",
            code="CONFLICT",
        )
    spans = (*times.busy_times, *times.absences, *times.phases)
    taken = [*map(_span, spans), *map(_held, times.sessions), *phases]
    return PersonTimes(zone, windows, taken, holidays)


def _fact(kind: str, person: str, source: str, row: Mapping[str, object]) -> list[Record]:
    return facts_of(kind, {"person_id": person, "source": source, **row}, source)


def _own(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if name != "changed"}


def _ended(record: Record, now: datetime) -> Record:
    """A fact that is not told any more: what lies before now stays, and what lies after it is gone."""
    properties: dict[str, Any] = dict(record.properties)
    end = max(properties["since"], now)
    return replace(record, properties={**properties, "until": min(properties.get("until", end), end)})


def _lasts(record: Record, now: datetime) -> bool:
    """Whether some of a span lies after an instant."""
    since, until = record.properties["since"], record.properties["until"]
    return isinstance(since, datetime) and isinstance(until, datetime) and since < until and until > now


def _window_facts(
    windows: Iterable[StatedWindow], person: str, source: str, now: datetime
) -> dict[tuple[object, ...], Record]:
    found = {}
    for each in windows:
        if each.until is not None and each.until <= now:
            continue
        row = {
            "weekday": each.weekday,
            "start": each.start,
            "end": each.end,
            "zone": each.zone,
            "since": max(each.since or now, now),
            "until": each.until,
        }
        for record in _fact("availability", person, source, row):
            found[_window(record)] = record
    return found


def _window(record: Record) -> tuple[object, ...]:
    return tuple(record.properties.get(name) for name in ("weekday", "start", "end", "zone", "until"))


def _stated(stored: Mapping[str, Any]) -> StatedWindow:
    weekday, start, end, zone, since = (stored[name] for name in ("weekday", "start", "end", "zone", "since"))
    return StatedWindow(weekday, start, end, zone, since, stored.get("until"))


def _span(stored: Mapping[str, Any]) -> Span:
    return Span(stored["since"], stored["until"])


def _held(session: Mapping[str, Any]) -> Span:
    return Span(session["since"], session["since"] + timedelta(minutes=session["minutes"]))


def _counted(times: Times, begun: int, ended: int) -> ImportedTimes:
    windows = None if times.windows is None else len(times.windows)
    return ImportedTimes(len(times.busy), len(times.absences), windows, begun, ended, times.left_out)
