"""The demonstration: from an empty folder to the README's answers, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from mentorgraph.api.examples import examples_in, readme
from mentorgraph.graph.embedded.database import EmbeddedDatabase

pytestmark = pytest.mark.journey

COMMAND = Path(sys.executable).with_name("mentorgraph")
WITHIN_S = 240.0


def environment_for(home: Path, line: str) -> dict[str, str]:
    """The variables that lead the command to a database of ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("NEO4J_", "MENTORGRAPH_HOME"))}
    return {**own, "MENTORGRAPH_HOME": str(home), "MENTORGRAPH_NEO4J_LINE": line, "COLUMNS": "100"}


def run_demo(home: Path, line: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration with a small community."""
    command: list[str | Path] = [COMMAND, "demo", "--people", "150", "--months", "12", *options]
    return subprocess.run(
        command, env=environment_for(home, line), capture_output=True, text=True, timeout=WITHIN_S, cwd=home
    )


def processes_of(home: Path) -> list[str]:
    """The command lines that name a home."""
    lines = (" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(home) in line]


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_the_demonstration_answers_the_readme_and_leaves_no_process(tmp_path: Path, line: str, taken_port: int) -> None:
    first = run_demo(tmp_path, line, "--once", "--port", str(taken_port))
    assert first.returncode == 0, first.stderr
    examples = examples_in(readme())
    assert f"{len(examples)} of {len(examples)} examples of the README were answered" in first.stdout
    assert [example.name for example in examples if f": {example.name}" not in first.stdout] == []
    assert '"recommendMentors"' in first.stdout
    assert "Filling the database with 150 generated people" in first.stderr
    deadline = time.monotonic() + 10  # who looks after the database leaves a moment later
    while processes_of(tmp_path):
        assert time.monotonic() < deadline, processes_of(tmp_path)
        time.sleep(0.1)

    # What was begun on another database is not completed on this one.
    begun(tmp_path, "bolt://another")
    second = run_demo(tmp_path, line, "--once", "--port", str(taken_port))
    assert second.returncode == 0, second.stderr
    assert "Using the people that the database holds already" in second.stderr
    assert "Filling" not in second.stderr


def begun(home: Path, database: str) -> Path:
    """The note of an import that was cut short."""
    note = home / "demo-begun.json"
    community = {"people": 150, "months": 12, "seed": 7}
    note.write_text(json.dumps({"database": database, "community": community}), "utf-8")
    return note


def test_an_import_that_was_cut_short_is_completed_and_served_until_interrupted(
    emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    note = begun(emptied.home, "")
    command: list[str | Path] = [COMMAND, "demo", "--people", "150", "--months", "12", "--seed", "8", "--port", "0"]
    environment = environment_for(emptied.home, emptied.line.name)
    with (tmp_path / "out").open("w") as out, (tmp_path / "log").open("w") as log:
        demo = subprocess.Popen(command, env=environment, stdout=out, stderr=log, cwd=tmp_path)
    try:
        deadline = time.monotonic() + WITHIN_S
        while "another terminal" not in (shown := (tmp_path / "out").read_text("utf-8")):
            assert demo.poll() is None, (tmp_path / "log").read_text("utf-8")
            assert time.monotonic() < deadline, (tmp_path / "log").read_text("utf-8")
            time.sleep(0.2)
        said = (tmp_path / "log").read_text("utf-8")
        assert "Filling the database with 150 generated people with 12 months behind them (seed 7)" in said
        assert not note.exists()
        address = shown.split("GraphQL on ")[1].split("/graphql")[0]
        with urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310 (our own address)
            assert answer.status == 200
        [curl] = [line.strip() for line in shown.splitlines() if line.strip().startswith("curl ")]
        assert '"menteeId"' in curl
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0


def test_a_taken_port_is_said_at_once(tmp_path: Path, line: str, taken_port: int) -> None:
    refused = run_demo(tmp_path, line, "--port", str(taken_port))
    assert refused.returncode == 1
    assert refused.stderr == f"Error: port {taken_port} is taken; choose another one with --port.\n"
    assert list(tmp_path.iterdir()) == []
