"""The training process: started by the command line, so that nothing that answers requests ever loads torch.

Run as `python -m mentorgraph.embeddings.process`. It reads one request, from the file that is named or from standard
input, and writes one JSON object a
line: `{"doing", "done", "total"}` while it works, and in the end `{"result"}` or `{"error", "code"}`. Where the request
names a file for its `progress`, the same is told there. Where it says `ends_with_input`, the process ends as soon as
nobody holds its standard input open, so that it does not outlive a starter that was killed.

Started by torchrun in several processes, all teach and the first one alone does the rest and says how far they are.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from mentorgraph.embeddings import experiments
from mentorgraph.embeddings import snapshot as snapshots
from mentorgraph.embeddings.communities import community
from mentorgraph.embeddings.evaluation import SERVED
from mentorgraph.embeddings.progress import JUDGED, KEPT, PROMOTED, telling
from mentorgraph.embeddings.registry import ModelRefused, Published, Registry
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.tasks import SETTINGS, task
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.policy import load_policy

Progress = Callable[[str, int, int], None]

IS_FIRST = os.environ.get("RANK", "0") == "0"

MISSING = (
    "training needs torch and torch-geometric, which the extra `train` brings: install mentorgraph[train], "
    "about 3 GB to download"
)


def main() -> None:
    """Carry out one request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this, who then ends it
    request = orjson.loads(Path(sys.argv[1]).read_bytes() if sys.argv[1:] else sys.stdin.buffer.read())
    if request.get("ends_with_input"):
        _end_with_input()
    file = request.get("progress") if IS_FIRST else None
    try:
        with telling(Path(file) if file else None, request["what"]) as told:

            def progress(doing: str, done: int = 0, total: int = 0) -> None:
                told.step(doing, done, total)
                _say({"doing": doing, "done": done, "total": total})

            result = WORK[request["what"]](request, progress)
            version = result.get("version", "")
            state = (PROMOTED if version else KEPT) if request["what"] == "train" else JUDGED
            told.end(state, version=version, verdict=result.get("gate", {}).get("verdict", ""))
        _say({"result": result})
    except DomainError as error:
        _say({"error": error.message, "code": error.code})
        sys.exit(1)
    except MemoryError:
        _say({"error": "there is not enough memory to train", "code": "NO_MEMORY"})
        sys.exit(1)
    except Exception as error:
        traceback.print_exc()
        _say(
            {
                "error": f"training failed ({type(error).__name__}); training.log of the home says where",
                "code": "INTERNAL",
            }
        )
        sys.exit(1)


def _end_with_input() -> None:
    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="end-with-input", daemon=True).start()


