"""What lies in the repository: names that say what is in a file, sizes one can read, nothing of one machine."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 500
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc"}
# Written in pieces, so that this file does not name what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/[\w.-]+")
REGISTRY_HOST = re.compile(
    r"\b(?:" + "|".join((r"pypi\.or" + "g", r"pythonhosted\.or" + "g", r"maven\.(?:apache\.)?or" + "g")) + r")\b"
)


def tracked_files() -> list[Path]:
    """What is committed, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(listed.split("\0")) - {""}) if (ROOT / name).is_file()]


def faults_of(file: Path) -> list[str]:
    """What should not be so in a file, in words."""
    faults = []
    if file.stem in NAMES_THAT_SAY_NOTHING:
        faults.append("its name says nothing")
    if file.name == "uv.lock":
        faults.append("it names a registry's host")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        return faults
    faults += [f"it names {found}" for pattern in (MACHINE_PATH, REGISTRY_HOST) for found in pattern.findall(text)]
    if file.suffix == ".py" and text.count("\n") > LONGEST_MODULE:
        faults.append(f"it has {text.count(chr(10))} lines")
    return faults


def test_no_file_of_the_repository_has_a_fault() -> None:
    files = tracked_files()
    assert ROOT / "pyproject.toml" in files
    assert {str(file.relative_to(ROOT)): faults for file in files if (faults := faults_of(file))} == {}


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("utils.py", "", "its name says nothing"),
        ("uv.lock", "", "it names a registry's host"),
        ("long.py", "x = 1\n" * 501, "it has 501 lines"),
        ("notes.md", "see /" + "home/anna/notes", "it names /" + "home/anna"),
        ("demo.txt", "--index-url https://pypi" + ".org/simple", "it names pypi" + ".org"),
    ],
)
def test_each_fault_is_seen(name: str, text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert faults_of(tmp_path / name) == [fault]


def test_the_licence_is_the_text_of_apache_2() -> None:
    lines = (ROOT / "LICENSE").read_text("utf-8").split("\n")
    assert [line.strip() for line in lines[1:4]] == [
        "Apache License",
        "Version 2.0, January 2004",
        "http://www.apache.org/licenses/",
    ]
    assert len(lines) == 203
