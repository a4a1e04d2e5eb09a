"""Events, late, doubled and shuffled: the same graph as if each had been told once and in time."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.exchange.events import Event, take_events
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer
from mentorgraph.graph.vocabulary import OPEN_STATES

from ..conftest import WIPE

pytestmark = pytest.mark.anyio

SOURCE = "hr"
START = datetime(2026, 1, 1, tzinfo=UTC)
WAYS: dict[str, tuple[str, ...]] = {
    "accepted": ("active",),
    "active": ("paused", "paused", "stalled", "completed", "ended"),
    "paused": ("active", "ended"),
    "stalled": ("active", "paused", "ended"),
}
PER_PAIR = 14
"""Events of a pairing, about."""


def day(number: float) -> str:
    return (START + timedelta(days=number)).isoformat()


async def fill(store: Store, pairs: int) -> None:
    """Pairs who were accepted at New Year; every third programme weighs what was delivered, the others all alike."""
    rows: dict[str, list[dict[str, str]]] = {
        "units": [],
        "goals": [],
        "consents": [],
        "skills": [{"id": "s", "name": "Sailing"}],
        "people": [
            {"id": f"{side}{number}", "name": f"{side} {number}", "joined_on": "2025-01-01"}
            for number in range(pairs)
            for side in ("mentor", "mentee")
        ],
        "programmes": [{"id": f"pr{number}", "name": "Pr", "since": "2025-01-01"} for number in range(3)],
        "charters": [
            {
                "programme_id": "pr0", "why": "w", "for_whom": "f", "how_measured": "h", "since": "2025-01-01",
                "delivery_weight": "1",
            }
        ],
        "pairings": [
            {
                "id": f"p{number}", "mentor_id": f"mentor{number}", "mentee_id": f"mentee{number}",
                "programme_id": f"pr{number % 3}", "started_on": day(0), "status": "accepted",
            }
            for number in range(pairs)
        ],
    }  # fmt: skip
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}


def history(pairs: int, total: int) -> list[Event]:
    """What happened to the pairs, in the order of time: moves that the table allows, sessions, answers and the rest."""
    chance = random.Random(7)  # noqa: S311
    found: list[tuple[float, Event]] = []
    for number in range(pairs):
        pair, people = {"pairing_id": f"p{number}"}, (f"mentor{number}", f"mentee{number}")
        state, at, rounds, moves = "accepted", 0.0, 0, (0, 1, 2, PER_PAIR)[number % 4]
        for _ in range(PER_PAIR):
            at += chance.uniform(0.5, 20)
            kind = chance.choice(("moves", "moves", "sessions", "feedback", "consents", "absences", "skill_ratings"))
            person, key = chance.choice(people), f"{number} {at}"
            if kind == "moves" and state in OPEN_STATES and moves:
                moves -= 1
                state = chance.choice(WAYS[state])
                reason = {"reason": "other"} if state == "ended" else {}
                cause = {"cause": "stopped_meeting"} if state == "stalled" else {}
                row = {**pair, "moved_on": day(at), "state": state, "person_id": person, **reason, **cause}
            elif kind == "sessions":
                row = {**pair, "id": key, "started_at": day(at), "minutes": "45", "kind": "live"}
            elif kind == "feedback":
                rounds += 1
                scales = {
                    name: f"{chance.random():.3f}"
                    for name in ("skill", "confidence", "delivery")
                    if chance.random() < 0.7
                }
                told = {**pair, "id": key, "person_id": person, "given_on": day(at), "rating": f"{chance.random():.3f}"}
                row = {**told, "round": str(rounds), **scales}
            elif kind == "consents":
                row = {"person_id": person, "purpose": "training", "text_version": "1", "since": day(at)}
                if chance.random() < 0.5:  # withdrawn later: an event of its own
                    found.append((at + 5, Event(kind, {**row, "until": day(at + 5)})))
            elif kind == "absences":
                row = {"person_id": person, "since": day(at), "until": day(at + 3)}
            else:
                kind = "skill_ratings"
                level = str(chance.randint(1, 5))
                row = {"person_id": person, "skill_id": "s", "rated_by": "self", "level": level, "since": day(at)}
            found.append((at, Event(kind, row)))
    found.sort(key=lambda each: each[0])
    assert len(found) >= total
    return [event for _, event in found[:total]]


async def played(store: Store, pairs: int, events: Sequence[Event], batches: Callable[[], int]) -> str:
    """The hash of a new graph that was told some events, in batches."""
    await store.database.run_directly(WIPE)
    await migrate(store.database)
    await fill(store, pairs)
    place = 0
    while place < len(events):
        size = batches()
        statuses = await take_events(store, COORDINATOR, events[place : place + size], SOURCE)
        assert not {"early", "other"} & set(statuses)
        place += size
    return await graph_hash(store)


async def test_events_that_are_shuffled_and_doubled_end_in_the_same_graph(
    store: Store, count: Callable[[int, int], int]
) -> None:
    total = count(300, 10_000)
    pairs = total // PER_PAIR + 1
    events = history(pairs, total)
    chance = random.Random(3)  # noqa: S311
    shuffled = [*events, *events]
    chance.shuffle(shuffled)
    once = await played(store, pairs, events, lambda: 500)
    states = {str(each.record.properties["status"]) async for each in store.facts(KINDS["pairings"])}
    outcomes = [each.record.properties.get("outcome") async for each in store.facts(KINDS["pairings"])]
    assert states == {"accepted", "active", "paused", "stalled", "completed", "ended"}
    assert len({each for each in outcomes if each is not None}) > 1
    assert await check(store) == []
    assert await played(store, pairs, shuffled, lambda: chance.randint(1, 2 * total // 5)) == once
    assert await check(store) == []
    # What is lost is seen, whatever it is.
    for lost in chance.sample(range(total), 2):
        assert await played(store, pairs, [*events[:lost], *events[lost + 1 :]], lambda: 500) != once


async def statuses_of(store: Store, *events: Event) -> list[str]:
    return await take_events(store, COORDINATOR, events, SOURCE)


def move(at: float, state: str) -> Event:
    return Event("moves", {"pairing_id": "p0", "moved_on": day(at), "state": state, "reason": "other"})


async def pairing(store: Store) -> dict[str, object]:
    [found] = [each.record async for each in store.facts(KINDS["pairings"])]
    return {name: found.properties[name] for name in ("status", "until", "outcome") if name in found.properties}


async def test_a_pairing_stands_where_its_last_move_led_whenever_that_is_told(store: Store) -> None:
    await fill(store, 1)
    assert await statuses_of(store, move(60, "completed")) == ["new"]
    over = {"status": "completed", "until": START + timedelta(days=60)}
    assert await pairing(store) == over
    assert await statuses_of(store, move(1, "active"), move(30, "paused"), move(60, "completed")) == [
        "new", "new", "known",
    ]  # fmt: skip
    assert await pairing(store) == over
    said = {"pairing_id": "p0", "person_id": "mentee0", "given_on": day(20), "rating": "1"}
    assert await statuses_of(store, Event("feedback", {**said, "id": "f", "round": "1", "delivery": "0.75"})) == ["new"]
    assert await pairing(store) == over | {"outcome": 0.75}
    assert await check(store) == []


async def test_what_refers_to_something_unknown_is_to_be_told_again(store: Store) -> None:
    session = Event("sessions", {"pairing_id": "p0", "id": "s1", "started_at": day(2), "minutes": "45"})
    assert await statuses_of(store, session) == ["early"]
    await fill(store, 1)
    assert await statuses_of(store, session, session) == ["new", "known"]
    assert await statuses_of(store, session) == ["known"]


async def test_something_else_under_a_known_key_is_not_taken(store: Store) -> None:
    await fill(store, 1)
    said = {"pairing_id": "p0", "person_id": "mentee0", "given_on": day(20), "rating": "1", "round": "1"}
    first = Event("feedback", {**said, "id": "f"})
    assert await statuses_of(store, first) == ["new"]
    before = await graph_hash(store)
    assert await statuses_of(store, Event("feedback", {**said, "id": "f", "rating": "0.5"})) == ["other"]
    assert await statuses_of(store, Event("feedback", {**said, "id": "g"})) == ["other"]  # the same round again
    assert await graph_hash(store) == before


async def test_a_withdrawal_that_comes_before_its_consent_is_not_undone_by_it(store: Store) -> None:
    await fill(store, 1)
    given = {"person_id": "mentee0", "purpose": "training", "text_version": "1", "since": day(1)}
    withdrawn = {**given, "until": day(5)}
    assert await statuses_of(store, Event("consents", withdrawn)) == ["new"]
    before = await graph_hash(store)
    await statuses_of(store, Event("consents", given))
    assert await graph_hash(store) == before


async def test_only_coordinators_tell_events_and_only_such(store: Store) -> None:
    await fill(store, 1)
    before = await graph_hash(store)
    with pytest.raises(DomainError) as caught:
        await take_events(store, Viewer(person=uid_of(SOURCE, "people", "mentor0")), [move(1, "active")], SOURCE)
    assert caught.value.code == "FORBIDDEN"
    with pytest.raises(DomainError, match="people are no events"):
        await statuses_of(store, Event("people", {"id": "x"}))
    with pytest.raises(DomainError, match="requests are moved by their people"):
        await statuses_of(store, Event("moves", {"request_id": "r", "moved_on": day(1), "state": "declined"}))
    with pytest.raises(InvalidFact, match="rating"):
        await statuses_of(store, move(1, "active"), Event("feedback", {"id": "f", "pairing_id": "p0", "rating": "2"}))
    assert await graph_hash(store) == before
