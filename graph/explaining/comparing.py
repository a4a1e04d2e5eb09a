"""Comparing mentors for one mentee: by which signals one stands before another, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.matching import Explanation, Recommender
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.viewer import Viewer

FEWEST, MOST = 2, 5
STRONGEST = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """What one signal adds to the gap between two scores.

    Attributes:
        signal: The signal.
        amount: Its contribution less that to the first mentor's score.
    """

    signal: str
    amount: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the mentors who are compared.

    Attributes:
        explanation: Why they fit, and which rules forbid the pair.
        gap: Their score less that of the first mentor.
        differences: What each signal adds to the gap, the largest first; they sum to it.
        strongest: Their strongest reasons in words.
    """

    explanation: Explanation
    gap: float
    differences: tuple[Difference, ...]
    strongest: tuple[str, ...]


async def compare(
    recommender: Recommender,
    viewer: Viewer,
    mentee: str,
    mentors: Sequence[str],
    goal: str | None = None,
    *,
    as_of: datetime | None = None,
    scorer: Scorer | None = None,
    programme: str | None = None,
) -> list[Compared]:
    """Compares mentors for one mentee and goal, each with the first one; participants are told as `explain` tells them.

    Args:
        recommender: What answers.
        viewer: On whose behalf.
        mentee: uid of the person who seeks a mentor.
        mentors: uids of 2 to 5 different mentors.
        goal: uid of one of the mentee's goals; the latest open one if none is given.
        as_of: Judge by what was known before this instant; now if none is given.
        scorer: What ranks; that of the recommender if none is given.
        programme: As for `Recommender.recommend`.

    Raises:
        DomainError: `BAD_USER_INPUT`, or as `Recommender.explain`.
        DatabaseUnavailable: The graph cannot be asked.
    """
    if not FEWEST <= len(mentors) <= MOST:
        message = f"mentorIds has {len(mentors)} entries; name {FEWEST} to {MOST} mentors"
        raise DomainError(message, code="BAD_USER_INPUT", field="mentorIds")
    if len(set(mentors)) < len(mentors):
        raise DomainError("mentorIds names a mentor twice; name each once", code="BAD_USER_INPUT", field="mentorIds")
    found = await recommender.explain_all(
        viewer, mentee, mentors, goal, as_of=as_of, scorer=scorer, programme=programme, field="mentorIds"
    )
    return [_compared(each, found[0]) for each in found]


def _compared(found: Explanation, first: Explanation) -> Compared:
    differences = [
        Difference(own.name, own.contribution - other.contribution)
        for own, other in zip(found.signals, first.signals, strict=True)
    ]
    differences.sort(key=lambda each: (-abs(each.amount), each.signal))
    return Compared(found, found.score - first.score, tuple(differences), found.sentences[:STRONGEST])
