"""What a serving process does before it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from mentorgraph.api.app import DEMO_VARIABLE, from_environment
from mentorgraph.api.context import Service, recommender_on
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.matching import Recommender

from .conftest import connected


async def forget_the_model(server: EmbeddedDatabase) -> None:
    """Leaves the database as Neo4j makes it."""
    async with connected(server) as database:
        await database.run_directly("MATCH (node) DETACH DELETE node")
        for row in await database.run_directly("SHOW CONSTRAINTS YIELD name RETURN name"):
            await database.run_directly(f"DROP CONSTRAINT `{row['name']}`")
        for row in await database.run_directly("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
            await database.run_directly(f"DROP INDEX `{row['name']}`")


async def nodes_of_the_model(server: EmbeddedDatabase) -> list[tuple[str, int, int]]:
    """Label, number of nodes and number of different names of what every database of ours holds."""
    async with connected(server) as database:
        rows = await database.run_directly(
            "MATCH (node:Migration|Role|ChangeCounter) RETURN labels(node)[0] AS label, count(*) AS nodes, "
            "count(DISTINCT coalesce(node.name, node.kind)) AS names ORDER BY label"
        )
        return [(row["label"], row["nodes"], row["names"]) for row in rows]


def test_a_service_that_is_still_opening_closes_at_once() -> None:
    """As when somebody interrupts it while the database is fetched."""

    @asynccontextmanager
    async def opening(_report: Report) -> AsyncIterator[Recommender]:
        await asyncio.sleep(600)
        yield cast(Recommender, None)

    async def interrupt() -> None:
        async with asyncio.timeout(5), Service(opening):
            await asyncio.sleep(0.01)

    asyncio.run(interrupt())


def test_the_application_of_the_demonstration_is_not_served_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEMO_VARIABLE, raising=False)
    with pytest.raises(DomainError, match="nobody could sign in"):
        from_environment()
    monkeypatch.setenv(DEMO_VARIABLE, "1")
    assert callable(from_environment())


def test_workers_that_start_together_on_an_empty_database_bring_it_to_the_model_once(emptied: EmbeddedDatabase) -> None:
    async def start() -> None:
        async with connected(emptied) as database:
            await recommender_on(database)

    async def together() -> None:
        await forget_the_model(emptied)
        assert await nodes_of_the_model(emptied) == []
        await asyncio.gather(*(start() for _ in range(4)))

    asyncio.run(together())
    found = asyncio.run(nodes_of_the_model(emptied))
    assert [label for label, _, _ in found] == ["ChangeCounter", "Migration", "Role"]
    assert all(nodes == names for _, nodes, names in found), found
