"""What would change it: every set that is told works and is the smallest, and nothing is left behind."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import import_bundle, open_bundle
from mentorgraph.graph.exchange.check import graph_hash
from mentorgraph.graph.explaining.remedies import (
    ACTIONS,
    ACTORS,
    COORDINATOR,
    MENTEE,
    MENTOR,
    Change,
    records_of,
    wording,
)
from mentorgraph.graph.explaining.what_would_change import MOST_CHANGES, WhatWouldChange, _Search, what_would_change
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.database import Address, Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR as A_COORDINATOR
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import ENGLISH, GERMAN

from ..conftest import WIPE

WORLD = Path(__file__).parents[1] / "world12"
SOURCE = "world12"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PEOPLE = ("abe", "bea", "cal", "dan", "eve", "fin", "gus", "hal", "ivy", "joe", "mia", "noa")
Count = Callable[[int, int], int]


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


@dataclass
class World:
    """The world of twelve people on the test database."""

    runner: asyncio.Runner
    recommender: Recommender

    def ask(self, mentee: str, mentor: str, viewer: Viewer = A_COORDINATOR, **options: Any) -> WhatWouldChange:
        """What would have to change."""
        goal = uid("goals", "water-pumps") if mentee == "mia" else None
        people = uid("people", mentee), uid("people", mentor)
        found: WhatWouldChange = self.runner.run(what_would_change(self.recommender, viewer, *people, goal, **options))
        return found

    def state(self) -> tuple[str, object]:
        """The hash of the graph and how often it was changed."""
        store = self.recommender.store
        return self.runner.run(graph_hash(store)), self.runner.run(store.read_changes())

    def smallest(self, mentee: str, mentor: str, top: int, by: tuple[str, ...]) -> int | None:
        """The size of the smallest set that does it, where every set is tried for real."""
        goal = uid("goals", "water-pumps") if mentee == "mia" else None
        people = uid("people", mentee), uid("people", mentor)

        async def search() -> int | None:
            scorer = self.recommender.scorer
            found = await _Search.begin(self.recommender, scorer, *people, goal, top, by, None, None)
            for size in range(min(MOST_CHANGES, len(found.changes)) + 1):
                for some in combinations(found.changes, size):
                    if await found.try_for_real(some) is not None:
                        return size
            return None

        found: int | None = self.runner.run(search())
        return found


@pytest.fixture(scope="module")
def world(server: EmbeddedDatabase) -> Iterator[World]:
    with asyncio.Runner() as runner:
        database = Database(Address(server.uri, server.user, server.password), budget_s=60)
        runner.run(database.__aenter__())
        recommender = Recommender(Store(database), RulesScorer(load_policy()), clock=lambda: NOW)
        runner.run(database.run_directly(WIPE))
        runner.run(migrate(database))
        runner.run(import_bundle(recommender.store, open_bundle(WORLD), source=SOURCE))
        yield World(runner, recommender)
        runner.run(database.__aexit__(None, None, None))


def told(found: WhatWouldChange) -> list[tuple[str, str]]:
    return [(each.action, each.words) for each in found.changes]


def test_who_is_among_the_first_already_needs_nothing(world: World) -> None:
    found = world.ask("mia", "cal", top=1)
    assert (found.rank, found.changes, found.rank_after, found.tried) == (1, (), 1, 0)


def test_a_mentor_who_offers_half_of_what_is_asked_for_could_offer_all_of_it(world: World) -> None:
    # Mia wishes SQL, which Bea offers at level 2 of 4, and Python, which nobody offers: one more offer is worth most.
    found = world.ask("mia", "bea", top=1)
    assert found.rank is not None
    assert found.rank > 1
    assert told(found) == [("offer_skill", "offer Python at level 3")]
    assert found.rank_after == 1


def test_joe_is_three_rules_away(world: World) -> None:
    found = world.ask("mia", "joe", top=8)
    assert found.rank is None
    assert {each.action for each in found.changes} == {"onboard", "end_block", "add_place"}
    assert found.rank_after is not None
    assert found.blocked_by == ()


def test_what_the_mentee_can_do_alone_is_less(world: World) -> None:
    found = world.ask("mia", "joe", top=8, by=(MENTEE,))
    assert (found.changes, found.rank_after) == ((), None)
    assert found.blocked_by == ("NOT_ONBOARDED", "NO_CAPACITY")
    assert found.is_complete


def test_who_has_left_cannot_be_brought_back(world: World) -> None:
    found = world.ask("mia", "ivy", top=8)
    assert (found.changes, found.blocked_by, found.tried) == ((), ("LEFT",), 0)


def test_fin_and_noa_need_a_time_in_common(world: World) -> None:
    by_noa, by_fin = (world.ask("noa", "fin", top=8, by=(actor,)) for actor in (MENTEE, MENTOR))
    assert [each[0] for each in told(by_noa)] == ["add_time"]
    assert [each[0] for each in told(by_fin)] == ["add_time"]
    assert told(by_noa) != told(by_fin)


def test_sets_are_as_small_as_an_exhaustive_search_finds(world: World, count: Count) -> None:
    asked = [
        (mentee, mentor, top, by)
        for mentee, mentor in product(("mia", "noa"), PEOPLE)
        if mentee != mentor
        for top in (1, 3)
        for by in (ACTORS, (MENTEE,), (MENTOR,), (COORDINATOR,))
    ]
    for mentee, mentor, top, by in random.Random(4).sample(asked, count(24, len(asked))):  # noqa: S311
        found = world.ask(mentee, mentor, top=top, by=by)
        size = None if found.rank_after is None else len(found.changes)
        assert size == world.smallest(mentee, mentor, top, by), (mentee, mentor, top, by)


def test_random_questions_are_answered_with_what_works_and_nothing_is_written(world: World, count: Count) -> None:
    draws = random.Random(5)  # noqa: S311
    before, sets = world.state(), 0
    for _ in range(count(30, 1_000)):
        mentee = draws.choice(("mia", "noa"))
        mentor = draws.choice([each for each in PEOPLE if each != mentee])
        by = tuple(draws.sample(ACTORS, draws.randint(1, 3)))
        found = world.ask(mentee, mentor, top=draws.randint(1, 6), by=by)
        assert all(each.by & set(by) for each in found.changes)
        if found.changes:
            sets += 1
            assert found.rank_after is not None
            assert verified(world, mentee, found) == found.rank_after
    assert sets >= 5
    assert world.state() == before


def verified(world: World, mentee: str, found: WhatWouldChange) -> int | None:
    """The place of the mentor where the changes are made, with nothing known but what the graph says then."""
    records = records_of(found.changes)

    async def ask(store: Store) -> int | None:
        later = Recommender(_Within(store), world.recommender.scorer)
        as_of, goal = NOW + timedelta(seconds=1), found.goal or None
        slate = await later.recommend(A_COORDINATOR, uid("people", mentee), goal, first=50, as_of=as_of)
        return {each.mentor: each.rank for each in slate.recommendations}.get(found.mentor)

    place: int | None = world.runner.run(world.recommender.store.suppose(records, ask))
    return place


class _Within(Store):
    """A store whose changes too are those of its transaction, so that columns can be filled there."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.database, store._within)

    async def read_changes(self) -> Any:
        """The number of the last change inside of the transaction."""
        from mentorgraph.graph.store.store import Changes

        [row] = await self._read("read_changes")
        return Changes.of(row["counters"])


