"""The first places of a list, where they are not given by score alone: a mix, differing mentors, and exploration.

Pure, and a function of what the decision log keeps, so that a replay computes the same places again. Who is not shown
in the first places follows after them in the order of score, with nobody twice.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import comb, fsum
from typing import Any

from mentorgraph.graph.ranking.options import NO_MIX, Mix

SPARE = 3
"""Where mentors are to differ, they are chosen from so many times as many as are shown."""

MIX, DIVERSITY, EXPLORATION = LIFTS = ("mix", "diversity", "exploration")
"""Why somebody stands higher than their score alone would put them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mentor whom the rules and the filters allow.

    Attributes:
        uid: Their uid.
        score: Their score.
        is_expert: Whether they offer a wished skill at the wished level or above it.
        is_cross_functional: Whether they belong to units of which none is the mentee's.
        traits: Numbers of their units and of the skills that they offer.
    """

    uid: str
    score: float
    is_expert: bool = False
    is_cross_functional: bool = False
    traits: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the first places.

    Attributes:
        place: Place among the candidates, from 0.
        lifted_by: One of `LIFTS`; empty for who stands where the score puts them, or lower.
        propensity: The probability with which this mentor stood here.
    """

    place: int
    lifted_by: str = ""
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Shaping:
    """How the first places are given.

    Attributes:
        first: How many there are.
        mix: Who is to be among them at least.
        diversity: How much they are to differ, 0 to 1.
        share: Expected share of the places that are explored, 0 to 1.
        within: Explored places go to mentors among so many first ones.
        seed: What the draws follow from.
    """

    first: int
    mix: Mix = field(default_factory=Mix)
    diversity: float = 0.0
    share: float = 0.0
    within: int = 0
    seed: str = ""

    @property
    def is_mixed(self) -> bool:
        """Whether a mix is asked for."""
        return self.mix != NO_MIX

    @property
    def explores(self) -> bool:
        """Whether places are explored; never against a mix, which the mentee has asked for."""
        return self.share > 0 and not self.is_mixed

    @property
    def exploration(self) -> dict[str, float]:
        """What the policy says of exploration."""
        return {"share": self.share, "within": self.within}

    @property
    def is_by_score(self) -> bool:
        """Whether the places are those by score."""
        return not (self.is_mixed or self.diversity or self.explores)

    @property
    def wanted(self) -> int:
        """How many candidates, the best by score, it takes at least."""
        return max(self.first, SPARE * self.first if self.diversity else 0, self.within if self.explores else 0)

    def places(self, candidates: Sequence[Candidate]) -> list[Slot]:
        """The first places.

        Args:
            candidates: Best first: the `wanted` best, and behind them whoever it takes to meet the mix.
        """
        order = list(range(len(candidates)))
        if self.diversity:
            spare = SPARE * self.first
            order = [*differing(candidates[:spare], self.first, self.diversity)]
            order += [place for place in range(len(candidates)) if place not in set(order)]
        turn = {place: number for number, place in enumerate(order)}
        chosen = mixed([candidates[place] for place in order], self.first, met(candidates, self.first, self.mix))
        head = [order[number] for number in chosen]
        slots = []
        for number, place in enumerate(head):
            lifted = MIX if turn[place] > number else DIVERSITY if place > number else ""
            slots.append(Slot(place, lifted))
        return self._explored(slots, len(candidates)) if self.explores else slots

    def lacking(self, candidates: Sequence[Candidate]) -> Mix:
        """How many are missing of a mix that cannot be met."""
        possible = met(candidates, self.first, self.mix)
        return Mix(self.mix.experts - possible.experts, self.mix.cross_functional - possible.cross_functional)

    def _explored(self, slots: Sequence[Slot], candidates: int) -> list[Slot]:
        """Some places given to mentors from further down.

        One place after the other is explored with probability `share`, until each of the m mentors among the first
        `within` who have no place has one; who has it is drawn evenly among those who are left. Place i of i = 0, 1, …
        is thus explored with probability p(i) = share · P(B(i, share) < m), B being binomially distributed, and shows
        each of the m with probability p(i) / m, whoever stood there before with 1 − p(i).
        """
        shown = {each.place for each in slots}
        reserve = [place for place in range(min(self.within, candidates)) if place not in shown]
        draw = draws(self.seed)
        left, found = list(reserve), []
        for number, slot in enumerate(slots):
            chance = self.share * _fewer(number, self.share, len(reserve))
            marked, which = next(draw) < self.share, next(draw)
            if marked and left:
                place = left.pop(int(which * len(left)))
                found.append(Slot(place, EXPLORATION, chance / len(reserve)))
            else:
                found.append(Slot(slot.place, slot.lifted_by, 1.0 - chance))
        return found

    @property
    def content(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "first": self.first,
            "mix": [self.mix.experts, self.mix.cross_functional],
            "diversity": self.diversity,
            "exploration": [self.share, self.within],
            "seed": self.seed,
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Shaping":
        """The shaping with some `content`."""
        share, within = content["exploration"]
        return cls(content["first"], Mix(*content["mix"]), content["diversity"], share, within, content["seed"])


def seed_of(mentee: str, day: date) -> str:
    """What the draws for a mentee follow from, so that the answers of a day repeat."""
    return f"{mentee} {day.isoformat()}"


def draws(seed: str) -> Iterator[float]:
    """Evenly distributed numbers from 0 to below 1, the same on every machine and in every version of Python.

    The first 53 bits of each 8 bytes of BLAKE2b over the seed and the number of the block.
    """
    block = 0
    while True:
        digest = hashlib.blake2b(f"{seed} {block}".encode()).digest()
        yield from ((int.from_bytes(digest[at : at + 8], "big") >> 11) / 2**53 for at in range(0, len(digest), 8))
        block += 1


def _fewer(trials: int, share: float, most: int) -> float:
    """The probability of fewer than `most` successes in some trials."""
    if most > trials:
        return 1.0
    return fsum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(most))


