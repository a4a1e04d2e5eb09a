"""Why somebody is not recommended: the rules that forbid the pair, or else the rank and what is missing to the list.

Whoever is allowed has a rank among all who are; against the last one who is shown, each signal tells how much of the
distance is its own, so that the parts add up to the whole. A part of the recommender, which lends it its parts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from mentorgraph.graph.paging import check_first
from mentorgraph.graph.ranking.asking import may_ask
from mentorgraph.graph.ranking.horizon import Horizon
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.options import MOST_DAYS_AHEAD
from mentorgraph.graph.ranking.scoring import Scorer, Scores
from mentorgraph.graph.rules.refusals import Refusal, Unjudged
from mentorgraph.graph.viewer import Viewer

FORBIDDEN, RANKED_LOWER, RECOMMENDED = VERDICTS = ("forbidden", "ranked_lower", "recommended")
"""What there is to say of a pair: a rule forbids it, others come first, or the mentor is in the list."""


@dataclass(frozen=True, slots=True)
class SignalGap:
    """The part of one signal in the distance to the last one who is shown.

    Attributes:
        signal: Its name.
        missing: What it adds to the score of that one beyond what it adds here; below 0 where it adds more here.
    """

    signal: str
    missing: float


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Where a mentor stands in the list for a mentee.

    Attributes:
        verdict: One of `VERDICTS`.
        blockers: The rules that forbid the pair; none if it is allowed.
        unjudged: Rules that could not be judged since facts are missing; none for participants.
        mentor: uid of the mentor.
        goal: uid of the goal; empty for none.
        score: Score of the mentor.
        rank: Place among all who are allowed, from 1; None for who is not.
        first: Length of the list.
        last_shown: uid of the last one in the list; empty where the mentor is in it or forbidden.
        gap: What is missing to that one by signal; it adds up to the distance of the scores.
        model_version: Version of the model.
        policy_version: Version of the policy that counted.
        available_from: When the rules that forbid the pair will first allow it, as far as that is known; else None.
    """

    verdict: str
    blockers: tuple[Refusal, ...]
    unjudged: tuple[Unjudged, ...]
    mentor: str
    goal: str
    score: float
    rank: int | None
    first: int
    last_shown: str
    gap: tuple[SignalGap, ...]
    model_version: str
    policy_version: str
    available_from: datetime | None = None


async def why_not(
    recommender: Recommender,
    viewer: Viewer,
    mentee: str,
    mentor: str,
    goal: str | None = None,
    *,
    first: int = 10,
    as_of: datetime | None = None,
    scorer: Scorer | None = None,
    programme: str | None = None,
) -> WhyNot:
    """Says why a mentor is not among the first few for a mentee, or that they are; participants ask as the mentee only.

    A mentee who may not be matched has no list; coordinators are told by which rule.

    Args:
        recommender: What answers.
        viewer: On whose behalf.
        mentee: uid of the person who seeks a mentor.
        mentor: uid of the mentor in question.
        goal: uid of one of the mentee's goals; the latest open one if none is given.
        first: Length of the list.
        as_of: As in `Recommender.recommend`.
        scorer: Likewise.
        programme: Likewise.

    Raises:
        DomainError: `BAD_USER_INPUT`, `FORBIDDEN`, `NOT_FOUND`; for participants `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
        DatabaseUnavailable: The graph cannot be asked.
    """
    check_first(first)
    may_ask(viewer, mentee)
    ranks, as_is = scorer or recommender.scorer, viewer.sees_everybody
    asker = await recommender._ask(mentee, goal, as_of, ranks, programme=programme, as_is=as_is)
    person, pair, judged = await recommender._judged(viewer, asker, mentor)
    available_from = None
    if as_of is None and not judged.is_allowed:
        policy, frame, until = asker.scorer.policy, asker.seeker.frame, asker.now + timedelta(days=MOST_DAYS_AHEAD)
        ahead = Horizon(asker.columns, asker.asked.mentee, asker.now, until, policy.rules, frame.programme)
        available_from = ahead.free_from(pair, person)
    order, uids = recommender._order(asker), asker.columns.people.uids
    rank, last = None, None
    places = np.flatnonzero(order == person)
    if judged.is_allowed and len(places):
        better = list(await recommender._allowed(asker, order[: places[0]], int(places[0]), viewer=viewer))
        rank = len(better) + 1
        last = better[first - 1] if rank > first else None
    return WhyNot(
        FORBIDDEN if rank is None else RECOMMENDED if last is None else RANKED_LOWER,
        judged.refusals,
        judged.unjudged,
        mentor,
        asker.goal,
        asker.scores.of_person(person),
        rank,
        first,
        "" if last is None else uids[last],
        () if last is None else gap_between(asker.scores, last, person),
        asker.scorer.model_version,
        asker.scorer.policy.version,
        available_from,
    )


def gap_between(scores: Scores, ahead: int, behind: int) -> tuple[SignalGap, ...]:
    """By which signals one person is ahead of another, in the order of the signals.

    Args:
        scores: The scores of both, at least.
        ahead: Number of the one.
        behind: Number of the other.
    """
    first, second = scores.place(ahead), scores.place(behind)
    return tuple(
        SignalGap(term.name, float(term.contributions[first] - term.contributions[second])) for term in scores.terms
    )
