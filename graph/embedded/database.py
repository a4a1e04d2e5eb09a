"""Uses the embedded database: attach to it, start and stop it, see how it is.

`attach` is what every command and the service call. The first caller starts the server, later ones share it, and it
stops when the last one has left, however that one ended.
"""

import contextlib
import fcntl
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DATABASE, USER, DatabaseFolder
from mentorgraph.graph.embedded.jars import ensure_jars, require_extra
from mentorgraph.graph.embedded.lines import Line, chosen_line
from mentorgraph.graph.embedded.progress import Report, no_report
from mentorgraph.graph.home import mentorgraph_home

CONNECT_LIMIT_S = 60
RETRY_EVERY_S = 0.1
ANOTHER_GUARDIAN = 3

log = logging.getLogger(__name__)


def database_folder(home: Path | None = None) -> DatabaseFolder:
    """The database folder of a home, of `MENTORGRAPH_HOME` unless given."""
    return DatabaseFolder((home or mentorgraph_home()).absolute() / "database")


@dataclass(frozen=True)
class EmbeddedDatabase:
    """A running database that this process uses until it closes this or ends.

    Attributes:
        uri: Where the driver connects to; stays the same when the server is restarted.
        user: The user's name.
        password: The user's password.
        database: The database's name.
        line: The Neo4j line.
        home: The mentorgraph home.
    """

    uri: str
    user: str
    password: str = field(repr=False)
    database: str
    line: Line
    home: Path
    _presence: "_Presence" = field(repr=False, compare=False)

    def report_panic(self) -> None:
        """Ask the guardian to look at once whether the server refuses every transaction and must be restarted.

        Call it on `Neo.DatabaseError.Transaction.TransactionStartFailed`; a server answers so for ever after its disk
        was full. Returns at once; the restart takes some seconds.
        """
        _ask(self._presence.folder, "look")

    def close(self) -> None:
        """Leave; the server stops if nobody else uses it."""
        self._presence.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Status:
    """How an embedded database is.

    Attributes:
        state: `absent`, `stopped`, `held` by something else, `starting`, `ready`, `restarting`, `waiting`, `paused`.
        message: The same in a sentence.
        folder: The database folder.
        line: The Neo4j line, None where there is no database.
        uri: Where it answers while it runs.
        size_bytes: What it takes on disk.
        java_pid: The server's process.
        guardian_pid: The process that watches it.
        user_pids: The processes that use it.
        is_kept: Whether `start` keeps it running without users.
    """

    state: str
    message: str
    folder: Path
    line: Line | None
    uri: str | None
    size_bytes: int
    java_pid: int | None = None
    guardian_pid: int | None = None
    user_pids: tuple[int, ...] = ()
    is_kept: bool = False


def attach(home: Path | None = None, line: Line | None = None, progress: Report = no_report) -> EmbeddedDatabase:
    """Use the database of a home; creates it, and starts its server, where that has not happened.

    Args:
        home: The mentorgraph home, `MENTORGRAPH_HOME` unless given.
        line: The Neo4j line, `MENTORGRAPH_NEO4J_LINE` or the current one unless given.
        progress: Told what is being done, as the first time takes a minute.

    Raises:
        EmbeddedDatabaseError: If it cannot be used; the message names the remedy.
    """
    return attach_folder(database_folder(home), line or chosen_line(), progress)


def attach_folder(folder: DatabaseFolder, line: Line, progress: Report = no_report) -> EmbeddedDatabase:
    """As `attach`, for a database folder."""
    require_extra()
    presence = _Presence(folder, line)
    port = presence.join(progress)
    return EmbeddedDatabase(
        f"bolt://127.0.0.1:{port}", USER, folder.password(), DATABASE, line, folder.path.parent, presence
    )


def start(home: Path | None = None, line: Line | None = None, progress: Report = no_report) -> bool:
    """Start the database and keep it running until `stop`.

    Returns:
        Whether it had been started so before.
    """
    require_extra()
    folder = database_folder(home)
    was_kept = status(home).is_kept
    presence = _Presence(folder, line or chosen_line(), wish="keep")
    presence.join(progress)
    presence.close()
    return was_kept


def stop(home: Path | None = None) -> bool:
    """Stop the database, whoever uses it, and wait until it has ended.

    Returns:
        Whether it was running.
    """
    require_extra()
    return stop_folder(database_folder(home))


def stop_folder(folder: DatabaseFolder) -> bool:
    """As `stop`, for a database folder."""
    from mentorgraph.graph.embedded import engine

    connection = _dial(folder)
    if connection is None and engine.store_holder(folder) is not None:
        engine.refuse_holder(folder, except_own=True)
        connection = _connect(folder, None, no_report)
    if connection is not None:
        with connection:
            _say(connection, {"wish": "stop"})
            while connection.recv(4096):
                pass
    if folder.guardian_lock.exists():
        with folder.guardian_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    return connection is not None