def _train(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    runs, parallel = _taught_with("runs", "parallel")
    server = experiments.client()
    snapshot = snapshots.load(Path(request["snapshot"]))
    registry = Registry(Path(request["registry"]))
    current = _current(registry)
    encoder = encoder_of(request, current)
    with parallel.shared(request.get("device", "cpu")) as share:
        run = runs.evaluate(
            snapshot,
            runs.judging_window(snapshot),
            None,
            SETTINGS[request["setting"]],
            _policy(request),
            seed=request["seed"],
            current=current,
            progress=progress,
            share=share,
            encoder=encoder,
        )
    if run is None:
        return {}
    version = runs.publish(run, registry, force=request["force"])
    ranking = SERVED if request["force"] else run.decision.ranking
    untold = ""
    if server is not None:
        progress("Telling MLflow", 0, 0)
        manifest = registry.manifest(version) if version else runs.manifest_of(run, ranking or SERVED, "")
        untold = experiments.tell(server, manifest, version, registry.folder / version if version else None)
    return {"version": version, "untold": untold, **_told(run, ranking)}


def _evaluate(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    runs, parallel = _taught_with("runs", "parallel")
    until, encoder = request["until"], encoder_of(request)
    with parallel.shared(request.get("device", "cpu")) as share:
        run = runs.evaluate(
            snapshots.load(Path(request["snapshot"])),
            datetime.fromisoformat(request["begin"]),
            datetime.fromisoformat(until) if until else None,
            SETTINGS[request["setting"]],
            _policy(request),
            seed=request["seed"],
            progress=progress,
            share=share,
            encoder=encoder,
        )
    if run is None:
        return {}
    return _told(run, run.decision.ranking or SERVED)


def _explain(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Our reasons beside GNNExplainer's, on a generated community and a model taught without its last months."""
    runs, peer = _taught_with("runs", "against_gnn_explainer")
    columns, now = community(request["people"], request["seed"], lambda doing: progress(doing, 0, 0))
    begin = now - timedelta(days=request["days"])
    policy = _policy(request)
    model = runs.train(columns, begin, SETTINGS["full"], policy, seed=request["seed"], progress=progress)
    asked = task(columns, begin, now)
    if not len(asked):
        raise DomainError("no goal of the last months found a mentor; take more people", code="TOO_LITTLE_DATA")
    found = peer.compare(
        model,
        model.knowledge(columns, begin, policy),
        asked,
        pairs=request["pairs"],
        seed=request["seed"],
        progress=lambda done: progress("Explaining pairs", done, request["pairs"]),
    )
    ahead = peer.advantage(found, peer.PEER)
    return {
        "rows": peer.rows(found),
        "pairs": len(found.curves[peer.OURS]),
        "advantage": [ahead.mean, ahead.low, ahead.high],
        "taught_before": begin.isoformat(),
    }


def _step(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """A training step along sparse products beside LightGCN's along `edge_index`."""
    [peer] = _taught_with("against_lightgcn")
    sizes = [request[name] for name in ("people", "pairings", "dimensions", "layers", "steps", "seed")]
    return asdict(peer.measure(*sizes, progress=lambda done: progress("Taking steps", done, request["steps"])))


def _newcomers(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """How well newcomers of a generated community are served, beside what the truth allows."""
    [measured] = _taught_with("generated")
    found = measured.newcomers(
        request["people"], request["seed"], _policy(request), lambda doing: progress(doing, 0, 0)
    )
    return dict(found)


def _in_a_past_time(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """All rankings, or what each part of the network adds, in a past time of a bundle or a generated community."""
    measured, parallel = _taught_with("ranking_bench", "parallel")
    measure = {"ranking": measured.ranking, "parts": measured.parts}[request["what"]]
    with parallel.shared("cpu") as share:
        return dict(measure(request, _policy(request), progress, share))


def _calibration(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """How true chances are, of outcomes that they were not fitted to and of later ones."""
    [measured] = _taught_with("generated")
    found = measured.calibration(
        request["people"],
        request["seed"],
        _policy(request),
        request["with_network"],
        lambda doing: progress(doing, 0, 0),
    )
    return dict(found)


def _told(run: Any, ranking: str) -> dict[str, Any]:
    """What is said of a run, and of the chances of one of its rankings; of no chances where nothing may serve."""
    return {
        "chance": run.chances(ranking) if ranking else None,
        "gate": run.decision.told(),
        "rows": run.rows,
        "ablation": run.ablation,
        "tuned": run.tuned,
        "asks": len(run.task),
        "candidates": len(run.task.candidates),
    }


WORK: Mapping[str, Callable[[Mapping[str, Any], Progress], dict[str, Any]]] = {
    "train": _train,
    "evaluate": _evaluate,
    "explain": _explain,
    "step": _step,
    "newcomers": _newcomers,
    "calibration": _calibration,
    "ranking": _in_a_past_time,
    "parts": _in_a_past_time,
}


def _taught_with(*names: str) -> list[Any]:
    """Modules that need torch."""
    try:
        return [import_module(f"mentorgraph.embeddings.{name}") for name in names]
    except ImportError as error:
        raise DomainError(MISSING, code="EXTRA_MISSING") from error


def _policy(request: Mapping[str, Any]) -> Any:
    return load_policy(Path(request["policy"]) if request["policy"] else None)


def _current(registry: Registry) -> Published | None:
    """The version that serves; one that is damaged does not, so there is nothing to compare with."""
    version = registry.current()
    try:
        return registry.load(version) if version else None
    except ModelRefused:
        return None


def encoder_of(request: Mapping[str, Any], current: Published | None = None) -> SentenceEncoder | None:
    """What reads texts for their meaning, where a request asks for it; it knows what the present version has read.

    Raises:
        DomainError: `EXTRA_MISSING`, it is not installed.
    """
    if not request.get("text"):
        return None
    known = SentenceEncoder.of(current.arrays, current.texts.get("pieces", ())) if current else None
    return SentenceEncoder.installed().knowing(known)


def _say(told: Mapping[str, Any]) -> None:
    if not IS_FIRST:
        return
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
