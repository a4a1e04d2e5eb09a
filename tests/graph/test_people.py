"""Enrolments, profiles, consents and leaving on the real graph: facts end, and nothing is half-written."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

import pytest

from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings import pairing
from mentorgraph.graph.pairings.leaving import ENDING, LeftBehind, record_leaving
from mentorgraph.graph.people import enrolment, profile
from mentorgraph.graph.people.participants import participant
from mentorgraph.graph.people.recording import record_consent
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .people import (
    ADA,
    BEN,
    BO,
    DAY,
    JOINED,
    OLD,
    ONE,
    POLICY,
    SOURCE,
    START,
    TWO,
    Clock,
    ask,
    clock,
    facts,
    filled,
    mentors,
    paired,
    refused,
    spans,
    uid,
    viewer,
)

__all__ = ["clock", "filled"]

pytestmark = pytest.mark.anyio


# --- enrolments -------------------------------------------------------------------------------------------------------


async def test_enrolling_changing_and_leaving_end_facts_and_never_overwrite_them(filled: Store, clock: Clock) -> None:
    limits = {"max_mentees": 2, "hours_per_month": 4.5}
    for _ in range(2):
        await enrolment.enrol(filled, COORDINATOR, BO, ONE, "mentor", limits=limits, clock=clock)
    await enrolment.enrol(filled, COORDINATOR, BO, ONE, "mentor", clock=clock)
    await enrolment.enrol(filled, COORDINATOR, BO, ONE, "mentee", clock=clock)
    own = await participant(filled, BO, clock.now)
    assert own.roles == ("mentor", "mentee")
    assert len(own.holding("memberships")) == 2
    clock.pass_by(DAY)
    for _ in range(2):
        changed = {"max_mentees": 1}
        await enrolment.change_enrolment(filled, viewer("bo"), BO, ONE, "mentor", changed, clock=clock)
    await enrolment.change_enrolment(filled, viewer("bo"), BO, ONE, "mentor", {"hours_per_month": None}, clock=clock)
    clock.pass_by(DAY)
    for _ in range(2):
        await enrolment.leave_programme(filled, viewer("bo"), BO, ONE, "mentor", clock=clock)
    held = [each.properties for each in await facts(filled, "memberships", BO) if each.properties["role"] == "mentor"]
    assert [(each["since"], each["until"], each["max_mentees"], each.get("hours_per_month")) for each in held] == [
        (START, START + DAY, 2, 4.5),
        (START + DAY, START + 2 * DAY, 1, None),
    ]
    assert (await participant(filled, BO, clock.now)).roles == ("mentor", "mentee")
    clock.pass_by(DAY)
    await enrolment.enrol(filled, viewer("bo"), BO, ONE, "mentor", clock=clock)
    assert await check(filled) == []


async def test_an_enrolment_that_cannot_be_is_refused_and_nothing_is_written(filled: Store, clock: Clock) -> None:
    def enrol(programme: str, role: str = "mentor", by: Viewer = COORDINATOR, **more: Any) -> Awaitable[None]:
        return enrolment.enrol(filled, by, ADA, programme, role, clock=clock, **more)

    assert await refused(filled, enrol(OLD)) == "ARCHIVED"
    assert await refused(filled, enrol(uid("programmes", "none"))) == "NOT_FOUND"
    assert await refused(filled, enrol(ADA)) == "NOT_FOUND"
    assert await refused(filled, enrol(ONE, since=START - 40 * DAY)) == "since"
    assert await refused(filled, enrol(ONE, limits={"max_mentees": -1})) == "max_mentees"
    assert await refused(filled, enrol(ONE, limits={"hours_per_month": 745})) == "hours_per_month"
    assert await refused(filled, enrol(ONE, "king")) == "role"
    assert await refused(filled, enrol(ONE, by=viewer("bo"))) == "FORBIDDEN"
    assert await refused(filled, enrol(ONE, "coordinator", by=viewer("ada"))) == "FORBIDDEN"
    for change in (enrolment.change_enrolment(filled, COORDINATOR, ADA, ONE, "mentor", {}, clock=clock),
                   enrolment.leave_programme(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)):  # fmt: skip
        assert await refused(filled, change) == "NOT_FOUND"
    await enrol(ONE, by=viewer("ada"), limits={"max_mentees": 1})
    assert await refused(filled, enrol(ONE, limits={"max_mentees": 2})) == "CONFLICT"


async def test_the_places_of_a_programme_count_there_and_those_of_the_role_over_all(
    filled: Store, clock: Clock
) -> None:
    await enrolment.enrol(filled, COORDINATOR, ADA, ONE, "mentor", limits={"max_mentees": 1}, clock=clock)
    await enrolment.enrol(filled, COORDINATOR, ADA, TWO, "mentor", limits={"max_mentees": 1}, clock=clock)
    clock.pass_by(DAY)
    second = await ask(filled, clock, mentee="cy", programme_id=ONE)
    await paired(filled, clock, programme_id=ONE)
    accept = pairing.move_request(filled, COORDINATOR, second, "accepted", POLICY, clock=clock)
    assert await refused(filled, accept) == "NO_CAPACITY"
    clock.pass_by(DAY)
    assert await refused(filled, ask(filled, clock, mentee="cy", programme_id=uid("programmes", "x"))) == "NOT_FOUND"
    await pairing.move_request(filled, COORDINATOR, second, "withdrawn", POLICY, clock=clock)
    assert await refused(filled, ask(filled, clock, mentee="cy", programme_id=ONE)) == "NO_CAPACITY"
    assert "ada" in await mentors(filled, clock, "cy")
    await paired(filled, clock, mentee="cy", programme_id=TWO)
    assert await check(filled) == []


# --- profiles ---------------------------------------------------------------------------------------------------------


async def test_what_is_told_of_a_person_is_kept_version_by_version(filled: Store, clock: Clock) -> None:
    async def tell(**told: object) -> None:
        await profile.tell_profile(filled, viewer("ada"), ADA, told, clock=clock)

    await tell(job_title="Engineer", pace="steady", languages=["sv", "pt-BR"])
    clock.pass_by(DAY)
    await tell(pace="gentle", formats=["live"])
    await tell(pace="gentle")
    clock.pass_by(DAY)
    await tell(job_title=None)
    clock.pass_by(DAY)
    await tell(pace=None, formats=[], languages=None)
    versions = [each.properties for each in await facts(filled, "profiles", ADA)]
    assert [[each.get(name) for name in ("job_title", "pace", "formats", "languages")] for each in versions] == [
        ["Engineer", "steady", None, ["sv", "pt-BR"]],
        ["Engineer", "gentle", ["live"], ["sv", "pt-BR"]],
        [None, "gentle", ["live"], ["sv", "pt-BR"]],
    ]
    assert await spans(filled, "profiles", ADA) == [(START + day * DAY, START + (day + 1) * DAY) for day in range(3)]
    assert (await participant(filled, ADA, START + DAY / 2)).profile == (await facts(filled, "profiles", ADA))[0]
    assert (await participant(filled, ADA, clock.now)).profile is None
    for told in ({"languages": ["Swedish!"]}, {"pace": "furious"}, {"experience_years": -1}):
        [column] = told
        assert await refused(filled, profile.tell_profile(filled, COORDINATOR, ADA, told, clock=clock)) == column
    told = {"about": "x"}
    assert await refused(filled, profile.tell_profile(filled, viewer("bo"), ADA, told, clock=clock)) == "FORBIDDEN"
    found = profile.completeness_of(await participant(filled, ADA, clock.now))
    assert [each.field for each in found.missing[:2]] == ["zone", "about"]
    assert await check(filled) == []


async def test_the_same_profile_gives_the_same_fact_by_mutation_and_by_bundle(filled: Store, clock: Clock) -> None:
    told = {"job_title": "Engineer", "formats": ["live"]}
    await profile.tell_profile(filled, COORDINATOR, ADA, told, source=SOURCE, clock=clock)
    before = await graph_hash(filled)
    row = {"person_id": "ada", "since": "2026-03-01T09:00:00Z", "job_title": "Engineer", "formats": "live"}
    assert await filled.write(facts_of("profiles", row, SOURCE)) == {
        (await facts(filled, "profiles", ADA))[0].uid: "same"
    }
    assert await graph_hash(filled) == before


# --- consent ----------------------------------------------------------------------------------------------------------


async def test_a_consent_that_is_withdrawn_acts_in_the_next_request(filled: Store, clock: Clock) -> None:
    async def withdraw(person: str, purpose: str) -> None:
        await record_consent(filled, Viewer(person=person), person, purpose, False, "1", since=clock.now)
        clock.pass_by()

    await withdraw(ADA, "training")
    assert await mentors(filled, clock) == {"ada", "ben"}
    await withdraw(ADA, "matching")
    assert await mentors(filled, clock) == {"ben"}
    assert await refused(filled, ask(filled, clock)) == "NOT_ALLOWED"
    await withdraw(BO, "matching")
    assert await refused(filled, mentors(filled, clock)) == "CONSENT_REQUIRED"


# --- leaving ----------------------------------------------------------------------------------------------------------


async def test_who_leaves_leaves_nothing_open_and_nobody_without_others(filled: Store, clock: Clock) -> None:
    await enrolment.enrol(filled, COORDINATOR, ADA, ONE, "mentor", clock=clock)
    await enrolment.enrol(filled, COORDINATOR, ADA, TWO, "mentee", clock=clock)
    clock.pass_by(DAY)
    as_mentor = await paired(filled, clock)
    released = await ask(filled, clock, mentee="cy")
    own_row = {"mentee_id": ADA, "mentor_id": BEN}
    asking = await pairing.request_mentor(filled, COORDINATOR, own_row, POLICY, clock=clock)
    goal = facts_of("goals", {"id": "g", "person_id": "ada", "title": "Rest", "created_on": JOINED}, SOURCE)
    await filled.write(goal)
    await profile.tell_profile(filled, COORDINATOR, ADA, {"about": "Hello"}, clock=clock)
    row = {"id": "p", "mentor_id": "ben", "mentee_id": "cy", "started_on": START, "status": "active"}
    await filled.write(facts_of("pairings", row, SOURCE))
    helping = {"person_id": "ada", "pairing_id": "p", "share": 0.5, "since": START}
    await filled.write(facts_of("co_mentors", helping, SOURCE))
    clock.pass_by(DAY)
    on = START + DAY
    left = await record_leaving(filled, COORDINATOR, ADA, on, clock=clock)
    assert [(each.request, each.mentee) for each in left.released] == [(released, uid("people", "cy"))]
    assert left.left_behind == (LeftBehind(as_mentor, BO, uid("goals", "of bo"), ""),)
    own = await participant(filled, ADA, clock.now)
    assert own.person.properties["until"] == on
    assert {kind for kind in ENDING if own.all_of(kind)} == set(ENDING) - {"wants", "blocks", "reporting_lines"}
    assert [each for kind in ENDING for each in own.all_of(kind) if each.properties["until"] != on] == []
    assert own.holding("consents")
    ended = await filled.read_pairing(as_mentor)
    assert ended is not None
    assert (ended.record.properties["status"], ended.record.properties["until"]) == ("ended", clock.now)
    [*_, move] = (await filled.read_moves([as_mentor]))[as_mentor]
    assert (move.state, move.reason) == ("ended", "left")
    states = {each: (await filled.read_request(each, clock.now)) for each in (released, asking)}
    assert [each.record.properties["status"] for each in states.values() if each] == ["released", "withdrawn"]
    before = await graph_hash(filled)
    await record_leaving(filled, COORDINATOR, ADA, on, clock=clock)
    assert await graph_hash(filled) == before
    clock.pass_by()
    assert await mentors(filled, clock) == {"ben"}
    assert await check(filled) == []


async def test_a_leaving_that_cannot_be_is_refused(filled: Store, clock: Clock) -> None:
    def leave(on: datetime, by: Viewer = COORDINATOR, person: str = ADA) -> Awaitable[object]:
        return record_leaving(filled, by, person, on, clock=clock)

    assert await refused(filled, leave(START - 60 * DAY)) == "left_on"
    assert await refused(filled, leave(START + DAY)) == "left_on"
    assert await refused(filled, leave(START, viewer("ada"))) == "FORBIDDEN"
    assert await refused(filled, leave(START, person=ONE)) == "NOT_FOUND"
    await leave(START)
    assert await refused(filled, leave(START - DAY)) == "CONFLICT"
