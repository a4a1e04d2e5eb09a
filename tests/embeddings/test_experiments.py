"""MLflow: told only where the environment names a server, of all that the manifest says, and no training is lost."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mentorgraph.embeddings.experiments import EXPERIMENT, TRACKING, client, tell
from mentorgraph.embeddings.registry import CARD, REPORT
from mentorgraph.graph.errors import DomainError

from .test_report import MANIFEST as REPORTED

MANIFEST: dict[str, Any] = {
    **REPORTED,
    "seed": 3,
    "candidates": 60,
    "snapshot": {"sha256": "0a1b"},
}


class _Server:
    """What a client of MLflow is asked, written down."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.metrics: dict[tuple[str, int], float] = {}
        self.files: list[str] = []
        self.ended = False

    def get_experiment_by_name(self, name: str) -> None:
        self.name = name

    def create_experiment(self, name: str) -> str:
        return f"experiment {name}"

    def create_run(self, experiment: str, run_name: str) -> SimpleNamespace:
        self.run_name = run_name
        return SimpleNamespace(info=SimpleNamespace(run_id="run"))

    def log_param(self, run: str, key: str, value: Any) -> None:
        self.params[key] = value

    def log_metric(self, run: str, key: str, value: float, step: int) -> None:
        self.metrics[key, step] = value

    def set_tag(self, run: str, key: str, value: str) -> None:
        self.note = value

    def log_artifact(self, run: str, file: str) -> None:
        self.files.append(Path(file).name)

    def set_terminated(self, run: str) -> None:
        self.ended = True


def test_it_is_off_where_no_server_is_named() -> None:
    assert client({}) is None
    assert client({TRACKING: ""}) is None


def test_a_server_without_the_extra_is_said_before_anything_is_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(DomainError, match=r"install mentorgraph\[mlflow\], or unset"):
        client({TRACKING: "http://localhost:1"})


def test_a_run_tells_options_figures_losses_card_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EXPERIMENT, raising=False)
    server = _Server()
    assert tell(server, MANIFEST, "20260301-ab", tmp_path) == ""
    assert (server.name, server.run_name, server.ended) == ("mentorgraph", "20260301-ab", True)
    assert server.params["seed"] == 3
    assert server.params["chance"] == "not stated"
    assert server.metrics["served/all/ndcg at 10", 0] == 0.3
    assert server.metrics["calibration error/all", 0] == 0.012
    assert server.metrics["network 0/loss", 2] == 4.2
    assert ("network 1/ndcg at 10", 1) not in server.metrics
    assert not [key for key, _ in server.metrics if "unit" in key]  # a unit may be three people
    assert server.files == [CARD, REPORT]


def test_a_server_that_is_away_costs_no_training(tmp_path: Path) -> None:
    class Away(_Server):
        def log_metric(self, run: str, key: str, value: float, step: int) -> None:
            raise ConnectionError("http://user:secret@host")

    assert tell(Away(), MANIFEST, "v", tmp_path) == "MLflow was not told of all of this training (ConnectionError)"


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="the extra mlflow is not installed")
def test_mlflow_itself_keeps_it_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.delenv(EXPERIMENT, raising=False)
    for name in (CARD, REPORT):
        (tmp_path / name).write_text(name)
    server = client({TRACKING: f"file:{tmp_path}/runs"})
    assert server is not None
    for version in ("one", ""):
        assert tell(server, MANIFEST, version, tmp_path if version else None) == ""
    experiment = server.get_experiment_by_name("mentorgraph")
    runs = {run.info.run_name: run for run in server.search_runs([experiment.experiment_id])}
    assert set(runs) == {"one", "not published"}
    assert runs["one"].data.metrics["served/newcomers/ndcg at 10"] == 0.3
    assert runs["one"].data.params["version"] == "one"
    assert {each.path for each in server.list_artifacts(runs["one"].info.run_id)} == {CARD, REPORT}
    assert [each.value for each in server.get_metric_history(runs["one"].info.run_id, "network 0/loss")] == [4.5, 4.2]
