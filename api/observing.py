"""What an operator can see of the requests: a line of the log for each, and figures that Prometheus reads.

Neither holds what people wrote or who they are. Operations are told by name only where an operator has trusted their
document; any other name is the client's, and could be anything.
"""

import hmac
import logging
import os
import re
import secrets
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mentorgraph.api.headers import header
from mentorgraph.graph.decisions.log import kept_slates
from mentorgraph.graph.store.database import round_trips

logger = logging.getLogger("mentorgraph.requests")

SEVERAL_PROCESSES = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which the workers of one server keep their figures, so that each can tell those of all."""

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = REQUEST_ID.lower().encode()
ANONYMOUS = "anonymous"

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PROCESS, _numbers = secrets.token_hex(4), count(1)

REQUESTS = Counter("mentorgraph_requests", "Answers to GraphQL requests, by operation and code.", ["operation", "code"])
SECONDS = Histogram(
    "mentorgraph_request_seconds",
    "Seconds from the first byte of a GraphQL request to that of its answer, by operation.",
    ["operation"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ROUND_TRIPS = Histogram(
    "mentorgraph_request_round_trips",
    "Statements that a GraphQL request sent to the database, by operation.",
    ["operation"],
    buckets=(0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 50),
)
DOCUMENTS = Counter("mentorgraph_documents", "Documents that were kept ready, or had to be read.", ["found"])
REFUSALS = Counter("mentorgraph_refusals", "Requests that were refused, by the limit that they passed.", ["limit"])
RUNNING = Gauge("mentorgraph_requests_running", "Requests that are being answered.", multiprocess_mode="livesum")
SUBSCRIPTIONS = Gauge("mentorgraph_subscriptions", "Subscriptions that are open.", multiprocess_mode="livesum")
EVENTS = Counter("mentorgraph_events", "Answers of subscriptions, by how they ended.", ["outcome"])
SOCKETS = Gauge("mentorgraph_sockets", "WebSocket connections that are open.", multiprocess_mode="livesum")
STREAMS = Counter(
    "mentorgraph_streams",
    "Operations that ended on a WebSocket or an event stream, by what carried them, operation and code.",
    ["transport", "operation", "code"],
)
DEGRADED = Counter(
    "mentorgraph_degraded_answers",
    "Answers that were ranked in place of the model that should.",
    ["ranks"],
)
MODEL = Gauge("mentorgraph_model_info", "1 for the model that ranks.", ["version"], multiprocess_mode="livemax")


# To look up a figure by its labels takes longer than to count.
_answers = lru_cache(maxsize=1_000)(REQUESTS.labels)
_seconds = lru_cache(maxsize=1_000)(SECONDS.labels)
_round_trips = lru_cache(maxsize=1_000)(ROUND_TRIPS.labels)
_KEPT, _READ = DOCUMENTS.labels("kept"), DOCUMENTS.labels("read")


@dataclass(slots=True)
class Asked:
    """What is known of a request while it is answered.

    Attributes:
        request: Its id, the client's if that is well formed.
        document_hash: SHA-256 of the trusted document that it named, if it did.
        operation: Name of the operation where its document is trusted.
        is_graphql: Whether it came to the GraphQL endpoint.
        was_kept: Whether its document was ready for execution; None where none was found.
        cost: How many objects its answer may hold.
        codes: Codes of the errors that it was answered with.
        references: Under what the log holds its accidents.
        limit: The limit that it passed.
        slates: Ids of the recommendations that were kept for it.
        statements: Names of the statements that it sent to the database.
    """

    request: str = field(default_factory=lambda: f"{_PROCESS}{next(_numbers):08x}")
    document_hash: str | None = None
    operation: str = ANONYMOUS
    is_graphql: bool = False
    was_kept: bool | None = None
    cost: int = 0
    codes: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    limit: str = ""
    slates: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    def failed(self, errors: Iterable[Mapping[str, object]]) -> None:
        """Notes the errors of the answer."""
        for error in errors:
            extensions = error.get("extensions")
            if isinstance(extensions, Mapping):
                self.codes.append(str(extensions.get("code", "")))
                self.limit = str(extensions.get("limit", self.limit))
                if (reference := str(extensions.get("reference", ""))) and reference not in self.references:
                    self.references.append(reference)


asked: ContextVar[Asked | None] = ContextVar("asked", default=None)
"""The request that is being answered, for whoever writes a line of the log meanwhile."""


class Observed:
    """Middleware that gives each request an id, measures it, and logs it where that is wanted.

    Args:
        app: What answers.
        logs: Whether requests are logged.
        headers: What every answer carries that has not set it itself.
    """

    def __init__(self, app: ASGIApp, *, logs: bool, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._app = app
        self._logs = logs
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = time.perf_counter()
        sent_id = header(scope, _REQUEST_ID)
        found = Asked(sent_id) if _ACCEPTED_ID.fullmatch(sent_id) else Asked()
        outer = round_trips.get()
        if outer is not None:  # somebody counts already
            found.statements = outer
        at_first = len(found.statements)
        tokens = asked.set(found), round_trips.set(found.statements), kept_slates.set(found.slates)
        status, seconds = 0, 0.0

        def send_with_headers(message: Message) -> Awaitable[None]:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - began
                own = {name for name, _ in message["headers"]}
                more = [each for each in self._headers if each[0] not in own]
                message["headers"] = [*message["headers"], *more, (_REQUEST_ID, found.request.encode())]
            return send(message)

        RUNNING.inc()
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            RUNNING.dec()
            asked.reset(tokens[0])
            round_trips.reset(tokens[1])
            kept_slates.reset(tokens[2])
            if found.is_graphql:
                _measure(found, seconds if status else time.perf_counter() - began, len(found.statements) - at_first)
            if self._logs:
                _log(found, scope, status, seconds, len(found.statements) - at_first)


def _measure(found: Asked, seconds: float, statements: int) -> None:
    _answers(found.operation, found.codes[0] if found.codes else "OK").inc()
    _seconds(found.operation).observe(seconds)
    _round_trips(found.operation).observe(statements)
    if found.was_kept is not None:
        (_KEPT if found.was_kept else _READ).inc()
    if found.limit:
        REFUSALS.labels(found.limit).inc()


def _log(found: Asked, scope: Scope, status: int, seconds: float, statements: int) -> None:
    """Logs a request, of whose path only the first step is told: what follows may be the id of somebody's."""
    fields: dict[str, object] = {
        "request": found.request,
        "method": scope["method"] if scope["method"] in {"GET", "HEAD", "POST", "OPTIONS"} else "other",
        "path": "/" + scope["path"].split("/")[1][:40] if status != 404 else "unknown",
        "status": status or "client left",
        "ms": round(1000 * seconds, 1),
    }
    if found.is_graphql:
        fields |= {"operation": found.operation, "cost": found.cost, "round_trips": statements}
    told = {
        "document": found.document_hash,
        "codes": found.codes,
        "limit": found.limit,
        "references": found.references,
        "slates": found.slates,
    }
    fields |= {name: value for name, value in told.items() if value}
    logger.info(" ".join(f"{name}={_shown(value)}" for name, value in fields.items()), extra={"fields": fields})


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value).replace(" ", "_")


