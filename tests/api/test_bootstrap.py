"""The set-up: refusals before anything is downloaded, and nothing to do the second time."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mentorgraph.api import bootstrap
from mentorgraph.api.bootstrap import Refused

ROOT = Path(__file__).parents[2]
FILE = ROOT / "api" / "bootstrap.py"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files as a fresh clone has them, for a set-up that runs no command."""
    for name in ("requirements", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv/stamp.txt")
    return tmp_path


@pytest.fixture
def commands(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the set-up would run; making the environment makes its folder."""
    ran: list[list[str]] = []

    def run(command: list[str], settings: object = None) -> None:
        ran.append(command)
        (checkout / ".venv/bin").mkdir(parents=True, exist_ok=True)
        (checkout / ".venv/bin/python").touch()

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "own_index", lambda pip: {})
    return ran


def run_as(version: tuple[int, int]) -> subprocess.CompletedProcess[str]:
    """Run the file as a Python of that version would, as far as the version is asked for."""
    text = f"import runpy, sys; sys.version_info = {version}; runpy.run_path({str(FILE)!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)


@pytest.mark.parametrize("version", [(3, 4), (3, 10)])
def test_an_old_python_is_refused_in_one_sentence(version: tuple[int, int]) -> None:
    refused = run_as(version)
    assert refused.returncode == 1
    assert refused.stderr.startswith("mentorgraph needs Python 3.11 or newer, and ")
    assert refused.stderr.count("\n") == 1


def test_a_python_that_is_new_enough_gets_as_far_as_its_arguments() -> None:
    assert run_as((3, 11)).stderr == "usage: python3 api/bootstrap.py demo|test\n"


def test_the_file_parses_on_any_python_3() -> None:
    """What came after Python 3.4 would be a syntax error instead of the sentence that names the version."""
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFunctionDef, ast.TryStar)
    found = [node for node in ast.walk(ast.parse(FILE.read_text("utf-8"))) if isinstance(node, newer)]
    assert found == []
    assert [node for node in ast.walk(ast.parse("f'{1}'")) if isinstance(node, newer)]


def test_the_file_needs_the_standard_library_only() -> None:
    imported = set()
    for node in ast.walk(ast.parse(FILE.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - sys.stdlib_module_names == set()


def test_this_machine_is_accepted() -> None:
    bootstrap.check_machine()


@pytest.mark.parametrize(
    ("owner", "name", "value", "sentence"),
    [
        ("sys", "version_info", (3, 15, 0), "Some packages do not come ready-made for Python 3.15 yet"),
        ("sys", "platform", "win32", "mentorgraph runs on Linux and macOS"),
        ("platform", "machine", lambda: "riscv64", "mentorgraph runs on x86_64 and arm64"),
        ("platform", "python_implementation", lambda: "PyPy", "mentorgraph needs CPython"),
        ("importlib", "util", SimpleNamespace(find_spec=lambda name: None), "This Python lacks its venv module"),
    ],
)
def test_a_machine_that_cannot_is_refused(
    owner: str, name: str, value: object, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(bootstrap, owner)
    changed = {each: getattr(real, each) for each in dir(real)} | {name: value}
    monkeypatch.setattr(bootstrap, owner, SimpleNamespace(**changed))
    with pytest.raises(Refused, match=f"^{sentence}"):
        bootstrap.check_machine()


@pytest.mark.parametrize(
    ("found", "sentence"), [(("", ""), "needs a Linux with the GNU C library"), (("glibc", "2.17"), "needs glibc 2.28")]
)
def test_a_c_library_without_ready_made_packages_is_refused(found: tuple[str, str], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        bootstrap.check_c_library(*found)


@pytest.mark.parametrize("version", ["2.28", "2.36", "3.0"])
def test_a_newer_gnu_c_library_is_accepted(version: str) -> None:
    bootstrap.check_c_library("glibc", version)


def test_folders_on_one_disk_share_its_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=500 * 10**6))
    bootstrap.check_room({tmp_path / "new/a": 300, tmp_path / "b": 200})
    with pytest.raises(Refused, match=f"The disk of {tmp_path} has 500 MB left and 501 MB are needed"):
        bootstrap.check_room({tmp_path / "new/a": 300, tmp_path / "b": 201})


def test_too_little_room_is_said_before_anything_is_run(
    commands: list[list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=10**6))
    with pytest.raises(Refused, match="make room there"):
        bootstrap.set_up("demo")
    assert "It downloads up to 3,235 MB" in capsys.readouterr().err
    assert commands == []


def test_a_set_up_installs_by_hash_and_the_second_one_does_nothing(
    checkout: Path, commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.set_up("demo")
    environment, installer, packages, torch, project = commands
    assert environment[1:] == ["-m", "venv", "--clear", str(checkout / ".venv")]
    for command, requirements in ((installer, "setup"), (packages, "demo"), (torch, "train")):
        assert "--require-hashes" in command
        assert command[-1] == str(checkout / f"requirements/{requirements}.txt")
    assert {"--no-deps", "--no-build-isolation"} <= set(project)
    assert capsys.readouterr().err.count("\n") == 4

    assert bootstrap.is_set_up("demo")
    bootstrap.set_up("demo")
    assert len(commands) == 5
    assert capsys.readouterr().err == ""


def test_torch_comes_by_its_version_from_an_index_of_ones_own_and_that_is_said(
    checkout: Path, commands: list[list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORGRAPH_TORCH_INDEX", "https://wheels.example/cpu")
    (checkout / "requirements" / "train.txt").write_text(
        "numpy==1.0 \\\n    --hash=sha256:1\ntorch==2.0 \\\n    --hash=sha256:2\n    # via mentorgraph\n"
    )
    bootstrap.set_up("demo")
    torch = commands[3]
    assert torch[-3:] == ["--index", "https://wheels.example/cpu", "torch==2.0"]
    assert "--require-hashes" not in torch
    assert "MENTORGRAPH_TORCH_INDEX is set: torch comes from there by its version" in capsys.readouterr().err
    monkeypatch.delenv("MENTORGRAPH_TORCH_INDEX")
    assert not bootstrap.is_set_up("demo")


@pytest.mark.parametrize(
    "changed", ["requirements/demo.txt", "requirements/setup.txt", "requirements/train.txt", "pyproject.toml"]
)
def test_what_was_set_up_is_renewed_when_its_requirements_change(
    changed: str, checkout: Path, commands: list[list[str]]
) -> None:
    bootstrap.set_up("demo")
    with (checkout / changed).open("a") as file:
        file.write("# changed\n")
    assert not bootstrap.is_set_up("demo")


def test_the_tests_need_more_than_the_demo(commands: list[list[str]]) -> None:
    bootstrap.set_up("demo")
    assert not bootstrap.is_set_up("test")
    bootstrap.set_up("test")
    assert bootstrap.is_set_up("demo")
    assert bootstrap.is_set_up("test")


def test_a_step_that_fails_leaves_the_set_up_to_be_done(
    checkout: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.set_up("demo")
    (checkout / "pyproject.toml").write_text("changed\n")

    def fail(command: list[str], settings: object = None) -> None:
        raise Refused("The set-up stopped at this step")

    monkeypatch.setattr(bootstrap, "run", fail)
    with pytest.raises(Refused):
        bootstrap.set_up("demo")
    assert not bootstrap.is_set_up("demo")


def test_the_settings_of_pip_reach_uv_unless_uv_has_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pip = tmp_path / "pip"
    pip.write_text(
        "#!/bin/sh\necho \"global.index-url='https://mirror.example/simple'\"\necho \":env:.cert='/ca.pem'\"\n"
    )
    pip.chmod(0o755)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/own.pem")
    assert bootstrap.own_index([str(pip)]) == {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}
    assert os.environ["SSL_CERT_FILE"] == "/own.pem"
