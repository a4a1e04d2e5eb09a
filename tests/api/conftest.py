"""The real application on the test database, asked by a client that counts what reaches the database."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from mentorgraph.api.app import app_of
from mentorgraph.api.context import Service, recommender_on
from mentorgraph.api.identity import VIEWER_HEADER, SignIn
from mentorgraph.api.ids import global_id
from mentorgraph.api.limits import Limits
from mentorgraph.embeddings.reloading import Reloading
from mentorgraph.graph.decisions.log import FOLDER, DecisionLog
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Row, uid_of
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.store.database import Address, Database, round_trips
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import World

from ..conftest import WIPE

SOURCE = "world"
INNER = re.compile(r"Traceback|File \"|\.py\b|neo4j|Neo\.|bolt:|MATCH \(|object at 0x|Error\(")
"""What belongs to the inside of the service; an error that a client reads holds none of it."""


@dataclass
class Api:
    """A client of the application.

    Attributes:
        service: What the application answers from.
        client: What sends the requests.
        decisions: Where the application keeps its answers.
        statements: Names of the statements that the last request sent to the database, but for who asks.
        asked_who: Whether it asked the database who makes the request.
    """

    service: Service
    client: TestClient
    decisions: DecisionLog
    statements: list[str] = field(default_factory=list)
    asked_who: bool = False

    def ask(self, query: str, *, viewer: str = "", **variables: object) -> dict[str, Any]:
        """The answer to a query; whatever errors it has are checked to say nothing of the inside."""
        headers = {VIEWER_HEADER: viewer} if viewer else {}
        answer = self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers).json()
        assert isinstance(answer, dict)
        assert tells_nothing_inner(answer.get("errors", []))
        return answer

    def data(self, query: str, *, viewer: str = "", **variables: object) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.ask(query, viewer=viewer, **variables)
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    def refusal(self, query: str, *, viewer: str = "", **variables: object) -> tuple[str, str | None]:
        """Code and field of the one error of an answer."""
        [error] = self.ask(query, viewer=viewer, **variables)["errors"]
        return error["extensions"]["code"], error["extensions"].get("field")


def tells_nothing_inner(errors: object) -> bool:
    return INNER.search(str(errors)) is None


@contextmanager
def asked(
    server: EmbeddedDatabase, sign_in: SignIn | None = None, *, reloading: Reloading | None = None
) -> Iterator[Api]:
    """The application on the server's database, once it is ready."""

    @asynccontextmanager
    async def opening(_report: Report) -> AsyncIterator[Recommender]:
        async with connected(server) as database:
            yield await recommender_on(database)

    service = Service(opening, reloading)
    decisions = DecisionLog(server.home / FOLDER)
    # As patient as the connection is: what is asked for the first time has to be planned, on a busy machine. Who may
    # sign in is tested by many that may not.
    application = app_of(service, decisions, Limits(execution_s=60, failed_sign_ins_per_minute=10_000), sign_in=sign_in)

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        sent: list[str] = []
        token = round_trips.set(sent)
        try:
            await application(scope, receive, send)
        finally:
            round_trips.reset(token)
            asking.statements = [name for name in sent if name != "read_viewer"]
            asking.asked_who = len(asking.statements) < len(sent)

    app: ASGIApp = counting
    with TestClient(app, base_url="http://localhost") as client:
        asking = Api(service, client, decisions)
        deadline = time.monotonic() + 60
        while (answer := client.get("/readyz")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.05)
        yield asking


def connected(server: EmbeddedDatabase) -> Database:
    return Database(Address(server.uri, server.user, server.password), budget_s=60)


async def fill(server: EmbeddedDatabase, world: World | None) -> None:
    """Empties the server's database and imports a world."""
    async with connected(server) as database:
        await database.run_directly(WIPE)
        await migrate(database)
        if world is not None:
            await import_bundle(Store(database), bundle_of(world.rows), source=SOURCE)


@contextmanager
def asked_about(
    server: EmbeddedDatabase, rows: Mapping[str, Sequence[Row]], source: str, sign_in: SignIn | None = None
) -> Iterator[Api]:
    """The application on a database that holds some rows and nothing else; all of them have to be taken in."""

    async def take_in() -> None:
        await fill(server, None)
        async with connected(server) as database:
            refused: list[object] = []
            result = await import_bundle(Store(database), bundle_of(rows), source=source, on_refusal=refused.append)
            assert refused == []
            assert set(result.total) == {"created"}

    asyncio.run(take_in())
    with asked(server, sign_in) as asking:
        yield asking


@pytest.fixture(scope="session")
def world() -> World:
    """A small community."""
    return generate(people=90, months=24, seed=1)


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase, world: World) -> Iterator[Api]:
    """A client of the application on a database that holds the world; for tests that change nothing of it."""
    asyncio.run(fill(server, world))
    with asked(server) as asking:
        yield asking


@pytest.fixture(scope="module")
def empty_api(server: EmbeddedDatabase) -> Iterator[Api]:
    """A client of the application on a database that holds nothing, but for what the tests of the module tell it."""
    asyncio.run(fill(server, None))
    with asked(server) as asking:
        yield asking


@pytest.fixture(scope="session")
def gid() -> Callable[[str, str], str]:
    """The global id of a row of the world: `gid("people", "p-01")`."""
    return lambda kind, key: global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))
