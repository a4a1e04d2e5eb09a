"""Uses the embedded database: attach to it, start and stop it, see how it is.

`attach` is what every command and the service call. The first caller starts the server, later ones share it, and it
stops when the last one has left, however that one ended.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from mentorgraph.graph.embedded.conversation import (
    RETRY_EVERY_S,
    Conversation,
    ask,
    call,
    call_or_start,
    refuse_silence,
)
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DATABASE, USER, DatabaseFolder
from mentorgraph.graph.embedded.jars import require_extra
from mentorgraph.graph.embedded.lines import Line, chosen_line
from mentorgraph.graph.embedded.progress import Report, no_report
from mentorgraph.graph.home import mentorgraph_home

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
        ask(self._presence.folder, "look")

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

    refuse_silence(folder)
    conversation = call(folder)
    if conversation is None and engine.store_holder(folder) is not None:
        engine.refuse_holder(folder, except_own=True)
        conversation = call_or_start(folder)
    if conversation is not None:
        with conversation:
            conversation.say("stop")
            for _ in conversation.news():
                pass
    if folder.guardian_lock.exists():
        with folder.guardian_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    return conversation is not None


def status(home: Path | None = None) -> Status:
    """How the database is; starts and changes nothing."""
    require_extra()
    from mentorgraph.graph.embedded import engine

    folder = database_folder(home)
    line = folder.line()
    size_bytes = folder.size_bytes()
    told = ask(folder, "status")
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
    with call_or_start(folder, progress=progress) as conversation:
        conversation.say("maintain")
        progress("Stopping the database", 0, 0)
        if next(conversation.news(), None) is None:
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
        self._conversation: Conversation | None = None
        self._is_closed = False

    def join(self, progress: Report) -> int:
        """Become a user and wait until the server is ready.

        Returns:
            The server's port.
        """
        conversation, port = self._join(progress)
        threading.Thread(target=self._stay, args=(conversation,), name="embedded-database", daemon=True).start()
        return port

    def close(self) -> None:
        """Leave."""
        self._is_closed = True
        if self._conversation is not None:
            self._conversation.hang_up()

    def _join(self, progress: Report) -> tuple[Conversation, int]:
        while not self._is_closed:
            conversation = self._conversation = call_or_start(self.folder, self._line, progress)
            conversation.say(self._wish, line=self._line.name, pid=os.getpid())
            for news in conversation.news():
                if news["state"] == "ready":
                    return conversation, int(news["port"])
                if news["state"] == "failed":
                    conversation.close()
                    raise EmbeddedDatabaseError(news["message"], news["code"])
                progress(news["message"], 0, 0)
            conversation.close()
            time.sleep(RETRY_EVERY_S)
        raise EmbeddedDatabaseError("This process left the database; attach again.", "stopped")

    def _stay(self, conversation: Conversation) -> None:
        state = ""
        while not self._is_closed and state != "stopped":
            for news in conversation.news():
                state = news["state"]
            conversation.close()
            if self._is_closed or state == "stopped":
                return
            try:
                conversation, _ = self._join(no_report)
            except EmbeddedDatabaseError as error:
                if not self._is_closed:
                    log.error("the embedded database is gone: %s", error.message)
                return
        conversation.close()
