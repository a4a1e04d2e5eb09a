"""What lies in a database folder, and what a kill at any moment leaves of it."""

import json
from pathlib import Path

import pytest

from mentorgraph.graph.embedded.engine import find_own, store_holder
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.folder import DatabaseFolder
from mentorgraph.graph.embedded.lines import CURRENT, LTS, chosen_line
from mentorgraph.graph.home import mentorgraph_home


@pytest.fixture
def folder(tmp_path: Path) -> DatabaseFolder:
    created = DatabaseFolder(tmp_path / "database")
    created.create()
    return created


def test_the_home_is_a_folder_of_the_working_folder_unless_named(tmp_path: Path) -> None:
    assert mentorgraph_home({}) == Path.cwd() / ".mentorgraph"
    assert mentorgraph_home({"MENTORGRAPH_HOME": str(tmp_path)}) == tmp_path


def test_the_line_is_the_current_one_unless_named_and_nothing_else() -> None:
    assert chosen_line({}) == CURRENT
    assert chosen_line({"MENTORGRAPH_NEO4J_LINE": "lts"}) == LTS
    with pytest.raises(EmbeddedDatabaseError, match="current, lts"):
        chosen_line({"MENTORGRAPH_NEO4J_LINE": "newest"})


def test_a_new_database_remembers_its_line_and_has_a_password_that_only_its_owner_reads(
    folder: DatabaseFolder,
) -> None:
    assert folder.line() is None
    folder.prepare_server(LTS, 7777)
    assert folder.line() == LTS
    assert folder.password_file.stat().st_mode & 0o777 == 0o600
    stored = (folder.server / "data" / "dbms" / "auth.ini").read_text()
    assert stored.startswith("neo4j:SHA-256,")
    assert folder.password() not in stored
    password = folder.password()
    folder.prepare_server(LTS, 8888)
    assert folder.password() == password
    assert "127.0.0.1:8888" in (folder.server / "conf" / "neo4j.conf").read_text()


def test_only_the_other_line_is_refused(folder: DatabaseFolder) -> None:
    folder.prepare_server(LTS, 7777)
    folder.check_line(LTS)
    with pytest.raises(EmbeddedDatabaseError, match=r"LINE=lts mentorgraph db dump.*LINE=current mentorgraph db load"):
        folder.check_line(CURRENT)


def test_a_database_of_a_newer_version_is_refused_and_one_of_an_older_is_not(folder: DatabaseFolder) -> None:
    folder.prepare_server(CURRENT, 7777)
    record = folder.server / "line.json"
    record.write_text(json.dumps({"line": "current", "version": "2025.12.1"}))
    assert folder.line() == CURRENT
    record.write_text(json.dumps({"line": "current", "version": "2026.10.0"}))
    with pytest.raises(EmbeddedDatabaseError, match="update mentorgraph"):
        folder.line()


@pytest.mark.parametrize("content", ["", "{}", '{"line": "other", "version": "1"}'])
def test_a_damaged_record_is_named(folder: DatabaseFolder, content: str) -> None:
    folder.prepare_server(CURRENT, 7777)
    (folder.server / "line.json").write_text(content)
    with pytest.raises(EmbeddedDatabaseError, match=r"Cannot read .*line\.json"):
        folder.line()


def test_a_swap_that_was_killed_between_its_renames_is_taken_back(folder: DatabaseFolder) -> None:
    folder.prepare_server(CURRENT, 7777)
    password = folder.password()
    folder.server.rename(folder.path / "server.old")
    folder.finish_swap()
    assert folder.password() == password


def test_a_swap_that_was_killed_after_its_renames_keeps_the_new_one(folder: DatabaseFolder) -> None:
    folder.prepare_server(CURRENT, 7777)
    folder.server.rename(folder.path / "server.old")
    folder.prepare_server(CURRENT, 7777)
    password = folder.password()
    folder.finish_swap()
    assert folder.password() == password
    assert not (folder.path / "server.old").exists()


def test_a_creation_that_was_killed_is_begun_anew(folder: DatabaseFolder) -> None:
    (folder.path / "server.new" / "conf").mkdir(parents=True)
    folder.prepare_server(CURRENT, 7777)
    assert folder.line() == CURRENT


def test_a_folder_that_others_could_enter_is_closed_to_them(folder: DatabaseFolder) -> None:
    folder.path.chmod(0o755)
    folder.create()
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_gets_a_private_one_elsewhere(tmp_path: Path) -> None:
    deep = DatabaseFolder(tmp_path / ("long" * 30) / "database")
    assert len(str(deep.socket)) < 100
    assert DatabaseFolder(tmp_path / "database").socket.parent == tmp_path / "database"
    deep.create()
    assert deep.socket.parent.stat().st_mode & 0o777 == 0o700


def test_a_left_over_lock_file_holds_nothing_and_a_number_of_another_process_is_not_ours(
    folder: DatabaseFolder,
) -> None:
    folder.store_lock.parent.mkdir(parents=True)
    folder.store_lock.touch()
    assert store_holder(folder) is None
    assert find_own(folder, [1]) is None
