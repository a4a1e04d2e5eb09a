"""A few people in two programmes, a clock that only tests move, and what tests of taking part ask of them."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Record, uid_of
from mentorgraph.graph.pairings import away, pairing
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

POLICY = load_policy()
SOURCE = "test"
JOINED = "2026-01-01"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("ada", "ben", "bo", "cy")
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [{"id": "lab", "name": "Lab"}],
    "skills": [{"id": "go", "name": "Go"}],
    "programmes": [
        {"id": "one", "name": "One", "since": "2026-02-01"},
        {"id": "two", "name": "Two", "since": "2026-02-01"},
        {"id": "old", "name": "Old", "since": "2025-01-01", "until": "2026-02-01"},
    ],
    "trainings": [
        {"id": "listen", "name": "Listen", "since": JOINED, "valid_days": "30"},
        {"id": "once", "name": "Once", "since": JOINED},
        {"id": "gone", "name": "Gone", "since": JOINED, "until": "2026-02-01"},
    ],
    "people": [{"id": each, "name": each.title(), "joined_on": JOINED} for each in NAMES],
    "roles": [
        {"person_id": "ada", "role_id": "mentor", "since": JOINED, "max_mentees": "3"},
        {"person_id": "ben", "role_id": "mentor", "since": JOINED, "max_mentees": "3"},
    ],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": JOINED} for each in NAMES
    ],
    "goals": [
        {"id": f"of {each}", "person_id": each, "title": "Learn", "created_on": JOINED} for each in ("bo", "cy")
    ],
    "person_skills": [{"person_id": "ada", "skill_id": "go", "stance": "offers", "since": JOINED}],
    "unit_membership": [{"person_id": "ada", "unit_id": "lab", "since": JOINED}],
    "availability": [
        {"person_id": "ada", "weekday": "1", "start": "09:00", "end": "10:00", "zone": "UTC", "since": JOINED}
    ],
    "pairings": [],
}  # fmt: skip


class Clock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def pass_by(self, time: timedelta = timedelta(milliseconds=1)) -> None:
        """Lets time pass."""
        self.now += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def filled(store: Store) -> Store:
    result = await import_bundle(store, bundle_of(WORLD), source=SOURCE)
    assert set(result.total) == {"created"}
    return store


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


def viewer(key: str) -> Viewer:
    return Viewer(person=uid("people", key))


ADA, BEN, BO = (uid("people", each) for each in ("ada", "ben", "bo"))
ONE, TWO, OLD = (uid("programmes", each) for each in ("one", "two", "old"))
LISTEN = uid("trainings", "listen")


async def facts(store: Store, kind: str, person: str) -> list[Record]:
    """The facts of a kind of a person, in the order of their beginning."""
    found = [each.record async for each in store.facts(KINDS[kind])]
    return sorted((each for each in found if each.links["person"] == person), key=lambda each: each.properties["since"])


async def spans(store: Store, kind: str, person: str) -> list[tuple[object, object]]:
    return [(each.properties["since"], each.properties.get("until")) for each in await facts(store, kind, person)]


async def refused(store: Store, work: Awaitable[object]) -> str:
    """Code of a refusal, or the column that it is about; nothing was written."""
    before = await store.read_changes()
    with pytest.raises((DomainError, InvalidFact)) as caught:
        await work
    assert await store.read_changes() == before
    error = caught.value
    if isinstance(error, InvalidFact):
        return error.problems[0].column
    assert isinstance(error, DomainError)
    return error.code


async def ask(store: Store, clock: Clock, mentor: str = ADA, mentee: str = "bo", **more: Any) -> str:
    row = {"mentee_id": uid("people", mentee), "mentor_id": mentor, "goal_id": uid("goals", f"of {mentee}"), **more}
    return await pairing.request_mentor(store, COORDINATOR, row, POLICY, clock=clock)


async def paired(store: Store, clock: Clock, mentor: str = ADA, mentee: str = "bo", **more: Any) -> str:
    request = await ask(store, clock, mentor, mentee, **more)
    await pairing.move_request(store, COORDINATOR, request, "accepted", POLICY, clock=clock)
    return pairing.pairing_of(request)


async def mentors(store: Store, clock: Clock, mentee: str = "bo") -> set[str]:
    """Keys of the mentors who are recommended to somebody."""
    recommender = Recommender(store, RulesScorer(POLICY), clock=clock)
    slate = await recommender.recommend(COORDINATOR, uid("people", mentee))
    keys = {uid("people", each): each for each in NAMES}
    return {keys[each.mentor] for each in slate.recommendations}


async def silent(store: Store, clock: Clock, days: int = 60) -> list[str]:
    return [each.person for each in await away.find_silent(store, days, now=clock.now)]
