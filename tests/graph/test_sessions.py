"""Sessions: within their pairing, no two live ones at once, counted to the minute; and who has not met for long."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings.sessions import (
    CheckIn,
    Minutes,
    list_overdue,
    month_of,
    overdue,
    read_minutes,
    record_session,
)
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

SOURCE = "hr"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROLE = {"since": "2026-01-05", "role_id": "mentor"}
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [],
    "programmes": [
        {"id": "fast", "name": "Fast", "since": "2026-01-01", "check_in_days": "7"},
        {"id": "slow", "name": "Slow", "since": "2026-01-01"},
    ],
    "people": [{"id": each, "name": each, "joined_on": "2026-01-05"} for each in ("ada", "bo", "cy", "dee")],
    "consents": [
        {"person_id": each, "purpose": "recording", "text_version": "1", "since": since, "until": until}
        for each, since, until in (
            ("ada", "2026-01-05", ""),
            ("bo", "2026-01-05", "2026-06-01"),
            ("cy", "2026-06-01", ""),
        )
    ],
    "goals": [],
    "roles": [
        {"person_id": "ada", **ROLE, "until": "2026-05-01", "hours_per_month": "5"},
        {"person_id": "ada", **ROLE, "since": "2026-05-01", "hours_per_month": "2.5"},
        {"person_id": "dee", **ROLE},
    ],
    "pairings": [
        {
            "id": "ada-bo",
            "mentor_id": "ada",
            "mentee_id": "bo",
            "started_on": "2026-02-01",
            "status": "active",
            "programme_id": "fast",
        },
        {
            "id": "ada-cy",
            "mentor_id": "ada",
            "mentee_id": "cy",
            "started_on": "2026-02-01",
            "status": "active",
            "programme_id": "slow",
        },
        {"id": "bo-cy", "mentor_id": "bo", "mentee_id": "cy", "started_on": "2026-02-01", "status": "active"},
        {
            "id": "dee-cy",
            "mentor_id": "dee",
            "mentee_id": "cy",
            "started_on": "2026-02-01",
            "ended_on": "2026-04-01",
            "status": "ended",
        },
    ],
}


def person(key: str) -> str:
    return uid_of(SOURCE, "people", key)


def pairing(key: str) -> str:
    return uid_of(SOURCE, "pairings", key)


@pytest.fixture
async def filled(store: Store) -> Store:
    result = await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    assert set(result.total) == {"created"}
    return store


async def held(
    store: Store, key: str, at: str, minutes: int = 60, kind: str = "live", viewer: Viewer = COORDINATOR, **more: Any
) -> str:
    options = {name: more.pop(name) for name in ("external_id", "source") if name in more}
    row = {"pairing_id": pairing(key), "started_at": f"{at}:00Z", "minutes": minutes, "kind": kind, **more}
    return await record_session(store, viewer, row, now=NOW, **options)


async def refusal(store: Store, *arguments: Any, **options: Any) -> tuple[str, str]:
    """Field and message of what a session is refused with; nothing was written."""
    before = await store.read_changes()
    with pytest.raises((InvalidFact, DomainError)) as caught:
        await held(store, *arguments, **options)
    assert await store.read_changes() == before
    error = caught.value
    if isinstance(error, InvalidFact):
        [problem] = error.problems
        return problem.column, problem.message
    assert isinstance(error, DomainError)
    return str(error.field), error.code


async def minutes(store: Store, key: str, month: str) -> Minutes:
    return (await read_minutes(store, [(person(key), month)]))[person(key), month]


@pytest.mark.anyio
async def test_the_minutes_of_a_month_move_by_exactly_what_was_recorded_over_all_programmes(filled: Store) -> None:
    assert (await minutes(filled, "ada", "2026-05")).used_as(None) == 0
    assert (await minutes(filled, "ada", "2026-05")).left_as("mentor") == 150
    used = 0
    told: list[tuple[str, str, int, str, dict[str, Any]]] = [
        ("ada-bo", "2026-05-01T00:00", 45, "live", {}),
        ("ada-cy", "2026-05-31T23:50", 30, "asynchronous", {}),
        ("ada-bo", "2026-05-20T10:00", 20, "recorded", {"link": "https://example.org/talk"}),
        ("ada-cy", "2026-05-20T10:00", 70, "written", {}),
    ]
    for key, at, length, kind, more in told:
        await held(filled, key, at, length, kind, **more)
        used += length
        found = await minutes(filled, "ada", "2026-05")
        assert (found.used_as("mentor"), found.used_as(None), found.left_as("mentor")) == (used, used, 150 - used)
    await held(filled, "ada-bo", "2026-04-30T23:59", 60, "written")
    await held(filled, "ada-bo", "2026-06-01T00:00", 61)
    assert (await minutes(filled, "ada", "2026-05")).left_as("mentor") == -15
    assert (await minutes(filled, "ada", "2026-04")).left_as("mentor") == 300 - 60
    assert (await minutes(filled, "ada", "2026-06")).used == {"mentor": 61}
    assert (await minutes(filled, "bo", "2026-05")).used == {"mentee": 65}
    await held(filled, "bo-cy", "2026-05-05T10:00", 10)
    bo = await minutes(filled, "bo", "2026-05")
    assert (bo.used, bo.used_as(None), bo.left_as("mentor")) == ({"mentee": 65, "mentor": 10}, 75, None)
    assert (await minutes(filled, "dee", "2026-03")) == Minutes({}, {})
    assert await check(filled) == []


@pytest.mark.anyio
async def test_a_session_lies_within_the_time_of_its_pairing(filled: Store) -> None:
    await held(filled, "dee-cy", "2026-02-01T00:00")
    await held(filled, "dee-cy", "2026-03-31T23:00")
    assert await refusal(filled, "dee-cy", "2026-01-31T23:59") == ("started_at", "lies before the pairing began")
    for at in ("2026-03-31T23:01", "2026-04-01T00:00", "2026-05-01T10:00"):
        assert await refusal(filled, "dee-cy", at, kind="written") == ("started_at", "lies after the pairing ended")


@pytest.mark.anyio
async def test_no_two_live_sessions_of_a_person_overlap(filled: Store) -> None:
    await held(filled, "ada-bo", "2026-05-04T10:00", 60)
    conflict = ("startedAt", "CONFLICT")
    for key, at, length in (
        ("ada-bo", "2026-05-04T10:00", 60),
        ("ada-cy", "2026-05-04T10:59", 60),
        ("ada-cy", "2026-05-04T09:30", 31),
        ("bo-cy", "2026-05-04T10:20", 5),
        ("bo-cy", "2026-05-03T23:00", 1_440),
    ):
        assert await refusal(filled, key, at, length) == conflict
    await held(filled, "ada-cy", "2026-05-04T11:00", 60)
    await held(filled, "bo-cy", "2026-05-04T09:00", 60)
    await held(filled, "ada-cy", "2026-05-04T10:00", 60, "asynchronous")
    assert await refusal(filled, "bo-cy", "2026-05-04T11:30", 5) == conflict  # with Cy's session with Ada


@pytest.mark.anyio
async def test_of_twenty_at_once_exactly_one_is_recorded(filled: Store) -> None:
    told = (held(filled, ("ada-bo", "ada-cy")[place % 2], f"2026-05-04T10:{place:02d}") for place in range(20))
    found = await asyncio.gather(*told, return_exceptions=True)
    assert sum(isinstance(each, str) for each in found) == 1
    assert [each.code for each in found if isinstance(each, DomainError)] == ["CONFLICT"] * 19


@pytest.mark.anyio
async def test_a_session_told_again_under_its_key_changes_nothing_and_is_corrected_by_other_values(
    filled: Store,
) -> None:
    key: dict[str, Any] = {"external_id": "s-1", "source": "meet"}
    first = await held(filled, "ada-bo", "2026-05-04T10:00", 60, **key)
    before = await graph_hash(filled)
    assert await held(filled, "ada-bo", "2026-05-04T10:00", 60, **key) == first
    assert await graph_hash(filled) == before
    assert await held(filled, "ada-bo", "2026-05-04T10:15", 30, **key) == first
    assert (await minutes(filled, "ada", "2026-05")).used_as(None) == 30
    assert await refusal(filled, "bo-cy", "2026-05-04T10:00", **key) == ("None", "CONFLICT")
    row = {
        "id": "s-1",
        "pairing_id": pairing("ada-bo"),
        "started_at": "2026-05-04T10:15:00Z",
        "minutes": "30",
        "kind": "live",
    }
    assert await filled.compare(facts_of("sessions", row, "meet")) == {first: "same"}


@pytest.mark.anyio
async def test_who_may_record_a_session_and_what_is_missing(filled: Store) -> None:
    for key in ("ada", "bo"):
        await held(filled, "ada-bo", "2026-05-04T10:00", kind="written", viewer=Viewer(person=person(key)))
    nobody = ("pairingId", "NOT_FOUND")
    assert await refusal(filled, "ada-bo", "2026-05-04T10:00", viewer=Viewer(person=person("cy"))) == nobody
    assert await refusal(filled, "nothing", "2026-05-04T10:00") == nobody
    assert await refusal(filled, "ada-bo", "2026-05-04T10:00", kind="recorded") == ("link", "is missing")
    link: dict[str, Any] = {"link": "https://example.org/x"}
    not_recorded = ("link", "is given for a session that is not recorded")
    assert await refusal(filled, "ada-bo", "2026-05-04T10:00", **link) == not_recorded
    for bad in ("javascript:alert(1)", "https://user:secret@example.org/", "example.org"):
        found = await refusal(filled, "ada-bo", "2026-05-04T10:00", kind="recorded", link=bad)
        assert found == ("link", "is not the address of a page")
    assert (await refusal(filled, "ada-bo", "2026-05-04T10:00", 0))[0] == "minutes"


@pytest.mark.anyio
async def test_only_live_sessions_are_planned_and_none_beyond_a_year(filled: Store) -> None:
    await held(filled, "ada-bo", "2026-06-20T10:00")
    for kind, at in (("written", "2026-06-20T10:00"), ("live", "2027-06-20T10:00")):
        assert await refusal(filled, "ada-bo", at, kind=kind) == ("started_at", "lies in the future")


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-3", "26-03", "2026-03-01", "", "٢٠٢٦-٠٣", "0000-01"])
def test_a_month_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        month_of(text)
    assert (caught.value.code, caught.value.field) == ("BAD_USER_INPUT", "month")


def test_a_month_ends_where_the_next_one_begins() -> None:
    assert month_of("2026-12") == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert month_of("2028-02") == (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC))


# --- check-ins --------------------------------------------------------------------------------------------------------


def check_in(key: str, since: int, last: int | None, cadence: int | None) -> CheckIn:
    """A pairing that began, and met last, so many days ago."""
    return CheckIn(key, "m", "n", NOW - since * DAY, None if last is None else NOW - last * DAY, cadence)


def test_a_check_in_is_overdue_once_its_days_have_passed_since_the_last_one() -> None:
    told = [
        check_in("never met", 40, None, 14),
        check_in("met lately", 100, 3, 7),
        check_in("met on the last day", 100, 7, 7),
        check_in("a day late", 100, 8, 7),
        check_in("no cadence, in time", 100, 29, None),
        check_in("no cadence, late", 100, 35, None),
        check_in("just begun", 2, None, 7),
    ]
    assert [(each.check_in.pairing, each.days) for each in overdue(told, NOW)] == [
        ("never met", 26),
        ("no cadence, late", 5),
        ("a day late", 1),
    ]
    assert [each.check_in.pairing for each in overdue(told[4:6], NOW, default_days=40)] == []


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.none() | st.integers(0, 400), st.none() | st.integers(1, 366)), max_size=20
    )
)
def test_what_is_overdue_is_what_its_definition_gives(told: list[tuple[int, int | None, int | None]]) -> None:
    pairings = [check_in(str(place), *each) for place, each in enumerate(told)]
    right = {
        str(place)
        for place, (since, last, cadence) in enumerate(told)
        if min(since, since if last is None else last) > (cadence or 30)
    }
    found = overdue(pairings, NOW)
    assert {each.check_in.pairing for each in found} == right
    assert found == sorted(found, key=lambda each: each.due)


@pytest.mark.anyio
async def test_the_nine_planted_check_ins_are_listed(filled: Store) -> None:
    """Of three programmes; paused, ended and future ones, planned sessions and those that met are not among them."""
    rows = []
    for place in range(9):
        programme = ("fast", "slow", "")[place % 3]
        rows.append({"id": f"late-{place}", "programme_id": programme, "started_on": f"2026-03-0{place + 1}"})
    rows += [
        {"id": "paused", "started_on": "2026-03-01", "status": "paused"},
        {"id": "ended", "started_on": "2026-03-01", "ended_on": "2026-05-01", "status": "ended"},
        {"id": "future", "started_on": "2026-07-01"},
        {"id": "patient", "programme_id": "fast", "started_on": "2026-03-01", "check_in_days": "300"},
        {"id": "met", "programme_id": "fast", "started_on": "2026-03-01"},
    ]
    both = {"mentor_id": "dee", "mentee_id": "bo", "status": "active"}
    await filled.write([each for row in rows for each in facts_of("pairings", both | row, SOURCE)])
    for place, (key, at) in enumerate((("met", "2026-06-09"), ("late-0", "2026-06-01"), ("late-0", "2026-06-20"))):
        session = {"id": str(place), "pairing_id": key, "started_at": at, "minutes": "30", "kind": "live"}
        await filled.write(facts_of("sessions", session, SOURCE))
    for key in ("ada-bo", "ada-cy", "bo-cy"):
        session = {"id": key, "pairing_id": key, "started_at": "2026-06-14", "minutes": "30", "kind": "written"}
        await filled.write(facts_of("sessions", session, SOURCE))
    found = await list_overdue(filled, COORDINATOR, now=NOW)
    assert [each.check_in.pairing for each in found] == [
        pairing(f"late-{place}") for place in (3, 6, 1, 2, 4, 5, 7, 8, 0)
    ]
    # late-3 began on 4 March and has 7 days: 11 March; late-0 met on 1 June: 8 June.
    assert [(each.due.date().isoformat(), each.days) for each in (found[0], found[-1])] == [
        ("2026-03-11", 96),
        ("2026-06-08", 7),
    ]
    fast = await list_overdue(filled, COORDINATOR, uid_of(SOURCE, "programmes", "fast"), now=NOW)
    assert [each.check_in.pairing for each in fast] == [pairing(f"late-{place}") for place in (3, 6, 0)]
    assert len(await list_overdue(filled, COORDINATOR, first=2, now=NOW)) == 2
    with pytest.raises(DomainError) as caught:
        await list_overdue(filled, Viewer(person=person("ada")), now=NOW)
    assert caught.value.code == "FORBIDDEN"


@pytest.mark.anyio
async def test_a_recording_needs_that_both_had_agreed_to_it_at_that_time(filled: Store) -> None:
    link: dict[str, Any] = {"kind": "recorded", "link": "https://example.org/talk"}
    not_agreed = ("kind", "CONSENT_REQUIRED")
    assert await held(filled, "ada-bo", "2026-05-31T10:00", **link)
    assert await refusal(filled, "ada-bo", "2026-06-02T10:00", **link) == not_agreed
    assert await refusal(filled, "ada-cy", "2026-05-31T10:00", **link) == not_agreed
    assert await held(filled, "ada-cy", "2026-06-02T10:00", **link)
    assert await held(filled, "ada-bo", "2026-06-02T10:00", kind="live")


@pytest.mark.anyio
async def test_one_session_is_all_of_a_short_question(filled: Store) -> None:
    programme = {"id": "ask", "name": "Ask", "since": "2026-01-01", "format": "micro"}
    short = {"mentor_id": person("ada"), "mentee_id": person("cy"), "programme_id": uid_of(SOURCE, "programmes", "ask")}
    begun = {"id": "short", "started_on": "2026-05-01", "status": "active", **short}
    await filled.write([*facts_of("programmes", programme, SOURCE), *facts_of("pairings", begun, SOURCE)])
    await held(filled, "short", "2026-07-01T09:00")  # planned, and not yet held
    found = await filled.read_pairing(pairing("short"))
    assert (found and found.record.properties["status"]) == "active"
    told: dict[str, Any] = {"external_id": "one", "viewer": Viewer(person=person("cy"))}
    for _ in range(2):
        await held(filled, "short", "2026-06-15T09:00", minutes=20, kind="asynchronous", **told)
        found = await filled.read_pairing(pairing("short"))
        assert found is not None
        assert (found.record.properties["status"], found.record.properties["until"]) == ("completed", NOW)
    [move] = (await filled.read_moves([pairing("short")]))[pairing("short")]
    assert (move.state, move.person) == ("completed", person("cy"))
    await held(filled, "ada-cy", "2026-06-14T09:00", **told | {"external_id": "two"})
    other = await filled.read_pairing(pairing("ada-cy"))
    assert (other and other.record.properties["status"]) == "active"
