"""GraphQL over WebSocket, by the protocol of `graphql-transport-ws` (github.com/enisdenjo/graphql-ws, PROTOCOL.md).

A page of any origin may open a WebSocket, and the browser sends its cookies along; so the handshake is refused where an
`Origin` is not our own. A client that does not take what is sent to it is dropped by the server's protocol, which sees
the bytes; see `server.PunctualWebSocket`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing, suppress
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from mentorgraph.api.errors import RequestRefused, code_of, refusal_of
from mentorgraph.api.limits import Limits, StreamLimits
from mentorgraph.api.observing import SOCKETS
from mentorgraph.api.parameters import Parameters, parameters_of
from mentorgraph.api.streaming import Answer, ContextFactory, closing_of

SUBPROTOCOL = "graphql-transport-ws"
PAYLOAD_HEADERS = frozenset({"authorization", "mentorgraph-viewer"})
"""Headers that a browser cannot send with a WebSocket, and that the payload of `connection_init` may carry instead."""

GOING_AWAY, POLICY, TOO_BIG, TRY_LATER = 1001, 1008, 1009, 1013
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, BAD_SUBPROTOCOL = 4400, 4401, 4403, 4406
INIT_TIMEOUT, DUPLICATE, DOUBLE_INIT, INTERNAL = 4408, 4409, 4429, 4500
LONGEST_REASON = 120
"""Bytes; the frame that closes a connection holds 123."""

CLOSING_CODES = {
    "UNAUTHENTICATED": UNAUTHORIZED,
    "FORBIDDEN": FORBIDDEN,
    "SERVICE_UNAVAILABLE": TRY_LATER,
    "RATE_LIMITED": TRY_LATER,
}
"""Code of a refusal of the whole connection → code that it is closed with."""

Answering: TypeAlias = Callable[[Request, Parameters], AsyncGenerator[Answer, None]]


class Closed(Exception):
    """The connection is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class GraphQLSocket:
    """An ASGI application that answers GraphQL operations over WebSockets.

    Args:
        answers: The answers to an operation, one after the other.
        context: As for `GraphQLEndpoint`; called once when a client says who it is, so that it hears at once whether
            that will do.
        limits: The bounds of one request.
        streams: The bounds of connections.
        origins: Origins whose pages may connect, beside our own.
    """

    def __init__(
        self,
        answers: Answering,
        *,
        context: ContextFactory,
        limits: Limits,
        streams: StreamLimits,
        origins: Collection[str] = (),
    ) -> None:
        self.answers = answers
        self.context = context
        self.limits = limits
        self.streams = streams
        self._origins = frozenset(origins)
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until either side closes it."""
        if (await receive())["type"] != "websocket.connect":
            return
        if not is_own_origin(Headers(scope=scope), self._origins):
            await send({"type": "websocket.close", "code": POLICY})  # before it is accepted, this is a 403
            return
        is_spoken = SUBPROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if is_spoken else None})
        self._open += 1
        SOCKETS.inc()
        try:
            if not is_spoken:
                raise Closed(BAD_SUBPROTOCOL, "Subprotocol not acceptable")
            if self._open > self.streams.max_sockets:
                raise Closed(TRY_LATER, "Too many connections")
            await _Connection(self, scope, receive, send).serve()
        except Closed as closed:
            with suppress(OSError):  # the client may have left meanwhile
                await send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})
        except OSError:
            return
        finally:
            self._open -= 1
            SOCKETS.dec()


class _Operation:
    """One operation of a connection, which hears when nobody waits for its answers any more."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def receive(self) -> Message:
        """What the operation takes for the rest of an HTTP request: nothing, until nobody waits."""
        await self._over.wait()
        return {"type": "http.disconnect"}

    def end(self) -> None:
        """Say that nobody waits any more."""
        self._over.set()


