"""GraphQL over Server-Sent Events, as bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from mentorgraph.api.app import create_app
from mentorgraph.api.event_stream import ALIVE, COMPLETE, EVENT_STREAM, is_event_stream
from mentorgraph.api.limits import StreamLimits
from mentorgraph.api.streaming import CLOSING
from mentorgraph.graph.errors import DomainError

SDL = """
type Query { hello: String }
type Mutation { add: Int }
type Subscription { ticks(to: Int = 2): Int! slowTicks: Int forever: Int brokenLater: Int }
"""


@dataclass
class World:
    """What the resolvers count."""

    left: int = 0
    seen: list[str] = field(default_factory=list)


def small_schema(world: World) -> GraphQLSchema:
    async def ticks(_root: object, _info: object, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    async def slow_ticks(*_: object) -> AsyncIterator[int]:
        await asyncio.sleep(0.5)
        yield 1

    async def forever(*_: object) -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.sleep(600)
        finally:
            world.left += 1

    async def broken_later(*_: object) -> AsyncIterator[int]:
        yield 0
        raise DomainError("they agree no longer", code="CONSENT_REQUIRED")

    schema = build_schema(SDL)
    assert schema.query_type
    assert schema.subscription_type
    schema.query_type.fields["hello"].resolve = lambda *_: "hello"
    subscribes = {"ticks": ticks, "slowTicks": slow_ticks, "forever": forever, "brokenLater": broken_later}
    for name, subscribe in subscribes.items():
        schema.subscription_type.fields[name].subscribe = subscribe
        schema.subscription_type.fields[name].resolve = lambda event, *_, **__: event
    return schema


def small_app(world: World, streams: StreamLimits | None = None) -> ASGIApp:
    async def context(request: Request) -> None:
        if request.headers.get("authorization") == "wrong":
            raise DomainError("sign in again", code="UNAUTHENTICATED")

    async def ready() -> Mapping[str, object]:
        return {}

    return create_app(small_schema(world), context=context, ready=ready, stream_limits=streams)


def streamed(query: str, streams: StreamLimits | None = None, accept: str = EVENT_STREAM, **headers: str) -> Any:
    return TestClient(small_app(World(), streams)).post(
        "/graphql", json={"query": query}, headers={"accept": accept, **headers}
    )


def events(body: bytes) -> list[Any]:
    """The data of the `next` events of a stream that is complete."""
    assert body.endswith(COMPLETE)
    found = []
    for block in body.removesuffix(COMPLETE).split(b"\n\n")[:-1]:
        name, data = block.split(b"\n")
        assert name == b"event: next"
        found.append(json.loads(data.removeprefix(b"data: ")))
    return found


def test_a_subscription_is_a_stream_of_events_and_its_end() -> None:
    answer = streamed("subscription { ticks }")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert events(answer.content) == [{"data": {"ticks": 0}}, {"data": {"ticks": 1}}]


def test_a_query_may_be_one_as_well_and_get_reads_as_post_does() -> None:
    assert [each["data"] for each in events(streamed("{ hello }").content)] == [{"hello": "hello"}]
    client = TestClient(small_app(World()))
    parameters = {"query": "subscription { ticks(to: 1) }"}
    answer = client.get("/graphql", params=parameters, headers={"accept": EVENT_STREAM})
    assert events(answer.content) == [{"data": {"ticks": 0}}]


def test_who_accepts_both_gets_json_for_what_has_one_answer() -> None:
    both = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"
    assert streamed("{ hello }", accept=both).json()["data"] == {"hello": "hello"}
    assert events(streamed("subscription { ticks(to: 1) }", accept=both).content) == [{"data": {"ticks": 0}}]
    refused = streamed("subscription { ticks }", accept="application/json")
    assert [error["extensions"]["code"] for error in refused.json()["errors"]] == ["BAD_REQUEST"]
    assert not is_event_stream("text/event-streams, text/*")
    assert is_event_stream("application/json;q=0.5,TEXT/EVENT-STREAM;q=0.1")


def test_what_is_wrong_with_the_document_is_an_event_that_a_browser_can_show() -> None:
    for query, code in (
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription A { ticks } subscription B { ticks }", "BAD_REQUEST"),
    ):
        answer = streamed(query)
        [told] = events(answer.content)
        assert (answer.status_code, {error["extensions"]["code"] for error in told["errors"]}) == (200, {code})


def test_what_is_wrong_with_the_request_is_answered_before_a_stream_begins() -> None:
    refused = streamed("subscription { ticks }", authorization="wrong")
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/json; charset=utf-8")
    client = TestClient(small_app(World()))
    not_json = {"accept": EVENT_STREAM, "content-type": "application/json"}
    assert client.post("/graphql", content="{", headers=not_json).status_code == 400
    assert client.get("/graphql?query=mutation{add}", headers={"accept": EVENT_STREAM}).status_code == 405
    full = streamed("subscription { ticks }", StreamLimits(max_subscriptions=0))
    assert (full.status_code, full.headers["retry-after"]) == (503, "2")


def test_a_stream_that_cannot_go_on_says_why() -> None:
    assert events(streamed("subscription { brokenLater }").content) == [
        {"data": {"brokenLater": 0}},
        {"errors": [{"message": "they agree no longer", "extensions": {"code": "CONSENT_REQUIRED"}}]},
    ]


def test_a_silent_stream_says_that_it_is_alive() -> None:
    body = streamed("subscription { slowTicks }", StreamLimits(heartbeat_s=0.1)).content
    signs, rest = body.split(b"event", 1)
    assert signs == signs.count(ALIVE) * ALIVE
    assert signs.count(ALIVE) in range(3, 6)
    assert events(b"event" + rest) == [{"data": {"slowTicks": 1}}]


@pytest.mark.parametrize("ends", ["the client leaves", "the server closes"])
def test_a_stream_ends_with_its_client_and_with_its_server(ends: str) -> None:
    world, sent = World(), list[Message]()

    async def run() -> None:
        closing, left = asyncio.Event(), asyncio.Event()
        body = json.dumps({"query": "subscription { forever }"}).encode()
        coming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if coming:
                return coming.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if b"forever" in message.get("body", b""):
                (left if ends == "the client leaves" else closing).set()

        headers = [(b"host", b"x"), (b"content-type", b"application/json"), (b"accept", EVENT_STREAM.encode())]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
        async with asyncio.timeout(5):
            await small_app(world)({**scope, "state": {CLOSING: closing}}, receive, send)

    asyncio.run(run())
    assert world.left == 1
    # Without `complete`, so that a client whose server closes comes again.
    assert [message.get("body") for message in sent[1:]] == [b'event: next\ndata: {"data":{"forever":0}}\n\n', b""]
    assert sent[-1]["more_body"] is False


def test_streams_and_what_they_told_are_counted_by_how_they_ended() -> None:
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def counted() -> dict[str, float]:
        ended = {"transport": "events", "operation": "anonymous"}
        found = {code: value("mentorgraph_streams_total", **ended, code=code) for code in CODES}
        outcomes = {each: value("mentorgraph_events_total", outcome=each) for each in ("told", "failed")}
        return {**found, **outcomes, "open": value("mentorgraph_subscriptions")}

    CODES = ("OK", "CONSENT_REQUIRED", "GRAPHQL_PARSE_FAILED")
    before = counted()
    ticks = len(events(streamed("subscription { ticks }").content))
    streamed("subscription { brokenLater }")
    streamed("subscription {")
    after = counted()
    assert {name: after[name] - before[name] for name in after} == {
        **dict.fromkeys(CODES, 1.0),
        "told": ticks + 1.0,
        "failed": 0.0,
        "open": 0.0,
    }
