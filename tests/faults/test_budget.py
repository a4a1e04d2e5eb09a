"""A request whose time is over, or whose client has left, leaves nothing running in the database."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvicorn
from graphql import GraphQLResolveInfo, build_schema
from starlette.applications import Starlette
from starlette.requests import Request

from mentorgraph.api.app import create_app
from mentorgraph.api.limits import Limits
from mentorgraph.api.server import PunctualProtocol, listen
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.store.database import Database

from ..api.test_workers import wait_for
from ..conftest import connection, run_directly

LONG = "UNWIND range(1, 200000) AS a UNWIND range(1, 200000) AS b WITH a, b WHERE a = -b RETURN count(*) AS n"
RUNNING = """
SHOW TRANSACTIONS YIELD transactionId, currentQuery WHERE currentQuery STARTS WITH 'UNWIND range'
RETURN collect(transactionId) AS ids
"""


def running(server: EmbeddedDatabase) -> list[str]:
    """The transactions in which the long statement goes on."""
    return list(run_directly(server, RUNNING)[0]["ids"])


@contextmanager
def serving(server: EmbeddedDatabase, execution_s: float, *, lets_go: bool = True) -> Iterator[int]:
    """A server with a field that takes very long in the database.

    Args:
        server: The database.
        execution_s: The time budget of a request.
        lets_go: Whether what a request has begun ends with it.
    """
    begun: list[asyncio.Task[Any]] = []

    async def long(_source: object, info: GraphQLResolveInfo) -> int:
        asking = asyncio.create_task(info.context.run_directly(LONG, budget_s=600))
        begun.append(asking)
        return int((await (asking if lets_go else asyncio.shield(asking)))[0]["n"])

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[Mapping[str, Database]]:
        async with connection(server) as database:
            yield {"database": database}
            for each in begun:
                each.cancel()
            await asyncio.gather(*begun, return_exceptions=True)

    async def context(request: Request) -> Database:
        database: Database = request.state.database
        return database

    async def ready() -> Mapping[str, object]:
        return {}

    schema = build_schema("type Query { long: Int }")
    assert schema.query_type
    schema.query_type.fields["long"].resolve = long
    app = create_app(schema, context=context, ready=ready, lifespan=lifespan, limits=Limits(execution_s=execution_s))
    listener = listen("127.0.0.1", 0)
    own = uvicorn.Server(uvicorn.Config(app, http=PunctualProtocol, ws="none", log_config=None))
    thread = threading.Thread(target=own.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        own.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


@contextmanager
def asking(port: int) -> Iterator[socket.socket]:
    body = json.dumps({"query": "{ long }"}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        yield client


def answer(client: socket.socket) -> bytes:
    with client.makefile("rb") as stream:
        return stream.read()


def test_a_query_whose_time_is_over_ends_in_the_database_too(server: EmbeddedDatabase) -> None:
    with serving(server, execution_s=4) as port, asking(port) as client:
        wait_for(lambda: running(server) != [])
        assert b"TIMEOUT" in answer(client)
        wait_for(lambda: running(server) == [], within_s=5)


def test_a_query_whose_client_leaves_ends_in_the_database_too(server: EmbeddedDatabase) -> None:
    with serving(server, execution_s=60) as port:
        with asking(port):
            wait_for(lambda: running(server) != [])
        wait_for(lambda: running(server) == [], within_s=5)


def test_a_query_that_nobody_ends_would_be_seen(server: EmbeddedDatabase) -> None:
    with serving(server, execution_s=1, lets_go=False) as port, asking(port) as client:
        assert b"TIMEOUT" in answer(client)
        wait_for(lambda: running(server) != [])
        with pytest.raises(AssertionError):
            wait_for(lambda: running(server) == [], within_s=2)
    wait_for(lambda: running(server) == [], within_s=10)
