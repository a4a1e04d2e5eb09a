"""The reasons of an answer beside its paths: the summands of the score, and what is said in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from mentorgraph.graph.ranking.meeting import ASYNC
from mentorgraph.graph.ranking.scoring import Scorer, Scores
from mentorgraph.graph.ranking.sentences import EvidencePath, Measured

LEAST_SHARE = 0.1
"""A path that carries less of its signal's contribution than this does not explain it."""


@dataclass(frozen=True, slots=True)
class SignalValue:
    """One summand of a score.

    Attributes:
        name: The signal.
        value: Its value; None where nothing is known.
        unit: What a value of 1 means.
        weight: What the value is multiplied with; None where the ranker is not linear in it.
        contribution: What it adds to the score.
        source: Where it comes from; empty for the graph.
    """

    name: str
    value: float | None
    unit: str
    weight: float | None
    contribution: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one signal in the distance between two scores of one list.

    Attributes:
        name: The signal; `base` does not count, since it is the same for both.
        one: What it adds to the first score.
        other: What it adds to the second one.
    """

    name: str
    one: float
    other: float

    @property
    def difference(self) -> float:
        """By how much it puts the first one ahead; below 0 where the second one is."""
        return self.one - self.other


def apart(one: Sequence[SignalValue], other: Sequence[SignalValue]) -> tuple[Part, ...]:
    """What parts two scores of one list, signal by signal; the differences add up to that of the scores."""
    first = {each.name: each.contribution for each in one}
    second = {each.name: each.contribution for each in other}
    return tuple(Part(name, first.get(name, 0.0), second.get(name, 0.0)) for name in dict.fromkeys((*first, *second)))


def signal_values(scores: Scores, person: int) -> tuple[SignalValue, ...]:
    """The summands of one person's score."""
    place, found = scores.place(person), []
    for term in scores.terms:
        value = float(term.values[place])
        told = None if isnan(value) else value
        if told is not None or not term.source:
            contribution = float(term.contributions[place])
            found.append(SignalValue(term.name, told, term.unit, term.weight, contribution, term.source))
    return tuple(found)


def measured(
    signals: Sequence[SignalValue], scorer: Scorer, paths: Sequence[EvidencePath], mode: str = ""
) -> tuple[Measured, ...]:
    """What no path tells: what is measured, how two can meet, and that much rests on many facts together.

    Args:
        signals: The summands of the score.
        scorer: What ranks.
        paths: The evidence.
        mode: How the two can meet, one of `meeting.MODES`; empty where it is not known.
    """
    values = {each.name: each.value for each in signals}
    said = []
    hours, load = values.get("time_overlap"), values.get("load")
    if hours is not None:
        enough = hours >= scorer.policy.signals.overlap_enough_hours
        said.append(Measured("shared_or_more" if enough else "shared", round(hours * 60)))
    if mode == ASYNC:
        said.append(Measured("asynchronous_only"))
    if load:
        said.append(Measured("load", load))
    said += [Measured("as_asked", text=each.name) for each in signals if each.source]
    if not signals:
        return tuple(said)
    strongest = max(signals, key=lambda each: each.contribution)
    weights = [path.weight for path in paths if path.signal == strongest.name]
    if weights and max(weights) < LEAST_SHARE * strongest.contribution:
        said.append(Measured("no_single_path", text=strongest.name))
    return tuple(said)
