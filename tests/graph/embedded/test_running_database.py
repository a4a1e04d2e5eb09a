"""One server, shared: it starts with the first user, outlives kills, ends with the last user, and can be put back."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import neo4j
import psutil
import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.graph.embedded import conversation, database
from mentorgraph.graph.embedded.backup import Loaded, dump, load
from mentorgraph.graph.embedded.database import EmbeddedDatabase, attach, database_folder, status
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.lines import LINES, Line

pytestmark = pytest.mark.store
PATIENCE_S = 90
LONGEST_STOP_S = 6  # 2 on a machine with nothing else to do

USER_SCRIPT = """
import sys, time
from pathlib import Path
from mentorgraph.graph.embedded.database import attach
from mentorgraph.graph.embedded.lines import LINES
attached = attach(Path(sys.argv[1]), LINES[sys.argv[2]])
print("attached", flush=True)
time.sleep(600)
"""


def processes_of(home: Path) -> list[int]:
    """Guardians and servers whose command line names a folder in this home."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if str(home) in command and ("-Dmentorgraph.database=" in command or "embedded.guardian" in command):
            found.append(process.pid)
    return found


def eventually(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def query(db: EmbeddedDatabase, text: str) -> list[list[object]]:
    with neo4j.GraphDatabase.driver(db.uri, auth=(db.user, db.password)) as driver:
        return [record.values() for record in driver.execute_query(text, database_=db.database).records]


def java_pid(home: Path) -> int:
    pid = status(home).java_pid
    assert pid is not None
    return pid


def guardian_pid(home: Path) -> int:
    pid = status(home).guardian_pid
    assert pid is not None
    return pid


def another_user(home: Path, line: Line) -> subprocess.Popen[str]:
    """A process of its own that uses the database until it is killed."""
    user = subprocess.Popen([sys.executable, "-c", USER_SCRIPT, home, line.name], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "attached\n"
    return user


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def fill_the_disk(filler: Path, but_bytes: int) -> None:
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(2**20)):
            pass
    os.truncate(filler, filler.stat().st_size - but_bytes)


def write_until_refused(db: EmbeddedDatabase) -> int:
    """Writes rows until the database takes no more; how many it acknowledged."""
    for acknowledged in range(0, 100_000, 500):
        try:
            query(db, f"UNWIND range(1, 500) AS n CREATE (:Row {{text: '{'x' * 100}'}})")
        except neo4j.exceptions.Neo4jError:
            return acknowledged
    raise AssertionError("the disk was never full")


@pytest.fixture(scope="session")
def neo4j_line(line: str) -> Line:
    return LINES[line]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("home")
    yield path
    database.stop(path)
    assert eventually(lambda: not processes_of(path), 5), "a process was left running"


@pytest.fixture
def fresh_home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    database.stop(tmp_path)
    assert eventually(lambda: not processes_of(tmp_path), 5), "a process was left running"


@pytest.fixture(scope="module")
def db(home: Path, neo4j_line: Line) -> Iterator[EmbeddedDatabase]:
    """The database of this module; tests add what they need and leave it running."""
    with attach(home, neo4j_line) as attached:
        yield attached
    assert eventually(lambda: not processes_of(home), 10), "the database outlived its last user"


@pytest.fixture(scope="module")
def whole_dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the dump of this module is."""
    return tmp_path_factory.mktemp("dumps") / "whole.dump"


@pytest.fixture
def run(home: Path, neo4j_line: Line, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `mentorgraph` on the home of this module."""
    monkeypatch.setenv("MENTORGRAPH_HOME", str(home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", neo4j_line.name)
    monkeypatch.delenv("NEO4J_URI", raising=False)
    return lambda *words: CliRunner().invoke(main, ["db", *words])


def test_a_second_user_shares_the_server_and_leaves_it_running(
    home: Path, db: EmbeddedDatabase, neo4j_line: Line
) -> None:
    server = java_pid(home)
    with attach(home, neo4j_line) as second:
        assert second.uri == db.uri
        assert query(second, "RETURN 1") == [[1]]
        assert status(home).user_pids == (os.getpid(), os.getpid())
    assert eventually(lambda: status(home).user_pids == (os.getpid(),), 5)
    assert java_pid(home) == server


def test_a_killed_user_is_noticed_while_others_go_on(home: Path, db: EmbeddedDatabase, neo4j_line: Line) -> None:
    user = another_user(home, neo4j_line)
    assert user.pid in status(home).user_pids
    kill(user)
    assert eventually(lambda: user.pid not in status(home).user_pids, 5)
    assert query(db, "RETURN 1") == [[1]]


def test_the_server_is_the_line_that_was_asked_for(db: EmbeddedDatabase, neo4j_line: Line) -> None:
    version = query(db, "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0]")
    assert version == [[neo4j_line.version]]


def test_the_password_is_random_private_and_in_no_command_line(home: Path, db: EmbeddedDatabase) -> None:
    folder = database_folder(home)
    assert len(db.password) >= 32
    assert db.password not in repr(db)
    assert folder.password_file.stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700
    seen = []
    for pid in processes_of(home):
        process = psutil.Process(pid)
        seen += [*process.cmdline(), *process.environ().values()]
    assert any("-Dmentorgraph.database=" in word for word in seen)
    assert not [word for word in seen if db.password in word]
    assert db.password not in folder.guardian_log.read_text()


def test_files_of_the_server_are_for_their_owner_only(home: Path, db: EmbeddedDatabase) -> None:
    open_to_others = [file for file in database_folder(home).path.rglob("*") if file.stat().st_mode & 0o077]
    assert open_to_others == []


def test_another_password_is_refused_by_the_server(db: EmbeddedDatabase) -> None:
    with (
        neo4j.GraphDatabase.driver(db.uri, auth=(db.user, "neo4j")) as driver,
        pytest.raises(neo4j.exceptions.AuthError),
    ):
        driver.verify_connectivity()


def test_the_server_listens_on_loopback_only(home: Path, db: EmbeddedDatabase) -> None:
    listening = {
        address.laddr.ip.removeprefix("::ffff:")
        for address in psutil.Process(java_pid(home)).net_connections()
        if address.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_killed_server_comes_back_on_its_port_with_what_was_committed(home: Path, db: EmbeddedDatabase) -> None:
    query(db, "CREATE (:Committed {on: 'killed server'})")
    before = java_pid(home)
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: status(home).java_pid not in (None, before) and status(home).state == "ready")
    assert status(home).uri == db.uri
    assert query(db, "MATCH (n:Committed {on: 'killed server'}) RETURN count(n)") == [[1]]


def test_a_killed_guardian_is_replaced_and_the_server_goes_on(home: Path, db: EmbeddedDatabase) -> None:
    server, guardian = java_pid(home), guardian_pid(home)
    os.kill(guardian, signal.SIGKILL)
    assert eventually(lambda: status(home).guardian_pid not in (None, guardian) and status(home).state == "ready", 20)
    assert java_pid(home) == server
    assert status(home).user_pids == (os.getpid(),)
    assert query(db, "RETURN 1") == [[1]]


def test_a_guardian_that_is_stopped_is_named_with_the_way_out(
    home: Path, db: EmbeddedDatabase, neo4j_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "ANSWER_LIMIT_S", 1)
    guardian = guardian_pid(home)
    os.kill(guardian, signal.SIGSTOP)
    try:
        for use in (lambda: attach(home, neo4j_line), lambda: database.stop(home)):
            with pytest.raises(EmbeddedDatabaseError, match=f"kill -CONT {guardian}") as refused:
                use()
            assert refused.value.code == "guardian_silent"
    finally:
        os.kill(guardian, signal.SIGCONT)
    assert query(db, "RETURN 1") == [[1]]


def test_a_false_report_of_a_panic_restarts_nothing(home: Path, db: EmbeddedDatabase) -> None:
    server = java_pid(home)
    db.report_panic()
    time.sleep(1.5)
    assert java_pid(home) == server


def test_another_line_is_refused_with_the_way_from_one_to_the_other(
    home: Path, db: EmbeddedDatabase, neo4j_line: Line
) -> None:
    (other,) = set(LINES.values()) - {neo4j_line}
    with pytest.raises(EmbeddedDatabaseError, match=r"db dump FILE.*db load FILE") as refused:
        attach(home, other)
    assert refused.value.code == "another_line"
    assert query(db, "RETURN 1") == [[1]]


def test_start_keeps_the_server_and_a_second_start_says_so(run: Callable[..., Result], db: EmbeddedDatabase) -> None:
    assert run("start").output.startswith(f"The database runs at {db.uri}.")
    again = run("start")
    assert (again.exit_code, again.output.splitlines()[0]) == (0, f"The database was already running at {db.uri}.")
    assert "kept      until mentorgraph db stop" in run("status").output


def test_shell_info_shows_the_password_only_when_asked(run: Callable[..., Result], db: EmbeddedDatabase) -> None:
    assert db.uri in run("shell-info").output
    assert db.password not in run("shell-info").output
    assert db.password in run("shell-info", "--show-password").output


def test_a_dump_is_taken_while_a_user_waits(
    run: Callable[..., Result], db: EmbeddedDatabase, home: Path, whole_dump: Path
) -> None:
    query(db, "MATCH (n) DETACH DELETE n")
    query(db, "CREATE (:Kept)-[:WITH]->(:Kept), (:ChangeCounter {kind: 'graph', lineage: 'of the dump'})")
    taken = run("dump", str(whole_dump))
    assert taken.exit_code == 0, taken.output
    assert whole_dump.stat().st_mode & 0o777 == 0o600
    assert eventually(lambda: status(home).state == "ready")
    query(db, "CREATE (:Later)")


def test_a_truncated_dump_is_refused_and_the_database_stays_byte_for_byte(
    run: Callable[..., Result], home: Path, whole_dump: Path, tmp_path: Path
) -> None:
    database.stop(home)
    before = contents(database_folder(home).server / "data" / "databases")
    truncated = tmp_path / "truncated.dump"
    truncated.write_bytes(whole_dump.read_bytes()[:-200])
    refused = run("load", str(truncated))
    assert refused.exit_code == 1
    assert "is not a whole dump" in refused.output
    assert contents(database_folder(home).server / "data" / "databases") == before


def test_a_wrong_password_file_is_refused_with_the_way_out(home: Path, neo4j_line: Line) -> None:
    database_folder(home).password_file.write_text("not-the-password\n")
    with pytest.raises(EmbeddedDatabaseError, match=r"password in .* db load FILE, which sets it") as refused:
        attach(home, neo4j_line)
    assert refused.value.code == "wrong_password"


def test_a_whole_dump_replaces_the_database_and_the_password(
    run: Callable[..., Result], home: Path, whole_dump: Path, neo4j_line: Line
) -> None:
    before = contents(database_folder(home).server / "data" / "databases")
    loaded = run("load", str(whole_dump))
    assert "3 nodes and 1 relationships" in loaded.output, loaded.output
    assert contents(database_folder(home).server / "data" / "databases") != before
    assert sorted(path.name for path in database_folder(home).path.iterdir() if path.is_dir()) == ["server"]


def test_an_existing_file_is_replaced_only_when_asked(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("precious")
    refused = run("dump", str(file))
    assert (refused.exit_code, file.read_text()) == (1, "precious")
    assert "--force" in refused.output


def test_stop_ends_the_server_whoever_uses_it_and_the_next_user_finds_the_data(
    run: Callable[..., Result], home: Path, neo4j_line: Line
) -> None:
    attached = attach(home, neo4j_line)
    assert attached.password == "not-the-password"
    begun = time.monotonic()
    assert run("stop").output.endswith("The database is stopped.\n")
    assert eventually(lambda: processes_of(home) == [], 2)
    # A wrong name of the setting that spares the server its quiet period makes it ten seconds.
    assert time.monotonic() - begun < LONGEST_STOP_S
    assert run("stop").output.endswith("The database was not running.\n")
    attached.close()
    assert run("shell-info").exit_code == 1
    pids: list[int] = []

    def use() -> None:
        with attach(home, neo4j_line) as attached:
            pids.append(java_pid(home))
            assert query(attached, "MATCH (n:Kept) RETURN count(n)") == [[2]]
            # What was put back says so to whoever remembers the numbers of its changes.
            counter = "MATCH (n:ChangeCounter {kind: 'graph'}) RETURN n.lineage"
            assert query(attached, counter) != [["of the dump"]]

    together = [threading.Thread(target=use) for _ in range(2)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(pids) == 2
    assert len(set(pids)) == 1


def test_a_store_that_something_else_holds_is_refused_at_once_by_name(home: Path, neo4j_line: Line) -> None:
    assert eventually(lambda: not processes_of(home), 10)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys, time; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); "
            "print('held', flush=True); time.sleep(600)",
            database_folder(home).store_lock,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    begun = time.monotonic()
    with pytest.raises(EmbeddedDatabaseError, match=f"is held by process {holder.pid} .*import fcntl") as refused:
        attach(home, neo4j_line)
    assert time.monotonic() - begun < 3
    assert refused.value.code == "store_locked"
    kill(holder)


def test_too_little_room_is_refused_before_the_server_starts(
    home: Path, neo4j_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORGRAPH_DISK_RESERVE_MIB", str(2**40))
    with pytest.raises(EmbeddedDatabaseError, match="make room") as refused:
        attach(home, neo4j_line)
    assert refused.value.code == "disk_full"


def test_what_kills_left_behind_is_taken_over_and_a_foreign_process_is_not_touched(
    home: Path, neo4j_line: Line
) -> None:
    assert eventually(lambda: not processes_of(home), 10)
    foreign = subprocess.Popen(["sleep", "600"], text=True)
    folder = database_folder(home)
    folder.guardian_state.write_text(f'{{"port": null, "java_pid": {foreign.pid}, "is_kept": true}}')
    user = another_user(home, neo4j_line)
    server, guardian = java_pid(home), guardian_pid(home)
    os.kill(guardian, signal.SIGSTOP)  # it must not notice that its user is killed before it is
    kill(user)
    os.kill(guardian, signal.SIGKILL)
    assert eventually(lambda: not psutil.pid_exists(guardian) or psutil.Process(guardian).status() == "zombie", 5)
    assert psutil.pid_exists(server)
    with attach(home, neo4j_line) as attached:
        assert java_pid(home) == server
        assert query(attached, "RETURN 1") == [[1]]
    assert eventually(lambda: not processes_of(home), 10)
    assert foreign.poll() is None
    kill(foreign)


def test_with_an_external_database_the_commands_say_so(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://somewhere")
    for command in (["start"], ["stop"], ["status"], ["shell-info"], ["dump", "x"], ["load", "x"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "the database is external" in result.output


@pytest.mark.slow
def test_a_database_goes_from_the_lts_line_to_the_current_one_and_back(fresh_home: Path, tmp_path: Path) -> None:
    with attach(fresh_home, LINES["lts"]) as attached:
        query(attached, "CREATE (:Kept)-[:WITH]->(:Kept)")
    dump(tmp_path / "lts.dump", fresh_home)
    assert load(tmp_path / "lts.dump", fresh_home, LINES["current"]) == Loaded(nodes=2, relationships=1)
    dump(tmp_path / "current.dump", fresh_home)
    assert load(tmp_path / "current.dump", fresh_home, LINES["lts"]) == Loaded(nodes=2, relationships=1)
    with attach(fresh_home, LINES["lts"]) as attached:
        assert query(attached, "MATCH (n) RETURN count(n)") == [[2]]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can mount a small disk, on Linux")
def test_a_server_whose_disk_was_full_is_restarted_once_there_is_room(
    tmp_path: Path, neo4j_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORGRAPH_DISK_RESERVE_MIB", "50")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", tmp_path], check=True)
    try:
        with attach(tmp_path, neo4j_line) as attached:
            server = java_pid(tmp_path)
            filler = tmp_path / "filler"
            fill_the_disk(filler, but_bytes=2**20)
            acknowledged = write_until_refused(attached)
            with pytest.raises(neo4j.exceptions.Neo4jError, match="restarted"):
                query(attached, "RETURN 1")
            attached.report_panic()
            assert eventually(lambda: status(tmp_path).state == "waiting"), status(tmp_path)
            assert "make room" in status(tmp_path).message
            filler.unlink()
            assert eventually(lambda: status(tmp_path).state == "ready"), status(tmp_path)
            assert java_pid(tmp_path) != server
            assert acknowledged > 0
            assert query(attached, "MATCH (n:Row) RETURN count(n)") == [[acknowledged]]
        assert eventually(lambda: not processes_of(tmp_path), 20)
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