# --- mentors who differ -----------------------------------------------------------------------------------------------


def differing(candidates: Sequence[Candidate], first: int, diversity: float) -> list[int]:
    """The places of the first ones by maximal marginal relevance, Carbonell & Goldstein 1998.

    Next is whoever has the largest (1 − diversity) · relevance − diversity · likeness: relevance is the score, scaled
    to run from 0 to 1 over the candidates; likeness is that to the most alike of those who have a place, the number of
    units and skills that two have in common by that of those that either has (Jaccard 1901). Of equal ones the better.
    """
    if not candidates:
        return []
    best, least = candidates[0].score, min(each.score for each in candidates)
    spread = (best - least) or 1.0
    relevance = [(each.score - least) / spread for each in candidates]
    likeness = [0.0] * len(candidates)
    left = list(range(len(candidates)))
    found: list[int] = []
    while left and len(found) < first:
        place = max(left, key=lambda at: ((1 - diversity) * relevance[at] - diversity * likeness[at], -at))
        left.remove(place)
        found.append(place)
        for other in left:
            likeness[other] = max(likeness[other], alike(candidates[place].traits, candidates[other].traits))
    return found


def alike(one: frozenset[int], other: frozenset[int]) -> float:
    """How alike two sets are: what they have in common by what either has; 0 where both are empty."""
    either = len(one | other)
    return len(one & other) / either if either else 0.0


# --- a mix ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Supply:
    """How many there are of whom: both expert and cross-functional, only the one, only the other."""

    both: int
    experts: int
    cross_functional: int

    @classmethod
    def of(cls, kinds: Counter[tuple[bool, bool]]) -> "_Supply":
        return cls(kinds[True, True], kinds[True, False], kinds[False, True])

    def meets(self, mix: Mix, places: int) -> bool:
        """Whether some of them can meet a mix in so many places; who is both counts for both, so they go first."""
        both = min(self.both, max(mix.experts, mix.cross_functional))
        experts, cross = max(0, mix.experts - both), max(0, mix.cross_functional - both)
        return experts <= self.experts and cross <= self.cross_functional and both + experts + cross <= places


def met(candidates: Sequence[Candidate], first: int, mix: Mix) -> Mix:
    """What can be met of a mix in the first places: all of it, or what lacks the fewest, rather experts than others."""
    supply = _Supply.of(Counter((each.is_expert, each.is_cross_functional) for each in candidates))
    most = Mix(
        min(mix.experts, supply.both + supply.experts, first),
        min(mix.cross_functional, supply.both + supply.cross_functional, first),
    )
    for lacking in range(most.experts + most.cross_functional + 1):
        for of_experts in range(max(0, lacking - most.cross_functional), min(lacking, most.experts) + 1):
            tried = Mix(most.experts - of_experts, most.cross_functional - (lacking - of_experts))
            if supply.meets(tried, first):
                return tried
    return NO_MIX


def mixed(candidates: Sequence[Candidate], first: int, mix: Mix) -> list[int]:
    """The places of the first ones that meet a mix.

    Each place goes to the first in the order with whom the rest of the mix can still be met, as it can, see `met`.
    """
    kinds = [(each.is_expert, each.is_cross_functional) for each in candidates]
    supply, left = Counter(kinds), list(range(len(candidates)))
    found: list[int] = []
    while left and len(found) < first:
        for at in left:
            expert, cross = kinds[at]
            rest = Mix(max(0, mix.experts - expert), max(0, mix.cross_functional - cross))
            if _Supply.of(supply - Counter([kinds[at]])).meets(rest, first - len(found) - 1):
                break
        left.remove(at)
        found.append(at)
        supply[kinds[at]] -= 1
        mix = rest
    return found
