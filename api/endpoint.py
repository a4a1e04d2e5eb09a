"""GraphQL over HTTP: one thin ASGI endpoint over graphql-core.

It follows the GraphQL-over-HTTP specification and does each cheap check before the costlier step that it guards:
headers, body, shape, tokens, size, validation, execution. A POST needs a JSON content type, which a page of another
origin cannot send unasked, and a GET only reads, so no request can be forged across sites.
"""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, suppress
from functools import lru_cache, partial
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    ExecutionResult,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from mentorgraph.api.begun import Begun
from mentorgraph.api.callers import Rate, address_of, too_often
from mentorgraph.api.cost import Plan
from mentorgraph.api.documents import Documents, Prepared
from mentorgraph.api.errors import DocumentRefused, Refused, RequestRefused, code_of, present, refusal_of
from mentorgraph.api.event_stream import EVENT_STREAM, is_event_stream, send_events
from mentorgraph.api.execution import Compiled
from mentorgraph.api.headers import header
from mentorgraph.api.limits import Limits, StreamLimits
from mentorgraph.api.observing import STREAMS, Asked, asked, note_degraded
from mentorgraph.api.parameters import Parameters, read_parameters
from mentorgraph.api.streaming import Answer, ContextFactory, Streams, departure
from mentorgraph.api.trusted import TrustedDocuments
from mentorgraph.graph.decisions.log import kept_slates
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.store.database import round_trips

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

CLIENT_LEFT = "CLIENT_LEFT"
"""What is counted where nobody waited for the answer."""

REVALIDATED = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept, Authorization, Mentorgraph-Viewer",
}
"""Headers of an answer that a client may keep, if it asks before each use whether it still holds."""

COMPRESSED_FROM_BYTES = 1_000
COMPRESSED_APART_BYTES = 131_072
"""From this length on the compressor works in a thread, so that others do not wait for it."""

COMPRESSION = 4
NOT_MODIFIED = 304
NO_HEADERS: Mapping[str, str] = {}
_CONTENT_TYPES = {each: (b"content-type", f"{each}; charset=utf-8".encode()) for each in (GRAPHQL_RESPONSE, JSON)}
_VARY = (b"vary", b"Accept-Encoding")

Admission = Callable[[Request], Awaitable[object]]


