"""Traces: what a collector receives, read by the standard's own messages, and what it never does."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.requests import Request
from starlette.testclient import TestClient

from mentorgraph.api.app import create_app
from mentorgraph.api.observing import REQUEST_ID
from mentorgraph.api.tracing import COLLECTOR, SWITCH, Traced, tracing_of
from mentorgraph.api.trusted import TrustedDocument, TrustedDocuments
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.store.database import around_statements
from mentorgraph.graph.store.store import Store

from .test_endpoint import STANDARD, World, ask, ready, small_schema

HELLO = "query SayHello($n: String) { hello(name: $n) }"


class Collector:
    """A collector on this machine, as real exporters find it."""

    def __init__(self) -> None:
        kept = self.received = list[bytes]()

        class Handler(BaseHTTPRequestHandler):
            """Keeps what is sent."""

            def do_POST(self) -> None:
                """Take one export."""
                kept.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[Span]:
        """All spans so far, in the order in which they ended."""
        exports = [ExportTraceServiceRequest.FromString(each) for each in self.received]
        return [
            span for each in exports for about in each.resource_spans for one in about.scope_spans for span in one.spans
        ]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(COLLECTOR[1], found.address)
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


async def reading(_: Request) -> None:
    if around := around_statements.get():
        with around("read_nodes"):
            pass


@pytest.fixture
def client(tmp_path: Path, collector: Collector) -> Iterator[TestClient]:
    tracing = tracing_of({COLLECTOR[1]: collector.address})
    assert tracing
    trusted = TrustedDocuments(tmp_path)
    trusted.add([TrustedDocument.of(HELLO)])
    app = create_app(small_schema(World()), context=reading, ready=ready, trusted=trusted, tracing=tracing)
    yield TestClient(app, headers=STANDARD)
    provider_of(tracing).shutdown()


def provider_of(tracing: Any) -> Any:
    return tracing.keywords["tracer"].span_processor


def sent_by(client: TestClient) -> None:
    """Has everything sent that waits for more."""
    inner: Any = client.app
    while not isinstance(inner, Traced):
        inner = inner._app
    tracer: Any = inner._tracer
    tracer.span_processor.force_flush()


def told(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes}


def test_a_request_and_its_statements_are_one_trace_that_goes_on_from_the_callers(
    client: TestClient, collector: Collector
) -> None:
    named = {"documentId": f"sha256:{TrustedDocument.of(HELLO).hash}", "variables": {"n": "Ada Secret"}}
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    headers = {"content-type": "application/json", "traceparent": parent, REQUEST_ID: "one-request"}
    answer = client.post("/graphql", json=named, headers=headers)
    assert answer.json()["data"] == {"hello": "Hello Ada Secret"}
    sent_by(client)
    statement, request = collector.spans()
    assert (request.name, request.kind) == ("GraphQL SayHello", Span.SPAN_KIND_SERVER)
    assert (statement.name, statement.kind) == ("read_nodes", Span.SPAN_KIND_CLIENT)
    assert request.trace_id == statement.trace_id == bytes.fromhex("ab" * 16)
    assert (request.parent_span_id, statement.parent_span_id) == (bytes.fromhex("cd" * 8), request.span_id)
    assert told(statement) == {"db.system.name": "neo4j", "db.operation.name": "read_nodes"}
    assert {
        "http.response.status_code": 200,
        "graphql.operation.name": "SayHello",
        "mentorgraph.request": "one-request",
    }.items() <= told(request).items()


def test_no_text_variable_or_name_of_an_operation_that_nobody_trusts_is_sent(
    client: TestClient, collector: Collector
) -> None:
    ask(client, 'query Chatter { hello(name: "Ada Secret") broken }', variables={"x": "Ada Secret"})
    assert client.get("/healthz").status_code == 200
    sent_by(client)
    received = b"".join(collector.received)
    assert b"GraphQL anonymous" in received
    assert [word for word in (b"Ada", b"Secret", b"Chatter", b"testclient", b"healthz") if word in received] == []


def test_an_accident_is_marked(client: TestClient, collector: Collector) -> None:
    ask(client, "{ broken }")
    ask(client, "{ hello }")
    sent_by(client)
    accident, other = (span for span in collector.spans() if span.kind == Span.SPAN_KIND_SERVER)
    assert accident.status.code != other.status.code == 0
    assert not accident.events


def test_nothing_is_traced_where_no_collector_is_named_or_tracing_is_switched_off() -> None:
    assert tracing_of({}) is None
    assert tracing_of({COLLECTOR[0]: "http://127.0.0.1:9", SWITCH: "true"}) is None


def test_a_collector_without_the_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(DomainError, match=r"install mentorgraph\[telemetry\]") as refused:
        tracing_of({COLLECTOR[1]: "http://127.0.0.1:9"})
    assert refused.value.code == "BAD_CONFIGURATION"


@pytest.mark.anyio
async def test_every_statement_is_sent_inside_of_its_span(store: Store) -> None:
    events: list[str] = []

    @contextmanager
    def around(name: str) -> Iterator[None]:
        events.append(f"begin {name}")
        yield
        events.append(f"end {name}")

    token = around_statements.set(around)
    try:
        await store.count_nodes()
    finally:
        around_statements.reset(token)
    await store.count_nodes()
    assert events == ["begin count_nodes", "end count_nodes"]
