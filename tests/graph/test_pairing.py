"""The life of requests and pairings on the real graph: each move kept, nothing half-written, the last place for one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.pairings import away, pairing
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

RULES = load_policy()
SOURCE = "test"
JOINED = "2026-01-01"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def pass_by(self, time: timedelta) -> None:
        """Lets time pass."""
        self.now += time


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


def viewer(key: str) -> Viewer:
    return Viewer(person=uid("people", key))


ADA, BO = viewer("ada"), viewer("bo")


async def people(store: Store, mentees: int = 2, places: int = 1) -> None:
    """Ada, who takes some mentees, and some mentees called bo, m1, m2 …, each with a goal."""
    names = ["bo", *(f"m{number}" for number in range(1, mentees))]
    rows: dict[str, list[dict[str, str]]] = {
        "units": [],
        "skills": [],
        "pairings": [],
        "people": [{"id": name, "name": name.title(), "joined_on": JOINED} for name in ("ada", *names)],
        "roles": [{"person_id": "ada", "role_id": "mentor", "since": JOINED, "max_mentees": str(places)}],
        "consents": [
            {"person_id": name, "purpose": "matching", "text_version": "1", "since": JOINED} for name in ("ada", *names)
        ],
        "goals": [{"id": f"of {name}", "person_id": name, "title": "Learn", "created_on": JOINED} for name in names],
    }
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}


async def ask(store: Store, clock: Clock, mentee: str = "bo", **options: Any) -> str:
    told = {
        "mentee_id": uid("people", mentee),
        "mentor_id": uid("people", "ada"),
        "goal_id": uid("goals", f"of {mentee}"),
    }
    by = options.pop("by", viewer(mentee))
    return await pairing.request_mentor(store, by, told, RULES, clock=clock, **options)


async def code_of(work: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await work
    return caught.value.code


async def moves(store: Store) -> list[tuple[str, str, str]]:
    """State, reason and mover of every move, in the order of time."""
    found = [fact.record async for fact in store.facts(KINDS["moves"])]
    names = {uid("people", name): name for name in ("ada", "bo", "m1")}
    return [
        (
            str(each.properties["state"]),
            str(each.properties.get("reason", "")),
            names.get(each.links.get("person", ""), ""),
        )
        for each in sorted(found, key=lambda each: each.properties["since"])
    ]


async def test_a_request_that_is_accepted_becomes_a_pairing_that_is_lived_and_completed(store: Store) -> None:
    clock = Clock()
    await people(store)
    request = await ask(store, clock, note="Could we meet?")
    assert await pairing.expire_requests(store, clock=clock) == []
    clock.pass_by(DAY)
    await pairing.move_request(store, ADA, request, "more_information", RULES, note="Why?", clock=clock)
    clock.pass_by(DAY)
    await pairing.move_request(store, BO, request, "requested", RULES, note="To lead", clock=clock)
    clock.pass_by(DAY)
    await pairing.move_request(store, ADA, request, "accepted", RULES, clock=clock)
    own = pairing.pairing_of(request)
    assert await code_of(pairing.move_pairing(store, BO, own, "active", clock=clock)) == "NOT_SIGNED"
    await pairing.sign_agreement(store, BO, own, "v1", clock=clock)
    await pairing.sign_agreement(store, ADA, own, "v0", clock=clock)
    with pytest.raises(DomainError, match="the two have signed different versions of the agreement"):
        await pairing.move_pairing(store, BO, own, "active", clock=clock)
    await pairing.sign_agreement(store, ADA, own, "v1", clock=clock)
    clock.pass_by(DAY)
    for state in ("active", "paused", "active", "completed"):
        clock.pass_by(DAY)
        await pairing.move_pairing(store, ADA, own, state, clock=clock)
    found = await store.read_pairing(own)
    assert found
    assert found.record.properties["status"] == "completed"
    assert found.record.properties["since"] == START + 3 * DAY
    assert found.record.properties["until"] == START + 8 * DAY
    assert found.record.links == {
        "mentor": uid("people", "ada"),
        "mentee": uid("people", "bo"),
        "goal": uid("goals", "of bo"),
    }
    assert [state for state, _, _ in await moves(store)] == [
        "requested",
        "more_information",
        "requested",
        "accepted",
        "accepted",
        "active",
        "paused",
        "active",
        "completed",
    ]
    assert await check(store) == []


async def test_doubled_submissions_change_nothing(store: Store) -> None:
    clock = Clock()
    await people(store)
    request = await ask(store, clock, external_id="r1")
    before = await graph_hash(store)
    clock.pass_by(DAY)
    assert await ask(store, clock, external_id="r1") == request
    assert await code_of(ask(store, clock)) == "CONFLICT"
    assert await graph_hash(store) == before
    await pairing.move_request(store, ADA, request, "accepted", RULES, clock=clock)
    own = pairing.pairing_of(request)
    await pairing.sign_agreement(store, ADA, own, "v1", clock=clock)
    before = await graph_hash(store)
    clock.pass_by(DAY)
    await pairing.sign_agreement(store, ADA, own, "v1", clock=clock)
    assert await code_of(pairing.move_request(store, ADA, request, "accepted", RULES, clock=clock)) == "FORBIDDEN_MOVE"
    assert await graph_hash(store) == before


async def test_the_last_place_taken_by_fifty_at_once_goes_to_exactly_one(
    store: Store, count: Callable[[int, int], int]
) -> None:
    clock, number = Clock(), count(50, 200)
    await people(store, mentees=number)
    requests = [await ask(store, clock, name) for name in ["bo", *(f"m{each}" for each in range(1, number))]]

    async def accept(request: str) -> str:
        try:
            await pairing.move_request(store, ADA, request, "accepted", RULES, clock=clock)
        except DomainError as error:
            return error.code
        return "accepted"

    found = await asyncio.gather(*map(accept, requests))
    assert sorted(found) == sorted(["accepted", *["NO_CAPACITY"] * (number - 1)])
    assert [fact.record.properties["status"] async for fact in store.facts(KINDS["pairings"])] == ["accepted"]
    assert await check(store) == []


async def test_with_two_places_two_are_accepted(store: Store) -> None:
    clock = Clock()
    await people(store, mentees=3, places=2)
    requests = [await ask(store, clock, name) for name in ("bo", "m1", "m2")]
    for request in requests[:2]:
        await pairing.move_request(store, ADA, request, "accepted", RULES, clock=clock)
    with pytest.raises(DomainError, match="no place is left"):
        await pairing.move_request(store, ADA, requests[2], "accepted", RULES, clock=clock)
    with pytest.raises(DomainError, match="2 of 2 places are taken"):
        await pairing.move_request(store, COORDINATOR, requests[2], "accepted", RULES, clock=clock)


async def test_whoever_has_no_part_in_it_finds_nothing_and_nobody_speaks_for_others(store: Store) -> None:
    clock = Clock()
    await people(store)
    assert await code_of(ask(store, clock, by=viewer("m1"))) == "FORBIDDEN"
    assert await code_of(ask(store, clock, is_proposal=True)) == "FORBIDDEN"
    request = await ask(store, clock)
    assert await code_of(pairing.move_request(store, viewer("m1"), request, "withdrawn", RULES)) == "NOT_FOUND"
    assert await code_of(pairing.move_request(store, Viewer(), request, "accepted", RULES)) == "NOT_FOUND"
    assert await code_of(pairing.move_request(store, BO, request, "accepted", RULES, clock=clock)) == "FORBIDDEN"
    assert await code_of(pairing.move_request(store, BO, request, "expired", RULES, clock=clock)) == "FORBIDDEN"
    await pairing.move_request(store, COORDINATOR, request, "accepted", RULES, clock=clock)
    own = pairing.pairing_of(request)
    assert await code_of(pairing.sign_agreement(store, COORDINATOR, own, "v1", clock=clock)) == "FORBIDDEN"
    assert await code_of(pairing.sign_agreement(store, viewer("m1"), own, "v1", clock=clock)) == "NOT_FOUND"
    assert await code_of(pairing.move_pairing(store, viewer("m1"), own, "ended", reason="other")) == "NOT_FOUND"


async def test_a_rule_that_forbids_the_pair_forbids_to_ask(store: Store) -> None:
    clock = Clock()
    await people(store)
    block = {"person_id": uid("people", "ada"), "blocked_id": uid("people", "bo"), "since": JOINED}
    await store.write([record_of(KINDS["blocks"], block, SOURCE)])
    assert await code_of(ask(store, clock)) == "NOT_FOUND"  # a mentee is not told that somebody blocked them
    with pytest.raises(DomainError, match="one of the two does not want to be paired with the other"):
        await ask(store, clock, by=COORDINATOR)
    assert await store.read_open_requests() == []


async def test_declining_and_ending_need_a_reason(store: Store) -> None:
    clock = Clock()
    await people(store)
    request = await ask(store, clock)
    assert await code_of(pairing.move_request(store, ADA, request, "declined", RULES, clock=clock)) == "REASON_REQUIRED"
    await pairing.move_request(store, ADA, request, "declined", RULES, reason="no_capacity", clock=clock)
    assert await moves(store) == [("requested", "", "bo"), ("declined", "no_capacity", "ada")]
    assert await check(store) == []


async def test_a_request_that_nobody_answers_expires(store: Store) -> None:
    clock = Clock()
    await people(store)
    request = await ask(store, clock)
    clock.pass_by(14 * DAY - timedelta(seconds=1))
    assert await pairing.expire_requests(store, clock=clock) == []
    clock.pass_by(timedelta(seconds=1))
    assert await code_of(pairing.move_request(store, ADA, request, "accepted", RULES, clock=clock)) == "EXPIRED"
    [expired] = await pairing.expire_requests(store, clock=clock)
    assert expired == pairing.Released(request, uid("people", "bo"), uid("goals", "of bo"), "")
    assert await pairing.expire_requests(store, clock=clock) == []
    assert await moves(store) == [("requested", "", "bo"), ("expired", "", "")]
    assert await ask(store, clock) != request


async def test_a_mentor_who_goes_away_releases_what_waits_for_them(store: Store) -> None:
    clock = Clock()
    await people(store, places=5)
    requests = {await ask(store, clock, name) for name in ("bo", "m1")}
    later = await away.set_away(store, ADA, uid("people", "ada"), START + DAY, START + 2 * DAY, clock=clock)
    assert later == []
    clock.pass_by(5 * DAY)
    assert await code_of(away.set_away(store, BO, uid("people", "ada"), clock.now, clock.now + DAY)) == "FORBIDDEN"
    released = await away.set_away(store, ADA, uid("people", "ada"), clock.now, clock.now + DAY, clock=clock)
    assert {each.request for each in released} == requests
    assert await store.read_open_requests() == []
    assert [state for state, _, _ in await moves(store)][2:] == ["released", "released"]
    assert await check(store) == []


async def test_two_clocks_that_differ_do_not_mix_the_order_of_moves(store: Store) -> None:
    clock, late = Clock(), Clock()
    await people(store)
    late.pass_by(-timedelta(minutes=5))
    request = await ask(store, clock)
    await pairing.move_request(store, ADA, request, "accepted", RULES, clock=late)
    assert [state for state, _, _ in await moves(store)] == ["requested", "accepted", "accepted"]
    assert await check(store) == []


async def test_a_status_that_its_last_move_does_not_say_is_found(store: Store) -> None:
    clock = Clock()
    await people(store)
    await ask(store, clock)
    await store.database.run_directly("MATCH (request:Request) SET request.status = 'proposed'")
    [found] = await check(store)
    assert (found.kind, found.rule) == ("requests", "has another status than the state of its last move")


async def test_who_was_only_asked_has_mentored_nobody(store: Store) -> None:
    """A request is no pairing: nobody is taken for experienced because somebody asked."""
    await people(store)
    await ask(store, Clock())
    assert [fact async for fact in store.facts(KINDS["pairings"])] == []
    [row] = await store.read_candidates(uid("people", "bo"), [uid("people", "ada")], START + DAY)
    assert row["taken"] == 0
    assert not row["paired"]
