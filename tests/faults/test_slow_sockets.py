"""Two hundred clients that say nothing, half of a head, or a byte a second: they are cut, and others hear no later."""

import asyncio
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mentorgraph.api.server import PunctualProtocol, listen

from ..api.test_serve import ImpatientProtocol, server_process, small_app, wait_until
from ..api.test_serve import answers as is_answering
from .crowd import Connection

HALF_A_HEAD = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Le"
WHOLE_HEAD = (
    b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
)
KINDS = ("silent", "half a head", "a byte a second")
LATE_S = 2.0
"""How much later than it should a client may notice that it was cut, on a busy machine."""


async def cut_after(port: int, kind: str, within_s: float) -> float:
    """After how many seconds a slow client is cut; infinite if it is not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()

    async def drip() -> None:
        for byte in WHOLE_HEAD + b" " * 900:
            writer.write(bytes([byte]))
            await asyncio.sleep(1)

    writer.write(HALF_A_HEAD if kind == "half a head" else b"")
    dripping = asyncio.create_task(drip()) if kind == "a byte a second" else None
    try:
        with suppress(ConnectionError):
            async with asyncio.timeout(within_s):
                while await reader.read(1_000):
                    pass
        return time.monotonic() - began
    except TimeoutError:
        return float("inf")
    finally:
        if dripping:
            dripping.cancel()
        writer.transport.abort()


async def all_cut_after(port: int, count: int, within_s: float) -> list[float]:
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    return await asyncio.gather(*(cut_after(port, kind, within_s) for kind in kinds))


@contextmanager
def serving(protocol: type[asyncio.Protocol]) -> Iterator[int]:
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(small_app, factory=True, http=protocol, ws="none", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


def test_slow_clients_are_all_cut_by_our_protocol_and_none_by_that_of_uvicorn() -> None:
    with serving(ImpatientProtocol) as port:
        assert max(asyncio.run(all_cut_after(port, 60, within_s=20))) < ImpatientProtocol.patience_s + LATE_S
    with serving(HttpToolsProtocol) as port:
        within_s = ImpatientProtocol.patience_s + LATE_S
        assert min(asyncio.run(all_cut_after(port, 6, within_s))) == float("inf")


@asynccontextmanager
async def asking(port: int, clients: int) -> AsyncIterator[list[float]]:
    """Ordinary clients that ask all the while; in the end, how long each answer took."""
    seconds: list[float] = []
    ended = asyncio.Event()

    async def ask_on() -> None:
        connection = Connection(port)
        while not ended.is_set():
            began = time.monotonic()
            answer = await connection.ask("{ worker }", {})
            seconds.append(time.monotonic() - began)
            assert "errors" not in answer
            await asyncio.sleep(0.02)
        connection.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(ask_on())
        yield seconds
        ended.set()


@pytest.mark.slow
def test_two_hundred_slow_clients_are_cut_in_time_and_others_wait_no_longer(
    record_property: Callable[[str, object], None],
) -> None:
    async def measure(port: int) -> tuple[float, float, list[float]]:
        async with asking(port, 8) as alone:
            await asyncio.sleep(PunctualProtocol.patience_s)
        async with asking(port, 8) as beside:
            cut = await all_cut_after(port, 200, within_s=40)
        return p95(alone), p95(beside), cut

    with server_process("small_app", workers=2) as (_, port):
        wait_until(lambda: is_answering(port), within_s=60)
        alone, beside, cut = asyncio.run(measure(port))
    times = f"p95 {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside"
    told = f"{len(cut)} cut after {min(cut):.1f} to {max(cut):.1f} s; {times}"
    print(told)
    record_property("slow sockets", told)
    assert max(cut) < PunctualProtocol.patience_s + LATE_S
    assert beside < 2 * alone


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]
