"""Subscriptions on real connections: two workers, a database that dies, clients that do not read, servers that end."""

import asyncio
import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
import uvicorn
from graphql import build_schema
from starlette.requests import Request
from starlette.types import ASGIApp
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from mentorgraph.api.app import create_app
from mentorgraph.api.event_stream import COMPLETE, EVENT_STREAM
from mentorgraph.api.limits import StreamLimits
from mentorgraph.api.server import MAX_MESSAGE_BYTES, PunctualProtocol, PunctualWebSocket, listen
from mentorgraph.api.websocket import SUBPROTOCOL
from mentorgraph.graph.embedded import database as embedded

from .test_subscriptions import RECOMMENDED
from .test_workers import RECORD_CONSENT, REGISTER, Served, Worker, served, told, wait_for

__all__ = ["served"]

LARGE = "x" * 1_000_000


@dataclass
class Counted:
    """What the resolvers of the small server have seen."""

    sent: int = 0
    left: int = 0
    added: int = 0


counted = Counted()


def small_app() -> ASGIApp:
    """An application without a database."""

    async def no_context(_request: Request) -> None:
        return None

    async def ready() -> Mapping[str, object]:
        return {}

    async def large(*_: object) -> AsyncIterator[str]:
        try:
            while True:
                counted.sent += 1
                yield LARGE
        finally:
            counted.left += 1

    async def silent(*_: object) -> AsyncIterator[str]:
        try:
            yield "first"
            await asyncio.sleep(600)
        finally:
            counted.left += 1

    async def add(*_: object) -> int:
        await asyncio.sleep(0.5)
        counted.added += 1
        return counted.added

    schema = build_schema(
        "type Query { hello: String } type Mutation { add: Int } type Subscription { large: String silent: String }"
    )
    assert schema.mutation_type
    assert schema.subscription_type
    schema.mutation_type.fields["add"].resolve = add
    for name, subscribe in (("large", large), ("silent", silent)):
        schema.subscription_type.fields[name].subscribe = subscribe
        schema.subscription_type.fields[name].resolve = lambda event, _info: event
    return create_app(schema, context=no_context, ready=ready, stream_limits=StreamLimits(heartbeat_s=0.2))


class ImpatientHTTP(PunctualProtocol):
    """The protocol with a patience that a test can wait for."""

    patience_s = 0.5


class ImpatientWebSocket(PunctualWebSocket):
    """The protocol with a patience that a test can wait for."""

    patience_s, last_chance_s = 0.5, 1.0


@contextmanager
def small_server() -> Iterator[tuple[int, uvicorn.Server]]:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        small_app,
        factory=True,
        http=ImpatientHTTP,
        ws=ImpatientWebSocket,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield int(listener.getsockname()[1]), server
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


@pytest.fixture
def port() -> Iterator[int]:
    with small_server() as (port, _):
        yield port


