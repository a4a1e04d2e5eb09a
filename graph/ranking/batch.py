"""Ranking for many goals at a time, for evaluations and for coordinators who prepare a round."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.listing import Recommendation
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

OWNERS_AT_ONCE = 500
"""Goals whose owners are read in one round trip."""

OF_ONE_GOAL = frozenset({"NOT_FOUND", "CONSENT_REQUIRED"})
"""Codes of refusals that concern one goal; any other failure would meet the next goals too."""


@dataclass(frozen=True, slots=True)
class RankedGoal:
    """The answer for one of many goals.

    Attributes:
        goal: uid of the goal.
        recommendations: The mentors, best first, without evidence paths.
        problem: Why there is no answer; empty where there is one.
    """

    goal: str
    recommendations: tuple[Recommendation, ...]
    problem: str = ""


async def rank_for_goals(
    recommender: Recommender, viewer: Viewer, goals: Sequence[str], *, first: int = 10, as_of: datetime | None = None
) -> AsyncIterator[RankedGoal]:
    """Ranks the mentors for each of some goals, one after the other.

    All goals are judged as of one instant, however long it takes.

    Args:
        recommender: What ranks.
        viewer: On whose behalf.
        goals: uids of the goals.
        first: Mentors per goal, 1 to 100.
        as_of: Answer with what was known before this instant; the present one if none is given.

    Yields:
        One answer per goal, in the order of the goals.

    Raises:
        DomainError: `BAD_USER_INPUT` or `FORBIDDEN`.
        DatabaseUnavailable: The graph cannot be asked.
    """
    instant = as_of or recommender.clock()
    for start in range(0, len(goals), OWNERS_AT_ONCE):
        some = goals[start : start + OWNERS_AT_ONCE]
        owners = await _owners(recommender.store, some, instant)
        for goal in some:
            if goal not in owners:
                yield RankedGoal(goal, (), "no goal has this id")
                continue
            try:
                slate = await recommender.recommend(
                    viewer, owners[goal], goal, first=first, explores=False, with_paths=False, as_of=instant
                )
            except DomainError as error:
                if error.code not in OF_ONE_GOAL:
                    raise
                yield RankedGoal(goal, (), error.message)
            else:
                yield RankedGoal(goal, slate.recommendations)


async def _owners(store: Store, goals: Sequence[str], now: datetime) -> dict[str, str]:
    """Goal → whose it is; what is no goal is absent."""
    nodes = await store.read_nodes(goals, now)
    return {uid: node.owner for uid, node in nodes.items() if node.kind == "Goal"}
