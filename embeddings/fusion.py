"""The final ranking: an additive model over named signals and the network's score, with exact contributions.

The weights of the signals are fitted to what was chosen in earlier windows; how much the signals and the network count
beside each other is seen on a later one. What ranks without a network is the sum of the rules' signals, for which few
choices are enough, and beside it, where there are many, the sum of all signals, the strongest baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from mentorgraph.embeddings.evidence import (
    ALIKE,
    ALIKE_IN_UNIT,
    EDGE_FEATURES,
    FURTHER,
    MEANING_FEATURES,
    PAIR_FEATURES,
    Evidence,
)
from mentorgraph.embeddings.knowledge import MEANINGS
from mentorgraph.graph.columns.table import Mask, Numbers, Reals
from mentorgraph.graph.ranking.scoring import NETWORK, PRECEDENTS
from mentorgraph.graph.rules.policy import SIGNS, Policy

NEIGHBOURS = 50
YEARLY_DECAY = 0.8
BEST = (*ALIKE, *ALIKE_IN_UNIT)
OF_MEANING = (*(f"best {name}" for name in MEANINGS), *(f"neighbours {name}" for name in MEANINGS))
"""Signals of texts that a sentence encoder has read; 0 without one."""
FUSED = (
    *PAIR_FEATURES,
    *(f"best {name}" for name in BEST),
    *(f"neighbours {name}" for name in ("full", "dense", "wishes", "unit_full")),
    "best of co-mentors",
    "was mentee in",
    *(f"signal {name}" for name in FURTHER),
    *OF_MEANING,
)
"""Names of the signals that are not learned, in the order of their values."""

LIKE_BEST = tuple(name for name in FUSED if name.startswith("best ") and name != "best of co-mentors")
LIKE_NEIGHBOURS = tuple(name for name in FUSED if name.startswith("neighbours "))
OF_LIKENESS = np.array([FUSED.index(name) for name in (*LIKE_BEST, *LIKE_NEIGHBOURS)])
"""Places among `FUSED` of what each precedent gives to whoever mentored in it, see `likeness_of`."""
OF_FURTHER = np.array([FUSED.index(f"signal {name}") for name in FURTHER])

RIDGE = 1e-3
RIDGES = (RIDGE, 1e-1)
"""How much large weights cost, and what is tried too for the sum of all signals, where choices are few."""
LEAST_SPREAD = 1e-6
LEAST_GAIN, LEAST_GAIN_OF_ALL = 2.0, 5.5
"""Of likelihood, in nats: a likelihood-ratio test at 5 % and, for all signals together, at 0.1 %."""


def signals_of(found: Evidence, likeness: Reals | None = None) -> Reals:
    """The signals that are not learned: `float64[people, FUSED]`.

    Args:
        found: The evidence for a question.
        likeness: `likeness_of` it, where the caller has it.
    """
    people, (edge, mentor) = len(found.people), found.mentor_arcs
    likeness = likeness_of(found) if likeness is None else likeness
    best, total = np.zeros((people, len(LIKE_BEST))), np.zeros((people, len(LIKE_NEIGHBOURS)))
    np.maximum.at(best, mentor, likeness[edge, : len(LIKE_BEST)])
    np.add.at(total, mentor, likeness[edge, len(LIKE_BEST) :])
    mentee_edge, mentee = found.mentee_arcs
    as_mentee, full = np.zeros(people), LIKE_BEST.index("best full")
    np.maximum.at(as_mentee, mentee, found.edges[mentee_edge, EDGE_FEATURES.index("full")])
    values = np.zeros((people, len(FUSED)))
    values[:, : len(PAIR_FEATURES)] = found.pairs
    values[:, OF_LIKENESS] = np.concatenate([best, total], axis=1)
    values[:, FUSED.index("best of co-mentors")] = found.together.T @ best[:, full]
    values[:, FUSED.index("was mentee in")] = as_mentee
    values[:, OF_FURTHER] = found.further
    return values


def likeness_of(found: Evidence) -> Reals:
    """What each precedent gives to whoever mentored in it: `float64[edges, LIKE_BEST and LIKE_NEIGHBOURS]`.

    A person has the highest of the first ones, and the sum of the others, which count so much less with each year and
    only of the `NEIGHBOURS` that are most alike. What no sentence encoder has read is alike in no meaning.
    """
    edges = found.edges.astype(np.float64)
    places = {name: place for place, name in enumerate((*EDGE_FEATURES, *MEANING_FEATURES))}
    decay = YEARLY_DECAY ** np.expm1(edges[:, places["age"]])
    values = np.zeros((len(edges), len(LIKE_BEST) + len(LIKE_NEIGHBOURS)))
    for column, name in enumerate((*LIKE_BEST, *LIKE_NEIGHBOURS)):
        kind, _, alike_in = name.partition(" ")
        if places[alike_in] >= edges.shape[1]:
            continue
        alike = edges[:, places[alike_in]]
        if kind == "neighbours":
            alike = np.maximum(alike, 0)
            if len(alike) > NEIGHBOURS:
                alike = np.where(alike >= np.partition(alike, -NEIGHBOURS)[-NEIGHBOURS], alike, 0)
            alike = alike * decay
        values[:, column] = alike
    return values


@dataclass(frozen=True)
class Choice:
    """What was chosen from one list.

    Attributes:
        values: `[people, signals]`.
        relevant: Places of those who were chosen: `int64[chosen]`.
        worth: How much each of them counts, see `Task.worth`: `float64[chosen]`.
        correction: See `Evidence.correction`.
    """

    values: NDArray[np.floating]
    relevant: Numbers
    worth: Reals
    correction: NDArray[np.float32]

    def narrowed(self, most: int, chance: np.random.Generator) -> "Choice":
        """The same choice from a shorter list: those who were chosen and at most so many others, see `sample`."""
        people = sample(len(self.values), self.relevant, most, chance)
        relevant = np.searchsorted(people, self.relevant)
        return Choice(self.values[people], relevant, self.worth, self.correction[people])


def sample(people: int, relevant: Numbers, most: int, chance: np.random.Generator) -> Numbers:
    """Places of the chosen and of so many others: a uniform sample, which needs no correction (McFadden 1978)."""
    others = np.setdiff1d(np.arange(people), relevant)
    drawn = chance.choice(others, min(most, len(others)), replace=False)
    return np.union1d(relevant, drawn)


OF_RULES = np.array([name.startswith("signal ") for name in FUSED])
"""Which of the signals are those of the rules: few, and each has its evidence."""

DOUBTED = OF_RULES & np.isin(FUSED, [f"signal {name}" for name in FURTHER])
"""Those of the rules that have a part in a learned ranking only where choices tell of them beyond doubt."""

OF_SIGN = np.array([SIGNS.get(name.removeprefix("signal "), 0) for name in FUSED])
"""The sign that a weight keeps: 1, −1, or 0 where it is free, as for all that is no signal of the rules."""


def fit_listwise(
    choices: Sequence[Choice],
    ridge: float = RIDGE,
    fitted: Mask | None = None,
    signs: Numbers | None = None,
    guess: Reals | None = None,
) -> Reals:
    """Weights that make the chosen likeliest, when the odds of a person are exp(Σ weight · value).

    The conditional logit of McFadden 1974, each chosen one counted by worth / number of chosen in the list. The ridge
    is on weights of values scaled to deviation 1. A difference of two scores in one list reads as log-odds.

    Args:
        choices: What was chosen.
        ridge: How much large weights cost.
        fitted: Which signals have a part: `bool[signals]`; all by default.
        signs: The sign that each weight keeps, 0 where it is free: `int64[signals]`; all are free by default.
        guess: Weights to begin with, which save steps where they are near: `float64[signals]`; 0 by default.

    Returns:
        `float64[signals]`; 0 for signals that have no part or never differ.
    """
    signals = choices[0].values.shape[1]
    columns = np.flatnonzero(np.ones(signals, bool) if fitted is None else fitted)
    lengths = [len(each.values) for each in choices]
    starts = np.cumsum([0, *lengths])[:-1]
    group = np.repeat(np.arange(len(choices)), lengths)
    values = np.empty((sum(lengths), len(columns)), np.float32, order="F")
    for start, each in zip(starts, choices, strict=True):  # one by one: a copy of all is large
        values[start : start + len(each.values)] = each.values[:, columns]
    correction = np.concatenate([each.correction for each in choices]).astype(np.float64)
    deviation = np.array([column.std(dtype=np.float64) for column in values.T])  # likewise
    varying = deviation > 1e-9
    scale = np.where(varying, 1 / np.where(varying, deviation, 1), 0)
    target = np.zeros(len(values))
    for start, each in zip(starts, choices, strict=True):
        target[start + each.relevant] = each.worth / len(each.relevant)
    counts = np.add.reduceat(target, starts)
    total = max(1e-9, float(counts.sum()))

    def loss(weights: Reals) -> tuple[float, Reals]:
        scores = (values @ (weights * scale).astype(np.float32)).astype(np.float64) + correction
        highest = np.maximum.reduceat(scores, starts)
        odds = np.exp(scores - highest[group])
        sums = np.add.reduceat(odds, starts)
        likelihood = float(target @ scores - counts @ (np.log(sums) + highest))
        rest = (odds * (counts / sums)[group] - target).astype(np.float32)
        gradient = (rest @ values).astype(np.float64) * scale / total
        return ridge * float(weights @ weights) - likelihood / total, gradient + 2 * ridge * weights

    kept = np.zeros(len(columns)) if signs is None else signs[columns]
    bounds = [(0 if sign > 0 else None, 0 if sign < 0 else None) for sign in kept]
    begin = np.zeros(len(columns)) if guess is None else guess[columns] * deviation
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300})
    weights = np.zeros(signals)
    weights[columns] = found.x * scale
    return weights


@dataclass(frozen=True)
class Fusion:
    """An additive score.

    Attributes:
        weights: Of the signals in `FUSED`: `float64[FUSED]`.
        network: Weight of the network's log-softmax; 0 where it has no part.
    """

    weights: Reals
    network: float

    @classmethod
    def of_rules(cls, policy: Policy) -> "Fusion":
        """What ranks while no model is published: the signals of the rules with the weights of a policy."""
        weights = np.zeros(len(FUSED))
        for name, weight in policy.weights.items():
            weights[FUSED.index(f"signal {name}")] = weight
        return cls(weights, 0.0)

    def contributions(self, found: Evidence, network: NDArray[np.floating] | None) -> Reals:
        """What each signal, and last the network, adds to each score: `float64[people, FUSED + 1]`."""
        own = signals_of(found) * self.weights
        learned = np.zeros(len(own)) if network is None else self.network * network.astype(np.float64)
        return np.concatenate([own, learned[:, None]], axis=1)

    def parts(self) -> dict[str, Numbers]:
        """The terms that count, as what serves has them, with the places of each among the contributions."""
        counted = np.flatnonzero(self.weights)
        found = {
            FUSED[place].removeprefix("signal "): counted[counted == place] for place in counted[OF_RULES[counted]]
        }
        found |= {
            PRECEDENTS: counted[~OF_RULES[counted]],
            NETWORK: np.array([len(FUSED)] if self.network else [], np.int64),
        }
        return {name: places for name, places in found.items() if len(places)}

    def of_precedents(self, found: Evidence, likeness: Reals | None = None) -> Reals:
        """What all signals add together that are none of the rules, see `signals_of`: `float64[people]`."""
        total: Reals = signals_of(found, likeness) @ np.where(OF_RULES, 0, self.weights)
        return total

    @property
    def has_precedents(self) -> bool:
        """Whether signals count that are none of the rules."""
        return bool(self.weights[~OF_RULES].any())

    def scores(self, found: Evidence, network: NDArray[np.floating] | None) -> Reals:
        """The sum of the contributions: `float64[people]`."""
        total: Reals = self.contributions(found, network).sum(axis=1)
        return total


def proven(choices: Sequence[Choice], fitted: Mask, doubted: Mask, signs: Numbers | None = None) -> Mask:
    """Which of some signals choices tell of beyond doubt, and all others that are fitted: `bool[signals]`.

    A doubted signal stays where the logarithm of the likelihood is more than `LEAST_GAIN` lower without it: a
    likelihood-ratio test at 5 % (Wilks 1938), each against all others. What is left out adds no noise to the ranking.

    Args:
        choices: What was chosen.
        fitted: Signals that have a part: `bool[signals]`.
        doubted: Those of them that have to prove themselves: `bool[signals]`.
        signs: See `fit_listwise`.
    """
    whole = fit_listwise(choices, fitted=fitted, signs=signs)
    best = log_likelihood(choices, whole)
    kept: Mask = fitted.copy()
    for place in np.flatnonzero(fitted & doubted):
        without = fitted.copy()
        without[place] = False
        if whole[place] == 0 or best - _best_without(choices, without, signs, whole) <= LEAST_GAIN:
            kept[place] = False
    return kept


def _best_without(choices: Sequence[Choice], fitted: Mask, signs: Numbers | None, whole: Reals) -> float:
    return log_likelihood(choices, fit_listwise(choices, fitted=fitted, signs=signs, guess=whole))


def log_likelihood(choices: Sequence[Choice], weights: Reals) -> float:
    """Of what was chosen, see `fit_listwise`, in nats."""
    total = 0.0
    counted = np.flatnonzero(weights)
    for each in choices:
        shares = log_softmax(each.values[:, counted].astype(np.float64) @ weights[counted] + each.correction)
        total += float(shares[each.relevant] @ each.worth) / len(each.relevant)
    return total


def differing(choices: Sequence[Choice]) -> Mask:
    """Which signals differ within a list somewhere, so that choices can tell of them: `bool[signals]`."""
    spread = [np.ptp(each.values, axis=0) > LEAST_SPREAD for each in choices]
    found: Mask = np.any(spread, axis=0)
    return found


def blend(
    sums: Sequence[Reals], choices: Sequence[Choice], opinions: Sequence[NDArray[np.floating]] | None = None
) -> Reals:
    """How much some sums, and the network, count beside each other.

    Args:
        sums: The weights of the signals in each, fitted to choices made before those given.
        choices: Later choices, with the signals as values.
        opinions: The network's score of the people of each choice, by a network that was not taught with them.

    Returns:
        What to multiply each sum with, and last the network's score; none is below 0: `float64[…]`.
    """
    beside = _as_sums(sums, choices, opinions)
    return fit_listwise(beside, ridge=1e-5, signs=np.ones(beside[0].values.shape[1], np.int64))


def joined(of_rules: Reals, of_all: Sequence[Reals], choices: Sequence[Choice]) -> tuple[int, Reals]:
    """Whether later choices are likelier beyond doubt where a sum of all signals stands beside that of the rules'.

    Few choices teach the weights of many signals badly, and then the few of the rules rank better by themselves.

    Args:
        of_rules: Weights of the rules' signals, fitted to choices made before those given: `float64[FUSED]`.
        of_all: Weights of all signals in some versions, fitted to the same.
        choices: Later choices.

    Returns:
        Which version makes them likeliest, and what to multiply the two sums with, 1 and 0 where it is in doubt.
    """

    def joint(*sums: Reals) -> tuple[Reals, float]:
        counts = blend(sums, choices)
        return counts, log_likelihood(_as_sums(sums, choices), counts)

    found = [joint(of_rules, each) for each in of_all]
    best = int(np.argmax([likelihood for _, likelihood in found]))
    counts, likelihood = found[best]
    is_sure = likelihood - joint(of_rules)[1] > LEAST_GAIN_OF_ALL
    return best, counts if is_sure else np.array([1.0, 0.0])


def _as_sums(
    sums: Sequence[Reals], choices: Sequence[Choice], opinions: Sequence[NDArray[np.floating]] | None = None
) -> list[Choice]:
    """The choices with sums, and the network's score, as values."""
    columns = [each.values.astype(np.float64) @ np.stack(sums, axis=1) for each in choices]
    if opinions is not None:
        columns = [np.column_stack([of_sums, own]) for of_sums, own in zip(columns, opinions, strict=True)]
    return [replace(each, values=values) for each, values in zip(choices, columns, strict=True)]
