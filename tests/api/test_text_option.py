"""`--text` reaches the process that teaches, and nothing asks for it unasked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import bench_learned, learning, main, watching
from mentorgraph.graph.errors import DomainError


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What the process is asked for, which here refuses everything."""
    monkeypatch.setenv("MENTORGRAPH_HOME", str(tmp_path))
    folder = tmp_path / watching.FOLDER / "taken"
    folder.mkdir(parents=True)
    told = {"as_of": datetime(2026, 1, 1, tzinfo=UTC), "change": 0, "counts": {}, "without_consent": 0, "sha256": ""}
    (folder / "manifest.json").write_bytes(orjson.dumps(told))
    asked: list[Mapping[str, Any]] = []

    def refuse(request: Mapping[str, Any], *_others: object) -> None:
        asked.append(request)
        raise DomainError("refused by the test", code="INTERNAL")

    for module in (learning, bench_learned):
        monkeypatch.setattr(module, "converse", refuse)
    return asked


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--snapshot", "taken"),
        ("evaluate", "--snapshot", "taken", "--from", "2025-01-01"),
        ("bench", "ranking", "--people", "600"),
        ("bench", "parts", "--people", "600"),
    ],
)
def test_the_sentence_encoder_is_used_where_it_is_asked_for(
    command: tuple[str, ...], requests: list[Mapping[str, Any]]
) -> None:
    for option in ((), ("--text",)):
        result = CliRunner().invoke(main, [*command, *option])
        assert "refused by the test" in result.output
    assert [bool(each["text"]) for each in requests] == [False, True]
