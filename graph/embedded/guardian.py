"""The guardian: one detached process per database folder that starts, watches and stops the server.

Every user of the database holds a connection to the guardian's socket. The operating system closes it when a user
ends in whatever way, so the guardian always knows who is left, on Linux and macOS alike. It stops the server when
nobody is. Messages are one JSON object a line.

Run as `python -m mentorgraph.graph.embedded.guardian FOLDER`, it returns as soon as the socket can be connected to;
exit status 3 says that another guardian has the folder.
"""

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import socket
import sys
import time
from asyncio import StreamReader, StreamWriter
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from neo4j.exceptions import AuthError, DatabaseError, DriverError, Neo4jError

from mentorgraph.graph.embedded import engine, quick_start
from mentorgraph.graph.embedded.conversation import ANOTHER_GUARDIAN
from mentorgraph.graph.embedded.engine import Engine
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DATABASE, USER, DatabaseFolder
from mentorgraph.graph.embedded.lines import LINES, Line

FIRST_USER_WITHIN_S = 10
TICK_S = 0.25
START_LIMIT_S = 180
TAKE_OVER_LIMIT_S = 30
START_POLL_S = 0.1
PORT_ATTEMPTS = 3
PROBE_EVERY_S = 10
PROBE_LIMIT_S = 5
LONGEST_PAUSE_S = 30
LOG_BYTES = 256 * 1024
DISK_RESERVE_MIB = int(os.environ.get("MENTORGRAPH_DISK_RESERVE_MIB") or 256)

log = logging.getLogger("guardian")


