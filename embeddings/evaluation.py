"""How well rankings do in a task: figures with intervals, for all, newcomers and the rest, method beside method."""

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from mentorgraph.embeddings import metrics
from mentorgraph.embeddings.baselines import BASELINES, UNTUNED
from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.fusion import Fusion
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.metrics import Figures, Places
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import Task, questions
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.columns.table import Mask, Numbers

SERVED, PLAIN, NETWORK = "served", "served without the network", "network"
RULES, LINEAR = "rules", "linear fusion"
KIND_OF = {SERVED: "model", PLAIN: "model", NETWORK: "model", RULES: "baseline", LINEAR: "baseline"}
"""The rankings that are made of the same evidence: those of the model, what serves without one, and all signals."""

EVERYBODY = ("all", "newcomers", "rest")
"""The groups that every task has, see `groups`."""

SCALES = np.geomspace(1 / 20, 20, 40)
"""What the scores of the rules may be multiplied with to be log-odds; they are given the best, in hindsight."""
RESAMPLES, LARGEST_DRAW = 2_000, 1_000_000
SHOWN = 10
FEWEST_IN_GROUP, MOST_UNITS = 30, 10
"""Of labels, those with so many asks are groups, and of units the largest ones: fewer asks tell nothing."""
BLOCK = 64
"""Questions that the baselines rank at a time."""


@dataclass(frozen=True)
class Judged:
    """What one ranking did in a task.

    Attributes:
        name: The ranking.
        kind: `model`, `baseline` or `peer`.
        places: Of each ask, where its mentors stand.
        seconds: How long the ranking took, all asks together.
        likelihood: Of each ask, the mean of ln(share) of its mentors, where scores are read as log-odds and the shares
            of all candidates sum to 1: `float64[asks]`, in nats. Empty for rankings whose scores are no log-odds.
        shown: Of each ask, positions of the first `SHOWN` candidates: `int64[asks, SHOWN]`, fewer where there are
            fewer candidates.
        without: Name of each part of a sum → where the mentors of each ask stand when it is left out.
    """

    name: str
    kind: str
    places: list[Places]
    seconds: float
    likelihood: Figures = field(default_factory=lambda: np.zeros(0))
    shown: Numbers = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    without: Mapping[str, list[Places]] = field(default_factory=dict)

    def exposure(self, candidates: int, asks: Mask | None = None) -> Numbers:
        """How often each candidate is shown in some of the asks, or in all: `int64[candidates]`."""
        return np.bincount((self.shown if asks is None else self.shown[asks]).ravel(), minlength=candidates)


@dataclass(frozen=True)
class Interval:
    """A mean and its bootstrap interval, of 95 % unless said otherwise."""

    mean: float
    low: float
    high: float


def judge(
    model: Model,
    known: Knowledge,
    task: Task,
    *,
    baselines: Mapping[str, float] = UNTUNED,
    progress: Callable[[int], None] = lambda _asks: None,
) -> dict[str, Judged]:
    """Ranks all candidates for all goals of a task, by a model and by all baselines.

    Args:
        model: Taught with nothing that began after the task's `now`.
        known: What is known then, in the terms of the model.
        task: The task.
        baselines: The rankings that need no training and are wanted too, each with its number.
        progress: Told how many more asks are done.

    Returns:
        By name; those of `KIND_OF` among them.
    """
    asked = questions(known.columns, task, known.setting, known.policy.signals)
    found = _by_model(model, known, task, asked, progress)
    for name, number in baselines.items():
        began = time.perf_counter()
        places, shown = _by_baseline(name, number, known, task, asked)
        found[name] = Judged(name, "baseline", places, time.perf_counter() - began, shown=shown)
    return found


def tune(known: Knowledge, task: Task) -> dict[str, float]:
    """The number of each baseline that does best by NDCG@10 in a task that is earlier than the one that judges.

    Args:
        known: What is known at the task's `now`.
        task: The task.
    """
    asked = questions(known.columns, task, known.setting, known.policy.signals)

    def figure(name: str, number: float) -> float:
        return float(metrics.ndcg(_by_baseline(name, number, known, task, asked)[0], 10).mean())

    return {
        name: max(each.values, key=lambda number: figure(name, number)) if len(each.values) > 1 else each.values[0]
        for name, each in BASELINES.items()
    }


