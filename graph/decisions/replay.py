"""Replaying a decision: score and order computed again from what was recorded, and what the graph says of it now."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from mentorgraph.graph.decisions.decision import Decision, MenteeDecision
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.ranking.listing import Recommendation
from mentorgraph.graph.ranking.paths import EDGE_TYPES
from mentorgraph.graph.ranking.scoring import DECIMALS, Chance
from mentorgraph.graph.ranking.sentences import Step
from mentorgraph.graph.ranking.shaping import Shaping
from mentorgraph.graph.ranking.wishes import SHARED_IDENTITY, WEIGHT
from mentorgraph.graph.rules.policy import version_of
from mentorgraph.graph.store.store import Store

TOLERANCE = 1e-9
WISHED = MappingProxyType({SHARED_IDENTITY: WEIGHT})
"""The weights of what a request asks for by itself."""
RULES = "rules"
"""The version of the model where none is involved and every weight is the policy's."""

ChanceOf = Callable[[float], Chance | None]
"""What a version says of a score."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not come out as it was recorded, or is no longer as it was.

    Attributes:
        recommendation: uid of the recommendation, empty where it is about the whole list.
        what: What differs, in words.
    """

    recommendation: str
    what: str


def replay(
    decision: Decision | MenteeDecision,
    policies: Mapping[str, Sequence[Any]],
    learned: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    chances: Mapping[str, ChanceOf] = MappingProxyType({}),
) -> list[Difference]:
    """Computes score and order of a decision again and returns what does not match to `TOLERANCE`.

    Where a weight is recorded, the contribution must be weight times value, and the weight must be the policy's under
    the rules alone, else the model's. A contribution without a weight comes from a ranker that is not linear in the
    signal; it is taken as recorded, and the score must still be the sum.

    Args:
        decision: The decision.
        policies: The content of every policy that was recorded, by version.
        learned: The weights of every version of the model that is at hand.
        chances: What each of these versions says of a score.
    """
    if isinstance(decision, MenteeDecision):
        return _replay_of_mentor(decision, policies, learned, chances)
    found = list(_policy_differences(decision, policies))
    if decision.model_version != RULES:
        weights = learned.get(decision.model_version)
    else:
        weights = policies[decision.policy_version][1] if decision.policy_version in policies else None
    for each in decision.recommended:
        recommendation = each.recommendation
        found += [
            Difference(recommendation.uid, what) for what in _score_differences(recommendation, decision, weights)
        ]
    found += _option_differences(decision)
    found += _chance_differences(decision, chances.get(decision.model_version))
    if decision.shaping is None:
        return found + list(_order_differences(decision))
    return found + list(_place_differences(decision, decision.shaping, policies.get(decision.policy_version, ())))


def _replay_of_mentor(
    decision: MenteeDecision,
    policies: Mapping[str, Sequence[Any]],
    learned: Mapping[str, Mapping[str, float]],
    chances: Mapping[str, ChanceOf],
) -> list[Difference]:
    """Each pair as if it were a list of its own, and the order in which they stand: by score, then by goal."""
    found = []
    for each in decision.recommended:
        pair = decision.about(each.recommendation.uid)
        found += replay(pair, policies, learned, chances) if pair else []
    by_score = sorted((each.recommendation for each in decision.recommended), key=lambda one: (-one.score, one.goal))
    for place, one in enumerate(by_score, decision.rank_offset + 1):
        if one.rank != place:
            found.append(Difference(one.uid, f"the rank is {place}, recorded {one.rank}"))
        if one.mentor != decision.mentor:
            found.append(Difference(one.uid, "this is not the mentor who asked"))
    return found


def _policy_differences(decision: Decision, policies: Mapping[str, Sequence[Any]]) -> Iterator[Difference]:
    named = decision.policy_version
    if named not in policies:
        yield Difference("", f"the policy {named} is not in the log")
        return
    content = list(policies[named])
    computed = version_of(named.rpartition("@")[0], content)
    if computed != named:
        yield Difference("", f"the policy recorded as {named} is {computed}")
    if decision.model_version == RULES and not _same(decision.base, content[0]):
        yield Difference("", f"the base is {decision.base!r}, in the policy {content[0]!r}")


def _score_differences(found: Recommendation, decision: Decision, weights: Mapping[str, float] | None) -> Iterator[str]:
    what, own = ("goal", decision.goal) if decision.within else ("mentor", found.mentor)
    if found.uid != uid_of("mentorgraph", "recommendations", decision.slate + own):
        yield f"its id is not that of this {what} in this list"
    total = found.base
    for signal in found.signals:
        contribution = signal.contribution
        if signal.weight is not None:
            contribution = signal.weight * (signal.value or 0.0)
            if not _same(contribution, signal.contribution):
                yield f"{signal.name} contributes {contribution!r}, recorded {signal.contribution!r}"
            known = WISHED if signal.source else weights
            if known is not None and not _same(signal.weight, known.get(signal.name, math.nan)):
                yield f"{signal.name} has the weight {signal.weight!r}, by its version {known.get(signal.name)!r}"
        total += contribution
    if not _same(total, found.score):
        yield f"the score is {round(total, DECIMALS)!r}, recorded {found.score!r}"


