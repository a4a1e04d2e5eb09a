"""Calendars in the graph: told again they change nothing, what they no longer tell ends, and free time knows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.calendar.errors import UnreadableCalendar
from mentorgraph.graph.calendar.reading import Span, read_calendar
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.free_time import free_slots
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people.timetable import (
    ImportedTimes,
    export_calendar,
    import_calendar,
    propose_times,
    record_phase,
)
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from ..conftest import WIPE

pytestmark = pytest.mark.anyio

SOURCE = "hr"
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday."""
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [],
    "people": [
        {"id": "ada", "name": "Ada", "roles": "mentor", "joined_on": "2026-01-05", "zone": "Europe/Lisbon"},
        {"id": "bo", "name": "Bo", "roles": "mentee", "joined_on": "2026-01-05", "zone": "Europe/Lisbon"},
        {"id": "cy", "name": "Cy", "roles": "mentee", "joined_on": "2026-01-05"},
    ],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": "2026-01-05"} for each in ("ada", "bo")
    ],
    "goals": [{"id": "g", "person_id": "bo", "title": "Lead", "created_on": "2026-01-06"}],
    "pairings": [
        {"id": "p", "mentor_id": "ada", "mentee_id": "bo", "started_on": "2026-02-02", "status": "active"},
    ],
    "availability": [
        {"person_id": each, "weekday": "4", "start": "09:00", "end": "11:00", "zone": "UTC", "since": "2026-01-05"}
        for each in ("ada", "bo")
    ],
}


def person(key: str) -> str:
    return uid_of(SOURCE, "people", key)


ADA, BO, CY = (person(each) for each in ("ada", "bo", "cy"))
PAIRING = uid_of(SOURCE, "pairings", "p")


