"""What all tests share: the Neo4j line that they run on, and an emptied database on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from mentorgraph.graph.database import Address, Database
from mentorgraph.graph.embedded.database import EmbeddedDatabase, attach
from mentorgraph.graph.embedded.lines import LINES
from mentorgraph.graph.migrate import migrate
from mentorgraph.graph.store import Store

WIPE = """
MATCH (node) WHERE NOT node:Migration
CALL (node) { DETACH DELETE node } IN TRANSACTIONS OF 5000 ROWS
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--line", choices=("current", "lts"), default="current", help="the Neo4j line to test on")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.store)


@pytest.fixture(scope="session")
def line(request: pytest.FixtureRequest) -> str:
    """The name of the Neo4j line under test."""
    return str(request.config.getoption("--line"))


@pytest.fixture(scope="session")
def server(line: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    """A running database of its own for all tests."""
    with attach(tmp_path_factory.mktemp("home"), LINES[line]) as running:
        yield running


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What runs tests marked `anyio`."""
    return "asyncio"


@pytest.fixture
def emptied(server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> EmbeddedDatabase:
    """The server with an empty, migrated database; commands find it through the environment."""

    async def empty() -> None:
        async with connection(server) as database:
            await database.run_directly(WIPE)
            await migrate(database)

    asyncio.run(empty())
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(server.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", server.line.name)
    return server


@pytest.fixture
async def store(emptied: EmbeddedDatabase) -> AsyncIterator[Store]:
    """The facts of an empty, migrated database; for tests marked `anyio`."""
    async with connection(emptied) as database:
        yield Store(database)


def connection(server: EmbeddedDatabase) -> Database:
    """A connection to the server, with a patience that suits a busy machine."""
    return Database(Address(server.uri, server.user, server.password), budget_s=60)
