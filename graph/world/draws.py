"""Random draws that come out the same on every machine and every Python version.

Only `random.Random.random` is used: its stream for a given seed is promised to stay the same, while `choice`, `sample`
and numpy's distributions may change between versions.
"""

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Draws:
    """One named stream of draws; streams of different names do not disturb each other.

    Args:
        seed: The world's seed.
        name: What the stream is for.
    """

    def __init__(self, seed: int, name: str) -> None:
        self.fraction = random.Random(f"{seed}/{name}").random

    def below(self, count: int) -> int:
        """A whole number from 0 to `count - 1`; `count` up to 2^53."""
        return int(self.fraction() * count)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.fraction() < probability

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, each as likely."""
        return options[int(self.fraction() * len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options (all of them where there are fewer), in the order drawn.

        Source: the first steps of the Fisher–Yates shuffle.
        """
        rest = list(options)
        drawn = []
        for _ in range(min(count, len(rest))):
            at = int(self.fraction() * len(rest))
            rest[at], rest[-1] = rest[-1], rest[at]
            drawn.append(rest.pop())
        return drawn

    def bell(self, spread: int) -> int:
        """A whole number from `-spread` to `spread`, nearer to 0 more often.

        Source: the mean of three uniform draws (Irwin–Hall distribution).
        """
        return round((self.fraction() + self.fraction() + self.fraction() - 1.5) / 1.5 * spread)


class Weighted(Generic[T]):
    """Options of unequal weight, prepared for many draws."""

    def __init__(self, options: Sequence[T], weights: Sequence[int]) -> None:
        self._options = options
        self._sums = list(accumulate(weights))

    def draw(self, draws: Draws) -> T:
        """One option, as likely as its share of the weight."""
        return self._options[bisect_right(self._sums, draws.below(self._sums[-1]))]
