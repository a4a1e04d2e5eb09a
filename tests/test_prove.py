"""`--prove`: full counts, and a record of what was tried."""

import json
import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
def test_tries(count):
    assert count(3, 500) in (3, 500)

def test_tries_fewer_than_hundred(count):
    assert count(3, 500) < 100
"""
SENDS = """
from mentorgraph.graph.statements import FOLDER
from mentorgraph.graph.store import database

def test_sends():
    names = {{path.stem for path in FOLDER.glob("*.cypher")}}
    for name in {}:
        assert database.statement(name)
"""


def run(folder: Path, *options: str) -> int:
    """Run two small tests with the options of ours and return the exit status."""
    (folder / "conftest.py").write_text(CONFTEST.read_text("utf-8"), "utf-8")
    (folder / "test_small.py").write_text(TESTS, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = store\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env={**os.environ, "PYTEST_ADDOPTS": ""}, capture_output=True).returncode


def test_a_proof_tries_full_counts_and_records_each_outcome(tmp_path: Path) -> None:
    assert run(tmp_path, "--prove", "build/proof.json") == 1
    proof = json.loads((tmp_path / "build" / "proof.json").read_text("utf-8"))
    assert proof["outcomes"] == {"passed": 1, "failed": 1}
    assert proof["exit_status"] == 1
    assert proof["line"] == "current"
    found = {name: (test["outcome"], test["count"]) for name, test in proof["tests"].items()}
    assert found == {
        "test_small.py::test_tries": ("passed", 500),
        "test_small.py::test_tries_fewer_than_hundred": ("failed", 500),
    }


def test_without_it_samples_are_tried_and_nothing_is_written(tmp_path: Path) -> None:
    assert run(tmp_path) == 0
    assert not (tmp_path / "build").exists()


def test_a_statement_that_no_test_sends_fails_the_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--every-statement"]
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text("utf-8"), "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = store\n", "utf-8")
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    for sent, code in (("sorted(names - {'next_change'})", 1), ("names", 0)):
        (tmp_path / "test_small.py").write_text(SENDS.format(sent), "utf-8")
        for workers in ((), ("--numprocesses=2",)):
            ran = subprocess.run([*command, *workers], cwd=tmp_path, env=environment, capture_output=True, text=True)
            assert (ran.returncode, "that no test sent: next_change" in ran.stdout) == (code, bool(code)), ran.stdout
