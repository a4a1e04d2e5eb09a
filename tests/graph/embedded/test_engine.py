"""Which port a server gets, which process is ours, and what is said when a start fails."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mentorgraph.graph.embedded.engine import find_own, free_port, spawn, start_failure
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DatabaseFolder
from mentorgraph.graph.embedded.lines import CURRENT


@pytest.fixture
def folder(tmp_path: Path) -> DatabaseFolder:
    created = DatabaseFolder(tmp_path / "database")
    created.create()
    created.prepare_server(CURRENT, 7777)
    return created


@pytest.fixture
def marked(folder: DatabaseFolder) -> Iterator[subprocess.Popen[bytes]]:
    """A process with the marks of a server of this folder on its command line."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    marks = [f"-Dmentorgraph.database={folder.path}", "-Dmentorgraph.port=4321"]
    with subprocess.Popen([*command, *marks]) as process:
        yield process
        process.kill()


def test_a_port_is_kept_while_it_is_free_and_left_to_others_when_it_is_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in (port, 0)
    assert free_port(port) == port


def test_only_a_process_with_the_marks_of_this_folder_is_ours(
    folder: DatabaseFolder, marked: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    found = find_own(folder, [1, marked.pid])
    assert found is not None
    assert (found.process.pid, found.port) == (marked.pid, 4321)
    assert find_own(DatabaseFolder(tmp_path / "other"), [marked.pid]) is None
    marked.kill()
    marked.wait()
    assert find_own(folder, [marked.pid]) is None


@pytest.mark.parametrize(
    ("printed", "code", "said"),
    [
        ("java.net.BindException: Address already in use", "port_taken", "run the command again"),
        ("java.io.IOException: No space left on device", "disk_full", "make room"),
        ("FileLockException: Lock file has been locked by another process", "store_locked", "end it"),
        ("Oh\n\tat somewhere\nCaused by: Something: odd", "start_failed", "Something: odd"),
        ("", "start_failed", "it said nothing"),
    ],
)
def test_a_failed_start_is_put_in_one_sentence(folder: DatabaseFolder, printed: str, code: str, said: str) -> None:
    folder.output.write_text(printed)
    failure = start_failure(folder, 0)
    assert failure.code == code
    assert said in failure.message
    assert "\n" not in failure.message


def test_options_that_java_does_not_take_are_named(folder: DatabaseFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = "Unrecognized VM option 'Foo'\nError: Could not create the Java Virtual Machine.\n"
    folder.output.write_text(refused)
    monkeypatch.delenv("MENTORGRAPH_JAVA_OPTIONS", raising=False)
    assert "MENTORGRAPH_JAVA_OPTIONS" not in start_failure(folder, 0).message
    monkeypatch.setenv("MENTORGRAPH_JAVA_OPTIONS", "-XX:Foo")
    message = start_failure(folder, 0).message
    assert "MENTORGRAPH_JAVA_OPTIONS='-XX:Foo' (Unrecognized VM option 'Foo'); correct it" in message
    monkeypatch.setenv("MENTORGRAPH_JAVA_OPTIONS", "'-Xmx2g")
    with pytest.raises(EmbeddedDatabaseError, match="cannot be read"):
        spawn(folder, CURRENT, 1)


def test_settings_that_neo4j_does_not_take_are_named(folder: DatabaseFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.output.write_text("Unrecognized setting. No declared setting with name: foo.bar.\nCaused by: Odd: odd\n")
    monkeypatch.delenv("MENTORGRAPH_NEO4J_SETTINGS", raising=False)
    assert "Odd: odd" in start_failure(folder, 0).message
    monkeypatch.setenv("MENTORGRAPH_NEO4J_SETTINGS", "foo.bar=1")
    message = start_failure(folder, 0).message
    assert "MENTORGRAPH_NEO4J_SETTINGS='foo.bar=1' (Unrecognized setting." in message
    assert "foo.bar.); correct it" in message


def test_own_settings_prevail_and_each_stands_once(folder: DatabaseFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    own = "server.memory.pagecache.size=1g server.bolt.listen_address=0.0.0.0:7 dbms.cypher.min_replan_interval=1h"
    monkeypatch.setenv("MENTORGRAPH_NEO4J_SETTINGS", own)
    folder.prepare_server(CURRENT, 4321)
    rows = (folder.server / "conf" / "neo4j.conf").read_text("utf-8").splitlines()
    names = [row.partition("=")[0] for row in rows]
    assert sorted(set(names)) == sorted(names)
    assert {"server.memory.pagecache.size=1g", "dbms.cypher.min_replan_interval=1h"} <= set(rows)
    assert "server.bolt.listen_address=127.0.0.1:4321" in rows


@pytest.mark.parametrize("own", ["foo", "=1", "foo=", "Foo=1"])
def test_own_settings_that_are_none_are_refused(
    own: str, folder: DatabaseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORGRAPH_NEO4J_SETTINGS", f"server.memory.pagecache.size=1g {own}")
    with pytest.raises(EmbeddedDatabaseError, match=f"holds '{own}', which is no name=value"):
        folder.prepare_server(CURRENT, 4321)


def test_what_was_logged_before_this_start_explains_nothing(folder: DatabaseFolder) -> None:
    folder.output.write_text("")
    log = folder.server / "logs" / "neo4j.log"
    log.write_text("No space left on device\n")
    assert start_failure(folder, 0).code == "disk_full"
    assert start_failure(folder, log.stat().st_size).code == "start_failed"
