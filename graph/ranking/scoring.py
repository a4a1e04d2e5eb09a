"""How signals become one score that adds up; the learned part enters here, as another `Scorer`."""

import hashlib
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.columns.table import Numbers, Reals
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.signals.signal import Evidence

PRECEDENTS, NETWORK = LEARNED = ("precedents", "network")
"""The terms of which a learned model adds one to the signals: what past goals and who mentored in them tell by counts
and likeness, weighed one by one, or what a network makes of them."""

DECIMALS = 9
"""Scores are rounded to this many decimals before they are compared, so that every process sees the same ties."""


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of the score.

    Attributes:
        name: The signal.
        unit: What a value of 1 means.
        weight: What the value is multiplied with; None where the ranker is not linear in it.
        values: `float64[pool]`, NaN where unknown.
        contributions: `float64[pool]`, in units of the score; 0 where unknown.
        explain: Number of a person → evidence with drops in units of the value.
        source: Where it comes from; empty for the graph. Such a term is told of those only of whom it is known.
    """

    name: str
    unit: str
    weight: float | None
    values: Reals
    contributions: Reals
    explain: Callable[[int], list[Evidence]]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of all who are ranked by one question: base + Σ contributions.

    Attributes:
        base: Where every score starts.
        terms: The summands.
        total: `float64[pool]`, rounded to `DECIMALS`.
        pool: Who is ranked; where it is None everybody is, and stands at the place of their number.
    """

    base: float
    terms: tuple[Term, ...]
    total: Reals
    pool: Pool | None = None

    @classmethod
    def of(cls, base: float, terms: tuple[Term, ...], pool: Pool | None = None) -> "Scores":
        """Adds the terms up."""
        total = terms[0].contributions.copy()
        for term in terms[1:]:
            total += term.contributions
        return cls(base, terms, np.round(base + total, DECIMALS) + 0.0, pool)

    def place(self, person: int) -> int:
        """Where the values of one person stand."""
        return person if self.pool is None else self.pool.place(person)

    def places(self, people: Numbers) -> Numbers:
        """Where the values of some people stand: `int64[n]`."""
        return people if self.pool is None else self.pool.places_of(people)

    def of_person(self, person: int) -> float:
        """The score of one person."""
        return float(self.total[self.place(person)])

    def without(self, names: Set[str]) -> "Scores":
        """The scores with some terms left out."""
        left = tuple(term for term in self.terms if term.name not in names)
        if len(left) == len(self.terms):
            return self
        if not left:
            return Scores(self.base, (), np.full_like(self.total, self.base), self.pool)
        return Scores.of(self.base, left, self.pool)

    def fingerprint(self) -> str:
        """Digits that are the same where everybody has the same score."""
        return hashlib.blake2b(self.total.tobytes(), digest_size=16).hexdigest()

    def order(self, people: NDArray[np.int64]) -> NDArray[np.int64]:
        """Some people, best first; of equal scores whoever came first stays first: `int64[n]`."""
        return people[np.argsort(-self.total[self.places(people)], kind="stable")]

    def place_after(self, order: NDArray[np.int64], uids: Sequence[str], score: float, uid: str) -> int:
        """The place in an order of the first person that comes after a score and uid."""
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            person = int(order[middle])
            if (-self.of_person(person), uids[person]) > (-score, uid):
                high = middle
            else:
                low = middle + 1
        return low


def contributions_of(values: Reals, weight: float) -> Reals:
    """What a signal adds to each score: `float64[pool]`, 0 where its value is unknown."""
    found = weight * values
    np.copyto(found, 0.0, where=np.isnan(found))
    found += 0.0  # turns the -0.0 of a negative weight into 0.0
    return found


@dataclass(frozen=True, slots=True)
class Chance:
    """The estimated chance that a pairing would succeed, if it took place, with an interval of 95 %.

    Attributes:
        value: 0 to 1; None where the interval is too wide to name one.
        low: Lower end.
        high: Upper end.
        outcomes: Number of known outcomes of like scores that it rests on; 0 where there was none.
    """

    value: float | None
    low: float
    high: float
    outcomes: int


class Scorer(Protocol):
    """Whatever can score people for one question."""

    @property
    def model_version(self) -> str:
        """Version of the model, `rules` where none is involved."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""

    def under(self, policy: Policy) -> "Scorer":
        """The same scorer under another policy."""

    def score(self, columns: Columns, asked: Question) -> Scores:
        """Scores all who are ranked."""

    def chance(self, score: float) -> Chance | None:
        """The chance that a pairing of this score would succeed; None where nothing says so."""


@dataclass(frozen=True, slots=True)
class RulesScorer:
    """Scores by the policy's weights alone; serves until a model is published."""

    policy: Policy
    model_version: str = "rules"

    def under(self, policy: Policy) -> "RulesScorer":
        """The same scorer under another policy."""
        return replace(self, policy=policy)

    def score(self, columns: Columns, asked: Question) -> Scores:
        """Scores all who are ranked: base + Σ weight × value."""
        terms = []
        for signal in all_signals(columns, asked, self.policy):
            weight = self.policy.weights[signal.name]
            contributions = contributions_of(signal.values, weight)
            terms.append(Term(signal.name, signal.unit, weight, signal.values, contributions, signal.explain))
        return Scores.of(self.policy.base, tuple(terms), asked.among)

    def chance(self, score: float) -> None:
        """Rules are not calibrated."""