class GraphQLEndpoint:
    """An ASGI application that answers GraphQL requests.

    Args:
        schema: What can be asked.
        context: Makes the object that resolvers find as `info.context`, within the time budget of the request. What it
            raises ends the request: a `DomainError` is shown, anything else is hidden.
        limits: The bounds of one request.
        trusted: The documents that may be asked for by their hash; none if not given.
        trusted_only: Whether all other documents are refused.
        caller: By what a caller is known whose requests are counted.
        admit: Checks who makes a request before anything else of it is read; raises as `context` does.
        stream_limits: The bounds of subscriptions.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        context: ContextFactory,
        limits: Limits | None = None,
        trusted: TrustedDocuments | None = None,
        trusted_only: bool = False,
        caller: Callable[[Request], str] = address_of,
        admit: Admission | None = None,
        stream_limits: StreamLimits | None = None,
    ) -> None:
        self._kinds = {kind for kind in OperationType if schema.get_root_type(kind)}
        self._context = context
        self._admit = admit
        self._limits = limits or Limits()
        self._documents = Documents(schema, self._limits)
        self._trusted = trusted
        self._trusted_only = trusted_only
        self._caller = caller
        self._rate = Rate(self._limits.requests_per_minute) if self._limits.requests_per_minute else None
        self._running = 0
        self._stream_limits = stream_limits or StreamLimits()
        self._streams = Streams(schema, context, self._limits, self._stream_limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        media_type, found = JSON, asked.get() or Asked()
        found.is_graphql = True
        status, headers = 200, NO_HEADERS
        try:
            accept = header(scope, b"accept")
            may_stream = is_event_stream(accept)
            media_type = negotiate(accept, EVENT_STREAM if may_stream else None)
            if self._admit:
                await self._admit(request)
            self._count(request)
            parameters = self._named(await read_parameters(request, self._limits))
            if media_type == EVENT_STREAM or (may_stream and self._is_subscription(parameters)):
                round_trips.set(None)  # what a stream of any length has sent is counted by nobody
                kept_slates.set(None)
                answers = self._counted(self.answers(request, parameters), "events", found)
                return await send_events(answers, send, self._stream_limits.heartbeat_s)
            answer = await self._answer(request, parameters)
            body = _json(answer)
            if parameters.document_hash and scope["method"] != "POST" and "errors" not in answer:
                status, headers, body = _revalidated(body, header(scope, b"if-none-match"))
        except ClientDisconnect:
            found.codes.append(CLIENT_LEFT)
            return
        except Exception as error:
            refused = refusal_of(error)
            found.failed(refused.errors)
            # By the specification, clients that ask for plain JSON get 200 for errors in their documents.
            status = 200 if isinstance(refused, DocumentRefused) and media_type == JSON else refused.status
            media_type = JSON if media_type == EVENT_STREAM else media_type
            headers, body = refused.headers, _json({"errors": refused.errors})
        await _send(body, media_type, status, headers, scope, send)

    async def counted_answers(self, request: Request, parameters: Parameters) -> AsyncGenerator[Answer, None]:
        """As `answers`, for an operation that is no HTTP request of its own and counts as one of its caller's."""
        found = Asked()
        asked.set(found)
        self._count(request)
        async with aclosing(self._counted(self.answers(request, parameters), "websocket", found)) as answers:
            async for answer in answers:
                yield answer

    @staticmethod
    async def _counted(
        answers: AsyncGenerator[Answer, None], transport: str, found: Asked
    ) -> AsyncGenerator[Answer, None]:
        """The answers to an operation on a stream, which is counted when it ends, with how it ended."""
        code = "OK"
        try:
            async with aclosing(answers):
                async for answer in answers:
                    yield answer
        except ClientDisconnect:
            code = CLIENT_LEFT
            raise
        except Exception as error:
            code = code_of(refusal_of(error)) if isinstance(error, Refused | DomainError) else "INTERNAL"
            raise
        finally:
            STREAMS.labels(transport, found.operation, code).inc()

    async def answers(self, request: Request, parameters: Parameters) -> AsyncGenerator[Answer, None]:
        """The answers to an operation of any kind, one after the other; a subscription has any number of them.

        Raises:
            Exception: What `refusal_of` turns into errors, or `ClientDisconnect`.
        """
        parameters = self._named(parameters)
        if not self._is_subscription(parameters):
            yield await self._answer(request, parameters)
            return
        prepared = self._documents.prepare(parameters.query)
        operation = self._operation(prepared, parameters.operation_name)
        name = operation.name.value if operation.name else ""
        found = asked.get()
        if found and (parameters.document_hash or self._trusted_only):
            found.operation = name
        self._cost(prepared.plans[name], parameters)
        async with aclosing(self._streams.follow(request, prepared.compiled, parameters)) as answers:
            async for answer in answers:
                yield answer

    async def _answer(self, request: Request, parameters: Parameters) -> Answer:
        """Return `data`, and `errors` where fields failed."""
        found = asked.get() or Asked()
        found.document_hash = parameters.document_hash
        found.was_kept = parameters.query in self._documents
        prepared = self._documents.prepare(parameters.query)
        operation = self._operation(prepared, parameters.operation_name)
        kind, name = operation.operation, operation.name.value if operation.name else ""
        if found.document_hash or self._trusted_only:
            found.operation = name
        if kind is OperationType.SUBSCRIPTION:
            raise DocumentRefused(
                f"Subscriptions are answered as {EVENT_STREAM}, and over WebSocket.", code="BAD_REQUEST"
            )
        if kind is OperationType.MUTATION and request.method != "POST":
            raise RequestRefused(
                "Mutations are sent by POST.", code="METHOD_NOT_ALLOWED", status=405, headers={"Allow": "POST"}
            )
        found.cost = self._cost(prepared.plans[name], parameters)
        self._take_place()
        try:
            result = await self._within_budget(self._execute(request, prepared.compiled, parameters), request, kind)
        finally:
            self._running -= 1
        extensions = {"cost": {"requested": found.cost, "limit": self._limits.max_cost}, **(result.extensions or {})}
        if not result.errors:
            return {"data": result.data, "extensions": extensions}
        if result.data is None and all(error.path is None for error in result.errors):
            raise DocumentRefused(result.errors, code="BAD_USER_INPUT")
        errors = present(result.errors, code="BAD_USER_INPUT")
        found.failed(errors)
        return {"errors": errors, "data": result.data, "extensions": extensions}

    def _count(self, request: Request) -> None:
        """Refuse a caller who asks too often."""
        if self._rate and (wait_s := self._rate.wait_s(self._caller(request))):
            raise too_often(
                f"You ask more than {self._limits.requests_per_minute} times a minute; ask again", wait_s, "rate"
            )

    def _cost(self, plan: Plan, parameters: Parameters) -> int:
        """Return what an operation costs, if it may cost so much."""
        cost, most = plan.cost(parameters.variables), self._limits.max_cost
        if cost > most:
            raise DocumentRefused(
                f"The answer could hold {cost} objects, and {most} are allowed; ask for shorter pages.",
                code="LIMIT_EXCEEDED",
                limit="cost",
            )
        return cost

    def _take_place(self) -> None:
        """Take one of the places for requests that are being answered, or refuse the request."""
        if self._running >= self._limits.max_concurrent:
            raise RequestRefused(
                "Too much is being asked at the same time; ask again in a moment.",
                code="OVERLOADED",
                status=503,
                headers={"Retry-After": "1"},
                limit="concurrency",
            )
        self._running += 1

    def _named(self, parameters: Parameters) -> Parameters:
        """Return the parameters with the text of the document that they name, if it may be asked."""
        if not parameters.document_hash:
            if self._trusted_only and not (self._trusted and self._trusted.holds(parameters.query)):
                raise DocumentRefused(
                    "Only trusted documents are answered here, and this is none of them.", code="DOCUMENT_NOT_TRUSTED"
                )
            return parameters
        text = self._trusted.text(parameters.document_hash) if self._trusted else None
        if text is None:
            remedy = "have it added" if self._trusted_only else "send its text"
            raise DocumentRefused(
                f"No document with this hash is trusted here; {remedy}.", code="PERSISTED_QUERY_NOT_SUPPORTED"
            )
        return parameters._replace(query=text)

    def _is_subscription(self, parameters: Parameters) -> bool:
        prepared = self._documents.prepare(parameters.query)
        return self._operation(prepared, parameters.operation_name).operation is OperationType.SUBSCRIPTION

    def _operation(self, prepared: Prepared, name: str | None) -> OperationDefinitionNode:
        operation = prepared.operations.get(name)
        if operation is None:
            raise DocumentRefused(
                "Name one operation of the document as operationName."
                if name is None
                else f"The document has no operation named '{name}'.",
                code="BAD_REQUEST",
            )
        if operation.operation not in self._kinds:
            raise DocumentRefused(f"A {operation.operation.value} is not answered here.", code="BAD_REQUEST")
        return operation

    async def _execute(self, request: Request, compiled: Compiled, parameters: Parameters) -> ExecutionResult:
        context = await self._context(request)
        executing = compiled.execute(
            context_value=context,
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
            hide_suggestions=self._limits.hides_suggestions,
        )
        result = await executing if isawaitable(executing) else executing
        if degraded := getattr(context, "degraded", None):
            result.extensions = {"degraded": degraded}
            note_degraded(degraded)
        return result

    async def _within_budget(
        self, work: Coroutine[Any, Any, ExecutionResult], request: Request, kind: OperationType
    ) -> ExecutionResult:
        """Return the result of `work`, or cancel it when the time is over or nobody waits for the answer any more.

        Cancelling reaches as far as the database, whose driver drops the connection. A mutation goes on without its
        client: cut in the middle, it would leave nobody knowing what it did.
        """
        begun = Begun(work)
        if begun.is_over:
            return begun.result
        budget_s, leaving = self._limits.execution_s, asyncio.create_task(departure(request.receive))
        try:
            async with asyncio.timeout(budget_s) as deadline:
                if kind is not OperationType.MUTATION:
                    leaving.add_done_callback(partial(_end_with_client, deadline))
                return await begun
        except TimeoutError:
            if not deadline.expired():
                raise
            has_left = leaving.done() and kind is not OperationType.MUTATION
        finally:
            leaving.cancel()
        if has_left:
            raise ClientDisconnect
        if kind is OperationType.MUTATION:
            message, code = "It may have taken place or not; look before you repeat it.", "OUTCOME_UNKNOWN"
        else:
            message, code = "Ask for less, or again later.", "TIMEOUT"
        raise RequestRefused(
            f"The answer took longer than {budget_s:g} seconds. {message}", code=code, status=504, limit="execution"
        )


