"""Traces for OpenTelemetry: a span for each request, and in it one for each statement that it sends to the database.

They are made where the environment names a collector, by OpenTelemetry's own variables, and the extra `telemetry` is
installed. Spans tell names, codes, counts and times; never a text, a variable, a person or a caller.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mentorgraph.api.observing import ANONYMOUS, asked
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.store.database import around_statements

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

COLLECTOR = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SWITCH = "OTEL_SDK_DISABLED"
UNTRACED = ("/healthz", "/readyz", "/metrics")
FROM_CALLER = ("traceparent", "tracestate")


def tracing_of(environment: Mapping[str, str]) -> Callable[[ASGIApp], ASGIApp] | None:
    """What makes spans around an application and sends them to the collector that the environment names, if it does.

    Raises:
        DomainError: `BAD_CONFIGURATION`, it names one and the extra is not installed.
    """
    named = [name for name in COLLECTOR if environment.get(name)]
    if not named or environment.get(SWITCH, "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise DomainError(
            f"{named[0]} names a collector of traces, but OpenTelemetry is not installed: "
            "install mentorgraph[telemetry], or unset the variable",
            code="BAD_CONFIGURATION",
        ) from error
    name = environment.get("OTEL_SERVICE_NAME") or "mentorgraph"
    about = Resource.create({"service.name": name, "service.version": version("mentorgraph")})
    provider = TracerProvider(resource=about)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return partial(Traced, tracer=provider.get_tracer("mentorgraph"))


class Traced:
    """Middleware that makes the spans; it has to be inside of what knows the request that is `asked`."""

    def __init__(self, app: ASGIApp, tracer: "Tracer") -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app = app
        self._tracer = tracer
        self._kinds = SpanKind
        self._context = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        sent = {name: headers[name] for name in FROM_CALLER if name in headers}
        parent = self._context.extract(sent)

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
            await send(message)

        with self._tracer.start_as_current_span(
            scope["method"], parent, self._kinds.SERVER, record_exception=False
        ) as span:
            token = around_statements.set(self._statement)
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                around_statements.reset(token)
                _describe(span)

    @contextmanager
    def _statement(self, name: str) -> Iterator[None]:
        about = {"db.system.name": "neo4j", "db.operation.name": name}
        with self._tracer.start_as_current_span(name, None, self._kinds.CLIENT, about, record_exception=False):
            yield


def _describe(span: "Span") -> None:
    """Says in a span what is known of the request in the end, by the names of the semantic conventions."""
    found = asked.get()
    if found is None or not found.is_graphql:
        return
    from opentelemetry.trace import Status, StatusCode

    span.update_name(f"GraphQL {found.operation}")
    if found.operation != ANONYMOUS:
        span.set_attribute("graphql.operation.name", found.operation)
    span.set_attribute("mentorgraph.request", found.request)
    span.set_attribute("mentorgraph.cost", found.cost)
    span.set_attribute("mentorgraph.round_trips", len(found.statements))
    span.set_attribute("mentorgraph.codes", found.codes)
    if found.references:  # what happened is in the log
        span.set_status(Status(StatusCode.ERROR))