class _Connection:
    """The life of one connection."""

    def __init__(self, served: GraphQLSocket, scope: Scope, receive: Receive, send: Send) -> None:
        self._served = served
        self._scope = scope
        self._receive = receive
        self._transmit = send
        self._turn = asyncio.Lock()
        self._operations: dict[str, _Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._headers: list[tuple[bytes, bytes]] = []
        self._has_said_who = False
        self._is_known = False

    async def serve(self) -> None:
        """Answer messages until the client leaves.

        Raises:
            Closed: We are to close the connection.
            OSError: The client has left without a word.
        """
        reading = asyncio.create_task(self._read())
        closing = asyncio.create_task(closing_of(self._scope))
        try:
            await asyncio.wait({reading, closing, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
            if reading.done():
                return reading.result()
            raise Closed(GOING_AWAY, "Going away")
        finally:
            reading.cancel()
            closing.cancel()
            for operation in self._operations.values():
                operation.end()
            self._operations.clear()
            ended, _ = await asyncio.wait({reading, closing, *self._tasks})
            for task in ended:
                if not task.cancelled():
                    task.exception()  # seen: asyncio does not report it
            self._failed.cancel()

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._served.streams.socket_init_s) as waiting:
                while True:
                    message = await self._receive()
                    if message["type"] == "websocket.disconnect":
                        return
                    await self._take(_parsed(message, self._served.limits.max_body_bytes))
                    if self._is_known:
                        waiting.reschedule(None)
        except TimeoutError:
            raise Closed(INIT_TIMEOUT, "Connection initialisation timeout") from None

    async def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._begin(_payload_of(message))
            case "ping":
                _payload_of(message)
                await self._send({"type": "pong"})
            case "pong":
                _payload_of(message)
            case "subscribe":
                await self._subscribe(_id_of(message), message.get("payload"))
            case "complete":
                if operation := self._operations.pop(_id_of(message), None):
                    operation.end()
            case _:
                raise Closed(BAD_MESSAGE, "Invalid message type")

    async def _begin(self, payload: dict[str, object]) -> None:
        if self._has_said_who:
            raise Closed(DOUBLE_INIT, "Too many initialisation requests")
        self._has_said_who = True
        for name, value in payload.items():
            if name.lower() in PAYLOAD_HEADERS:
                if not isinstance(value, str):
                    raise Closed(BAD_MESSAGE, f"{name} in the payload is not a string")
                self._headers.append((name.lower().encode(), value.encode("latin-1", "replace")))
        try:
            await self._served.context(self._request(_Operation()))
        except Exception as error:
            refused = refusal_of(error)
            otherwise = INTERNAL if refused.status >= 500 else BAD_MESSAGE
            raise Closed(CLOSING_CODES.get(code_of(refused), otherwise), str(refused)) from None
        self._is_known = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, id: str, payload: object) -> None:
        if not self._is_known:
            raise Closed(UNAUTHORIZED, "Unauthorized")
        if id in self._operations:
            raise Closed(DUPLICATE, f"Subscriber for {id} already exists")
        try:
            parameters = parameters_of(payload, "payload of the message")
        except RequestRefused as refused:
            raise Closed(BAD_MESSAGE, str(refused)) from None
        most = self._served.streams.max_socket_operations
        if len(self._operations) >= most:
            told = f"There are {most} operations on this connection already; complete one of them first."
            refusal = RequestRefused(told, code="LIMIT_EXCEEDED")
            await self._send({"id": id, "type": "error", "payload": refusal.errors})
            return
        operation = self._operations[id] = _Operation()
        task = asyncio.create_task(self._run(id, operation, parameters))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, id: str, operation: _Operation, parameters: Parameters) -> None:
        """Carry out one operation; what ends the whole connection is passed on to whoever serves it."""
        try:
            last = await self._send_answers(id, operation, parameters)
            if last and self._operations.get(id) is operation:
                del self._operations[id]  # before the client hears of it, and may use the id again
                await self._send({"id": id, **last})
        except (Closed, OSError) as error:
            if not self._failed.done():
                self._failed.set_exception(error)

    async def _send_answers(self, id: str, operation: _Operation, parameters: Parameters) -> dict[str, object]:
        """Send the answers to an operation and return the message that ends it; none where nobody waits for it."""
        try:
            async with aclosing(self._served.answers(self._request(operation), parameters)) as answers:
                async for answer in answers:
                    if self._operations.get(id) is operation:
                        await self._send({"id": id, "type": "next", "payload": answer})
        except (Closed, OSError):
            raise
        except ClientDisconnect:
            return {}
        except Exception as error:
            refused = refusal_of(error)
            if code_of(refused) == "UNAUTHENTICATED":
                raise Closed(UNAUTHORIZED, str(refused)) from None
            return {"type": "error", "payload": refused.errors}
        return {"type": "complete"}

    def _request(self, operation: _Operation) -> Request:
        """The HTTP request that an operation amounts to: whatever reads requests need not know of WebSockets."""
        own = {name for name, _ in self._headers}
        headers = [(name, value) for name, value in self._scope["headers"] if name not in own] + self._headers
        return Request({**self._scope, "type": "http", "method": "POST", "headers": headers}, operation.receive)

    async def _send(self, message: dict[str, object]) -> None:
        async with self._turn:
            await self._transmit({"type": "websocket.send", "text": orjson.dumps(message).decode()})


def is_own_origin(headers: Headers, others: Collection[str] = ()) -> bool:
    """Tell whether a page that may read our answers asks, or no page at all."""
    origin = headers.get("origin")
    return origin is None or origin in others or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _parsed(message: Message, max_bytes: int) -> dict[str, Any]:
    text = message.get("text")
    if text is None:
        raise Closed(BAD_MESSAGE, "Messages are JSON objects in text frames")
    if len(text.encode(errors="replace")) > max_bytes:
        raise Closed(TOO_BIG, f"A message is larger than {max_bytes} bytes")
    try:
        parsed = orjson.loads(text)
    except ValueError:
        raise Closed(BAD_MESSAGE, "The message is not valid JSON") from None
    if not isinstance(parsed, dict):
        raise Closed(BAD_MESSAGE, "The message is not a JSON object")
    return parsed


def _payload_of(message: dict[str, Any]) -> dict[str, object]:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closed(BAD_MESSAGE, "The payload of the message is not an object")
    return payload or {}


def _id_of(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id:
        raise Closed(BAD_MESSAGE, "The message has no id, or one that is not a string")
    return id
