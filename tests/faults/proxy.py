"""A way between the service and its database that can be blocked, slowed down and cut, also right after a COMMIT.

It is a proxy of our own, and not toxiproxy, for three reasons. It can tell a COMMIT of the Bolt protocol from other
messages, so it can cut a connection once the server has committed and before the service hears of it, which no filter
of bytes or times can aim at. It runs in the event loop of the test, so a fault begins and ends at a known instant of
the history. And it needs neither Go nor root, so the same rounds run wherever the tests do.
"""

import asyncio
from contextlib import suppress
from enum import Enum, auto
from types import TracebackType
from typing import Self

COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"""A chunk of two bytes, the structure without fields whose tag is that of COMMIT, and the end of the message."""

CHUNK_BYTES = 65_536
SLOW_CHUNK_BYTES = 1_024


class Loss(Enum):
    """What gets lost when a COMMIT is sent, and with it the connection."""

    ANSWER = auto()
    """The server's answer: it has committed."""
    MESSAGE = auto()
    """The COMMIT itself: the server rolls back."""
    ALL = auto()
    """All that is sent from then on, by whomever; nothing breaks, and nothing is heard."""


class Proxy:
    """Passes connections on to a port of this machine.

    Attributes:
        port: Where it listens.
        bytes_per_s: How much a connection lets through each way; None for all.
        at_commits: What happens at the next commits, one after the other.
        has_lost: How many commits it has happened to.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._passes = asyncio.Event()
        self._passes.set()
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.bytes_per_s: float | None = None
        self.at_commits: list[Loss] = []
        self.has_lost = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.let_through()
        while self._tasks:
            self.reset()
            await asyncio.wait(self._tasks, timeout=0.1)

    def swallow(self) -> None:
        """Let nothing through any more, as if all packets were lost. New connections are accepted and hear nothing."""
        self._passes.clear()

    def let_through(self) -> None:
        """Undo all that was done. What was swallowed arrives now, as TCP has it sent again."""
        self.bytes_per_s, self.at_commits = None, []
        self._passes.set()

    def reset(self) -> None:
        """Break all connections."""
        for link in list(self._links):
            link.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        link = _Link([writer])
        self._links.add(link)
        try:
            await self._passes.wait()
            back, forth = await asyncio.open_connection("127.0.0.1", self._to_port)
            link.writers.append(forth)
            both = (self._pump(reader, forth, link, is_asking=True), self._pump(back, writer, link, is_asking=False))
            ways = {asyncio.create_task(way) for way in both}
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.wait(ways)
        except OSError:
            pass
        finally:
            link.abort()
            self._links.discard(link)
            self._tasks.discard(task)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: "_Link", *, is_asking: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(SLOW_CHUNK_BYTES if self.bytes_per_s else CHUNK_BYTES):
                if self.bytes_per_s:
                    await asyncio.sleep(len(data) / self.bytes_per_s)
                if is_asking and self.at_commits and data.endswith(COMMIT):
                    link.loses = self.at_commits.pop(0)
                    self.has_lost += 1
                    if link.loses is Loss.MESSAGE:
                        return
                    if link.loses is Loss.ALL:
                        self.swallow()
                elif link.loses is Loss.ANSWER and not is_asking:
                    return
                await self._passes.wait()
                writer.write(data)
                await writer.drain()


class _Link:
    """A connection through the proxy."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self.writers = writers
        self.loses: Loss | None = None

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
