"""The chance that a pairing succeeds, as a published version states it: a frozen, monotone map of the score.

The score says who would be chosen. The map says how pairings of such a score went, with an interval from how many there
were: P(outcome ≥ the programme's threshold | the pairing takes place). It is fitted in `calibration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.columns.table import Reals
from mentorgraph.graph.ranking.scoring import Chance

WIDEST = 0.3
"""An interval wider than this is given without a value inside it: too little is known to name one."""
NEAR = 1.0
"""Scores that differ by at most so much tell of each other; they are log-odds."""
DEVIATIONS = 1.959964
"""Of a normal distribution, between which 95 % of it lie."""

PREFIX = "chance."


@dataclass(frozen=True, eq=False)
class Calibration:
    """A map from score to chance.

    Attributes:
        knots: Scores, ascending: `float64[knots]`.
        values: The chance at each, never falling; between them it is linear, beyond them as at the last one.
        scores: Those of the pairings whose outcomes are known, ascending: `float64[outcomes]`.
    """

    knots: Reals
    values: Reals
    scores: Reals

    def chance(self, score: float) -> Chance:
        """The chance at a score, with Wilson's interval for as many outcomes as there are of near scores.

        Of scores that are lower than any whose outcome is known, only the upper end is: the map never falls. The same
        holds of the lower end at the other side.
        """
        value = float(np.interp(score, self.knots, self.values))
        first, last = np.searchsorted(self.scores, [score - NEAR, score + NEAR])
        outcomes = int(last - first)
        low, high = wilson(value, outcomes)
        low = low if score >= self.scores[0] else 0.0
        high = high if score <= self.scores[-1] else 1.0
        return Chance(value if high - low <= WIDEST else None, low, high, outcomes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, by name."""
        return {PREFIX + each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "Calibration | None":
        """The map among the arrays of a version; None where it has none.

        Raises:
            ValueError: It falls somewhere, or is no chance.
        """
        if f"{PREFIX}knots" not in arrays:
            return None
        found = cls(**{each.name: arrays[PREFIX + each.name] for each in fields(cls)})
        falls = any((np.diff(each) < 0).any() for each in (found.knots, found.values, found.scores))
        if falls or not len(found.scores) or found.values[0] < 0 or found.values[-1] > 1:
            raise ValueError("the map from score to chance is none")
        return found


def wilson(share: float, number: int) -> tuple[float, float]:
    """The interval of 95 % of a share of so many (Wilson 1927); all from 0 to 1 where there are none."""
    if not number:
        return 0.0, 1.0
    square = DEVIATIONS**2 / number
    middle = (share + square / 2) / (1 + square)
    half = sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