def test_participants_ask_of_themselves_and_of_what_they_can_do(world: World) -> None:
    mia = Viewer(person=uid("people", "mia"))
    assert world.ask("mia", "fin", viewer=mia, top=8, by=(MENTEE,)).rank is not None
    for viewer, mentee, by in ((mia, "mia", ACTORS), (mia, "mia", (MENTOR,)), (mia, "noa", (MENTEE,))):
        with pytest.raises(DomainError) as caught:
            world.ask(mentee, "fin", viewer=viewer, by=by)
        assert caught.value.code == "FORBIDDEN"
    with pytest.raises(DomainError) as caught:
        world.ask("mia", "ivy", viewer=mia, by=(MENTEE,))
    assert caught.value.code == "NOT_FOUND"
    scientist = Viewer(roles=frozenset({"data_scientist"}))
    with pytest.raises(DomainError, match="yourself only"):
        world.ask("mia", "fin", viewer=scientist)


@pytest.mark.parametrize(("options", "field"), [({"top": 0}, "topK"), ({"top": 51}, "topK"), ({"by": ()}, "by")])
def test_bad_input_is_named(world: World, options: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as caught:
        world.ask("mia", "fin", **options)
    assert (caught.value.code, caught.value.field) == ("BAD_USER_INPUT", field)


def test_every_action_has_words_in_every_language_with_the_same_gaps() -> None:
    assert all(text.endswith(".") for text in ACTIONS.values())
    english, german = wording(ENGLISH), wording(GERMAN)
    assert set(english) == set(german) == {"days", *ACTIONS}
    for action in ACTIONS:
        assert german[action] != english[action]
        gaps = [{name for _, name, _, _ in Formatter().parse(each[action]) if name} for each in (english, german)]
        assert gaps[0] == gaps[1], action
    told = (("weekday", 2), ("start", "09:00"), ("end", "10:00"), ("zone", "UTC"))
    change = Change("add_time", frozenset({MENTEE}), told, ())
    assert change.words == "be free on Tuesdays from 09:00 to 10:00, UTC"
    assert change.words_in(GERMAN) == "dienstags von 09:00 bis 10:00 frei sein, UTC"
