"""Co-mentors: who may become one, how places are shared, and that a share is never taken twice."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.pairings import co_mentoring, pairing, sessions, surveys
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.signals.experience import load
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

pytestmark = pytest.mark.anyio

POLICY = load_policy()
RULES = POLICY
SOURCE = "test"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("ada", "eve", "fay", "bo", "cy", "dan")
BO, EVE, DAN = (Viewer(person=uid_of(SOURCE, "people", name)) for name in ("bo", "eve", "dan"))


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


PAIR = uid("pairings", "p")


async def fill(store: Store) -> None:
    """Ada, Eve and Fay mentor one mentee each; Ada mentors Bo."""
    rows: dict[str, list[dict[str, str]]] = {
        "units": [],
        "skills": [],
        "goals": [],
        "people": [{"id": name, "name": name.title(), "joined_on": "2025-01-01"} for name in NAMES],
        "roles": [
            {"person_id": name, "role_id": "mentor", "since": "2025-01-01", "max_mentees": "1"} for name in NAMES[:3]
        ],
        "consents": [
            {"person_id": name, "purpose": "matching", "text_version": "1", "since": "2025-01-01"} for name in NAMES
        ],
        "pairings": [
            {"id": "p", "mentor_id": "ada", "mentee_id": "bo", "started_on": "2026-01-01", "status": "active"}
        ],
    }
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}


async def add(store: Store, name: str, share: float, by: Viewer = COORDINATOR, after: int = 0) -> None:
    await co_mentoring.add_co_mentor(
        store, by, PAIR, uid("people", name), share, RULES, clock=lambda: NOW + after * DAY
    )


async def end(store: Store, name: str, by: Viewer = COORDINATOR, after: int = 1) -> None:
    await co_mentoring.end_co_mentor(store, by, PAIR, uid("people", name), clock=lambda: NOW + after * DAY)


async def taken(store: Store, now: datetime = NOW + DAY / 2) -> list[float]:
    people = [uid("people", name) for name in NAMES[:3]]
    return [row["taken"] for row in await store.read_candidates(uid("people", "cy"), people, now)]


async def code_of(work: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await work
    return caught.value.code


async def column_of(work: Awaitable[object]) -> str:
    with pytest.raises(InvalidFact) as caught:
        await work
    return caught.value.problems[0].column


async def test_a_place_is_shared_and_the_shares_add_up(store: Store) -> None:
    await fill(store)
    assert await taken(store) == [1, 0, 0]
    await add(store, "eve", 0.25)
    await add(store, "fay", 0.5)
    assert await taken(store) == [0.25, 0.25, 0.5]
    before = await graph_hash(store)
    await add(store, "eve", 0.25, after=3)  # told again
    assert await graph_hash(store) == before
    await end(store, "fay")
    assert await taken(store, NOW + 2 * DAY) == [0.75, 0.25, 0]
    assert await taken(store) == [0.25, 0.25, 0.5]  # what was so stays so
    await pairing.move_pairing(store, BO, PAIR, "completed", clock=lambda: NOW + 3 * DAY)
    assert await taken(store, NOW + 4 * DAY) == [0, 0, 0]
    assert await check(store) == []


async def test_the_signal_of_load_counts_as_the_rule_does(store: Store) -> None:
    await fill(store)
    await add(store, "eve", 0.25)
    columns = Columns()
    await columns.refresh(store)
    now = NOW + DAY / 2
    asked = question(columns, columns.people.find(uid("people", "cy")), -1, now, POLICY.signals)
    numbers = [columns.people.find(uid("people", name)) for name in NAMES[:3]]
    assert np.allclose(load(columns, asked, 1).values[numbers], [0.75, 0.25, 0])
    assert np.allclose(await taken(store), [0.75, 0.25, 0])


async def test_what_cannot_be_shared_is_refused_and_nothing_is_written(store: Store) -> None:
    await fill(store)
    await add(store, "eve", 0.5)
    before = await graph_hash(store)
    for share in (0, 1, 1.5, -0.5, float("nan")):
        assert await column_of(add(store, "fay", share)) == "share"
    assert await column_of(add(store, "fay", 0.5)) == "share"
    assert await column_of(add(store, "ada", 0.25)) == "person_id"
    assert await column_of(add(store, "bo", 0.25)) == "person_id"
    assert await code_of(add(store, "eve", 0.25)) == "CONFLICT"
    assert await code_of(add(store, "dan", 0.25)) == "NOT_ALLOWED"  # no mentor
    assert await code_of(add(store, "nobody", 0.25)) == "NOT_FOUND"
    assert await code_of(add(store, "fay", 0.25, by=BO)) == "FORBIDDEN"
    assert await code_of(end(store, "eve", by=EVE)) == "FORBIDDEN"
    assert await code_of(end(store, "fay")) == "NOT_FOUND"
    assert await graph_hash(store) == before
    await pairing.move_pairing(store, COORDINATOR, PAIR, "ended", reason="other", clock=lambda: NOW + DAY)
    assert await code_of(add(store, "fay", 0.25, after=2)) == "FORBIDDEN_MOVE"


async def ask(store: Store, mentor: str, mentee: str) -> str:
    told = {"mentor_id": uid("people", mentor), "mentee_id": uid("people", mentee)}
    return await pairing.request_mentor(store, COORDINATOR, told, RULES, clock=lambda: NOW + 2 * DAY)


async def test_who_shares_has_less_room_for_mentees_of_their_own(store: Store) -> None:
    await fill(store)
    await add(store, "eve", 0.25)
    with pytest.raises(DomainError, match=r"0\.25 of 1 places are taken"):
        await ask(store, "eve", "cy")
    with pytest.raises(DomainError, match=r"0\.75 of 1 places are taken"):
        await ask(store, "ada", "cy")
    await ask(store, "fay", "cy")
    await end(store, "eve")
    await ask(store, "eve", "dan")


async def test_a_co_mentor_counts_as_paired_with_the_mentee(store: Store) -> None:
    await fill(store)
    await add(store, "eve", 0.25)
    eve = uid("people", "eve")
    [row] = await store.read_candidates(uid("people", "bo"), [eve], NOW + DAY)
    [other] = await store.read_candidates(uid("people", "cy"), [eve], NOW + DAY)
    assert (row["paired"], other["paired"]) == (True, False)


async def test_of_fifty_shares_added_at_once_as_many_are_taken_as_there_is_room_for(store: Store) -> None:
    await fill(store)
    extra = {
        "people": [{"id": f"m{number}", "name": "M", "joined_on": "2025-01-01"} for number in range(50)],
        "roles": [{"person_id": f"m{number}", "role_id": "mentor", "since": "2025-01-01"} for number in range(50)],
        "consents": [
            {"person_id": f"m{number}", "purpose": "matching", "text_version": "1", "since": "2025-01-01"}
            for number in range(50)
        ],
    }
    await import_bundle(
        store, bundle_of({"units": [], "skills": [], "goals": [], "pairings": [], **extra}), source=SOURCE
    )

    async def attempt(number: int) -> str:
        try:
            await add(store, f"m{number}", 0.3)
        except InvalidFact:
            return "refused"
        return "added"

    found = await asyncio.gather(*map(attempt, range(50)))
    assert sorted(found) == ["added"] * 3 + ["refused"] * 47
    assert (await taken(store))[0] == pytest.approx(0.1)
    assert await check(store) == []


async def test_a_co_mentor_records_sessions_and_answers_surveys_of_the_pairing(store: Store) -> None:
    await fill(store)
    later = NOW + 2 * DAY
    row: dict[str, Any] = {"pairing_id": PAIR, "kind": "live", "started_at": NOW, "minutes": 30}
    said = {"pairing_id": PAIR, "rating": 0.5, "skill": 0.5}
    assert await code_of(sessions.record_session(store, EVE, row, now=later)) == "NOT_FOUND"
    assert await code_of(surveys.answer_survey(store, EVE, said, clock=lambda: later)) == "NOT_FOUND"
    await add(store, "eve", 0.25)
    await sessions.record_session(store, EVE, row, now=later)
    await surveys.answer_survey(store, EVE, said, clock=lambda: later)
    [answer] = (await store.read_courses([PAIR]))[PAIR].answers
    assert answer.links["person"] == EVE.person
    assert await code_of(sessions.record_session(store, DAN, row, now=later)) == "NOT_FOUND"
