"""The data scientist's page: its ten commands work in their order, and so does its Python."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.embeddings.registry import Registry

from .test_learning_commands import home, models, trained, world  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PAGE = (Path(__file__).parents[2] / "docs" / "data-science.md").read_text("utf-8")
SHELL, _ = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
[PYTHON] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [shlex.split(line, comments=True)[1:] for line in SHELL.splitlines()]


def run(words: list[str], version: str) -> Result:
    return CliRunner().invoke(main, [version if word == "VERSION" else word for word in words])


def test_the_ten_commands_work_in_their_order(trained: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert len(COMMANDS) == 10
    for words in COMMANDS:
        done = run(words, trained)
        may_fail = words == ["drift"]  # 1 where something has moved
        assert done.exit_code == 0 or (may_fail and done.exit_code == 1), (words, done.output)
        assert "Traceback" not in done.output
    assert (tmp_path / "past.json").exists()
    assert trained in Registry(models()).versions()


def test_its_python_does_the_same(trained: str) -> None:  # noqa: F811
    told: dict[str, Any] = {"HOME": str(models().parent)}
    exec(compile(PYTHON, "docs/data-science.md", "exec"), told)  # noqa: S102 (our own page)
    assert {"served", "rules", "popularity"} <= {name for name, *_ in told["rows"]}
    for _, _, figure, low, high in told["rows"]:
        assert 0 <= low <= figure <= high <= 1
    assert told["network_adds"].low <= told["network_adds"].mean <= told["network_adds"].high
    assert told["verdict"]
    assert told["chances"][0][0] == "enough outcomes"
