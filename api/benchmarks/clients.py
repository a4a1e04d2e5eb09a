"""Clients of a server that is a process of its own, and what that process spends.

They speak just enough HTTP/1.1 to keep a server busy from one core. What a server spends is its processor time, which
holds on a busy machine too, where requests per second do not.
"""

import asyncio
import re
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from mentorgraph.graph.errors import DomainError

STOPPED_WITHIN_S = 20.0
_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
_REQUEST = (
    b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)


class Broken(DomainError):
    """A server has ended, or said what is no answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="SERVICE_UNAVAILABLE")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: Of HTTP.
        body: As it came.
    """

    status: int
    body: bytes


class Client(asyncio.Protocol):
    """One connection, on which one request follows another."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (of TCP)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass the answer on when it is whole."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        if length is None:
            return self._fail("an answer does not tell its length")
        whole = end + 4 + int(length[1])
        if len(self._received) >= whole and self._waiting is not None:
            answer = Answer(int(self._received[9:12]), bytes(self._received[end + 4 : whole]))
            del self._received[:whole]
            waiting, self._waiting = self._waiting, None
            waiting.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self._transport = None
        self._fail("the server closed the connection")

    def _fail(self, why: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(Broken(why))

    async def ask(self, body: bytes, path: str = "/graphql") -> Answer:
        """The answer to one request.

        Raises:
            Broken: There is none.
        """
        if self._transport is None:
            raise Broken("the server closed the connection")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(_REQUEST % (path.encode(), len(body), body))
        return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


@dataclass(frozen=True)
class Server:
    """A process that serves on a port of this machine.

    Attributes:
        port: The port.
        pid: The process.
    """

    port: int
    pid: int

    @property
    def cpu_s(self) -> float:
        """Processor time that it has spent, its own and the system's on its behalf."""
        import psutil  # here, since only benchmarks need it

        spent = psutil.Process(self.pid).cpu_times()
        return float(spent.user + spent.system)

    @property
    def memory_mb(self) -> float:
        """Memory that it holds now."""
        import psutil

        return float(psutil.Process(self.pid).memory_info().rss / 1e6)

    @asynccontextmanager
    async def clients(self, count: int) -> AsyncIterator[Sequence[Client]]:
        """Some connections to it, for the block."""
        loop, found = asyncio.get_running_loop(), list[Client]()
        try:
            for _ in range(count):
                _, client = await loop.create_connection(Client, "127.0.0.1", self.port)
                found.append(client)
            yield found
        finally:
            for client in found:
                client.close()


@contextmanager
def served(command: Callable[[int], Sequence[str]], environment: dict[str, str] | None = None) -> Iterator[Server]:
    """A server that runs while the block does.

    Args:
        command: The words that start it, given the number of the listening socket that it inherits.
        environment: Its variables; ours if not given.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port, descriptor = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen(  # noqa: S603 (a command of ours)
            command(descriptor), pass_fds=[descriptor], env=environment, stdout=subprocess.DEVNULL
        )
    try:
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def all_at_once(work: Callable[[Client], Awaitable[None]], clients: Sequence[Client]) -> float:
    """Has every client do its work, and returns after how many seconds the last one was done."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(_awaited(work(client)))
    return time.perf_counter() - began


async def _awaited(work: Awaitable[None]) -> None:
    await work
