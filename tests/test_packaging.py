"""The wheel: what it holds, and that it works in an environment that knows nothing of the checkout."""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from http.client import HTTPConnection
from pathlib import Path

import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase

ROOT = Path(__file__).parents[1]
PACKAGES = ("api", "graph", "embeddings", "cypher")
# Not only code: the statements, the archives of Neo4j, the policy, what worlds and what pages are made from.
DATA = {".py", ".cypher", ".typed", ".lock", ".mjs", ".toml", ".csv", ".html", ".css", ".js", ".svg", ".txt", ".sha256"}
STARTS_WITHIN_S = 30.0


def output_of(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command outside of the checkout's environment and return what it prints; fails with it."""
    ran = subprocess.run(command, cwd=cwd, env=bare_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = ran.stdout.decode()
    assert ran.returncode == 0, text
    return text


def bare_environment() -> dict[str, str]:
    """The environment variables without those that would lead back to the checkout."""
    return {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the files that are in the repository, built without a network."""
    source = tmp_path_factory.mktemp("source")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    output_of(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source / "dist", cwd=source)
    [built] = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that holds the wheel and the locked requirements, nothing else."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    uv = Path(sys.executable).with_name("uv")
    python = environment / "bin" / "python"
    output_of(uv, "venv", "--python", sys.executable, environment)
    install = (uv, "pip", "install", "--python", python)
    output_of(*install, "--require-hashes", "--no-build", "-r", ROOT / "requirements" / "demo.txt")
    output_of(*install, "--no-deps", wheel)
    return environment / "bin"


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    expected = {
        f"mentorgraph/{file.relative_to(ROOT)}"
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.suffix in DATA
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected
    assert {f"mentorgraph/{package}/py.typed" for package in PACKAGES} <= held
    assert [name for name in held if name.startswith("mentorgraph/cypher/migrations/")]
    assert [name for name in held if "test" in name] == []


def test_the_wheel_carries_the_licence_and_the_readme(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        [licence] = [name for name in held.namelist() if name.endswith("licenses/LICENSE")]
        [metadata] = [name for name in held.namelist() if name.endswith("METADATA")]
        assert held.read(licence) == (ROOT / "LICENSE").read_bytes()
        assert (ROOT / "README.md").read_text("utf-8") in held.read(metadata).decode()


def test_what_the_wheel_installs_finds_its_statements_and_data(installed: Path, tmp_path: Path) -> None:
    check = (
        "from mentorgraph.graph import statements\n"
        "from mentorgraph.graph.rules import policy\n"
        "from mentorgraph.graph.store import migrate\n"
        "from mentorgraph.graph.world.taxonomy import taxonomy\n"
        "from mentorgraph.graph.embedded import jars, lines\n"
        "from mentorgraph.graph.world.wording import wording\n"
        "from mentorgraph.api.examples import readme\n"
        "assert taxonomy() and wording() and policy.load_policy()\n"
        "assert all(jars.read_lock(jars.lock_file(line).read_text()) for line in lines.LINES.values())\n"
        "assert 'mentorgraph' in readme()\n"
        "print(statements.FOLDER, len(list(statements.FOLDER.glob('*.cypher'))), len(migrate.migrations()))\n"
    )
    folder, statements, migrations = output_of(installed / "python", "-c", check, cwd=tmp_path).split()
    assert Path(folder).is_relative_to(installed.parent)
    assert int(statements) == len(list((ROOT / "cypher").glob("*.cypher")))
    assert int(migrations) == len(list((ROOT / "cypher" / "migrations").glob("*.cypher")))


def test_the_installed_command_shows_its_help_and_version(installed: Path, tmp_path: Path) -> None:
    assert "Ranked mentor recommendations" in output_of(installed / "mentorgraph", "--help", cwd=tmp_path)
    assert output_of(installed / "mentorgraph", "--version", cwd=tmp_path).startswith("mentorgraph, version ")


def test_the_installed_command_serves(installed: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # A server that is not there: /healthz must answer without a database, and none is started for this test.
    environment = {**bare_environment(), "NEO4J_URI": "bolt://127.0.0.1:1", "MENTORGRAPH_HOME": str(tmp_path)}
    command: list[str | Path] = [installed / "mentorgraph", "serve", "--demo", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while (status := status_of(port, "/healthz")) != 200:
            assert server.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, f"{status}: {log.read_text('utf-8')}"
            time.sleep(0.1)
        assert status_of(port, "/readyz") == 503
        assert status_of(port, "/why/nonsense") == 404  # a page from a template; without that it would be 500
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(STARTS_WITHIN_S) == 0


@pytest.mark.journey
def test_the_installed_command_answers_from_a_server(
    installed: Path, emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    address = {"NEO4J_URI": emptied.uri, "NEO4J_USER": emptied.user, "NEO4J_PASSWORD": emptied.password}
    environment = {**bare_environment(), **address, "MENTORGRAPH_HOME": str(tmp_path)}
    bundle = ROOT / "tests" / "every_column"
    imported = subprocess.run([installed / "mentorgraph", "import", bundle], cwd=tmp_path, env=environment)
    assert imported.returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command: list[str | Path] = [installed / "mentorgraph", "serve", "--demo", "--port", str(port)]
    server = subprocess.Popen(command, cwd=tmp_path, env=environment)
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while status_of(port, "/readyz") != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        query = json.dumps({"query": "{ skills(first: 100) { edges { node { name } } } }"})
        connection.request("POST", "/graphql", query, {"content-type": "application/json"})
        answer = json.load(connection.getresponse())
        connection.close()
        names = {edge["node"]["name"] for edge in answer["data"]["skills"]["edges"]}
        with (bundle / "skills.csv").open(encoding="utf-8", newline="") as stream:
            assert names == {row["name"] for row in csv.DictReader(stream)}
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(STARTS_WITHIN_S) == 0


def status_of(port: int, path: str) -> int:
    """The HTTP status of a page of our own server, 0 where nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()
