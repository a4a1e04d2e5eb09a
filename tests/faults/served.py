"""A real server, `mentorgraph serve` with two workers, whose database it reaches through a proxy that can fail."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mentorgraph.graph.embedded import database as embedded
from mentorgraph.graph.embedded.database import EmbeddedDatabase

from .crowd import Connection, Lost, code_of
from .proxy import Proxy

WITHIN_S = 120.0
WORKERS = 2

SERVE = """
import sys
from mentorgraph.api.server import listen, serve
sys.exit(serve(sys.argv[1], listen("127.0.0.1", int(sys.argv[2])), workers=int(sys.argv[3])))
"""
REAL = "mentorgraph.api.app:from_environment"


@dataclass
class Service:
    """A server that runs.

    Attributes:
        port: Where it answers.
        process: Its supervisor.
        proxy: The way to its database.
        database: The database.
    """

    port: int
    process: psutil.Process
    proxy: Proxy
    database: EmbeddedDatabase

    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        return [each for each in self.process.children() if _serves(each)]

    def java(self) -> int:
        """The process of the database."""
        pid = embedded.status(self.database.home).java_pid
        assert pid
        return pid

    async def restart_database(self) -> None:
        """Kill it, and wait until the guardian has started it again."""
        killed = self.java()
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: self._is_ready(other_than=killed))

    def _is_ready(self, other_than: int) -> bool:
        found = embedded.status(self.database.home)
        return found.state == "ready" and found.java_pid != other_than


def _serves(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # it has just ended
        return "spawn_main" in " ".join(process.cmdline())
    return False


async def eventually(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Wait, without holding up the event loop."""
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def serving(
    database: EmbeddedDatabase, folder: Path, *, factory: str = REAL, **settings: str
) -> AsyncIterator[Service]:
    """A server that answers; it has ended afterwards, and so have its workers.

    Args:
        database: Its database.
        folder: Its home.
        factory: What makes its application.
        settings: More variables of its environment.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    async with Proxy(int(database.uri.rpartition(":")[2])) as proxy:
        environment = os.environ | settings
        environment |= {"NEO4J_URI": f"bolt://127.0.0.1:{proxy.port}", "NEO4J_DATABASE": database.database}
        environment |= {"NEO4J_USER": database.user, "NEO4J_PASSWORD": database.password}
        environment |= {"MENTORGRAPH_HOME": str(folder), "MENTORGRAPH_DEMO": "1"}
        paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment |= {"PYTHONPATH": os.pathsep.join(paths)}
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-c", SERVE, factory, str(port), str(WORKERS)]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        service = Service(port, psutil.Process(process.pid), proxy, database)
        try:
            await _until_it_answers(port)
            workers = service.workers()
            yield service
            workers = service.workers()
        finally:
            proxy.let_through()
            process.send_signal(signal.SIGTERM)
            status = await asyncio.to_thread(process.wait, 30)
        assert status == 0
        assert not any(worker.is_running() for worker in workers)


async def _until_it_answers(port: int) -> None:
    """Wait until each worker has most probably answered once."""
    async with asyncio.timeout(WITHIN_S):
        answered = 0
        while answered < 4 * WORKERS:
            connection = Connection(port)
            try:
                asking = "query ($id: ID!) { person(id: $id) { id } }"
                answered += code_of(await connection.ask(asking, {"id": "x"})) in {"OK", "BAD_USER_INPUT"}
            except Lost:
                pass
            finally:
                connection.close()
            await asyncio.sleep(0.05)
