"""The server process: uvicorn, with the bounds that it leaves open.

uvicorn waits for ever for a client that connects and says nothing, or that does not take what it is sent. Both are cut
here; several workers are looked after in `supervisor`.
"""

import asyncio
import copy
import gc
import ipaddress
import logging
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG, STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from mentorgraph.api.streaming import CLOSING
from mentorgraph.api.supervisor import Supervisor

logger = logging.getLogger(__name__)

GRACE_S = 10
GARBAGE_AFTER = 10_000
"""New objects after which Python looks for circles of garbage; what an answer makes is mostly none."""

TOO_SLOW = 1013
"""Code with which a WebSocket is closed whose client does not take what it is sent; it may connect again."""

MAX_MESSAGE_BYTES = 131_072
WEBSOCKET_LOG = "mentorgraph.websocket"


class PunctualProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a deadline for the whole of each request and a bound on its head.

    The clock runs from the first byte of a request (the first one: from the connection) to its last, and while a client
    does not take what it asked for. The pause between two requests is uvicorn's `timeout_keep_alive`.
    """

    patience_s = 15.0
    max_head_bytes = 65_536

    _until: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a client that connects has something to say."""
        self.app_state.setdefault(CLOSING, asyncio.Event())
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the clock also for bytes that begin no request, such as empty lines."""
        self._start_clock()
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Start the clock for a request that follows another one in the same packet."""
        self._start_clock()
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Leave the head."""
        self._is_in_head, before = False, self.cycle
        super().on_headers_complete()
        if self.cycle is not None and self.cycle is not before and self.scope["method"] != "HEAD":
            self.cycle.transport = _WholeAnswer(self.transport)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """Stop the clock: the request is here."""
        self._stop_clock()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Start the clock: the client does not take the answer."""
        self._start_clock()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        """Stop the clock: another protocol goes on with the connection."""
        self._stop_clock()
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        """Tell what goes on without end that it has to."""
        self.app_state[CLOSING].set()
        super().shutdown()

    def _start_clock(self) -> None:
        if self._until is None:
            self._until = self.loop.time() + self.patience_s
            if self._timer is None:
                self._timer = self.loop.call_at(self._until, self._look)

    def _stop_clock(self) -> None:
        self._until = None

    def _look(self) -> None:
        """End the connection where the time is over. One timer serves many requests, as most are here at once."""
        self._timer = None
        if self._until is not None and self.loop.time() < self._until:
            self._timer = self.loop.call_at(self._until, self._look)
        elif self._until is not None:
            self.transport.abort()


class _WholeAnswer:
    """What one answer is written to: its head goes out with the first of its body, in one packet.

    uvicorn sends the head at once. That is one more call of the system, which takes as long as all of a small answer,
    and wakes up the client for nothing.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Send, or keep the head."""
        if self._head is None and not data.startswith(b"HTTP/1.1 100 "):
            self._head = data
        else:
            self._transport.write((self._head or b"") + data)
            self._head = self._head and b""

    def close(self) -> None:
        """Send what is left, and close the connection."""
        if self._head:
            self._transport.write(self._head)
        self._transport.close()


class PunctualWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with a deadline for a client to take what it is sent, and a word when we close.

    What is too much for the connection waits in whoever sends it, so at most one message is kept for a slow client.
    """

    patience_s = 15.0
    last_chance_s = 2.0

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = self.conn.logger = logging.getLogger(WEBSOCKET_LOG)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the clock: the client does not take what it is sent. What it says meanwhile might call for more."""
        super().pause_writing()
        self.transport.pause_reading()
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.patience_s, self._drop)

    def resume_writing(self) -> None:
        """Stop the clock."""
        self._stop_clock()
        if not self.read_paused:
            self.transport.resume_reading()
        super().resume_writing()

    def shutdown(self) -> None:
        """Have the application close the connection, with the code of a server that goes away."""
        if self.handshake_complete and not self.close_sent:
            self.app_state[CLOSING].set()
        else:
            super().shutdown()

    def _drop(self) -> None:
        """Say why, behind what the client has not taken yet, and end the connection a moment later."""
        if not self.close_sent and not self.transport.is_closing():
            self.close_sent = self.disconnected = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": TOO_SLOW})
            self.conn.send_close(TOO_SLOW, "Too slow")
            self.transport.write(b"".join(self.conn.data_to_send()))
        self._deadline = self.loop.call_later(self.last_chance_s, self.transport.abort)

    def _stop_clock(self) -> None:
        if self._deadline is not None and not self.close_sent:
            self._deadline.cancel()
            self._deadline = None


class _Config(uvicorn.Config):
    """uvicorn's configuration, which each worker loads first of all."""

    def load(self) -> None:
        """Load the application.

        One that fails to load would fail again: the status tells the supervisor not to try for ever.
        """
        try:
            super().load()
        except Exception:
            logger.exception("The application could not be loaded.")
            sys.exit(STARTUP_FAILURE)
        # What was loaded stays, so Python need not look through it for garbage again and again while it answers.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_AFTER)


def is_loopback(host: str) -> bool:
    """Say whether a name or address reaches this machine only.

    Raises:
        OSError: The name cannot be resolved.
    """
    return all(ipaddress.ip_address(str(entry[4][0])).is_loopback for entry in socket.getaddrinfo(host, None))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that a taken port shows before anything is started.

    Raises:
        OSError: The name cannot be resolved, or the port cannot be had.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.create_server(address[:2], family=family, backlog=2048)
    # Connections inherit this; asyncio sets it only for sockets that it made. Without it answers wait 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(app: str, listener: socket.socket, *, workers: int, log_format: str = "text") -> int:
    """Serve until a signal says stop, and return the exit status.

    Args:
        app: `module:name` of a factory without arguments that returns an ASGI application; each worker calls it.
        listener: The listening socket, which the workers share.
        workers: The number of processes; with more than one, a supervisor replaces those that die.
        log_format: `text`, or `json` for one object a line.
    """
    log_config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    log_config["loggers"]["mentorgraph"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    if log_format == "json":
        log_config["formatters"]["default"] = {"()": "mentorgraph.api.logs.JsonLines"}
    log_config["loggers"][WEBSOCKET_LOG] = {"level": "WARNING"}
    config = _Config(
        app,
        factory=True,
        http=PunctualProtocol,
        ws=PunctualWebSocket,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # a compressor for each connection takes memory, and messages are small
        workers=workers,
        log_config=log_config,
        access_log=False,  # it holds addresses and query strings; the application logs its requests itself
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=65,  # longer than the pools of clients and proxies keep a connection, which is 60 s for most
        timeout_graceful_shutdown=GRACE_S,
    )
    if workers > 1:
        config.configure_logging()
        return Supervisor(config, listener, GRACE_S).run()
    server = uvicorn.Server(config)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    return 0 if server.started else STARTUP_FAILURE