def calendar(*events: str) -> str:
    """A calendar of spans such as `20260305T090000Z/20260305T100000Z`."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for span in events:
        start, end = span.split("/")
        lines += ["BEGIN:VEVENT", "SUMMARY:Surgery", f"DTSTART:{start}", f"DTEND:{end}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


MONDAY, THURSDAY, NEXT = (
    f"202603{day:02d}T090000Z/202603{day:02d}T100000Z" for day in (2, 5, 12)
)  # fmt: skip


@pytest.fixture
async def filled(store: Store) -> Store:
    await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    return store


async def told(store: Store, *events: str, now: datetime = NOW, **options: Any) -> ImportedTimes:
    return await import_calendar(store, COORDINATOR, ADA, calendar(*events), now=now, **options)


async def busy(store: Store) -> list[str]:
    """All busy times, such as `03-05 09:00-10:00`, with their source."""
    facts = [each.record.properties async for each in store.facts(KINDS["busy_times"])]
    return sorted(f"{each['since']:%m-%d %H:%M}-{each['until']:%H:%M} {each['source']}" for each in facts)


async def test_a_calendar_told_again_changes_nothing(filled: Store) -> None:
    first = await told(filled, MONDAY, THURSDAY)
    assert (first.busy_times, first.absences, first.windows, first.begun, first.ended) == (2, 0, None, 2, 0)
    before = await graph_hash(filled), await filled.read_changes()
    for now in (NOW, NOW + timedelta(days=4)):
        again = await told(filled, THURSDAY, MONDAY, now=now)
        assert (again.begun, again.ended) == (0, 0)
        assert (await graph_hash(filled), await filled.read_changes()) == before
    assert await check(filled) == []
    assert (await told(filled, MONDAY, NEXT)).begun == 1
    assert await graph_hash(filled) != before[0]


async def test_what_is_not_told_again_ends_and_what_has_been_stays(filled: Store) -> None:
    running = "20260303T110000Z/20260303T140000Z"
    await told(filled, MONDAY, running, THURSDAY)
    await told(filled, NEXT, source="private")
    result = await told(filled)
    assert result.ended == 2
    assert await busy(filled) == [
        "03-02 09:00-10:00 calendar",
        "03-03 11:00-12:00 calendar",
        "03-05 09:00-09:00 calendar",
        "03-12 09:00-10:00 private",
    ]
    assert (await told(filled)).ended == 0
    await told(filled, THURSDAY)
    assert "03-05 09:00-10:00 calendar" in await busy(filled)
    assert await check(filled) == []


async def test_busy_times_go_out_with_the_bundle_and_in_again(filled: Store, tmp_path: Any) -> None:
    await told(filled, MONDAY, THURSDAY)
    before = await graph_hash(filled)
    assert (await export_bundle(filled, tmp_path / "out"))["busy_times"] == 2
    await filled.database.run_directly(WIPE)
    await migrate(filled.database)
    await import_bundle(filled, open_bundle(tmp_path / "out"))
    assert await graph_hash(filled) == before
    rows = [
        {"person_id": "ada", "since": f"2026-03-{day}T09:00:00Z", "until": f"2026-03-{day}T10:00:00Z"}
        for day in ("02", "05")
    ]
    told_by_hand = [each for row in rows for each in facts_of("busy_times", row | {"person_id": ADA}, "calendar")]
    assert set((await filled.compare(told_by_hand)).values()) == {"same"}


async def test_a_busy_time_is_taken_out_of_the_shared_time_and_of_the_rule(filled: Store) -> None:
    await filled.write(
        facts_of("pairings", {**WORLD["pairings"][0], "ended_on": "2026-03-01", "status": "ended"}, SOURCE)
    )
    recommender = Recommender(filled, RulesScorer(load_policy()), clock=lambda: NOW)

    async def overlap() -> tuple[float | None, list[str]]:
        found = await recommender.explain(COORDINATOR, BO, ADA)
        return next(each.value for each in found.signals if each.name == "time_overlap"), [
            each.rule for each in found.refusals
        ]

    assert await overlap() == (2.0, [])
    await told(filled, THURSDAY)
    assert await overlap() == (1.0, [])
    await told(filled, "20260305T093000Z/20260305T120000Z")
    assert await overlap() == (0.5, [])
    await told(filled, "20260305T080000Z/20260305T120000Z")
    assert await overlap() == (0.0, ["NO_SHARED_TIME"])
    await told(filled, NEXT)  # of another week
    assert await overlap() == (2.0, [])
    grown = free_slots(recommender.columns, NOW)[0].copy()
    fresh = Columns()
    await fresh.refresh(filled)
    assert (free_slots(fresh, NOW)[0] == grown).all()


async def test_availability_and_absences_of_a_calendar_are_taken(filled: Store) -> None:
    lines = [
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART;VALUE=DATE:20260309", "DTEND;VALUE=DATE:20260311",
        "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "END:VEVENT", "BEGIN:VAVAILABILITY", "BEGIN:AVAILABLE",
        "DTSTART;TZID=Europe/Lisbon:20260105T140000", "DURATION:PT2H", "RRULE:FREQ=WEEKLY", "END:AVAILABLE",
        "END:VAVAILABILITY", "END:VCALENDAR",
    ]  # fmt: skip
    result = await import_calendar(filled, COORDINATOR, ADA, "\r\n".join(lines), now=NOW)
    assert (result.absences, result.windows, result.begun, result.ended) == (1, 1, 2, 1)
    [window] = [
        each for each in await filled.read_open_facts_of(ADA, NOW) if each.kind == "availability"
    ]  # fmt: skip
    assert [window.properties[name] for name in ("weekday", "start", "end", "since")] == [1, "14:00", "16:00", NOW]
    later = await import_calendar(filled, COORDINATOR, ADA, "\r\n".join(lines), now=NOW + timedelta(hours=5))
    assert (later.begun, later.ended) == (0, 0)
    assert (await told(filled)).ended == 1  # the absence; of availability this calendar says nothing
    assert await check(filled) == []


async def test_an_export_tells_the_times_and_no_name(filled: Store) -> None:
    await told(filled, THURSDAY, NEXT)
    session = {"pairing_id": PAIRING, "minutes": 45, "source": SOURCE}
    for key, at, kind in (("s1", "2026-03-02T15:00:00Z", "live"), ("s2", "2026-03-02T17:00:00Z", "written")):
        await filled.write(facts_of("sessions", {**session, "id": key, "started_at": at, "kind": kind}, SOURCE))
    data = await export_calendar(filled, Viewer(person=ADA), ADA, now=NOW)
    read = read_calendar(data, Span(NOW - timedelta(days=30), NOW + timedelta(days=30)))
    assert [f"{each.since:%m-%d %H:%M}-{each.until:%H:%M}" for each in read.busy] == [
        "03-02 15:00-15:45",
        "03-05 09:00-10:00",
        "03-12 09:00-10:00",
    ]
    assert [(each.weekday, each.start, each.end, each.zone) for each in read.windows or ()] == [
        (4, "09:00", "11:00", "UTC")
    ]
    assert not [name for name in (b"Ada", b"Bo", b"Surgery") if name in data]


async def test_nothing_of_a_calendar_but_times_is_in_the_graph(filled: Store) -> None:
    await told(filled, THURSDAY)
    rows = await filled.database.run_directly("MATCH (b:BusyTime) RETURN keys(b) AS keys")
    assert [sorted(row["keys"]) for row in rows] == [["changed", "since", "source", "uid", "until"]]


async def test_bad_calendars_and_strangers_leave_the_graph_as_it_was(filled: Store) -> None:
    await told(filled, THURSDAY)
    before = await graph_hash(filled)
    with pytest.raises(UnreadableCalendar):
        await import_calendar(filled, COORDINATOR, ADA, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", now=NOW)
    for viewer, who, code in ((Viewer(person=BO), ADA, "FORBIDDEN"), (COORDINATOR, person("nobody"), "NOT_FOUND")):
        with pytest.raises(DomainError) as caught:
            await import_calendar(filled, viewer, who, calendar(), now=NOW)
        assert caught.value.code == code
        with pytest.raises(DomainError) as caught:
            await export_calendar(filled, viewer, who, now=NOW)
        assert caught.value.code == code
    assert await graph_hash(filled) == before


async def test_time_in_common_is_proposed_to_the_people_of_a_pairing_and_to_coordinators(filled: Store) -> None:
    await told(filled, THURSDAY)
    right = [
        Span(datetime(2026, 3, day, hour, tzinfo=UTC), datetime(2026, 3, day, hour + 1, tzinfo=UTC))
        for day, hour in ((5, 10), (12, 9), (12, 10))
    ]
    for viewer in (Viewer(person=ADA), Viewer(person=BO), COORDINATOR):
        assert await propose_times(filled, viewer, pairing=PAIRING, first=3, now=NOW) == right
    assert await propose_times(filled, COORDINATOR, [ADA, BO], first=3, now=NOW) == right
    holiday = [datetime(2026, 3, 12).date()]
    assert await propose_times(filled, COORDINATOR, pairing=PAIRING, weeks=2, holidays=holiday, now=NOW) == right[:1]
    session = {"id": "s", "pairing_id": PAIRING, "started_at": "2026-03-05T10:00:00Z", "minutes": 60, "kind": "live"}
    await filled.write(facts_of("sessions", session | {"source": SOURCE}, SOURCE))
    assert await propose_times(filled, COORDINATOR, pairing=PAIRING, first=2, now=NOW) == right[1:]


async def test_nobody_meets_while_a_unit_or_the_programme_has_no_time(filled: Store) -> None:
    def slot(day: int, hour: int) -> Span:
        return Span(datetime(2026, 3, day, hour, tzinfo=UTC), datetime(2026, 3, day, hour + 1, tzinfo=UTC))

    unit, programme = uid_of(SOURCE, "units", "u"), uid_of(SOURCE, "programmes", "pr")
    row = WORLD["pairings"][0] | {"id": "q", "mentor_id": BO, "mentee_id": ADA, "programme_id": programme}
    await filled.write(
        [
            *facts_of("units", {"id": "u", "name": "Lab"}, SOURCE),
            *facts_of("unit_membership", {"person_id": BO, "unit_id": unit, "since": "2026-01-05"}, SOURCE),
            *facts_of("programmes", {"id": "pr", "name": "Pr", "since": "2026-01-05"}, SOURCE),
            *facts_of("pairings", row, SOURCE),
        ]
    )

    async def proposed(pairing: str, first: int = 1) -> list[Span]:
        return await propose_times(filled, COORDINATOR, pairing=pairing, first=first, now=NOW)

    resting = uid_of(SOURCE, "pairings", "q")
    assert await proposed(PAIRING) == await proposed(resting) == [slot(5, 9)]
    release = {"name": "Release", "since": "2026-03-05", "until": "2026-03-06", "unit_id": unit}
    exams = {"name": "Exams", "since": "2026-03-12", "until": "2026-03-12T10:00:00Z", "programme_id": programme}
    for phase in (release, exams, exams):
        await record_phase(filled, COORDINATOR, phase)
    assert await proposed(PAIRING) == [slot(12, 9)]
    assert await proposed(resting) == [slot(12, 10)]
    await record_phase(filled, COORDINATOR, release | {"until": "2026-03-05"})
    assert await proposed(PAIRING) == [slot(5, 9)]
    assert await check(filled) == []


async def test_a_phase_that_cannot_be_is_refused_and_nothing_is_written(filled: Store) -> None:
    unit = {"unit_id": uid_of(SOURCE, "units", "nowhere")}
    phase = {"name": "Release", "since": "2026-03-05", "until": "2026-03-06"}
    before = await graph_hash(filled)
    for viewer, row, code in (
        (Viewer(person=ADA), phase | unit, "FORBIDDEN"),
        (COORDINATOR, phase | unit, "NOT_FOUND"),
        (COORDINATOR, phase | unit | {"until": "2026-03-05"}, "NOT_FOUND"),
    ):
        with pytest.raises(DomainError) as caught:
            await record_phase(filled, viewer, row)
        assert caught.value.code == code
    for row, column in ((phase, "programme_id"), (phase | unit | {"until": "2026-03-04"}, "until")):
        with pytest.raises(InvalidFact) as invalid:
            await record_phase(filled, COORDINATOR, row)
        assert [each.column for each in invalid.value.problems] == [column]
    assert await graph_hash(filled) == before


BAD: list[tuple[Viewer, dict[str, Any], str, str | None]] = [
    (Viewer(person=CY), {"pairing": PAIRING}, "NOT_FOUND", "pairingId"),
    (Viewer(person=ADA), {"people": [ADA, BO]}, "FORBIDDEN", "personIds"),
    (COORDINATOR, {}, "BAD_USER_INPUT", "pairingId"),
    (COORDINATOR, {"people": [ADA, BO], "pairing": PAIRING}, "BAD_USER_INPUT", "pairingId"),
    (COORDINATOR, {"people": [ADA, ADA]}, "BAD_USER_INPUT", "personIds"),
    (COORDINATOR, {"people": [ADA, person("x")]}, "NOT_FOUND", "personId"),
    (COORDINATOR, {"people": [ADA, CY]}, "CONFLICT", None),
    (COORDINATOR, {"pairing": PAIRING, "minutes": 4}, "BAD_USER_INPUT", "minutes"),
    (COORDINATOR, {"pairing": PAIRING, "weeks": 13}, "BAD_USER_INPUT", "weeks"),
    (COORDINATOR, {"pairing": PAIRING, "first": 0}, "BAD_USER_INPUT", "first"),
]


async def test_bad_questions_for_time_are_refused(filled: Store) -> None:
    for viewer, arguments, code, field in BAD:
        with pytest.raises(DomainError) as caught:
            await propose_times(filled, viewer, **arguments, now=NOW)
        assert (caught.value.code, caught.value.field) == (code, field)