def _end_with_client(deadline: asyncio.Timeout, leaving: asyncio.Task[None]) -> None:
    """Have the time of a request be over when its client has left."""
    if not leaving.cancelled() and not leaving.exception():
        with suppress(RuntimeError):  # it was answered at the same moment
            deadline.reschedule(asyncio.get_running_loop().time())


@lru_cache(maxsize=64)
def negotiate(accept: str, otherwise: str | None = None) -> str:
    """Return the media type to answer with, by the quality values of an Accept header.

    Where a client prefers neither, the newer type is taken if named, and plain JSON if only a wildcard allows it.

    Args:
        accept: The header.
        otherwise: What to answer with where it allows no JSON.

    Raises:
        RequestRefused: The client accepts neither.
    """
    quality_of: dict[str, float] = {}
    for entry in accept.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name:
            quality_of[name] = max(quality_of.get(name, 0.0), _quality(parameters))
    if not quality_of:
        return JSON
    fallback = quality_of.get("application/*", quality_of.get("*/*", 0.0))
    best = max(
        (GRAPHQL_RESPONSE, JSON),
        key=lambda offer: (
            quality_of.get(offer, fallback),
            offer in quality_of,
            offer == JSON and offer not in quality_of,
        ),
    )
    if quality_of.get(best, fallback) <= 0:
        if otherwise:
            return otherwise
        raise RequestRefused(
            f"Answers come as {GRAPHQL_RESPONSE} or {JSON}; the Accept header allows neither.",
            code="NOT_ACCEPTABLE",
            status=406,
        )
    return best


