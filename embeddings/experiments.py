"""Tells an MLflow server of each training, where the environment names one; off else.

`MLFLOW_TRACKING_URI` and `MLFLOW_EXPERIMENT_NAME` are MLflow's own variables, and the extra `mlflow` brings its client.
Told are options, figures of everybody, newcomers and the others, loss by epoch, the card and the report of what was
published. Our own folder of versions stays what serves and what is rolled back; nothing is read from MLflow.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mentorgraph.embeddings.evaluation import EVERYBODY
from mentorgraph.embeddings.registry import CARD, REPORT
from mentorgraph.graph.errors import DomainError

TRACKING, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
NAME = "mentorgraph"
FIGURES = ("ndcg@10", "mrr", "hr@10", "recall@20", "coverage@10", "gini@10")


def client(environment: Mapping[str, str] = os.environ) -> Any | None:
    """The client of the server that the environment names; None where it names none.

    Raises:
        DomainError: `BAD_CONFIGURATION`, it names one and the extra is not installed.
    """
    if not environment.get(TRACKING):
        return None
    try:
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise DomainError(
            f"{TRACKING} names an MLflow server, but MLflow is not installed: install mentorgraph[mlflow], or unset "
            "the variable",
            code="BAD_CONFIGURATION",
        ) from error
    return MlflowClient(tracking_uri=environment[TRACKING])


def tell(server: Any, manifest: Mapping[str, Any], version: str, folder: Path | None) -> str:
    """Writes one training down as a run.

    Args:
        server: See `client`.
        manifest: Of the model, see `runs.manifest_of`.
        version: The version that was published; empty where the gate let nothing through.
        folder: Its folder, whose card and report are kept with the run.

    Returns:
        Empty, or why nothing or not all could be told. A training is not lost because a server is away.
    """
    try:
        name = os.environ.get(EXPERIMENT) or NAME
        found = server.get_experiment_by_name(name)
        experiment = found.experiment_id if found else server.create_experiment(name)
        run = server.create_run(experiment, run_name=version or "not published").info.run_id
        for key, value in _options(manifest, version).items():
            server.log_param(run, key, value)
        for key, figure, step in _figures(manifest):
            server.log_metric(run, key, figure, step=step)
        server.set_tag(run, "mlflow.note.content", manifest["gate"]["verdict"])
        for file in (folder / CARD, folder / REPORT) if folder else ():
            server.log_artifact(run, str(file))
        server.set_terminated(run)
    except Exception as error:  # whatever a client of a server far away raises
        return f"MLflow was not told of all of this training ({type(error).__name__})"
    return ""


def _options(manifest: Mapping[str, Any], version: str) -> dict[str, Any]:
    return {
        "version": version or "none",
        "ranking": manifest["ranking"],
        "snapshot": manifest["snapshot"]["sha256"],
        "chance": "stated" if all(each["holds"] for each in manifest["chance"]["conditions"]) else "not stated",
        **{name: manifest[name] for name in ("setting", "seed", "taught_before", "judged_until", "asks", "candidates")},
    }


def _figures(manifest: Mapping[str, Any]) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of each figure, in the letters that MLflow allows; `@` is none of them."""
    for row in manifest["rows"]:
        if row["group"] in EVERYBODY:
            for name in FIGURES:
                yield f"{row['name']}/{row['group']}/{name.replace('@', ' at ')}", row[name], 0
    for group, error in manifest["chance"]["errors"].items():
        yield f"calibration error/{group}", error["debiased"], 0
    for epoch in manifest["epochs"]:
        yield f"network {epoch['network']}/loss", epoch["loss"], epoch["number"]
        if epoch["ndcg"] is not None:
            yield f"network {epoch['network']}/ndcg at 10", epoch["ndcg"], epoch["number"]
