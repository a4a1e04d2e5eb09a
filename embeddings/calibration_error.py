"""How far stated chances are from what happened: the calibration error, what luck makes of it, and the curve."""

from dataclasses import dataclass

import numpy as np

from mentorgraph.embeddings.chance import wilson
from mentorgraph.graph.columns.table import Mask, Numbers, Reals

LEAST_IN_PART = 40
"""Fewer outcomes than this say little about a share."""
MOST_PARTS = 12
DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Error:
    """How far stated chances are from what happened.

    Attributes:
        ece: Expected calibration error: Σ share of a part · |mean chance − share of successes|, over parts of equally
            many outcomes in the order of the chances (Guo et al. 2017, "On calibration of modern neural networks").
        floor: What it is in the mean for chances that are exactly true, in samples of this size: far from 0 where
            there are few outcomes.
        by_luck: What chances that are exactly true exceed in one of twenty samples of this size.
        debiased: √Σ share of a part · (mean chance − share of successes)², each square less the variance that a
            share of so many has by luck; 0 where nothing is left (Kumar, Liang and Ma 2019, "Verified uncertainty
            calibration", definition 4.1). It does not fall with the number of outcomes as `ece` does.
        low, high: Interval of 95 % of `debiased`, by bootstrap over outcomes.
        outcomes: Number of outcomes.
    """

    ece: float
    floor: float
    by_luck: float
    debiased: float
    low: float
    high: float
    outcomes: int


@dataclass(frozen=True, slots=True)
class Part:
    """Outcomes of like chances: the mean chance, and the share that succeeded with its interval of 95 %."""

    chance: float
    succeeded: float
    low: float
    high: float
    outcomes: int


def error(chances: Reals, succeeded: Mask, seed: int = 0) -> Error:
    """How far chances are from what happened, see `Error`."""
    draws = np.random.default_rng(seed)
    parts = parts_of(chances)
    counts = np.array([len(each) for each in parts])
    weight = counts / counts.sum()
    ideal = draws.random((DRAWS, len(chances))) < chances
    gaps = np.stack([np.abs((ideal[:, each] - chances[each]).mean(axis=1)) for each in parts])
    by_luck = weight @ gaps
    stated = np.array([chances[each].mean() for each in parts])
    shares = np.array([succeeded[each].mean() for each in parts])
    # Each part keeps its number of outcomes, so their successes are binomial when they are drawn anew.
    drawn = draws.binomial(counts, shares, (DRAWS, len(parts))) / counts
    own, others = _squares(stated, shares, counts), _squares(stated, drawn, counts)
    apart = others - weight @ (stated - shares) ** 2  # how far the estimate strays from what is true of the draws
    debiased, low, high = (
        float(np.sqrt(max(0.0, each))) for each in (own, *(own - np.quantile(apart, (0.975, 0.025))))
    )
    return Error(
        ece=float(weight @ np.abs(stated - shares)),
        floor=float(by_luck.mean()),
        by_luck=float(np.quantile(by_luck, 0.95)),
        debiased=debiased,
        low=low,
        high=high,
        outcomes=len(chances),
    )


def parts_of(order_by: Reals) -> list[Numbers]:
    """Places of equally many outcomes each, in ascending order of a value."""
    number = int(np.clip(len(order_by) // LEAST_IN_PART, 1, MOST_PARTS))
    return np.array_split(np.argsort(order_by, kind="stable"), number)


def curve(chances: Reals, succeeded: Mask) -> list[Part]:
    """Stated chances beside what happened, part by part."""
    found = []
    for each in parts_of(chances):
        share = float(succeeded[each].mean())
        found.append(Part(float(chances[each].mean()), share, *wilson(share, len(each)), len(each)))
    return found


def _squares(stated: Reals, shares: Reals, counts: Numbers) -> Reals:
    """The square of `Error.debiased`, below 0 where shares lie nearer than luck would bring them: `float64[…]`."""
    luck = shares * (1 - shares) / np.maximum(counts - 1, 1)
    found: Reals = ((stated - shares) ** 2 - luck) @ (counts / counts.sum())
    return found