class Subscriber:
    """A client over WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection
        self.say(type="connection_init")
        assert self.heard() == {"type": "connection_ack"}

    def say(self, **message: object) -> None:
        """Send a message."""
        self.socket.send(json.dumps(message))

    def follow(self, query: str, **variables: object) -> None:
        """Subscribe."""
        self.say(type="subscribe", id="1", payload={"query": query, "variables": variables})

    def heard(self, within_s: float = 60) -> Any:
        """The next message."""
        return json.loads(self.socket.recv(within_s))

    def told(self, within_s: float = 60) -> Any:
        """The data of the next event."""
        message = self.heard(within_s)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]


@contextmanager
def subscriber(port: int, query: str = "") -> Iterator[Subscriber]:
    """A client that reads only what it is asked to."""
    address, protocols = f"ws://127.0.0.1:{port}/graphql{query}", [Subprotocol(SUBPROTOCOL)]
    with connect(address, subprotocols=protocols, max_size=None, max_queue=1, close_timeout=1) as connection:
        yield Subscriber(connection)


def closed(own: Subscriber) -> Close | None:
    """With what the connection is closed, once all that came before has been read."""
    try:
        while own.heard(10):
            pass
    except ConnectionClosed as error:
        return error.rcvd
    return None


def streamed(port: int, query: str, **variables: object) -> tuple[HTTPConnection, HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"query": query, "variables": variables})
    connection.request("POST", "/graphql", body, {"content-type": "application/json", "accept": EVENT_STREAM})
    answer = connection.getresponse()
    assert (answer.status, answer.headers.get_content_type()) == (200, EVENT_STREAM)
    return connection, answer


def next_event(answer: HTTPResponse) -> Any:
    """The data of the next event; signs of life are passed over."""
    while (line := answer.readline().rstrip(b"\n")) in (b":", b""):
        pass
    assert line == b"event: next"
    return json.loads(answer.readline().removeprefix(b"data: "))["data"]


def test_a_client_that_does_not_read_is_dropped_and_little_is_kept_for_it(port: int) -> None:
    counted.sent = counted.left = 0
    with subscriber(port) as own:
        own.follow("subscription { large }")
        wait_for(lambda: counted.left == 1, within_s=20)
        assert counted.sent < 20  # what the system's buffers hold, and no more


def test_a_client_that_reads_late_is_told_why_it_was_dropped(port: int) -> None:
    with subscriber(port) as own:
        own.follow("subscription { large }")
        time.sleep(2 * ImpatientWebSocket.patience_s)
        assert closed(own) == Close(1013, "Too slow")


def test_a_client_that_reads_is_not_dropped(port: int) -> None:
    with subscriber(port) as own:
        own.follow("subscription { large }")
        deadline = time.monotonic() + 4 * ImpatientWebSocket.patience_s
        while time.monotonic() < deadline:
            assert own.told() == {"large": LARGE}


def test_a_stream_that_nobody_reads_is_cut_and_one_that_is_silent_is_not(port: int) -> None:
    counted.sent = counted.left = 0
    connection, answer = streamed(port, "subscription { large }")
    with closing(connection):
        wait_for(lambda: counted.left == 1, within_s=20)
        assert counted.sent < 20
    connection, answer = streamed(port, "subscription { silent }")
    with closing(connection):
        assert next_event(answer) == {"silent": "first"}
        time.sleep(3 * ImpatientHTTP.patience_s)
        assert (answer.readline(), answer.readline()) == (b"\n", b":\n")  # the end of the event, a sign of life
    wait_for(lambda: counted.left == 2, within_s=20)


def test_a_client_that_leaves_without_a_word_is_noticed_and_its_mutation_goes_on(port: int) -> None:
    counted.left = counted.added = 0
    with subscriber(port) as own:
        own.follow("subscription { silent }")
        own.told()
        own.say(type="subscribe", id="2", payload={"query": "mutation { add }"})
        time.sleep(0.1)
        own.socket.socket.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: (counted.left, counted.added) == (1, 1), within_s=20)


def test_a_server_that_ends_tells_both_kinds_of_clients_to_come_again() -> None:
    with small_server() as (port, server), subscriber(port) as own:
        own.follow("subscription { silent }")
        own.told()
        connection, answer = streamed(port, "subscription { silent }")
        next_event(answer)
        began = time.monotonic()
        server.should_exit = True
        assert closed(own) == Close(1001, "Going away")
        with closing(connection):
            rest = answer.read()
        assert COMPLETE not in rest
        assert rest.replace(b":", b"").strip() == b""
    assert time.monotonic() - began < 5  # and it does not wait for them until its patience is over


def test_a_message_that_is_too_large_is_refused_before_it_is_kept(port: int) -> None:
    with subscriber(port) as own:
        own.follow("subscription { silent(" + "x" * MAX_MESSAGE_BYTES + ") }")
        close = closed(own)
        assert close
        assert close.code == 1009


def test_the_log_does_not_hold_what_a_query_string_says(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with subscriber(port, "?token=secret"):
        pass
    own = [record for record in caplog.records if "secret" in record.getMessage()]
    assert {record.name for record in own} == {"mentorgraph.websocket"}  # which `serve` cuts, and shows if asked to


# --- two workers and their database -----------------------------------------------------------------------------------


def mentors(event: Any) -> set[str]:
    return {each["mentor"]["id"] for each in event["recommendationsChanged"]["recommendations"]}


def port_of(worker: Worker) -> int:
    return int(worker.connection.port)


def newcomer(worker: Worker, name: str, role: str = "MENTOR") -> str:
    return told(worker, REGISTER, name=name, roles=[role], consents=["MATCHING"], consentTextVersion="1")


def withdraw(worker: Worker, person: str) -> None:
    told(worker, RECORD_CONSENT, personId=person, purpose="MATCHING", granted=False, textVersion="1")


@pytest.mark.drill
def test_what_is_told_to_either_worker_reaches_whoever_follows_at_any_of_them(
    served: Served, count: Callable[[int, int], int]
) -> None:
    port = port_of(served.workers[0])
    with subscriber(port) as over_socket:
        over_socket.follow(RECOMMENDED, mentee=served.mentee, first=100)
        connection, answer = streamed(port, RECOMMENDED, mentee=served.mentee, first=100)
        with closing(connection):
            before = mentors(over_socket.told())
            assert mentors(next_event(answer)) == before
            for number in range(count(4, 100)):
                teller, other = served.workers if number % 2 else served.workers[::-1]
                person = newcomer(teller, f"Newcomer {number}")
                assert mentors(over_socket.told()) == mentors(next_event(answer)) == before | {person}
                withdraw(other, person)
                assert mentors(over_socket.told()) == mentors(next_event(answer)) == before


@pytest.mark.drill
def test_a_subscription_outlives_a_database_that_is_killed_and_tells_how_things_stand_then(served: Served) -> None:
    teller = served.workers[0]
    java = embedded.status(served.home).java_pid
    assert java is not None
    with subscriber(port_of(teller)) as own:
        own.follow(RECOMMENDED, mentee=served.mentee, first=100)
        before = mentors(own.told())
        os.kill(java, signal.SIGKILL)

        def is_back() -> bool:
            return all(each.get("/readyz")[0] == 200 for each in served.workers)

        wait_for(lambda: not is_back())
        wait_for(is_back)
        assert mentors(own.told()) == before  # as it stands, though nothing has changed: it is there again
        wait_for(lambda: newcomer(teller, "Meanwhile", "MENTEE") != "")  # a database that has just begun is slow
        person = newcomer(teller, "After")
        assert mentors(own.told()) == before | {person}
        withdraw(teller, person)
        assert mentors(own.told()) == before