def _quality(parameters: list[str]) -> float:
    text = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


def _json(answer: dict[str, object]) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_PASSTHROUGH_DATACLASS)


async def _send(
    body: bytes, media_type: str, status: int, headers: Mapping[str, str], scope: Scope, send: Send
) -> None:
    """Send an answer, compressed where it is long and the client can read that."""
    encoded: list[tuple[bytes, bytes]] = []
    if status != NOT_MODIFIED:
        if len(body) >= COMPRESSED_FROM_BYTES and takes_gzip(header(scope, b"accept-encoding")):
            body = await _compressed(body)
            encoded = [(b"content-encoding", b"gzip")]
        encoded += (_CONTENT_TYPES[media_type], (b"content-length", b"%d" % len(body)))
    more = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": [*encoded, *more, _VARY]})
    await send({"type": "http.response.body", "body": body})


@lru_cache(maxsize=64)
def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether a client can read what is compressed."""
    entries = ([part.strip() for part in entry.split(";")] for entry in accept_encoding.lower().split(","))
    return any(name in ("gzip", "*") and _quality(parameters) > 0 for name, *parameters in entries)


async def _compressed(body: bytes) -> bytes:
    compress = partial(gzip.compress, body, COMPRESSION, mtime=0)
    return compress() if len(body) < COMPRESSED_APART_BYTES else await asyncio.to_thread(compress)


def _revalidated(body: bytes, if_none_match: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and body of an answer with its ETag; of 304 where the client has it already.

    The tag is a weak one: the answer may travel compressed.
    """
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**REVALIDATED, "ETag": tag}
    known = {each.strip() for each in if_none_match.split(",")}
    if known & {tag, tag.removeprefix("W/"), "*"}:
        return NOT_MODIFIED, headers, b""
    return 200, headers, body
