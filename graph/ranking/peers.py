"""Pairing equals: who of a programme of the format `peer` coaches whom, planned for the whole group at once.

Peers have no sides: two may be paired where no rule forbids either of them to the other, and how well they fit is the
mean of the two scores by which each would rank the other. The plan pairs as many as it can, and as well as that allows.
"""

import asyncio
from dataclasses import dataclass
from itertools import combinations

from mentorgraph.graph.ranking.grouping import Hindrance, enrolled_in, hindrances
from mentorgraph.graph.ranking.matching import Judged, Recommender
from mentorgraph.graph.ranking.optimum import best_pairs
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.scoring import DECIMALS, Scorer
from mentorgraph.graph.viewer import Viewer

ALONE, NOBODY_ALLOWED, OTHERS_PAIRED = "alone", "nobody_allowed", "others_paired"
CAUSES = (ALONE, NOBODY_ALLOWED, OTHERS_PAIRED)
"""Why somebody is left over: nobody else seeks a peer, rules forbid all others, or all whom they allow are paired."""


@dataclass(frozen=True, slots=True)
class PeerPair:
    """Two who are to coach each other.

    Attributes:
        one: uid of the one who would be asked as the mentee: whoever ranks the other higher.
        other: uid of the other one.
        score: Mean of the two scores.
        scores: How `one` ranks `other`, and how `other` ranks `one`.
        signals: The summands of these two.
    """

    one: str
    other: str
    score: float
    scores: tuple[float, float]
    signals: tuple[tuple[SignalValue, ...], tuple[SignalValue, ...]]


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Somebody for whom the plan has no peer.

    Attributes:
        person: Their uid.
        cause: One of `CAUSES`.
        hindrances: The rules that forbid them others.
        nearest: uid of the one who fits best of those whom the rules allow; empty for none.
        taken_by: uid of the peer of that one in the plan.
    """

    person: str
    cause: str
    hindrances: tuple[Hindrance, ...]
    nearest: str = ""
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """Who coaches whom, as far as is known now; nothing of it is written.

    Attributes:
        programme: uid of the programme.
        model_version: Version of the model that ranked.
        pairs: The pairs, the best one first.
        left_over: Those for whom there is no peer, in the order of their uids.
        paired: uids of those who are in an open pairing of the programme, and not planned for.
        waiting: uids of those who are in one of its requests that waits for an answer, and not planned for.
        total: Sum of the scores of the pairs.
    """

    programme: str
    model_version: str
    pairs: tuple[PeerPair, ...]
    left_over: tuple[LeftOver, ...]
    paired: tuple[str, ...]
    waiting: tuple[str, ...]
    total: float


async def plan_peers(
    recommender: Recommender, viewer: Viewer, programme: str, *, scorer: Scorer | None = None
) -> PeerPlan:
    """Plans peers for all who take part in a programme and have none yet.

    Peers are enrolled both as mentors and as mentees, or without a role.

    Args:
        recommender: What ranks.
        viewer: On whose behalf; not for participants.
        programme: uid of a programme of the format `peer`.
        scorer: What ranks; the one of the recommender if none is given.

    Raises:
        DomainError: As `enrolled_in`; `TOO_LARGE`, the best plan was not found in time.
        DatabaseUnavailable: The graph cannot be asked.
    """
    enrolled = await enrolled_in(recommender, viewer, programme, "peer")
    peers = [each for each in enrolled if each.is_enrolled_as("mentor") and each.is_enrolled_as("mentee")]
    seeking = [each.uid for each in peers if each.is_free]
    judged: dict[tuple[str, str], Judged] = {}
    for person in seeking:
        others = [each for each in seeking if each != person]
        found = await recommender.judge(viewer, person, others, scorer=scorer, programme=programme)
        judged |= {(person, other): each for other, each in found.items()}
    scores = {
        (one, other): round((judged[one, other].score + judged[other, one].score) / 2, DECIMALS)
        for one, other in combinations(seeking, 2)
        if (one, other) in judged
        and (other, one) in judged
        and not (judged[one, other].refusals or judged[other, one].refusals)
    }
    chosen = await asyncio.to_thread(best_pairs, scores)
    pairs = sorted((_pair(judged, *pair, scores[pair]) for pair in chosen), key=lambda each: (-each.score, each.one))
    partner = {one: other for pair in chosen for one, other in (pair, pair[::-1])}
    left = tuple(_left_over(person, seeking, judged, scores, partner) for person in seeking if person not in partner)
    return PeerPlan(
        programme,
        (scorer or recommender.scorer).model_version,
        tuple(pairs),
        left,
        tuple(each.uid for each in peers if each.pairings),
        tuple(each.uid for each in peers if each.requests and not each.pairings),
        round(sum(each.score for each in pairs), DECIMALS),
    )


def _pair(judged: dict[tuple[str, str], Judged], one: str, other: str, score: float) -> PeerPair:
    if judged[other, one].score > judged[one, other].score:
        one, other = other, one
    both = judged[one, other], judged[other, one]
    return PeerPair(one, other, score, (both[0].score, both[1].score), (both[0].signals, both[1].signals))


def _left_over(
    person: str,
    seeking: list[str],
    judged: dict[tuple[str, str], Judged],
    scores: dict[tuple[str, str], float],
    partner: dict[str, str],
) -> LeftOver:
    others = [each for each in seeking if each != person]
    refused = hindrances(
        (*judged[pair].refusals, *judged[pair[::-1]].refusals)
        for pair in ((person, other) for other in others)
        if pair in judged and pair[::-1] in judged
    )
    allowed = {other: scores[pair] for other in others if (pair := _in_order(person, other)) in scores}
    if not allowed:
        return LeftOver(person, NOBODY_ALLOWED if others else ALONE, refused)
    nearest = max(sorted(allowed), key=allowed.__getitem__)
    return LeftOver(person, OTHERS_PAIRED, refused, nearest, partner[nearest])


def _in_order(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
