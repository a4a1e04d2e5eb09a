"""Several workers on one port: those that end are replaced, and so are those that do not move any more.

uvicorn's own supervisor asks a thread of each worker whether it lives. Such a thread answers while the event loop is
stuck and nobody is served, and one that is no more keeps the supervisor waiting: a server whose workers could not start
ended only after half a minute. Here the event loop of each worker writes down every half second that it runs, into
memory that both share; looking at it takes no time and needs nothing of the worker.
"""

import asyncio
import faulthandler
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from contextlib import suppress
from ctypes import c_double
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import uvicorn
from uvicorn.config import STARTUP_FAILURE

logger = logging.getLogger(__name__)

STUCK_AFTER_S = 8.0
"""A worker whose event loop has not run for so long is replaced. Its clients are told, by the end of their connections,
within twice the time budget of a request."""

BEAT_S = 0.5
LOOK_S = 0.25
PAUSED_S = 2.0
"""Where the supervisor itself did not run for so long, all were paused: what the workers missed counts for nothing."""

NEXT_AFTER_S = 1.0
"""A worker that ends at once is not replaced at once."""

TELLS_WHERE = signal.SIGUSR1
"""Has a worker write down where its main thread is, whatever that is doing."""

_spawning = multiprocessing.get_context("spawn")


class Worker:
    """One process that serves.

    Args:
        config: uvicorn's configuration.
        listener: The listening socket.
        grace_s: How long it may take to end once its supervisor is gone.
        folder: Where it writes down where it is.
    """

    def __init__(self, config: uvicorn.Config, listener: socket.socket, grace_s: float, folder: Path) -> None:
        self._beat = RawValue(c_double, 0.0)
        self._folder = folder
        self._began = time.monotonic()
        self.process: SpawnProcess = _spawning.Process(
            target=_work, args=(config, listener, self._beat, grace_s, folder), name="worker"
        )
        self.process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid or 0

    @property
    def is_replaceable(self) -> bool:
        """Whether it is time for another one in its place."""
        return time.monotonic() - self._began >= NEXT_AFTER_S

    def stuck_s(self) -> float:
        """For how long its event loop has not run; 0 before it first did."""
        return time.monotonic() - self._beat.value if self._beat.value else 0.0

    def excuse(self) -> None:
        """Forget what was missed so far."""
        if self._beat.value:
            self._beat.value = time.monotonic()

    def where(self) -> str:
        """Where its main thread is: files and lines, most recent call first. Empty where it cannot tell."""
        with suppress(OSError):
            os.kill(self.pid, TELLS_WHERE)
            time.sleep(LOOK_S)
            return _trace(self._folder, self.pid).read_text("utf-8", "replace").strip()
        return ""

    def kill(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.join()


class Supervisor:
    """Runs workers until a signal says stop.

    Args:
        config: uvicorn's configuration; `workers` is how many.
        listener: The listening socket, which they share.
        grace_s: How long a worker may take to end.
    """

    def __init__(self, config: uvicorn.Config, listener: socket.socket, grace_s: float) -> None:
        self._config = config
        self._listener = listener
        self._grace_s = grace_s
        self._is_ending = False

    def run(self) -> int:
        """Serve, and return the exit status: 0, or that of workers which cannot start."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        with tempfile.TemporaryDirectory(prefix="mentorgraph-workers-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = name  # the workers inherit it
            workers = [self._begin(folder) for _ in range(self._config.workers)]
            looked = time.monotonic()
            status = 0
            while not self._is_ending and not status:
                time.sleep(LOOK_S)
                now = time.monotonic()
                if now - looked > PAUSED_S:
                    for worker in workers:
                        worker.excuse()
                looked = now
                for place, worker in enumerate(workers):
                    code = self._ended(worker)
                    if code == STARTUP_FAILURE:
                        logger.error("Worker %d could not start: the server ends.", worker.pid)
                        status = STARTUP_FAILURE
                    elif code is not None and worker.is_replaceable and not self._is_ending:
                        logger.warning("Worker %d ended (%d) and is replaced.", worker.pid, code)
                        workers[place] = self._begin(folder)
            self._stop(workers)
        return status

    def _begin(self, folder: Path) -> Worker:
        return Worker(self._config, self._listener, self._grace_s, folder)

    def _end(self, _number: int, _frame: object) -> None:
        self._is_ending = True

    @staticmethod
    def _ended(worker: Worker) -> int | None:
        """The exit status of a worker that has ended, or is ended now because it is stuck."""
        stuck_s = worker.stuck_s()
        if worker.process.exitcode is None and stuck_s > STUCK_AFTER_S:
            where = worker.where() or "It does not answer a signal."
            logger.error("Worker %d has not moved for %.1f s and is ended.\n%s", worker.pid, stuck_s, where)
            worker.kill()
        return worker.process.exitcode

    def _stop(self, workers: list[Worker]) -> None:
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + self._grace_s + 5
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.exitcode is None:
                logger.warning("Worker %d did not end in time and is killed.", worker.pid)
                worker.kill()


def _work(config: uvicorn.Config, listener: socket.socket, beat: c_double, grace_s: float, folder: Path) -> None:
    """What a worker does."""
    config.configure_logging()
    end_with_parent(grace_s)
    with _trace(folder, os.getpid()).open("w", encoding="utf-8") as trace:
        faulthandler.register(TELLS_WHERE, file=trace, all_threads=False)
        with suppress(KeyboardInterrupt):
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(_serve(uvicorn.Server(config), listener, beat))


async def _serve(server: uvicorn.Server, listener: socket.socket, beat: c_double) -> None:
    async def beats() -> None:
        while True:
            beat.value = time.monotonic()
            await asyncio.sleep(BEAT_S)

    beating = asyncio.create_task(beats())
    try:
        await server.serve(sockets=[listener])
    finally:
        beating.cancel()


def _trace(folder: Path, pid: int) -> Path:
    return folder / f"where-{pid}"


def end_with_parent(grace_s: float) -> None:
    """End this process when its parent is gone, however that came: a killed one cannot tell.

    A worker holds a pipe whose other end only its supervisor has open. A thread waits on it, because a blocked event
    loop must not keep the port either.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return

    def watch() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace_s + 2)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