def _chance_differences(decision: Decision, chance_of: ChanceOf | None) -> Iterator[Difference]:
    """The chances are those of the version, as far as all that its own score is made of is recorded."""
    for each in decision.recommended if not decision.options.ignored else ():
        found = each.recommendation
        recorded, computed = found.chance, None
        if decision.model_version != RULES:
            if chance_of is None:
                continue
            own = found.score - sum(signal.contribution for signal in found.signals if signal.source)
            computed = chance_of(own)
        if not _same_chance(computed, recorded):
            yield Difference(found.uid, f"the chance is {computed}, recorded {recorded}")


def _same_chance(computed: Chance | None, recorded: Chance | None) -> bool:
    if computed is None or recorded is None:
        return computed is recorded
    if (computed.value is None) != (recorded.value is None):
        return False
    pairs = ((computed.value or 0, recorded.value or 0), (computed.low, recorded.low), (computed.high, recorded.high))
    return computed.outcomes == recorded.outcomes and all(_same(*each) for each in pairs)


def _option_differences(decision: Decision) -> Iterator[Difference]:
    """Nobody is listed who was excluded, and no signal counts that was left out."""
    for each in decision.recommended:
        found = each.recommendation
        if found.mentor in decision.options.excluded:
            yield Difference(found.uid, "this mentor was to be left out")
        for signal in found.signals:
            if signal.name in decision.options.ignored:
                yield Difference(found.uid, f"{signal.name} was to be left out")
            if signal.source and not decision.options.wish.attribute:
                yield Difference(found.uid, f"{signal.name} counts, which nobody asked for")


def _place_differences(decision: Decision, shaping: Shaping, policy: Sequence[Any]) -> Iterator[Difference]:
    """The first places are given again among the same candidates."""
    if (shaping.mix, shaping.diversity) != (decision.options.mix, decision.options.diversity):
        yield Difference("", "the first places were not given as the list was asked for")
    if shaping.explores and shaping.exploration not in policy:
        yield Difference("", f"explored were {shaping.exploration}, which is not the policy's")
    if list(decision.candidates) != sorted(decision.candidates, key=lambda one: (-one.score, one.uid)):
        yield Difference("", "the candidates do not stand in the order of their scores")
    pinned = [each for each in decision.recommended if each.recommendation.pin]
    if list(decision.recommended[: len(pinned)]) != pinned:
        yield Difference("", "those who are pinned do not come first")
    slots, free = shaping.places(decision.candidates), decision.recommended[len(pinned) :]
    if len(slots) != len(free):
        yield Difference("", f"the first places are {len(slots)}, recorded {len(free)}")
    for number, (slot, each) in enumerate(zip(slots, free, strict=False), len(pinned) + 1):
        found, computed = each.recommendation, decision.candidates[slot.place]
        if (found.mentor, found.score, found.rank) != (computed.uid, computed.score, number):
            yield Difference(found.uid, f"place {number} is that of {computed.uid}, recorded {found.mentor}")
        if found.lifted_by != slot.lifted_by:
            yield Difference(found.uid, f"lifted by {slot.lifted_by!r}, recorded {found.lifted_by!r}")
        if not _same(slot.propensity, found.propensity):
            yield Difference(found.uid, f"the propensity is {slot.propensity!r}, recorded {found.propensity!r}")


def _order_differences(decision: Decision) -> Iterator[Difference]:
    """Ranks follow the score, then the uid, after those whom a coordinator has pinned."""
    found = [each.recommendation for each in decision.recommended]
    by_score = sorted(found, key=lambda one: (-one.score, one.mentor))
    for place, each in enumerate(sorted(by_score, key=lambda one: not one.pin), decision.rank_offset + 1):
        if each.rank != place:
            yield Difference(each.uid, f"the rank is {place}, recorded {each.rank}")
    for place, each in enumerate(by_score, decision.rank_offset + 1):
        if each.model_rank not in (None, place):
            yield Difference(each.uid, f"the rank by score alone is {place}, recorded {each.model_rank}")


def _same(computed: float, recorded: float) -> bool:
    return math.isclose(computed, recorded, rel_tol=0.0, abs_tol=TOLERANCE)


async def changes_since(store: Store, decision: Decision | MenteeDecision, now: datetime) -> list[Difference]:
    """What has become of the evidence of a decision: relationships that have ended, or that are gone.

    Args:
        store: The graph.
        decision: The decision.
        now: The present instant.

    Raises:
        DatabaseUnavailable: The graph cannot be asked.
    """
    wanted: dict[str, set[str]] = {name: set() for name in EDGE_TYPES}
    steps: list[tuple[str, Step]] = []
    for each in decision.recommended:
        for path in each.recommendation.evidence:
            for step in path.steps:
                if step.relationship_uid and step.relationship_type in wanted:
                    wanted[step.relationship_type].add(step.relationship_uid)
                    steps.append((each.recommendation.uid, step))
    rows = await store.read_edges(wanted, []) if steps else []
    until = {row["uid"]: row["until"] for row in rows if row["type"]}
    found: dict[Difference, None] = {}
    for uid, step in steps:
        edge = step.relationship_uid
        name = f"{step.relationship_type} {edge}"
        if edge not in until:
            found[Difference(uid, f"{name} is no longer in the graph")] = None
        elif until[edge] is not None and until[edge] < now and step.holds_now:
            found[Difference(uid, f"{name} has ended on {plain(until[edge])}")] = None
    return list(found)
