"""How a process talks to the guardian of a database folder: one JSON object a line, over a socket of the folder."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DatabaseFolder
from mentorgraph.graph.embedded.jars import ensure_jars
from mentorgraph.graph.embedded.lines import Line
from mentorgraph.graph.embedded.progress import Report, no_report

CONNECT_LIMIT_S = 60
RETRY_EVERY_S = 0.1
ANSWER_LIMIT_S = 5
ANOTHER_GUARDIAN = 3
"""Exit status of a guardian that finds the folder guarded."""


class Conversation:
    """An open connection to a guardian."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def say(self, wish: str, **more: Any) -> None:
        """Tell the guardian what this process wants."""
        with contextlib.suppress(OSError):  # one that has just ended: no news will come
            self._connection.sendall(json.dumps({"wish": wish, **more}).encode() + b"\n")

    def news(self) -> Iterator[dict[str, Any]]:
        """What the guardian says, until either side hangs up."""
        with contextlib.suppress(OSError, ValueError):
            while line := self._lines.readline():
                yield json.loads(line)

    def hang_up(self) -> None:
        """End the connection, also for a thread that waits for news."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def close(self) -> None:
        """End the connection and free what it holds; for the thread that reads the news."""
        self.hang_up()
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def call(folder: DatabaseFolder, patience_s: float | None = None) -> Conversation | None:
    """A conversation with the guardian that runs, None if none does; no news after `patience_s` ends it."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(patience_s)
    try:
        connection.connect(folder.guardian_address.read_text())
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError, TimeoutError):
        connection.close()
        return None
    return Conversation(connection)


def ask(folder: DatabaseFolder, wish: str) -> dict[str, Any] | None:
    """The answer of the guardian that runs, None if none does."""
    conversation = call(folder, ANSWER_LIMIT_S)
    if conversation is None:
        return None
    with conversation:
        conversation.say(wish)
        return next(conversation.news(), None)


def refuse_silence(folder: DatabaseFolder) -> None:
    """Refuse a guardian that is there and says nothing, as one that a signal has stopped.

    Raises:
        EmbeddedDatabaseError: With how to wake or end it.
    """
    begun = time.monotonic()
    if ask(folder, "status") is None and time.monotonic() - begun >= ANSWER_LIMIT_S:
        pid = folder.guardian_pid() or "PID"
        raise EmbeddedDatabaseError(
            f"The process that guards {folder.path} does not answer (process {pid}); wake it with kill -CONT {pid}, or "
            f"end it with kill -9 {pid} and run the command again.",
            "guardian_silent",
        )


def call_or_start(folder: DatabaseFolder, line: Line | None = None, progress: Report = no_report) -> Conversation:
    """A conversation with the folder's guardian, which is started if there is none.

    Args:
        folder: The database folder.
        line: The line whose archives are fetched first, as that takes longest.
        progress: Told what is being done.

    Raises:
        EmbeddedDatabaseError: If the guardian cannot be started.
    """
    deadline = time.monotonic() + CONNECT_LIMIT_S
    refuse_silence(folder)
    while True:
        conversation = call(folder)
        if conversation is not None:
            return conversation
        if line is not None:
            folder.check_line(line)
            ensure_jars(line, progress)
            from mentorgraph.graph.embedded.quick_start import rehearse  # it needs what the extra brings

            rehearse(line, progress)
        _start_guardian(folder)
        conversation = call(folder)
        if conversation is not None:
            return conversation
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseError(
                f"The process that guards {folder.path} does not answer; {folder.guardian_log} says more.",
                "start_failed",
            )
        progress("Waiting for the database to stop", 0, 0)
        time.sleep(RETRY_EVERY_S)


def _start_guardian(folder: DatabaseFolder) -> None:
    folder.create()
    command = [sys.executable, "-P", "-m", "mentorgraph.graph.embedded.guardian", str(folder.path)]
    started = subprocess.run(  # noqa: S603
        command, cwd=folder.path, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, check=False
    )
    if started.returncode not in (0, ANOTHER_GUARDIAN):
        reason = (started.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise EmbeddedDatabaseError(f"Cannot start the process that guards the database: {reason}.", "start_failed")