class Guardian:
    """Keeps the server of one folder running while it has users.

    Attributes:
        folder: The database folder.
        users: Open connections of users, with their process numbers.
        maintainers: Open connections of those who need the server stopped while they work on its files, one at a
            time; true once it was told to go ahead.
        is_kept: Whether it stays up without users, until it is told to stop.
    """

    def __init__(self, folder: DatabaseFolder) -> None:
        self.folder = folder
        self.users: dict[StreamWriter, int] = {}
        self.maintainers: dict[StreamWriter, bool] = {}
        self.engine: Engine | None = None
        self.line: Line | None = None
        self.port: int | None = None
        self.is_kept = False
        self._is_stopping = False
        self._was_ready = False
        self._is_ready = False
        self._failures = 0
        self._ready_at = 0.0
        self._retry_at = 0.0
        self._probe_at = 0.0
        self._idle_until = time.monotonic() + FIRST_USER_WITHIN_S  # until then nobody is missed
        self._news: dict[str, Any] = {"state": "starting", "message": "Starting the database"}
        self._changed = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """Whether the server should run."""
        return bool(self.users or self.is_kept) and not self.maintainers and not self._is_stopping

    async def run(self, listener: socket.socket) -> None:
        """Serve until nobody is left."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop_everything)
        self.folder.finish_swap()
        self._recall()
        self._remember()
        server = await asyncio.start_unix_server(self._converse, sock=listener)
        try:
            while self.engine is not None or not self._is_over():
                self._changed.clear()
                await self._supervise()
                if not self._is_over():
                    await _within(TICK_S, self._changed.wait())
        finally:
            self.folder.socket.unlink(missing_ok=True)
            server.close()
            await self._stop_engine()
            self._remember()
        log.info("nobody left: ended")

    def _is_over(self) -> bool:
        is_needed = self.users or self.is_kept or self.maintainers or time.monotonic() < self._idle_until
        return self._is_stopping or not is_needed

    def _stop_everything(self) -> None:
        self._is_stopping = True
        self.is_kept = False
        self._changed.set()

    # What users say

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            await self._answer(request, reader, writer)
        except (ConnectionError, ValueError, KeyError):
            log.warning("a connection ended early or said something unknown")
        except asyncio.CancelledError:
            pass  # the guardian ends; asyncio would log a cancelled conversation as an error
        finally:
            if self.users.pop(writer, None) is not None:
                log.info("a user left, %d remain", len(self.users))
            self.maintainers.pop(writer, None)
            self._changed.set()
            writer.close()

    async def _answer(self, request: dict[str, Any], reader: StreamReader, writer: StreamWriter) -> None:
        wish = request["wish"]
        if wish == "status":
            _tell(writer, self._status())
        elif wish == "look":
            self._probe_at = 0.0
            self._changed.set()
            _tell(writer, self._status())
        elif wish == "stop":
            self._announce("stopped", "The database was stopped")
            self._stop_everything()
            await reader.read()
        elif wish == "maintain":
            self.maintainers[writer] = False
            self._idle_until = 0.0
            self._changed.set()
            await reader.read()
        elif wish in ("attach", "keep"):
            await self._take_user(request, reader, writer)
        await writer.drain()

    async def _take_user(self, request: dict[str, Any], reader: StreamReader, writer: StreamWriter) -> None:
        if self._is_stopping:
            return
        line = LINES[request["line"]]
        try:
            self.folder.check_line(line)
        except EmbeddedDatabaseError as error:
            _tell(writer, {"state": "failed", "message": error.message, "code": error.code})
            return
        if not self.users and not self.is_kept:
            self.line = line
        self.users[writer] = request["pid"]
        self._idle_until = 0.0
        if request["wish"] == "keep":
            self.is_kept = True
            self._remember()
        log.info("process %d uses the database, %d users", request["pid"], len(self.users))
        _tell(writer, self._news)
        self._changed.set()
        await reader.read()

    def _status(self) -> dict[str, Any]:
        return {
            "state": self._news["state"],
            "message": self._news["message"],
            "port": self.port,
            "java_pid": self.engine.process.pid if self.engine else None,
            "guardian_pid": os.getpid(),
            "user_pids": sorted(self.users.values()),
            "is_kept": self.is_kept,
        }

    def _announce(self, state: str, message: str, **more: Any) -> None:
        news = {"state": state, "message": message, **more}
        if news != self._news:
            log.info("%s: %s", state, message)
        self._news = news
        for writer in self.users:
            _tell(writer, news)

    # What the server needs

    async def _supervise(self) -> None:
        if time.monotonic() < self._idle_until and not self._is_stopping:
            return
        if not self.is_wanted:
            if self.engine is not None and not self.maintainers and not self._is_stopping:
                self._announce("stopping", "Stopping the database, as nobody uses it")
            await self._stop_engine()
            for writer, was_told in list(self.maintainers.items())[:1]:
                if not was_told:
                    self.maintainers[writer] = True
                    self._announce("paused", "The database is stopped for a dump or a load")
                    _tell(writer, {"state": "yours"})
        elif self.engine is None or not self._is_ready:
            if time.monotonic() >= self._retry_at:
                await self._start()
        elif not self.engine.is_alive():
            log.warning("the server (process %d) died", self.engine.process.pid)
            self._forget_engine()
        elif time.monotonic() >= self._probe_at:
            await self._look_for_panic()

    async def _start(self) -> None:
        self._announce("starting" if not self._was_ready else "restarting", "Starting the database")
        try:
            for attempt in range(PORT_ATTEMPTS):
                try:
                    await self._start_once()
                    break
                except EmbeddedDatabaseError as error:
                    await self._stop_engine()
                    if error.code != "port_taken" or self._was_ready or attempt == PORT_ATTEMPTS - 1:
                        raise
                    self.port = None
        except EmbeddedDatabaseError as error:
            await self._stop_engine()
            self._fail(error)
        except OSError as error:
            await self._stop_engine()
            self._fail(EmbeddedDatabaseError(f"Cannot start the database: {error}.", "start_failed"))

    def _fail(self, error: EmbeddedDatabaseError) -> None:
        if self._was_ready:
            self._announce("waiting", error.message)
            self._postpone()
            return
        self._announce("failed", error.message, code=error.code)
        self.is_kept = False
        for writer in self.users:
            writer.close()
        self.users.clear()

    async def _start_once(self) -> None:
        if self.engine is not None:
            await self._await_ready(0, TAKE_OVER_LIMIT_S)
            return
        self._require_room()
        self.folder.finish_swap()  # a load that was killed between its two renames left no server in place
        line = self.folder.line() or self.line
        if line is None:
            raise EmbeddedDatabaseError(f"There is no database in {self.folder.path}.", "no_database")
        await asyncio.to_thread(engine.refuse_holder, self.folder)
        self.port = engine.free_port(self.port) if not self._was_ready else self.port
        assert self.port is not None  # noqa: S101
        self.folder.prepare_server(line, self.port)
        log_offset = _size(self.folder.server / "logs" / "neo4j.log")
        self.engine = await asyncio.to_thread(engine.spawn, self.folder, line, self.port, *quick_start.options(line))
        self._remember()
        await self._await_ready(log_offset, START_LIMIT_S)

    async def _await_ready(self, log_offset: int, limit_s: float) -> None:
        """Wait until the server answers a query, or stop it when nobody wants it any more."""
        started = time.monotonic()
        while self.is_wanted:
            if self.engine is None or not self.engine.is_alive():
                raise engine.start_failure(self.folder, log_offset)
            if time.monotonic() - started > limit_s:
                raise EmbeddedDatabaseError(
                    f"Neo4j did not answer within {limit_s} s; {self.folder.server / 'logs'} says more.",
                    "start_failed",
                )
            if self.engine.accepts():
                try:
                    await self._probe()
                except AuthError:
                    raise EmbeddedDatabaseError(
                        f"The database does not accept the password in {self.folder.password_file}; put the right "
                        "one there, or run mentorgraph db dump FILE and mentorgraph db load FILE, which sets it.",
                        "wrong_password",
                    ) from None
                except DatabaseError as error:
                    raise EmbeddedDatabaseError(
                        f"The database refuses every transaction ({error.code}); {self.folder.server / 'logs'} "
                        "says more.",
                        "start_failed",
                    ) from error
                except (TimeoutError, DriverError, Neo4jError):
                    pass
                else:
                    self._was_ready = self._is_ready = True
                    self._ready_at = time.monotonic()
                    self._probe_at = self._ready_at + PROBE_EVERY_S
                    self._announce("ready", f"ready in {time.monotonic() - started:.1f} s", port=self.port)
                    return
            await asyncio.sleep(START_POLL_S)
        await self._stop_engine()

    async def _probe(self) -> None:
        """Ask the server for an answer; a port that is open proves nothing."""
        assert self.engine is not None  # noqa: S101
        async with asyncio.timeout(PROBE_LIMIT_S):
            await self.engine.answer((USER, self.folder.password()), DATABASE)

    async def _look_for_panic(self) -> None:
        """Restart a server that refuses every transaction, as it does for ever once its disk was full."""
        self._probe_at = time.monotonic() + PROBE_EVERY_S
        try:
            await self._probe()
        except DatabaseError as error:
            log.warning("the server refuses transactions (%s): it is restarted", error.code)
            self._announce("restarting", "The database refuses transactions and is restarted")
            await self._stop_engine()
        except (TimeoutError, DriverError, Neo4jError, EmbeddedDatabaseError) as error:
            log.warning("the server did not answer: %s", type(error).__name__)

    def _require_room(self) -> None:
        free = shutil.disk_usage(self.folder.path).free // 2**20
        if free < DISK_RESERVE_MIB:
            raise EmbeddedDatabaseError(
                f"The disk of {self.folder.path} has {free} MiB left and the database needs a reserve of "
                f"{DISK_RESERVE_MIB} MiB; make room, or set MENTORGRAPH_HOME to another disk.",
                "disk_full",
            )

    async def _stop_engine(self) -> None:
        if self.engine is not None:
            begun = time.monotonic()
            await asyncio.to_thread(self.engine.stop)
            log.info("the server stopped in %.1f s", time.monotonic() - begun)
            self.engine = None
        self._is_ready = False

    def _forget_engine(self) -> None:
        self._announce("restarting", "The database died and is restarted")
        self._postpone()
        self.engine = None
        self._is_ready = False

    def _postpone(self) -> None:
        """Wait longer before each next start, until a server has run for a while."""
        if self._is_ready and time.monotonic() - self._ready_at > LONGEST_PAUSE_S:
            self._failures = 0
        self._retry_at = time.monotonic() + min(LONGEST_PAUSE_S, 0.5 * 2**self._failures)
        self._failures += 1

    # What outlives the guardian

    def _remember(self) -> None:
        state = {
            "guardian_pid": os.getpid(),
            "port": self.port,
            "java_pid": self.engine.process.pid if self.engine else None,
            "is_kept": self.is_kept,
        }
        _replace(self.folder.guardian_state, json.dumps(state))

    def _recall(self) -> None:
        """Take over the server of a guardian that was killed, if it left one."""
        try:
            state = json.loads(self.folder.guardian_state.read_text())
        except (FileNotFoundError, ValueError):
            state = {}
        self.port = state.get("port")
        holder = engine.store_holder(self.folder)
        pids = [pid for pid in (state.get("java_pid"), holder) if pid]
        self.engine = engine.find_own(self.folder, pids)
        if self.engine is not None:
            log.warning("took over the server (process %d) that a killed guardian left", self.engine.process.pid)
            self.port = self.engine.port
            self.is_kept = bool(state.get("is_kept"))
            self.line = self.folder.line()
            self._was_ready = True  # others may use it: its port must stay


def _tell(writer: StreamWriter, message: dict[str, Any]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(message).encode() + b"\n")


async def _within(seconds: float, waiting: Any) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        pass


def _replace(file: Path, text: str) -> None:
    """Writes a file that others read at any time: as it was, or as it is now."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.replace(file)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def main(path: str) -> None:
    """Take the folder's lock, listen, detach from the starter and guard."""
    os.umask(0o077)
    folder = DatabaseFolder(Path(path))
    folder.create()
    lock = folder.guardian_lock.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(ANOTHER_GUARDIAN)
    folder.socket.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder.socket))
    listener.listen()
    _replace(folder.guardian_address, str(folder.socket))
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    handler = RotatingFileHandler(folder.guardian_log, maxBytes=LOG_BYTES, backupCount=1)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.INFO)
    try:
        asyncio.run(Guardian(folder).run(listener))
    except Exception:
        log.exception("the guardian failed")
        raise


if __name__ == "__main__":
    main(sys.argv[1])
