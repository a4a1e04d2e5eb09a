"""A training run: taught with what was known before a window, judged on that window, decided by the gate, published.

What is published is the very model that was judged. It needs no second training on newer facts to be up to date: what
it attends to are the facts of the day on which it is asked.
"""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from mentorgraph.embeddings.calibration import (
    MOST_OF_A_NETWORK,
    MOST_OUTCOMES,
    Calibrated,
    calibrate,
    known_outcomes,
)
from mentorgraph.embeddings.card import card
from mentorgraph.embeddings.evaluation import SERVED, Judged, ablation, judge, rows, tune
from mentorgraph.embeddings.gate import Decision, decide, may_tell_chances
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.parallel import ALONE, Share
from mentorgraph.embeddings.registry import Published, Registry
from mentorgraph.embeddings.report import Drawn, report
from mentorgraph.embeddings.sentence_encoder import NAME as ENCODER
from mentorgraph.embeddings.sentence_encoder import SentenceEncoder
from mentorgraph.embeddings.snapshot import Snapshot
from mentorgraph.embeddings.tasks import Setting, Task, task
from mentorgraph.embeddings.teaching import Epoch, Recipe
from mentorgraph.embeddings.training import last_window, train
from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.policy import Policy

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much is done and how much there is (0 where nobody knows)."""

WINDOWS_DAYS = (91, 122, 183, 365)
"""Lengths that a judging window may have; the shortest one with enough goals is taken."""
ENOUGH_ASKS = 200
FEWEST_ASKS = 30


@dataclass(frozen=True)
class Run:
    """A model and how it was judged.

    Attributes:
        model: The model.
        task: What it was judged on.
        judged: What its rankings and all baselines did there, by name.
        decision: What the gate says.
        current: The version that served then; empty for rules.
        seed: Of the training.
        snapshot: What was learned from and judged on.
        tuned: The number of each baseline, found in the last window that the model was taught with.
        policy: Settings of the signals.
        epochs: How teaching went.
    """

    model: Model
    task: Task
    judged: Mapping[str, Judged]
    decision: Decision
    current: str
    seed: int
    snapshot: Snapshot
    tuned: Mapping[str, float]
    policy: Policy
    epochs: Sequence[Epoch] = ()
    _chances: dict[str, Calibrated] = field(default_factory=dict)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The figures, one row for each ranking and group."""
        return rows(self.judged, self.task, self.model.setting.name)

    @cached_property
    def ablation(self) -> list[dict[str, Any]]:
        """What each part of the model's rankings adds."""
        return ablation(self.judged, self.task)

    def calibrated(self, ranking: str) -> Calibrated:
        """What the scores of one of the model's rankings say of success, by the outcomes of the judging window."""
        if ranking not in self._chances:
            scorer = LearnedScorer("", self.policy, self.model, ranking == SERVED)
            asked = self.task
            most = MOST_OF_A_NETWORK if ranking == SERVED else MOST_OUTCOMES
            columns = self.snapshot.columns
            found = known_outcomes(scorer, self.model.setting, columns, asked.now, asked.until, most=most)
            self._chances[ranking] = calibrate(found)
        return self._chances[ranking]

    def chances(self, ranking: str) -> dict[str, Any]:
        """The same as plain values, with what has to hold before they are stated."""
        found, asked = self.calibrated(ranking), self.task
        conditions = [asdict(each) for each in may_tell_chances(found)]
        window = {"from": asked.now.isoformat(), "until": asked.until.isoformat()}
        return {**found.told(), **window, "conditions": conditions}


