"""GraphQL over WebSocket: the protocol, word by word, on a small schema."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema
from prometheus_client import REGISTRY
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from mentorgraph.api.app import create_app
from mentorgraph.api.limits import Limits, StreamLimits
from mentorgraph.api.websocket import SUBPROTOCOL, is_own_origin
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.store.database import DatabaseUnavailable

SDL = """
type Query { hello: String! slow(seconds: Float!): String }
type Mutation { add(seconds: Float = 0): Int! }
type Subscription { ticks(to: Int = 2): Int! forever: Int! refused: Int broken: Int brokenLater: Int who: String }
"""
SECRET = "bolt://neo4j:hunter2@10.0.0.7:7687"


@dataclass
class World:
    """What the resolvers count and what they are told."""

    added: int = 0
    followed: int = 0
    left: int = 0
    cancelled: int = 0
    away: int = 0
    expired: bool = False
    seen: list[str | None] = field(default_factory=list)


def small_schema(world: World) -> GraphQLSchema:
    async def ticks(_root: object, _info: object, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    async def forever(*_: object) -> AsyncIterator[int]:
        world.followed += 1
        try:
            yield 0
            await asyncio.sleep(600)
        finally:
            world.left += 1

    async def refused(*_: object) -> None:
        raise DomainError("There is no such person.", code="NOT_FOUND", field="id")

    async def broken(*_: object) -> None:
        raise RuntimeError(f"cannot reach {SECRET}")

    async def broken_later(*_: object) -> AsyncIterator[int]:
        yield 0
        raise RuntimeError(f"cannot reach {SECRET}")

    async def slow(_root: object, _info: object, seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            world.cancelled += 1
            raise
        return "done"

    async def add(_root: object, _info: object, seconds: float) -> int:
        await asyncio.sleep(seconds)
        world.added += 1
        return world.added

    def tick(event: int, _info: object, **_: object) -> int:
        if world.away:
            world.away -= 1
            raise DatabaseUnavailable("the database cannot be reached; try again")
        return event

    def who(_event: int, info: Any) -> object:
        return info.context

    schema = build_schema(SDL)
    assert schema.query_type
    assert schema.mutation_type
    assert schema.subscription_type
    schema.query_type.fields["hello"].resolve = lambda *_: "hello"
    schema.query_type.fields["slow"].resolve = slow
    schema.mutation_type.fields["add"].resolve = add
    fields = schema.subscription_type.fields
    for name, subscribe in {
        "ticks": ticks,
        "forever": forever,
        "refused": refused,
        "broken": broken,
        "brokenLater": broken_later,
        "who": lambda *_: ticks(None, None, 2),
    }.items():
        fields[name].subscribe = subscribe
        fields[name].resolve = who if name == "who" else tick
    return schema


@contextmanager
def connected(
    world: World,
    streams: StreamLimits | None = None,
    *,
    protocols: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Iterator[WebSocketTestSession]:
    async def context(request: Request) -> object:
        told = request.headers.get("authorization")
        world.seen.append(told)
        if world.expired or told == "wrong":
            raise DomainError("sign in again", code="UNAUTHENTICATED")
        if told == "nobody":
            raise DomainError("this is not for you", code="FORBIDDEN")
        if told == "broken":
            raise RuntimeError(SECRET)
        return f"{told} {len(world.seen)}"

    async def ready() -> Mapping[str, object]:
        return {}

    app = create_app(small_schema(world), context=context, ready=ready, stream_limits=streams, limits=limits)
    with (
        TestClient(app) as client,
        client.websocket_connect(
            "/graphql", subprotocols=[SUBPROTOCOL] if protocols is None else protocols, headers=dict(headers or {})
        ) as socket,
    ):
        yield socket


def say(socket: WebSocketTestSession, kind: str, **rest: object) -> None:
    socket.send_json({"type": kind, **rest})


def begin(socket: WebSocketTestSession, payload: object = None) -> None:
    say(socket, "connection_init", **({} if payload is None else {"payload": payload}))
    assert socket.receive_json() == {"type": "connection_ack"}


def ask(socket: WebSocketTestSession, query: str, id: str = "1", **variables: object) -> None:
    say(socket, "subscribe", id=id, payload={"query": query, "variables": variables})


def closed(socket: WebSocketTestSession) -> tuple[int, str]:
    with pytest.raises(WebSocketDisconnect) as caught:
        socket.receive_text()
    return caught.value.code, str(caught.value.reason)


def test_the_answers_to_a_subscription_come_one_after_the_other_and_then_its_end() -> None:
    with connected(World()) as socket:
        assert str(socket.accepted_subprotocol) == SUBPROTOCOL
        begin(socket)
        ask(socket, "subscription ($to: Int) { ticks(to: $to) }", "a", to=3)
        assert [socket.receive_json() for _ in range(4)] == [
            *({"id": "a", "type": "next", "payload": {"data": {"ticks": number}}} for number in range(3)),
            {"id": "a", "type": "complete"},
        ]
        ask(socket, "subscription { ticks(to: 0) }", "a")  # an id may be used again
        assert socket.receive_json() == {"id": "a", "type": "complete"}


def test_queries_and_mutations_have_one_answer() -> None:
    world = World()
    with connected(world) as socket:
        begin(socket)
        ask(socket, "{ hello }")
        answer = socket.receive_json()
        assert (answer["id"], answer["type"], answer["payload"]["data"]) == ("1", "next", {"hello": "hello"})
        assert socket.receive_json() == {"id": "1", "type": "complete"}
        ask(socket, "mutation { add }")
        assert socket.receive_json()["payload"]["data"] == {"add": 1}
    assert world.added == 1


def test_each_event_is_told_in_a_context_of_its_own() -> None:
    with connected(World()) as socket:
        begin(socket)
        ask(socket, "subscription { who }")
        told = [socket.receive_json()["payload"]["data"]["who"] for _ in range(2)]
        assert told == ["None 3", "None 4"]  # the first two are those of the connection and of the beginning


def test_the_payload_says_who_asks_in_place_of_the_header_that_a_browser_cannot_send() -> None:
    world = World()
    with connected(world, headers={"authorization": "from the handshake"}) as socket:
        begin(socket, {"Authorization": "from the payload", "cookie": "x"})
        ask(socket, "{ hello }")
        socket.receive_json()
    assert set(world.seen) == {"from the payload"}
    with connected(world, headers={"authorization": "from the handshake"}) as socket:
        begin(socket)
    assert world.seen[-1] == "from the handshake"


@pytest.mark.parametrize(
    ("told", "code"), [("wrong", (4401, "sign in again")), ("nobody", (4403, "this is not for you"))]
)
def test_whoever_may_not_ask_hears_so_at_once(told: str, code: tuple[int, str]) -> None:
    with connected(World()) as socket:
        say(socket, "connection_init", payload={"authorization": told})
        assert closed(socket) == code


def test_an_accident_of_ours_tells_nothing_of_the_inside() -> None:
    with connected(World()) as socket:
        say(socket, "connection_init", payload={"authorization": "broken"})
        code, reason = closed(socket)
        assert (code, "Something went wrong on our side" in reason, "hunter2" in reason) == (4500, True, False)
    with connected(World()) as socket:
        begin(socket)
        ask(socket, "subscription { broken }", "a")
        ask(socket, "subscription { brokenLater }", "b")
        told = [socket.receive_json() for _ in range(3)]
        assert sorted((each["id"], each["type"]) for each in told) == [("a", "error"), ("b", "error"), ("b", "next")]
        assert "hunter2" not in str(told)
        assert {e["extensions"]["code"] for each in told if each["type"] == "error" for e in each["payload"]} == {
            "INTERNAL"
        }


def test_a_credential_that_expires_ends_the_connection_with_the_next_event() -> None:
    world = World()
    with connected(world) as socket:
        begin(socket)
        world.expired = True
        ask(socket, "subscription { ticks }")
        assert closed(socket) == (4401, "sign in again")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { ticks who }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refused }", "NOT_FOUND"),
        ("{ " + "a: hello " * 100 + "}", "LIMIT_EXCEEDED"),
        ('subscription { ticks(to: "x") }', "GRAPHQL_VALIDATION_FAILED"),
        ("subscription A { ticks } subscription B { ticks }", "BAD_REQUEST"),
    ],
)
def test_what_is_refused_ends_its_operation_and_not_the_connection(document: str, code: str) -> None:
    with connected(World()) as socket:
        begin(socket)
        ask(socket, document)
        told = socket.receive_json()
        assert (told["id"], told["type"]) == ("1", "error")
        assert {error["extensions"]["code"] for error in told["payload"]} == {code}
        ask(socket, "{ hello }")
        assert socket.receive_json()["type"] == "next"


def test_a_ping_is_answered_before_and_after_the_connection_is_known() -> None:
    with connected(World()) as socket:
        say(socket, "ping", payload={"x": 1})
        assert socket.receive_json() == {"type": "pong"}
        begin(socket)
        say(socket, "pong")
        say(socket, "ping")
        assert socket.receive_json() == {"type": "pong"}


def unknown(socket: WebSocketTestSession) -> None:
    ask(socket, "{ hello }")


def twice(socket: WebSocketTestSession) -> None:
    begin(socket)
    say(socket, "connection_init")


def duplicate(socket: WebSocketTestSession) -> None:
    begin(socket)
    ask(socket, "subscription { forever }", "x")
    socket.receive_json()
    ask(socket, "{ hello }", "x")


def after_init(text: str) -> Callable[[WebSocketTestSession], None]:
    def say_it(socket: WebSocketTestSession) -> None:
        begin(socket)
        socket.send_text(text)

    return say_it


def binary(socket: WebSocketTestSession) -> None:
    socket.send_bytes(b'{"type": "connection_init"}')


@pytest.mark.parametrize(
    ("misbehave", "code"),
    [
        pytest.param(unknown, (4401, "Unauthorized"), id="subscribes before it is known"),
        pytest.param(twice, (4429, "Too many initialisation requests"), id="says twice who it is"),
        pytest.param(duplicate, (4409, "Subscriber for x already exists"), id="uses an id twice"),
        pytest.param(binary, (4400, "Messages are JSON objects in text frames"), id="binary"),
        pytest.param(after_init("{"), (4400, "The message is not valid JSON"), id="no JSON"),
        pytest.param(after_init("[]"), (4400, "The message is not a JSON object"), id="an array"),
        pytest.param(after_init('"\\ud800"'), (4400, "The message is not valid JSON"), id="half a character"),
        pytest.param(after_init("[" * 50_000), (4400, "The message is not valid JSON"), id="nested"),
        pytest.param(after_init('{"type": "start"}'), (4400, "Invalid message type"), id="of the old protocol"),
        pytest.param(after_init('{"type": ["x"]}'), (4400, "Invalid message type"), id="type that is no text"),
        pytest.param(
            after_init('{"type": "ping", "payload": 1}'), (4400, "The payload of the message is not an object"), id="1"
        ),
        pytest.param(
            after_init('{"type": "subscribe", "payload": {"query": "{hello}"}}'),
            (4400, "The message has no id, or one that is not a string"),
            id="no id",
        ),
        pytest.param(
            after_init('{"type": "subscribe", "id": "1"}'),
            (4400, "The payload of the message is not a JSON object."),
            id="no payload",
        ),
        pytest.param(
            after_init('{"type": "subscribe", "id": "1", "payload": {"query": 1}}'),
            (4400, "The parameter 'query' is not a string."),
            id="a query that is no text",
        ),
        pytest.param(after_init("x" * 100_001), (1009, "A message is larger than 100000 bytes"), id="large"),
    ],
)
def test_a_client_that_breaks_the_protocol_is_cut(
    misbehave: Callable[[WebSocketTestSession], None], code: tuple[int, str]
) -> None:
    with connected(World()) as socket:
        misbehave(socket)
        assert closed(socket) == code


def test_a_client_that_does_not_say_who_it_is_is_cut_and_one_that_does_is_not() -> None:
    patient = StreamLimits(socket_init_s=0.3)
    with connected(World(), patient) as socket:
        say(socket, "ping")  # which is no way to be patient with
        assert socket.receive_json() == {"type": "pong"}
        assert closed(socket) == (4408, "Connection initialisation timeout")
    with connected(World(), patient) as socket:
        begin(socket)
        ask(socket, "{ slow(seconds: 0.6) }")
        assert socket.receive_json()["payload"]["data"] == {"slow": "done"}


def test_another_subprotocol_is_not_spoken() -> None:
    for protocols in ([], ["graphql-ws"], ["graphql-transport-ws2"]):
        with connected(World(), protocols=protocols) as socket:
            assert closed(socket) == (4406, "Subprotocol not acceptable")
    with connected(World(), protocols=["graphql-ws", SUBPROTOCOL]) as socket:
        begin(socket)


def test_a_page_of_another_origin_cannot_connect() -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        connected(World(), headers={"origin": "https://evil.example", "host": "localhost:8000"}),
    ):
        pytest.fail("it was let in")
    with connected(World(), headers={"origin": "http://localhost:8000", "host": "localhost:8000"}) as socket:
        begin(socket)
    for origin, is_let_in in (("null", False), ("http://localhost:8001", False), ("https://app.example", True)):
        assert (
            is_own_origin(Headers({"origin": origin, "host": "localhost:8000"}), ["https://app.example"]) == is_let_in
        )


def test_operations_at_once_are_bounded_on_a_connection_and_in_a_process() -> None:
    world = World()
    with connected(world, StreamLimits(max_socket_operations=2)) as socket:
        begin(socket)
        for id in "abc":
            ask(socket, "subscription { forever }", id)
        told = {(each["id"], each["type"]): each for each in (socket.receive_json() for _ in range(3))}
        assert set(told) == {("a", "next"), ("b", "next"), ("c", "error")}
        assert [error["extensions"]["code"] for error in told["c", "error"]["payload"]] == ["LIMIT_EXCEEDED"]
        say(socket, "complete", id="a")
        ask(socket, "subscription { forever }", "c")
        assert socket.receive_json()["type"] == "next"
    assert (world.followed, world.left) == (3, 3)
    with connected(World(), StreamLimits(max_subscriptions=1)) as socket:
        begin(socket)
        ask(socket, "subscription { forever }", "a")
        assert socket.receive_json()["type"] == "next"
        ask(socket, "subscription { forever }", "b")
        assert [error["extensions"]["code"] for error in socket.receive_json()["payload"]] == ["LIMIT_EXCEEDED"]
        ask(socket, "{ hello }", "c")  # which is no subscription
        assert [socket.receive_json()["type"] for _ in range(2)] == ["next", "complete"]
    with connected(World(), StreamLimits(max_sockets=0)) as socket:
        assert closed(socket) == (1013, "Too many connections")
    assert REGISTRY.get_sample_value("mentorgraph_sockets") == 0


def test_operations_of_a_connection_are_counted_by_how_they_ended() -> None:
    def counted(code: str) -> float:
        labels = {"transport": "websocket", "operation": "anonymous", "code": code}
        return REGISTRY.get_sample_value("mentorgraph_streams_total", labels) or 0.0

    before = {code: counted(code) for code in ("OK", "GRAPHQL_PARSE_FAILED")}
    with connected(World()) as socket:
        begin(socket)
        assert REGISTRY.get_sample_value("mentorgraph_sockets") == 1
        ask(socket, "{ hello }", "a")
        assert [socket.receive_json()["type"] for _ in range(2)] == ["next", "complete"]
        ask(socket, "{", "b")
        assert socket.receive_json()["type"] == "error"
    assert {code: counted(code) - before[code] for code in before} == dict.fromkeys(before, 1.0)


def test_nothing_is_left_of_what_a_client_has_completed_or_left() -> None:
    world = World()
    with connected(world) as socket:
        begin(socket)
        ask(socket, "subscription { forever }", "a")
        ask(socket, "{ slow(seconds: 600) }", "b")
        ask(socket, "mutation { add(seconds: 0.3) }", "c")
        assert socket.receive_json()["id"] == "a"
        for id in ("a", "b", "c", "never heard of"):
            say(socket, "complete", id=id)
        ask(socket, "{ slow(seconds: 0.6) }", "d")
        assert [socket.receive_json()["id"] for _ in range(2)] == ["d", "d"]
    # The mutation goes on without its client: cut in the middle, nobody would know what it did.
    assert (world.followed, world.left, world.cancelled, world.added) == (1, 1, 1, 1)
    with connected(world) as socket:
        begin(socket)
        ask(socket, "subscription { forever }", "a")
        socket.receive_json()
    assert (world.followed, world.left) == (2, 2)


def test_an_event_waits_for_the_database_that_it_is_read_from() -> None:
    world = World(away=2)
    with connected(world) as socket:
        begin(socket)
        ask(socket, "subscription { ticks(to: 1) }")
        assert socket.receive_json()["payload"] == {"data": {"ticks": 0}}
    assert world.away == 0


def test_messages_are_compact_json() -> None:
    with connected(World()) as socket:
        say(socket, "connection_init")
        assert json.loads(socket.receive_text()) == {"type": "connection_ack"}