def _by_baseline(
    name: str, number: float, known: Knowledge, task: Task, asked: Sequence[Question]
) -> tuple[list[Places], Numbers]:
    """Where the mentors of each ask stand among the candidates, and who stands first.

    All who have mentored are scored, whoever the candidates are: a roster changes who is ranked, not what is known.
    """
    places: list[Places] = []
    shown: list[Numbers] = []
    everybody = np.union1d(known.precedents.pairing_mentor, task.candidates)
    own = np.searchsorted(everybody, task.candidates)
    for start in range(0, len(asked), BLOCK):
        scores = BASELINES[name].rank(known, asked[start : start + BLOCK], everybody, number)[:, own]
        places += [metrics.places(row, task.relevant[start + place]) for place, row in enumerate(scores)]
        shown += [metrics.first(row, SHOWN) for row in scores]
    return places, np.array(shown)


def _by_model(
    model: Model, known: Knowledge, task: Task, asked: Sequence[Question], progress: Callable[[int], None]
) -> dict[str, Judged]:
    places: dict[str, list[Places]] = {name: [] for name in KIND_OF}
    likelihoods: dict[str, list[Figures]] = {name: [] for name in KIND_OF}
    shown: dict[str, list[Numbers]] = {name: [] for name in KIND_OF}
    seconds = dict.fromkeys(KIND_OF, 0.0)
    by_rules = Fusion.of_rules(known.policy)
    parts = {name: fusion.parts() for name, fusion in ((SERVED, model.fusion), (PLAIN, model.plain))}
    without: dict[str, dict[str, list[Places]]] = {name: {part: [] for part in parts[name]} for name in parts}
    among = Pool.of(known.columns, task.candidates)
    for each, relevant in zip(asked, task.relevant, strict=True):
        began = time.perf_counter()
        found = evidence(known, replace(each, among=among), task.candidates)
        gathered = time.perf_counter()
        learned = model.network_scores(known, found)
        thought = time.perf_counter()
        sums = {SERVED: model.fusion.contributions(found, learned), PLAIN: model.plain.contributions(found, None)}
        scores = {
            NETWORK: learned.astype(np.float64),
            SERVED: sums[SERVED].sum(axis=1),
            PLAIN: sums[PLAIN].sum(axis=1),
            RULES: by_rules.scores(found, None),
            LINEAR: model.linear.scores(found, None),
        }
        for name, own in scores.items():
            places[name].append(metrics.places(own, relevant))
            shown[name].append(metrics.first(own, SHOWN))
            likelihoods[name].append(_likelihood(own, relevant, SCALES if name == RULES else np.ones(1)))
        fused = (time.perf_counter() - thought) / (len(KIND_OF) - 1)
        for name, own_parts in parts.items():
            for part, columns in own_parts.items():
                rest = scores[name] - sums[name][:, columns].sum(axis=1)
                without[name][part].append(metrics.places(rest, relevant))
        seconds[NETWORK] += thought - began
        seconds[SERVED] += thought - began + fused
        for name in (PLAIN, RULES, LINEAR):
            seconds[name] += gathered - began + fused
        progress(1)
    judged = {}
    for name, kind in KIND_OF.items():
        likelihood = np.reshape(likelihoods[name], (len(asked), -1))
        best = likelihood[:, likelihood.mean(axis=0).argmax()]
        taken = without.get(name, {})
        judged[name] = Judged(name, kind, places[name], seconds[name], best, np.array(shown[name]), taken)
    return judged


def _likelihood(scores: NDArray[np.float64], relevant: Numbers, scales: NDArray[np.float64]) -> Figures:
    """See `Judged.likelihood`, for scores multiplied with each of some scales: `float64[scales]`."""
    found: Figures = log_softmax(scores[:, None] * scales, axis=0)[relevant].mean(axis=0)
    return found