def evaluate(
    snapshot: Snapshot,
    begin: datetime,
    until: datetime | None,
    setting: Setting,
    policy: Policy,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    current: Published | None = None,
    progress: Progress = lambda _step, _done, _total: None,
    share: Share = ALONE,
    encoder: SentenceEncoder | None = None,
) -> Run | None:
    """Teaches a model with what was known before an instant and judges it on the goals of the time that follows.

    Args:
        snapshot: The facts.
        begin: The instant.
        until: Goals that were set from then on are not asked about; the end of the snapshot if none is given.
        setting: What may be used.
        policy: Settings of the signals.
        recipe: How to teach.
        seed: Decides all that chance decides.
        current: The version that serves, to be judged beside it.
        progress: Told how far it is.
        share: Which part of the lessons this process has.
        encoder: What reads texts for their meaning; they are words alone without it.

    Returns:
        The run; None in processes that are not the first, since those only help to teach.

    Raises:
        DomainError: `TOO_LITTLE_DATA`, with how much is missing.
    """
    columns = snapshot.columns
    asked = task(columns, begin, min(until or snapshot.manifest.as_of, snapshot.manifest.as_of))
    if not len(asked):
        raise DomainError(
            f"no goal that was set from {begin:%Y-%m-%d} on has found a mentor who had mentored before; "
            "choose an earlier day",
            code="TOO_LITTLE_DATA",
        )
    epochs: list[Epoch] = []

    def tell(step: str) -> None:
        progress(step, 0, 0)

    model = train(
        columns,
        begin,
        setting,
        policy,
        recipe,
        seed=seed,
        progress=tell,
        record=epochs.append,
        share=share,
        encoder=encoder,
    )
    if not share.is_first:
        return None
    done = 0

    def count(asks: int) -> None:
        nonlocal done
        done += asks
        progress("Ranking all mentors for each goal", done, len(asked))

    progress("Tuning the baselines", 0, 0)
    earlier = last_window(columns, begin, recipe or Recipe())
    tuned = tune(model.knowledge(columns, earlier.now, policy), earlier)
    judged = judge(model, model.knowledge(columns, begin, policy), asked, baselines=tuned, progress=count)
    present = None
    if current is not None:
        other = Model.of(current.arrays, current.texts)
        found = judge(other, other.knowledge(columns, begin, policy), asked, baselines={})
        present = found[current.manifest["ranking"]]
    return Run(
        model,
        asked,
        judged,
        decide(judged, asked, present),
        current.version if current else "",
        seed,
        snapshot,
        tuned,
        policy,
        tuple(epochs),
    )


def judging_window(snapshot: Snapshot) -> datetime:
    """Where the window begins on which a new model is judged.

    Raises:
        DomainError: `TOO_LITTLE_DATA`, with how much is missing.
    """
    end = snapshot.manifest.as_of
    asks = 0
    for days in WINDOWS_DAYS:
        begin = (end - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        asks = len(task(snapshot.columns, begin, end))
        if asks >= ENOUGH_ASKS:
            return begin
    if asks < FEWEST_ASKS:
        raise DomainError(
            f"too little to judge a model by: {asks} goals of the last year found a mentor who had mentored before, "
            f"{FEWEST_ASKS} are needed; the rules stay in charge",
            code="TOO_LITTLE_DATA",
        )
    return begin


def publish(run: Run, registry: Registry, *, force: str = "") -> str:
    """Publishes and promotes what the gate lets through.

    Args:
        run: The run.
        registry: Where to.
        force: Why the ranking with the network is to serve all the same; the reason stays in the manifest.

    Returns:
        The version that serves now; empty where the gate lets nothing through.

    Raises:
        ModelRefused: It cannot be written, or another version serves by now.
    """
    ranking = SERVED if force else run.decision.ranking
    if not ranking:
        return ""
    manifest = manifest_of(run, ranking, force)
    is_stated = all(each["holds"] for each in manifest["chance"]["conditions"])
    model = replace(run.model, chance=run.calibrated(ranking).map if is_stated else None)
    version = registry.publish(
        model.arrays(), model.texts(), manifest, card(manifest), report(manifest, drawn(run, ranking))
    )
    registry.promote(version, expected=run.current, reason=force)
    return version


def drawn(run: Run, ranking: str) -> Drawn:
    """What a report shows of the mentors whom a ranking chose from."""
    known = run.model.knowledge(run.snapshot.columns, run.task.now, run.policy)
    _, encoded = run.model.encoded(known)
    vectors = encoded[0].person[run.task.candidates].astype(np.float64)
    return Drawn(run.task.popularity, run.judged[ranking].exposure(len(run.task.candidates)), vectors)


def manifest_of(run: Run, ranking: str, forced: str) -> dict[str, Any]:
    """What is known about a model, for its manifest."""
    told = run.snapshot.manifest
    return {
        "ranking": ranking,
        "created": present().isoformat(timespec="seconds"),
        "setting": run.model.setting.name,
        "seed": run.seed,
        "texts": f"words and by {ENCODER}" if run.model.encoder else "words",
        "snapshot": {**asdict(told), "as_of": told.as_of.isoformat()},
        "taught_before": run.task.now.isoformat(),
        "judged_until": run.task.until.isoformat(),
        "asks": len(run.task),
        "candidates": len(run.task.candidates),
        "rows": run.rows,
        "ablation": run.ablation,
        "tuned": dict(run.tuned),
        "gate": run.decision.told(),
        "chance": run.chances(ranking),
        "epochs": [asdict(each) for each in run.epochs],
        "forced": forced,
        "made_with": {"python": platform.python_version(), "numpy": np.__version__},
    }
