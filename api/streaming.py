"""Subscriptions, executed: from a document to one answer after the other, whatever carries them.

graphql-core's own `subscribe` resolves all events in one context, whose loaders would show what they read for the
first one. Here each event has a context of its own, made as for a request; so a credential that has expired since ends
the subscription.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, TypeAlias, TypeVar, cast

from graphql import ExecutionResult, GraphQLSchema, create_source_event_stream
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from mentorgraph.api.errors import AGAIN_AFTER_S, DocumentRefused, RequestRefused, present
from mentorgraph.api.execution import Compiled
from mentorgraph.api.limits import Limits, StreamLimits
from mentorgraph.api.observing import EVENTS, SUBSCRIPTIONS, note_degraded
from mentorgraph.api.parameters import Parameters

T = TypeVar("T")

Answer: TypeAlias = dict[str, object]
ContextFactory = Callable[[Request], Awaitable[object]]

LONGEST_PAUSE_S = 15.0

CLOSING = "closing"
"""Name in the state of a connection's scope of an `asyncio.Event`, which the server sets when it begins to close."""


class Streams:
    """Executes subscriptions.

    Args:
        schema: What can be followed.
        context: Makes `info.context`, for the beginning and for each event.
        limits: The bounds of each event, which is executed as a request is.
        streams: The bounds of subscriptions. After a restart all of them begin anew at the same time.
    """

    def __init__(self, schema: GraphQLSchema, context: ContextFactory, limits: Limits, streams: StreamLimits) -> None:
        self._schema = schema
        self._context = context
        self._limits = limits
        self._streams = streams
        self._beginning = asyncio.Semaphore(streams.max_beginning)
        self.open = 0
        """Subscriptions now."""

    async def follow(
        self, request: Request, compiled: Compiled, parameters: Parameters
    ) -> AsyncGenerator[Answer, None]:
        """The answers to a subscription, one for each event.

        Raises:
            Refused: It cannot begin.
            DomainError: It cannot go on.
            ClientDisconnect: Nobody waits for it any more.
        """
        if self.open >= self._streams.max_subscriptions:
            raise RequestRefused(
                "There are too many subscriptions here; try again later.",
                code="LIMIT_EXCEEDED",
                status=503,
                headers={"Retry-After": str(AGAIN_AFTER_S)},
                limit="subscriptions",
            )
        self.open += 1
        SUBSCRIPTIONS.inc()
        try:
            source = await self._source(request, compiled, parameters)
            async with aclosing(_while_wanted(source, request)) as events:
                async for event in events:
                    answer = await self._answer(request, compiled, parameters, event)
                    EVENTS.labels("failed" if "errors" in answer else "told").inc()
                    yield answer
        finally:
            self.open -= 1
            SUBSCRIPTIONS.dec()

    async def _source(
        self, request: Request, compiled: Compiled, parameters: Parameters
    ) -> AsyncGenerator[object, None]:
        try:
            async with asyncio.timeout(self._streams.subscription_begin_s), self._beginning:
                source = await create_source_event_stream(
                    self._schema,
                    compiled.document,
                    context_value=await self._context(request),
                    variable_values=parameters.variables,
                    operation_name=parameters.operation_name,
                )
        except TimeoutError:
            raise RequestRefused(
                f"The subscription did not begin within {self._streams.subscription_begin_s:g} s. Ask again later.",
                code="TIMEOUT",
                status=504,
            ) from None
        if isinstance(source, ExecutionResult):
            raise DocumentRefused(source.errors or (), code="BAD_USER_INPUT")
        return cast(AsyncGenerator[object, None], source)

    async def _answer(self, request: Request, compiled: Compiled, parameters: Parameters, event: object) -> Answer:
        """The answer to one event, asked for again until the database that it is read from is there."""
        pause_s = 0.5
        while True:
            answer = await self._executed(request, compiled, parameters, event)
            if not _is_unavailable(answer):
                return answer
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _executed(self, request: Request, compiled: Compiled, parameters: Parameters, event: object) -> Answer:
        budget_s = self._limits.execution_s
        context = await self._context(request)
        try:
            async with asyncio.timeout(budget_s):
                executing = compiled.execute(
                    root_value=event,
                    context_value=context,
                    variable_values=parameters.variables,
                    operation_name=parameters.operation_name,
                    hide_suggestions=self._limits.hides_suggestions,
                )
                result = await executing if isawaitable(executing) else executing
        except TimeoutError:
            told = f"The event took longer than {budget_s:g} seconds to tell. Follow less."
            return {"data": None, "errors": [{"message": told, "extensions": {"code": "TIMEOUT"}}]}
        answer: Answer = {"data": result.data}
        if result.errors:
            answer["errors"] = present(result.errors, code="BAD_USER_INPUT")
        if degraded := getattr(context, "degraded", None):
            answer["extensions"] = {"degraded": degraded}
            note_degraded(degraded)
        return answer


async def _while_wanted(events: AsyncGenerator[T, None], request: Request) -> AsyncGenerator[T, None]:
    """The events, until the client leaves or the server closes, whatever they wait for then.

    Raises:
        ClientDisconnect: One of both has happened.
    """
    ends = {asyncio.create_task(departure(request.receive)), asyncio.create_task(closing_of(request.scope))}
    try:
        async with aclosing(events):
            while True:
                coming = asyncio.ensure_future(anext(events))
                try:
                    await asyncio.wait({coming, *ends}, return_when=asyncio.FIRST_COMPLETED)
                    if any(end.done() for end in ends):
                        raise ClientDisconnect
                    event = coming.result()
                except StopAsyncIteration:
                    return
                finally:
                    if not coming.done():
                        coming.cancel()
                        await asyncio.wait({coming})
                yield event
    finally:
        for end in ends:
            end.cancel()


async def departure(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def closing_of(scope: Scope) -> None:
    """Return when the server that a connection came through begins to close; never under one that does not tell."""
    closing = scope.get("state", {}).get(CLOSING)
    await (closing or asyncio.Event()).wait()


def _is_unavailable(answer: Answer) -> bool:
    errors = cast(list[dict[str, Any]], answer.get("errors", []))
    return any(error["extensions"]["code"] == "SERVICE_UNAVAILABLE" for error in errors)
