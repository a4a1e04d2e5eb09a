"""The taxonomy: which skill is broader than which, which one counts for another, and where each stands in its life.

A skill that was merged keeps its node and its uid, and so does every fact that refers to it: offers, wants, needs and
broader skills stay as their source told them. What a skill *counts for* is worked out where facts are read, as of the
day asked about (`Columns.merges`). Ending those facts and stating them anew for the other skill would be undone by the
next import of the same source, could not be taken back, and would give a graph another hash than the same facts told
in another order. So a merge is one fact, `BECAME`, which holds from a day on; to take it back, end it.

A skill that was split is broader than its parts. What refers to it cannot know which part was meant, and earns what a
broader skill earns.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.store.store import Store

TOLD_BY = ("broader", "skill_states", "successions")
"""Kinds of facts that a taxonomy is made of."""


class Taxonomy:
    """The facts about skills that hold at a time; skills go by their uids."""

    def __init__(self) -> None:
        self._broader: dict[str, set[str]] = defaultdict(set)
        self._narrower: dict[str, set[str]] = defaultdict(set)
        self._became: dict[str, dict[str, str]] = defaultdict(dict)
        self._merged_from: dict[str, set[str]] = defaultdict(set)
        self._states: dict[str, list[Record]] = defaultdict(list)

    @classmethod
    async def of(cls, store: Store, now: datetime | None = None) -> "Taxonomy":
        """What a graph tells: what holds just before an instant, or what has not ended if none is given."""
        found = cls()
        for kind in TOLD_BY:
            async for fact in store.facts(KINDS[kind]):
                if holds(fact.record.properties, now):
                    found.put(fact.record)
        return found

    def put(self, record: Record) -> None:
        """Takes in a fact, whether or not it makes sense beside the others."""
        if record.kind == "skill_states":
            self._states[record.links["skill"]].append(record)
        elif record.kind == "broader":
            self._broader[record.links["skill"]].add(record.links["broader"])
            self._narrower[record.links["broader"]].add(record.links["skill"])
        elif record.kind == "successions":
            skill, successor, how = record.links["skill"], record.links["successor"], str(record.properties["how"])
            self._became[skill][successor] = how
            if how == "merged":
                self._merged_from[successor].add(skill)

    def takes(self, record: Record) -> str:
        """Takes in a fact, or its end, unless it contradicts the others.

        Returns:
            Why it was not taken in; empty where it was.
        """
        if record.kind == "broader":
            skill, other = record.links["skill"], record.links["broader"]
            if "until" in record.properties:
                self._broader[skill].discard(other)
                self._narrower[other].discard(skill)
                return ""
            if reason := self.why_not_broader(skill, other):
                return reason
        elif record.kind == "successions":
            skill, other = record.links["skill"], record.links["successor"]
            was_merged = self._became[skill].get(other) == "merged"
            if "until" in record.properties:
                return self._undone(skill, other) if was_merged else self._forgotten(skill, other)
            if record.properties["how"] == "merged" and (reason := self.why_not_merged(skill, other)):
                return reason
            if record.properties["how"] != "merged" and was_merged and (reason := self._undone(skill, other)):
                return reason
        self.put(record)
        return ""

    def _forgotten(self, skill: str, other: str) -> str:
        self._became[skill].pop(other, None)
        self._merged_from[other].discard(skill)
        return ""

    def _undone(self, skill: str, other: str) -> str:
        """Takes back a merge, unless steps that fell together with it would go round in a circle without it."""
        self._forgotten(skill, other)
        ahead = self.broader(self.counts_as(skill))
        seen = set(ahead)
        while ahead:
            above = set().union(*(self.broader(each) for each in ahead))
            if self.counts_as(skill) in above:
                self._became[skill][other] = "merged"
                self._merged_from[other].add(skill)
                return "would leave the skill broader than itself, by steps that hold between the two"
            ahead = above - seen
            seen |= above
        return ""

    # --- what is the case -------------------------------------------------------------------------------------------

    def counts_as(self, skill: str) -> str:
        """The skill that one counts for: the last of those that it was merged into, itself where it was not.

        Where merges go round in a circle, which only `db check` ever sees, a skill counts for itself.
        """
        seen = [skill]
        while (following := self.merged_into(seen[-1])) is not None:
            if following in seen:
                return skill
            seen.append(following)
        return seen[-1]

    def merged_into(self, skill: str) -> str | None:
        """The skill that one was merged into, if it was."""
        return min((other for other, how in self._became[skill].items() if how == "merged"), default=None)

    def parts(self, skill: str) -> list[str]:
        """The skills that one was split into."""
        return sorted(other for other, how in self._became[skill].items() if how == "split")

    def state(self, skill: str) -> str:
        """Where a skill stands: `merged`, `split`, or the state that was told last; `approved` where none was."""
        if self.merged_into(skill) is not None:
            return "merged"
        if self.parts(skill):
            return "split"
        last = max(self.told_states(skill), key=lambda each: (each.properties["since"], each.uid), default=None)
        return str(last.properties["state"]) if last else "approved"

    def told_states(self, skill: str) -> list[Record]:
        """The states that were told of a skill and hold."""
        return self._states[skill]

    def broader(self, skill: str) -> set[str]:
        """What lies one step above a skill and above all that count for it."""
        found: set[str] = set()
        for each in self._counted(skill):
            found |= {self.counts_as(other) for other in self._broader[each]}
        return found - {skill}

    def ancestors(self, skill: str) -> list[str]:
        """Every broader skill by whatever steps, the nearest first."""
        found: dict[str, None] = {}
        ahead = {self.counts_as(skill)}
        while ahead:
            ahead = {other for each in ahead for other in self.broader(each)} - found.keys() - {self.counts_as(skill)}
            found |= dict.fromkeys(sorted(ahead))
        return list(found)

    def family(self, skill: str) -> set[str]:
        """A skill by what it counts for, every narrower one by whatever steps, and all that count for one of them."""
        found = {self.counts_as(skill)}
        ahead = list(found)
        for each in ahead:
            below = {self.counts_as(low) for own in self._counted(each) for low in self._narrower[own]} - found
            found |= below
            ahead += sorted(below)
        return {own for each in found for own in self._counted(each)}

    def successors(self) -> dict[str, str]:
        """Every skill that was merged, and the one that it counts for."""
        return {skill: self.counts_as(skill) for skill in self.merged()}

    def merged(self) -> Mapping[str, list[str]]:
        """Every skill that was merged, and what into; more than one only where `db check` should see it."""
        found = {
            skill: [o for o, how in sorted(others.items()) if how == "merged"] for skill, others in self._became.items()
        }
        return {skill: others for skill, others in found.items() if others}

    def steps(self) -> list[tuple[str, str]]:
        """All steps from a skill to a broader one, by what they count for."""
        pairs = ((self.counts_as(s), self.counts_as(o)) for s, others in self._broader.items() for o in others)
        return [pair for pair in pairs if pair[0] != pair[1]]

    # --- what may not be --------------------------------------------------------------------------------------------

    def why_not_broader(self, skill: str, other: str) -> str:
        """Why a skill cannot get this broader one; empty where it can."""
        low, high = self.counts_as(skill), self.counts_as(other)
        return "is itself a kind of the skill, by way of others" if low in self.ancestors(high) else ""

    def why_not_merged(self, skill: str, other: str) -> str:
        """Why a skill cannot be merged into another one; empty where it can."""
        target = self.counts_as(other)
        if skill == target:
            return "is the skill itself" if skill == other else "was merged into the skill"
        if (known := self.merged_into(skill)) is not None:
            return "" if known == other else "is not what the skill was merged into already"
        if skill in self.ancestors(target):
            return "is a kind of the skill"
        # A direct step from the one to the other falls together with them; one by way of a third would be a circle.
        if any(target in self.ancestors(each) for each in self.broader(skill) - {target}):
            return "is broader than the skill by way of others, which would be broader than themselves"
        return ""

    def _counted(self, skill: str) -> list[str]:
        """A skill and all that count for it."""
        found = [skill]
        for each in found:
            found += [other for other in sorted(self._merged_from[each]) if other not in found]
        return found


def holds(properties: Mapping[str, object], now: datetime | None) -> bool:
    """Whether a fact holds just before an instant, or, if none is given, has not ended."""
    since, until = properties["since"], properties.get("until")
    if now is None:
        return until is None
    return isinstance(since, datetime) and since < now and (not isinstance(until, datetime) or until >= now)