def rows(judged: Mapping[str, Judged], task: Task, setting: str) -> list[dict[str, Any]]:
    """One row for each ranking and group that has an ask; `low` and `high` bound the mean of NDCG@10.

    What is shown are the first ten: the share of the candidates among them, how much more popular they are than a
    candidate is in the mean, and how unequally they are spread.
    """
    table: list[dict[str, Any]] = []
    for each in judged.values():
        for group, mask in groups(task).items():
            places = [own for own, wanted in zip(each.places, mask, strict=True) if wanted]
            if not places:
                continue
            interval = bootstrap(metrics.ndcg(places, 10))
            exposure = each.exposure(len(task.candidates), mask)
            table.append(
                {
                    "name": each.name,
                    "kind": each.kind,
                    "setting": setting,
                    "group": group,
                    "goals": len(places),
                    "mrr": float(metrics.reciprocal_rank(places).mean()),
                    "hr@10": float(metrics.hit(places, 10).mean()),
                    "ndcg@10": interval.mean,
                    "recall@20": float(metrics.recall(places, 20).mean()),
                    "hr@20": float(metrics.hit(places, 20).mean()),
                    "recall@10": float(metrics.recall(places, 10).mean()),
                    "ndcg@20": float(metrics.ndcg(places, 20).mean()),
                    "coverage@10": metrics.coverage(exposure),
                    "popularity@10": metrics.popularity_shown(exposure, task.popularity),
                    "gini@10": metrics.gini(exposure),
                    "low": interval.low,
                    "high": interval.high,
                    "seconds": each.seconds,
                    "peak_mb": peak_mb(),
                }
            )
    return table


def ablation(judged: Mapping[str, Judged], task: Task) -> list[dict[str, Any]]:
    """What each part of the model's rankings adds: the loss of NDCG@10 when it is left out of the sum, in pairs.

    The other parts keep their weights, as they do when a list is asked for without a signal.
    """
    return [
        {"name": each.name, "part": part, "group": group, "adds": found.mean, "low": found.low, "high": found.high}
        for each in judged.values()
        for part, places in each.without.items()
        for group, mask in groups(task).items()
        if group in EVERYBODY and mask.any()
        for found in [gain(each, replace(each, places=places), mask)]
    ]


def groups(task: Task) -> dict[str, Mask]:
    """Everybody, those who had never been paired, the others, and those of each label: `bool[asks]` each.

    Labels with fewer than `FEWEST_IN_GROUP` asks are no groups, nor are units beyond the `MOST_UNITS` largest.
    """
    found = dict(zip(EVERYBODY, (np.ones(len(task), bool), task.newcomers, ~task.newcomers), strict=True))
    counts = Counter(label for own in task.labels for label in own)
    large = sorted((label for label in counts if counts[label] >= FEWEST_IN_GROUP), key=lambda each: -counts[each])
    units = [label for label in large if label.startswith("unit ")][:MOST_UNITS]
    for label in sorted(label for label in large if label in units or not label.startswith("unit ")):
        found[label] = np.array([label in own for own in task.labels])
    return found


def gain(one: Judged, other: Judged, asks: Mask, level: float = 0.95) -> Interval:
    """By how much one ranking's NDCG@10 exceeds another's on the same asks, resampled in pairs."""
    return bootstrap((metrics.ndcg(one.places, 10) - metrics.ndcg(other.places, 10))[asks], level=level)


def bootstrap(figures: Figures, seed: int = 0, level: float = 0.95) -> Interval:
    """The mean over asks with its percentile interval (Efron and Tibshirani 1993, chapter 13)."""
    if not len(figures):
        return Interval(float("nan"), float("nan"), float("nan"))
    chance = np.random.default_rng(seed)
    at_once = max(1, LARGEST_DRAW // len(figures))
    means = np.concatenate(
        [
            figures[chance.integers(0, len(figures), (min(at_once, RESAMPLES - done), len(figures)))].mean(axis=1)
            for done in range(0, RESAMPLES, at_once)
        ]
    )
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(figures.mean()), float(low), float(high))


def ratio(one: Figures, other: Figures, seed: int = 0, level: float = 0.95) -> Interval:
    """How many times the mean of one ranking is that of another on the same asks, resampled in pairs, as `bootstrap`.

    Where neither finds anything they are alike; infinity where only the other one finds nothing.
    """
    if not len(one):
        return Interval(float("nan"), float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(0, len(one), (RESAMPLES, len(one)))
    means = [np.append(each[drawn].mean(axis=1), each.mean()) for each in (one, other)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(means[0] == means[1], 1.0, means[0] / means[1])
    low, high = np.quantile(ratios[:-1], ((1 - level) / 2, (1 + level) / 2), method="nearest")
    return Interval(float(ratios[-1]), float(low), float(high))


def peak_mb() -> float:
    """The most memory that this process has held at once, in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used / 1e3
