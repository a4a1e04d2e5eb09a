"""The final ranking: an additive model over named signals and the network's score, with exact contributions.

The weights of the signals are fitted to what was chosen in earlier windows; two further numbers say how much the
signals and the network count beside each other. Without the network the same model is the strongest baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mentorgraph.embeddings.evidence import ALIKE, ALIKE_IN_UNIT, EDGE_FEATURES, PAIR_FEATURES, Evidence
from mentorgraph.graph.columns import Mask, Numbers, Reals

NETWORK = "network"
NEIGHBOURS = 50
YEARLY_DECAY = 0.8
BEST = (*ALIKE, *ALIKE_IN_UNIT)
FUSED = (
    *PAIR_FEATURES,
    *(f"best {name}" for name in BEST),
    *(f"neighbours {name}" for name in ("full", "dense", "wishes", "unit_full")),
    "best of co-mentors",
    "was mentee in",
)
"""Names of the signals that are not learned, in the order of their values."""

RIDGE = 1e-3


def signals_of(found: Evidence) -> Reals:
    """The signals that are not learned: `float64[people, FUSED]`."""
    people, edges = len(found.people), found.edges.astype(np.float64)
    edge, mentor = found.mentor_arcs
    columns: list[NDArray[np.generic]] = [found.pairs.astype(np.float64)]
    best = np.zeros((people, len(BEST)))
    places = [EDGE_FEATURES.index(name) for name in BEST]
    np.maximum.at(best, mentor, edges[edge][:, places])
    columns.append(best)
    decay = YEARLY_DECAY ** np.expm1(edges[:, EDGE_FEATURES.index("age")])
    for name in ("full", "dense", "wishes", "unit_full"):
        alike = np.maximum(edges[:, EDGE_FEATURES.index(name)], 0)
        if len(alike) > NEIGHBOURS:
            alike = np.where(alike >= np.partition(alike, -NEIGHBOURS)[-NEIGHBOURS], alike, 0)
        columns.append(np.bincount(mentor, (alike * decay)[edge], minlength=people)[:, None])
    full = best[:, BEST.index("full")]
    columns.append((found.together.T @ full)[:, None])
    mentee_edge, mentee = found.mentee_arcs
    as_mentee = np.zeros(people)
    np.maximum.at(as_mentee, mentee, edges[mentee_edge, EDGE_FEATURES.index("full")])
    columns.append(as_mentee[:, None])
    return np.concatenate(columns, axis=1)


@dataclass(frozen=True)
class Choice:
    """What was chosen from one list.

    Attributes:
        values: `float16[people, signals]` or wider.
        relevant: Places of those who were chosen: `int64[chosen]`.
        worth: How much each of them counts, see `Task.worth`: `float64[chosen]`.
        correction: See `Evidence.correction`.
    """

    values: NDArray[np.floating]
    relevant: Numbers
    worth: Reals
    correction: NDArray[np.float32]


OF_RULES = np.array([name.startswith("signal ") for name in FUSED])
"""Which of the signals are those of the rules: few, and each has its evidence."""


def fit_listwise(choices: Sequence[Choice], ridge: float = RIDGE, fitted: Mask | None = None) -> Reals:
    """Weights that make the chosen likeliest, when the odds of a person are exp(Σ weight · value).

    The conditional logit of McFadden 1974, each chosen one counted by worth / number of chosen in the list. The ridge
    is on weights of values scaled to deviation 1. A difference of two scores in one list reads as log-odds.

    Args:
        choices: What was chosen.
        ridge: How much large weights cost.
        fitted: Which signals have a part: `bool[signals]`; all by default.

    Returns:
        `float64[signals]`; 0 for signals that have no part or never differ.
    """
    scale = _scale(choices)
    columns = np.flatnonzero((scale > 0) & (True if fitted is None else fitted))
    shares = [each.worth / len(each.relevant) for each in choices]
    total = max(1e-9, sum(float(share.sum()) for share in shares))

    def loss(weights: Reals) -> tuple[float, Reals]:
        whole = np.zeros(len(scale), np.float32)
        whole[columns] = weights * scale[columns]
        likelihood, gradient = 0.0, np.zeros(len(scale))
        for each, share in zip(choices, shares, strict=True):
            values = each.values.astype(np.float32, copy=False)
            scores = (values @ whole).astype(np.float64) + each.correction
            odds = np.exp(scores - scores.max())
            likelihood += float(share @ (scores[each.relevant] - scores.max() - np.log(odds.sum())))
            rest = odds * (share.sum() / odds.sum())
            rest[each.relevant] -= share
            gradient += rest.astype(np.float32) @ values
        own = gradient[columns] * scale[columns] / total
        return ridge * float(weights @ weights) - likelihood / total, own + 2 * ridge * weights

    found = minimize(loss, np.zeros(len(columns)), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    weights = np.zeros(len(scale))
    weights[columns] = found.x * scale[columns]
    return weights


def _scale(choices: Sequence[Choice]) -> Reals:
    """One over the deviation of each signal among all people of all lists; 0 where it never differs."""
    people = sum(len(each.values) for each in choices)
    mean = sum(each.values.sum(axis=0, dtype=np.float64) for each in choices) / people
    square = sum(np.square(each.values.astype(np.float32) - mean).sum(axis=0, dtype=np.float64) for each in choices)
    deviation = np.sqrt(square / people)
    varying = deviation > 1e-9
    return np.where(varying, 1 / np.where(varying, deviation, 1), 0)


@dataclass(frozen=True)
class Fusion:
    """An additive score.

    Attributes:
        weights: Of the signals in `FUSED`: `float64[FUSED]`.
        network: Weight of the network's log-softmax; 0 where it has no part.
    """

    weights: Reals
    network: float

    def contributions(self, found: Evidence, network: NDArray[np.floating] | None) -> Reals:
        """What each signal, and last the network, adds to each score: `float64[people, FUSED + 1]`."""
        own = signals_of(found) * self.weights
        learned = np.zeros(len(own)) if network is None else self.network * network.astype(np.float64)
        return np.concatenate([own, learned[:, None]], axis=1)

    def scores(self, found: Evidence, network: NDArray[np.floating] | None) -> Reals:
        """The sum of the contributions: `float64[people]`."""
        total: Reals = self.contributions(found, network).sum(axis=1)
        return total


def blend(linear: Reals, choices: Sequence[Choice], network: Sequence[NDArray[np.floating]]) -> tuple[float, float]:
    """How much a linear score and the network count beside each other.

    Args:
        linear: Weights of the signals, fitted to choices made before those given.
        choices: Later choices, with the signals as values.
        network: The network's score of the people of each choice, by a network that was not taught with them.

    Returns:
        What to multiply the linear score and the network's with; neither is below 0.
    """
    two = [
        Choice(np.stack([each.values @ linear, score], axis=1), each.relevant, each.worth, each.correction)
        for each, score in zip(choices, network, strict=True)
    ]
    signals, learned = np.maximum(fit_listwise(two, ridge=1e-5), 0)
    return float(signals), float(learned)
