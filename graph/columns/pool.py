"""Whom a question ranks: everybody, or some people in places of their own, so that others cost nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import NONE, Numbers, Reals

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Some people, each with a place among them.

    Attributes:
        people: Number of the person at each place, ascending: `int64[pool]`.
        places: Place of each person, `len(pool)` for whoever is not among them: `int64[people]`.
    """

    people: Numbers
    places: Numbers

    @classmethod
    def everybody(cls, columns: Columns) -> "Pool":
        """Everybody, each at the place of their number."""
        number = len(columns.people)
        everybody = columns.remember("everybody", number, lambda: np.arange(number))
        return cls(everybody, everybody)

    @classmethod
    def of(cls, columns: Columns, people: Iterable[int] | Numbers) -> "Pool":
        """Those whose numbers are given, `NONE` passed over."""
        chosen = np.unique(np.fromiter(people, np.int64))
        chosen = chosen[chosen != NONE]
        places = np.full(len(columns.people), len(chosen))
        places[chosen] = np.arange(len(chosen))
        return cls(chosen, places)

    def __len__(self) -> int:
        return len(self.people)

    def place(self, person: int) -> int:
        """The place of one of them."""
        return int(self.places[person])

    def places_of(self, people: Numbers) -> Numbers:
        """The places of some people, `len(pool)` for others: `int64[n]`."""
        return people if self.people is self.places else self.places[people]

    def take(self, values: NDArray[Number]) -> NDArray[Number]:
        """What is known of everybody, for those of the pool: from `[people]` to `[pool]`."""
        return values if self.people is self.places else values[self.people]

    def sums(self, places: Numbers, values: NDArray[np.generic] | None = None) -> NDArray[np.generic]:
        """How much comes together at each place, the values in their order, or how often each is named: `[pool]`."""
        return np.bincount(places, values, minlength=len(self) + 1)[: len(self)]

    def greatest(self, places: Numbers, values: Reals) -> Reals:
        """The greatest of the values at each place, 0 where there is none above it: `float64[pool]`."""
        found = np.zeros(len(self) + 1)
        np.maximum.at(found, places, values)
        return found[:-1]
