"""Dumps the embedded database to a file and loads it from one, all or nothing.

Neo4j Community dumps and loads only while the server is stopped, and loading a damaged file over a database destroys
it. So a load fills, checks and starts a database of its own beside the present one, and then takes its place.
"""

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import neo4j
import neo4j.exceptions

from mentorgraph.graph.embedded.database import attach_folder, database_folder, stop_folder, stopped_for_maintenance
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DATABASE, DatabaseFolder, new_password
from mentorgraph.graph.embedded.jars import ensure_jars, require_extra
from mentorgraph.graph.embedded.lines import Line, chosen_line
from mentorgraph.graph.embedded.progress import Report, no_report
from mentorgraph.graph.statements import statement

COUNTING_LIMIT_S = 60


@dataclass(frozen=True)
class Loaded:
    """What a loaded database holds."""

    nodes: int
    relationships: int


def dump(file: Path, home: Path | None = None, force: bool = False, progress: Report = no_report) -> int:
    """Write the database to a file; its users wait meanwhile and go on afterwards.

    Args:
        file: The dump; it appears only when it is whole.
        home: The mentorgraph home, `MENTORGRAPH_HOME` unless given.
        force: Whether an existing file may be replaced.
        progress: Told what is being done.

    Returns:
        The size of the dump in bytes.

    Raises:
        EmbeddedDatabaseError: If there is no database, or the file exists or cannot be written.
    """
    require_extra()
    from mentorgraph.graph.embedded.engine import run_admin

    folder = database_folder(home)
    line = folder.line()
    if line is None:
        raise EmbeddedDatabaseError(
            f"There is no database in {folder.path} to dump; set MENTORGRAPH_HOME to the home that has one.",
            "no_database",
        )
    if file.exists() and not force:
        raise EmbeddedDatabaseError(f"{file} exists; give another name, or replace it with --force.", "file_exists")
    ensure_jars(line, progress)
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with stopped_for_maintenance(folder, progress), open(partial, "xb", opener=_for_owner_only) as opened:
            folder.prepare_server(line, 0)
            arguments = ["database", "dump", DATABASE, "--to-stdout"]
            ended = run_admin(folder, line, arguments, _percent(progress, "Dumping"), stdout=opened.fileno())
            if ended.code:
                raise EmbeddedDatabaseError(f"Neo4j could not dump the database: {ended.reason}.", "dump_failed")
            os.fsync(opened.fileno())
        partial.replace(file)
    except OSError as error:
        raise EmbeddedDatabaseError(
            f"Cannot write {file}: {error.strerror}; give a file in a folder of yours with room.", "dump_failed"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return file.stat().st_size


def load(file: Path, home: Path | None = None, line: Line | None = None, progress: Report = no_report) -> Loaded:
    """Replace the database of a home by the one in a dump, once that is known to be whole and to start.

    The password stays, so that users go on; a home without a database gets a new one. A dump holds no users.

    Args:
        file: The dump.
        home: The mentorgraph home, `MENTORGRAPH_HOME` unless given.
        line: The Neo4j line to load it with, `MENTORGRAPH_NEO4J_LINE` or the current one unless given.
        progress: Told what is being done.

    Returns:
        What the database now holds.

    Raises:
        EmbeddedDatabaseError: If the dump is damaged or of a newer Neo4j; the present database is untouched.
    """
    require_extra()
    line = line or chosen_line()
    folder = database_folder(home)
    if not file.is_file():
        raise EmbeddedDatabaseError(f"There is no file {file} to load.", "load_refused")
    ensure_jars(line, progress)
    with stopped_for_maintenance(folder, progress):
        for left_behind in folder.path.glob("loading-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        beside = DatabaseFolder(folder.path / f"loading-{secrets.token_hex(4)}")
        password = folder.password() if folder.password_file.exists() else new_password()
        try:
            loaded = _load_new(file, beside, line, password, progress)
            folder.swap_server(beside.server)
        finally:
            stop_folder(beside)
            shutil.rmtree(beside.path, ignore_errors=True)
    return loaded


def _load_new(file: Path, folder: DatabaseFolder, line: Line, password: str, progress: Report) -> Loaded:
    """Load a dump into a folder of its own, check each record and start the server on it."""
    from mentorgraph.graph.embedded.engine import run_admin

    folder.create()
    folder.create_server(line, password)
    folder.prepare_server(line, 0)
    with file.open("rb") as opened:
        arguments = ["database", "load", DATABASE, "--from-stdin", "--overwrite-destination=true"]
        ended = run_admin(folder, line, arguments, _percent(progress, "Loading"), stdin=opened.fileno())
    if ended.code == 0:
        arguments = ["database", "check", DATABASE, f"--report-path={folder.path}"]
        ended = run_admin(folder, line, arguments, _percent(progress, "Checking every record"))
    if ended.code:
        raise _refused(file, line, ended.reason)
    try:
        with attach_folder(folder, line, progress) as database:
            auth = (database.user, database.password)
            with neo4j.GraphDatabase.driver(database.uri, auth=auth) as driver:
                loaded = _count(driver)
                # Whoever kept facts in memory by the number of their last change must not go on counting from there.
                driver.execute_query(statement("begin_lineage"), database_=DATABASE)
    except (EmbeddedDatabaseError, neo4j.exceptions.Neo4jError) as error:
        raise _refused(file, line, str(error)) from error
    stop_folder(folder)
    return loaded


def _refused(file: Path, line: Line, reason: str) -> EmbeddedDatabaseError:
    return EmbeddedDatabaseError(
        f"{file} is not a whole dump that {line} can open ({reason.rstrip('.')}); the present database is untouched: "
        "take another dump, or the line that wrote it.",
        "load_refused",
    )


def _count(driver: neo4j.Driver) -> Loaded:
    query = neo4j.Query("RETURN COUNT { () } AS nodes, COUNT { ()-->() } AS relationships", timeout=COUNTING_LIMIT_S)
    record = driver.execute_query(query, database_=DATABASE).records[0]
    return Loaded(record["nodes"], record["relationships"])


def _percent(progress: Report, what: str) -> Callable[[int], None]:
    return lambda percent: progress(what, percent, 100)


def _for_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
