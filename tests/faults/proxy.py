"""A way between the service and its database that can be blocked, slowed down and cut, also right after a COMMIT.

It is a proxy of our own, and not toxiproxy, for three reasons. It can tell a COMMIT of the Bolt protocol from other
messages, so it can cut a connection once the server has committed and before the service hears of it, which no filter
of bytes or times can aim at. It runs in the event loop of the test, so a fault begins and ends at a known instant of
the history. And it needs neither Go nor root, so the same rounds run wherever the tests do.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"""A chunk of two bytes, the structure without fields whose tag is that of COMMIT, and the end of the message."""

CHUNK_BYTES = 65_536
SLOW_CHUNK_BYTES = 1_024


class Proxy:
    """Passes connections on to a port of this machine.

    Attributes:
        port: Where it listens.
        bytes_per_s: How much a connection lets through each way; None for all.
        cuts: How many of the next commits are cut off between the server's answer and the service.
        has_cut: How many were.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._passes = asyncio.Event()
        self._passes.set()
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.bytes_per_s: float | None = None
        self.cuts = 0
        self.has_cut = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def swallow(self) -> None:
        """Let nothing through any more, as if all packets were lost. New connections are accepted and hear nothing."""
        self._passes.clear()

    def let_through(self) -> None:
        """Undo all that was done. What was swallowed arrives now, as TCP has it sent again."""
        self.bytes_per_s, self.cuts = None, 0
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
                await self._passes.wait()
                if is_asking and self.cuts and data.endswith(COMMIT):
                    self.cuts -= 1
                    link.commits = True
                elif link.commits and not is_asking:
                    self.has_cut += 1
                    return
                writer.write(data)
                await writer.drain()


class _Link:
    """A connection through the proxy."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self.writers = writers
        self.commits = False

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