def status(home: Path | None = None) -> Status:
    """How the database is; starts and changes nothing."""
    require_extra()
    from mentorgraph.graph.embedded import engine

    folder = database_folder(home)
    line = folder.line()
    size_bytes = folder.size_bytes()
    told = _ask(folder, "status")
    if told is not None:
        return Status(
            told["state"],
            told["message"],
            folder.path,
            line,
            f"bolt://127.0.0.1:{told['port']}" if told["port"] else None,
            size_bytes,
            told["java_pid"],
            told["guardian_pid"],
            tuple(told["user_pids"]),
            told["is_kept"],
        )
    state, message = ("absent", "There is no database yet") if line is None else ("stopped", "The database is stopped")
    holder = engine.store_holder(folder)
    if holder is not None:
        state, message = "held", f"Process {holder} holds the database, and no guardian watches it"
    return Status(state, message, folder.path, line, None, size_bytes, java_pid=holder)


@contextlib.contextmanager
def stopped_for_maintenance(folder: DatabaseFolder, progress: Report = no_report) -> Iterator[None]:
    """Keep the server stopped meanwhile; its users wait, and get it back on the same port afterwards."""
    connection = _connect(folder, None, progress)
    with connection:
        _say(connection, {"wish": "maintain"})
        progress("Stopping the database", 0, 0)
        for news in _news(connection):
            if news["state"] == "yours":
                break
        else:
            raise EmbeddedDatabaseError("The database was stopped meanwhile; run the command again.", "stopped")
        yield


class _Presence:
    """The open connection by which the guardian knows that this process uses the database.

    Should the guardian be killed, the connection is made again, which starts another guardian; that one takes over
    the running server.
    """

    def __init__(self, folder: DatabaseFolder, line: Line, wish: str = "attach") -> None:
        self.folder = folder
        self._line = line
        self._wish = wish
        self._connection: socket.socket | None = None
        self._is_closed = False

    def join(self, progress: Report) -> int:
        """Become a user and wait until the server is ready.

        Returns:
            The server's port.
        """
        port = self._join(progress)
        threading.Thread(target=self._stay, name="embedded-database", daemon=True).start()
        return port

    def close(self) -> None:
        """Leave."""
        self._is_closed = True
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _join(self, progress: Report) -> int:
        while True:
            connection = _connect(self.folder, self._line, progress)
            self._connection = connection
            _say(connection, {"wish": self._wish, "line": self._line.name, "pid": os.getpid()})
            for news in _news(connection):
                if news["state"] == "ready":
                    return int(news["port"])
                if news["state"] == "failed":
                    connection.close()
                    raise EmbeddedDatabaseError(news["message"], news["code"])
                progress(news["message"], 0, 0)
            connection.close()
            time.sleep(RETRY_EVERY_S)

    def _stay(self) -> None:
        while not self._is_closed:
            assert self._connection is not None  # noqa: S101
            state = ""
            for news in _news(self._connection):
                state = news["state"]
            if self._is_closed or state == "stopped":
                return
            try:
                self._join(no_report)
            except EmbeddedDatabaseError as error:
                log.error("the embedded database is gone: %s", error.message)
                return


def _connect(folder: DatabaseFolder, line: Line | None, progress: Report) -> socket.socket:
    """A connection to the folder's guardian, which is started if there is none."""
    deadline = time.monotonic() + CONNECT_LIMIT_S
    while True:
        connection = _dial(folder)
        if connection is not None:
            return connection
        if line is not None:
            folder.check_line(line)
            ensure_jars(line, progress)
        _start_guardian(folder)
        connection = _dial(folder)
        if connection is not None:
            return connection
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseError(
                f"The process that guards {folder.path} does not answer; {folder.guardian_log} says more.",
                "start_failed",
            )
        progress("Waiting for the database to stop", 0, 0)
        time.sleep(RETRY_EVERY_S)


def _dial(folder: DatabaseFolder) -> socket.socket | None:
    """A connection to the guardian that runs, None if none does."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(folder.guardian_address.read_text())
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def _start_guardian(folder: DatabaseFolder) -> None:
    folder.create()
    command = [sys.executable, "-P", "-m", "mentorgraph.graph.embedded.guardian", str(folder.path)]
    started = subprocess.run(  # noqa: S603
        command, cwd=folder.path, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, check=False
    )
    if started.returncode not in (0, ANOTHER_GUARDIAN):
        reason = (started.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise EmbeddedDatabaseError(f"Cannot start the process that guards the database: {reason}.", "start_failed")


def _say(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _news(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """What the guardian says, until it or this process ends the connection."""
    with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as lines:
        for line in lines:
            yield json.loads(line)


def _ask(folder: DatabaseFolder, wish: str) -> dict[str, Any] | None:
    connection = _dial(folder)
    if connection is None:
        return None
    with connection:
        _say(connection, {"wish": wish})
        return next(_news(connection), None)
