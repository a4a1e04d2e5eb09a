"""A server starts with Java's classes as a rehearsal left them, and all the same where that is not to be had."""

from pathlib import Path

import pytest

from mentorgraph.graph.embedded import engine, quick_start
from mentorgraph.graph.embedded.database import attach
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DatabaseFolder
from mentorgraph.graph.embedded.jars import ensure_jars
from mentorgraph.graph.embedded.lines import LINES, Line
from mentorgraph.graph.embedded.quick_start import options, quick_start_file, rehearse

pytestmark = pytest.mark.store


@pytest.fixture
def chosen(line: str) -> Line:
    """The line under test, with its archives there."""
    ensure_jars(LINES[line])
    return LINES[line]


def test_the_rehearsal_is_played_once_and_a_server_starts_with_what_it_left(
    chosen: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearse(chosen)
    written = quick_start_file(chosen).stat()
    assert written.st_size > 50_000_000
    rehearse(chosen)
    assert quick_start_file(chosen).stat() == written
    monkeypatch.setenv("MENTORGRAPH_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -Xlog:class+load")
    with attach(tmp_path / "home", chosen) as running:
        loaded = (running.home / "database" / "server" / "logs" / "java.log").read_text()
    own = [row for row in loaded.splitlines() if " org.neo4j." in row]
    cached = [row for row in own if row.endswith("source: shared objects file")]
    assert len(cached) > 0.9 * len(own) > 1_000


@pytest.mark.parametrize("content", [b"", b"no cache of any Java"])
def test_without_a_cache_that_fits_a_server_starts_all_the_same(
    chosen: Line, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.aot"
    file.write_bytes(content)
    monkeypatch.setattr(quick_start, "quick_start_file", lambda _line: file)
    assert options(chosen) == ((f"-XX:AOTCache={file}",) if content else ())
    folder, port = DatabaseFolder(tmp_path / "database"), engine.free_port(None)
    folder.create()
    folder.prepare_server(chosen, port)
    running = engine.spawn(folder, chosen, port, *options(chosen))
    try:
        while not running.accepts():
            assert running.is_alive()
    finally:
        running.stop()


def test_a_rehearsal_that_fails_is_not_repeated(chosen: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, played = tmp_path / "some.aot", []

    def fail(_line: Line, new: Path) -> None:
        played.append(1)
        new.write_bytes(b"the first half of a cache")
        raise EmbeddedDatabaseError("no port is free", "port_taken")

    monkeypatch.setattr(quick_start, "quick_start_file", lambda _line: file)
    monkeypatch.setattr(quick_start, "_rehearse", fail)
    for _ in range(2):
        rehearse(chosen)
    assert (len(played), file.stat().st_size, options(chosen)) == (1, 0, ())
