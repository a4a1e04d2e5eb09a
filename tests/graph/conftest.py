"""A generated community on the test database, for the tests of recommendations."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question, question
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle, open_bundle
from mentorgraph.graph.facts.model import Record, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.listing import Recommendation, Slate
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.database import Address, Database, round_trips
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR
from mentorgraph.graph.world.community import generate

from ..conftest import WIPE

SOURCE = "bundle"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
PEOPLE = 300
POLICY = load_policy()


@dataclass(frozen=True)
class Community:
    """The imported world, and one event loop and connection for all tests of this module."""

    runner: asyncio.Runner
    recommender: Recommender
    askers: tuple[tuple[str, str], ...]
    """Mentees who may be matched, each with one of their goals."""

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Waits for some work."""
        return self.runner.run(work)

    @property
    def store(self) -> Store:
        """The graph."""
        return self.recommender.store

    @property
    def columns(self) -> Columns:
        """What the recommender knows."""
        return self.recommender.columns

    def ask(self, place: int = 0, **options: Any) -> Slate:
        """The list for one of the askers."""
        mentee, goal = self.askers[place]
        slate: Slate = self.run(self.recommender.recommend(COORDINATOR, mentee, goal, **options))
        return slate

    def everybody(self, place: int = 0, **options: Any) -> list[Recommendation]:
        """The whole list for one of the askers, page by page."""
        slate = self.ask(place, first=MOST, with_paths=False, **options)
        found = list(slate.recommendations)
        while slate.has_next:
            slate = self.ask(place, first=MOST, after=slate.cursors[-1], with_paths=False, **options)
            found += slate.recommendations
        return found

    def facts(self, kind: str) -> list[Record]:
        """The facts of a kind that hold now, each by itself."""
        table = self.columns.tables[kind]
        return [table.record(row) for row in range(len(table)) if table.valid(NOW.timestamp())[row]]

    def question(self, place: int = 0) -> Question:
        """What one of the askers asks."""
        mentee, goal = self.askers[place]
        numbers = self.columns.people.find(mentee), self.columns.goals.find(goal)
        return question(self.columns, *numbers, NOW, POLICY.signals)

    def sees(self, work: Coroutine[Any, Any, Any]) -> list[str]:
        """The names of the statements that some work sends."""

        async def listen() -> list[str]:
            sent: list[str] = []
            round_trips.set(sent)
            await work
            return sent

        names: list[str] = self.run(listen())
        return names

    @staticmethod
    def refused(work: Callable[[], object]) -> str:
        """The code with which some work is refused."""
        with pytest.raises(DomainError) as caught:
            work()
        return caught.value.code

    def write(self, file: str, **row: object) -> Record:
        """Writes one row and returns its fact."""
        records = facts_of(file, row, "test")
        self.run(self.store.write(records))
        return records[0]

    def end(self, record: Record, until: datetime = NOW - timedelta(seconds=1)) -> None:
        """Ends a fact."""
        ended = Record(record.kind, record.uid, {**record.properties, "until": until}, record.links)
        self.run(self.store.write([ended]))


@pytest.fixture(scope="module")
def community(server: EmbeddedDatabase) -> Iterator[Community]:
    world = generate(PEOPLE, months=18, last_day=(NOW - timedelta(days=1)).date())
    with asyncio.Runner() as runner:
        database = Database(Address(server.uri, server.user, server.password), budget_s=60)
        runner.run(database.__aenter__())
        recommender = Recommender(Store(database), RulesScorer(POLICY), clock=lambda: NOW)
        runner.run(database.run_directly(WIPE))
        runner.run(migrate(database))
        result = runner.run(import_bundle(recommender.store, bundle_of(world.rows), source=SOURCE))
        assert set(result.total) == {"created"}
        goals = [(row["person_id"], row["id"]) for row in world.rows["goals"]]
        random.Random(1).shuffle(goals)  # noqa: S311
        askers = []
        for person, goal in goals:
            asker = uid_of(SOURCE, "people", person), uid_of(SOURCE, "goals", goal)
            row = runner.run(recommender.store.read_asker(*asker, NOW))
            if row and row["consented"]:
                askers.append(asker)
            if len(askers) == 40:
                break
        yield Community(runner, recommender, tuple(askers))
        runner.run(database.__aexit__(None, None, None))


Ask = Callable[[Callable[[Recommender], Coroutine[Any, Any, Any]]], Any]
"""Puts a question to a recommender, on a connection of its own."""


def asking_about(server: EmbeddedDatabase, bundle: Path, source: str) -> Ask:
    """What puts questions to the people of a bundle, with which the database is filled; the policy's weights rank."""

    def with_recommender(question: Callable[[Recommender], Coroutine[Any, Any, Any]]) -> Any:
        async def run() -> Any:
            async with Database(Address(server.uri, server.user, server.password), budget_s=60) as database:
                return await question(Recommender(Store(database), RulesScorer(load_policy())))

        return asyncio.run(run())

    async def fill(recommender: Recommender) -> None:
        database = recommender.store.database
        await database.run_directly(WIPE)
        await migrate(database)
        result = await import_bundle(recommender.store, open_bundle(bundle), source=source)
        assert set(result.total) == {"created"}

    with_recommender(fill)
    return with_recommender