def note_degraded(degraded: Mapping[str, str]) -> None:
    """Counts an answer that is less than it should be."""
    DEGRADED.labels("rules" if degraded["ranks"] == "rules" else "last_good").inc()


class ModelInUse:
    """Tells Prometheus which model ranks."""

    def __init__(self) -> None:
        self._told = ""

    def note(self, version: str) -> None:
        """Tells the version, if it is another one than before."""
        if version != self._told:
            if self._told:
                MODEL.labels(self._told).set(0)
            MODEL.labels(version).set(1)
            self._told = version


class MetricsPage:
    """Answers `/metrics`: to everybody, or to whoever has the token."""

    def __init__(self, token: str, *, is_open: bool) -> None:
        """Prepares the page.

        Args:
            token: What has to be sent as a bearer token, if anything.
            is_open: Whether everybody may read it where there is no token; otherwise nobody then.
        """
        self._token = token
        self._is_open = is_open

    async def answer(self, request: Request) -> Response:
        """The figures of all workers, in the text format of Prometheus."""
        if not self._token and not self._is_open:
            return PlainTextResponse("Not Found", 404)
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._token and not hmac.compare_digest(sent.encode(), self._token.encode()):
            return PlainTextResponse("Send the token.\n", 401, {"WWW-Authenticate": "Bearer"})
        return Response(figures(), media_type=CONTENT_TYPE_LATEST)


def figures() -> bytes:
    """All figures; where several processes serve, those of all of them."""
    folder = os.environ.get(SEVERAL_PROCESSES)
    if not folder:
        return generate_latest()
    for file in Path(folder).glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not _runs(pid):
            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
