"""GraphQL over HTTP: one thin ASGI endpoint over graphql-core.

It follows the GraphQL-over-HTTP specification and does each cheap check before the costlier step that it guards:
headers, body, shape, tokens, size, validation, execution. A POST needs a JSON content type, which a page of another
origin cannot send unasked, and a GET only reads, so no request can be forged across sites.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
)
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mentorgraph.api.documents import Documents
from mentorgraph.api.errors import DocumentRefused, RequestRefused, present, refusal_of
from mentorgraph.api.event_stream import EVENT_STREAM, is_event_stream, send_events
from mentorgraph.api.idempotency import OnceExecution
from mentorgraph.api.limits import Limits
from mentorgraph.api.parameters import Parameters, read_parameters
from mentorgraph.api.streaming import Answer, ContextFactory, StreamLimits, Streams, departure

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"


class GraphQLEndpoint:
    """An ASGI application that answers GraphQL requests.

    Args:
        schema: What can be asked.
        context: Makes the object that resolvers find as `info.context`, within the time budget of the request. What it
            raises ends the request: a `DomainError` is shown, anything else is hidden.
        limits: The bounds of one request.
        stream_limits: The bounds of subscriptions.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        context: ContextFactory,
        limits: Limits | None = None,
        stream_limits: StreamLimits | None = None,
    ) -> None:
        self._schema = schema
        self._context = context
        self._limits = limits or Limits()
        self._documents = Documents(schema, self._limits)
        self._stream_limits = stream_limits or StreamLimits()
        self._streams = Streams(schema, context, self._limits, self._stream_limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        media_type = JSON
        try:
            accept = ",".join(request.headers.getlist("accept"))
            may_stream = is_event_stream(accept)
            media_type = negotiate(accept, EVENT_STREAM if may_stream else None)
            parameters = await read_parameters(request, self._limits)
            if media_type == EVENT_STREAM or (may_stream and self._is_subscription(parameters)):
                answers = self.answers(request, parameters)
                return await send_events(answers, send, self._stream_limits.heartbeat_s)
            response = _respond(await self._answer(request, parameters), media_type)
        except ClientDisconnect:
            return
        except Exception as error:
            refused = refusal_of(error)
            # By the specification, clients that ask for plain JSON get 200 for errors in their documents.
            status = 200 if isinstance(refused, DocumentRefused) and media_type == JSON else refused.status
            shown_as = JSON if media_type == EVENT_STREAM else media_type
            response = _respond({"errors": refused.errors}, shown_as, status, refused.headers)
        await response(scope, receive, send)

    async def answers(self, request: Request, parameters: Parameters) -> AsyncGenerator[Answer, None]:
        """The answers to an operation of any kind, one after the other; a subscription has any number of them.

        Raises:
            Exception: What `refusal_of` turns into errors, or `ClientDisconnect`.
        """
        if not self._is_subscription(parameters):
            yield await self._answer(request, parameters)
            return
        document = self._documents.prepare(parameters.query)
        async with aclosing(self._streams.follow(request, document, parameters)) as answers:
            async for answer in answers:
                yield answer

    async def _answer(self, request: Request, parameters: Parameters) -> Answer:
        """Return `data`, and `errors` where fields failed."""
        document = self._documents.prepare(parameters.query)
        kind = self._operation(document, parameters.operation_name).operation
        if kind is OperationType.SUBSCRIPTION:
            raise DocumentRefused(
                f"Subscriptions are answered as {EVENT_STREAM}, and over WebSocket.", code="BAD_REQUEST"
            )
        if kind is OperationType.MUTATION and request.method != "POST":
            raise RequestRefused(
                "Mutations are sent by POST.", code="METHOD_NOT_ALLOWED", status=405, headers={"Allow": "POST"}
            )
        result = await self._within_budget(self._execute(request, document, parameters), request, kind)
        if not result.errors:
            return {"data": result.data}
        if result.data is None and all(error.path is None for error in result.errors):
            raise DocumentRefused(result.errors, code="BAD_USER_INPUT")
        return {"errors": present(result.errors, code="BAD_USER_INPUT"), "data": result.data}

    def _is_subscription(self, parameters: Parameters) -> bool:
        document = self._documents.prepare(parameters.query)
        return self._operation(document, parameters.operation_name).operation is OperationType.SUBSCRIPTION

    def _operation(self, document: DocumentNode, name: str | None) -> OperationDefinitionNode:
        operation = get_operation_ast(document, name)
        if operation is None:
            raise DocumentRefused(
                "Name one operation of the document as operationName."
                if name is None
                else f"The document has no operation named '{name}'.",
                code="BAD_REQUEST",
            )
        kind = operation.operation
        if not self._schema.get_root_type(kind):
            raise DocumentRefused(f"A {kind.value} is not answered here.", code="BAD_REQUEST")
        return operation

    async def _execute(self, request: Request, document: DocumentNode, parameters: Parameters) -> ExecutionResult:
        result = execute(
            self._schema,
            document,
            context_value=await self._context(request),
            variable_values=parameters.variables,
            operation_name=parameters.operation_name,
            hide_suggestions=self._limits.hides_suggestions,
            execution_context_class=OnceExecution,
        )
        return await result if isawaitable(result) else result

    async def _within_budget(
        self, work: Coroutine[Any, Any, ExecutionResult], request: Request, kind: OperationType
    ) -> ExecutionResult:
        """Return the result of `work`, or cancel it when the time is over or nobody waits for the answer any more.

        Cancelling reaches as far as the database, whose driver drops the connection. A mutation goes on without its
        client: cut in the middle, it would leave nobody knowing what it did.
        """
        running, leaving = asyncio.create_task(work), asyncio.create_task(departure(request.receive))
        budget_s = self._limits.execution_s
        try:
            ends = {running} if kind is OperationType.MUTATION else {running, leaving}
            await asyncio.wait(ends, timeout=budget_s, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return running.result()
            if leaving.done():
                raise ClientDisconnect
            if kind is OperationType.MUTATION:
                message, code = "It may have taken place or not; look before you repeat it.", "OUTCOME_UNKNOWN"
            else:
                message, code = "Ask for less, or again later.", "TIMEOUT"
            raise RequestRefused(f"The answer took longer than {budget_s:g} seconds. {message}", code=code, status=504)
        finally:
            running.cancel()
            leaving.cancel()
            ended, _ = await asyncio.wait({running, leaving}, timeout=1)
            for task in ended:
                if not task.cancelled():
                    task.exception()  # seen: asyncio does not report it


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


def _respond(
    answer: dict[str, object], media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    body = orjson.dumps(answer, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    return Response(body, status, headers, f"{media_type}; charset=utf-8")
