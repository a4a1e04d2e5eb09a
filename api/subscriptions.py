"""What can be followed over GraphQL.

The first event of a subscription tells how things stand, each later one that they differ from what was told last. So
nobody misses a change between asking and following, and whoever was cut off follows again and knows. A subscription
outlives the database: it waits, and tells how things stand once that is back.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeAlias, TypeVar

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.events import Feed, Mark
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.pairings import Pairing
from mentorgraph.api.recommendations import Recommendation
from mentorgraph.api.rules import programme_argument, programme_of
from mentorgraph.api.types import DateTime, Info, enum_of
from mentorgraph.embeddings.progress import Told
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.store import NodeRecord

T = TypeVar("T")

AGAIN_AFTER_S = 2.0
"""After which a database that was away is asked again, if nobody tells that it is back."""

LOOK_AGAIN_S = 600.0
"""After which a list is looked at though nothing was written: absences begin and roles end by themselves."""

UNKNOWN = object()

DIGITS = 3
"""Decimals of a score that count as a difference. Scores drift with time, by less."""

TrainingTask = enum_of(
    "TrainingTask",
    {"train": "A model is taught, judged, and may come to serve.", "evaluate": "A model is taught and judged only."},
    "What a training run is for.",
)
TrainingState = enum_of(
    "TrainingState",
    {
        "running": "It goes on.",
        "promoted": "It ended, and its model serves now.",
        "kept": "It ended, and what served before goes on.",
        "judged": "It ended, as it was to: nothing was to be published.",
        "failed": "It could not be carried through.",
        "interrupted": "It was ended from outside.",
    },
    "Where a training run stands.",
)


class TrainingProgress(graphene.ObjectType):
    """How far a training run is that was started in the home of this server."""

    run_id = graphene.ID(required=True, description="What tells runs apart.")
    task = graphene.Field(TrainingTask, required=True, description="What it is for.")
    state = graphene.Field(TrainingState, required=True, description="Where it stands.")
    doing = graphene.String(required=True, description="The step that it is at, or was at when it ended.")
    done = graphene.Int(required=True, description="How much of the step is done.")
    total = graphene.Int(description="How much there is of the step; null where nobody knows.")
    started_at = graphene.Field(DateTime, required=True, description="When it began.")
    told_at = graphene.Field(DateTime, required=True, description="When it told this.")
    model_version = graphene.String(description="The version of the model that it let serve; null for none.")
    verdict = graphene.String(description="What the gate says, or why it failed; null before it is known.")


class RecommendationsChangedPayload(graphene.ObjectType):
    """The head of a list of mentors as it is now."""

    slate_id = graphene.ID(required=True, description="Identity of the list, as in `recommendMentors`.")
    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    policy_version = graphene.String(required=True, description="The policy in force.")
    recommendations = graphene.List(
        graphene.NonNull(Recommendation), required=True, description="The recommendations, best first."
    )
    has_more = graphene.Boolean(required=True, description="Whether more follow; `recommendMentors` has all of them.")
    notice = graphene.String(description="What to know about the list as a whole.")


class Subscription(graphene.ObjectType):
    """What can be followed: first how things stand, then each time that they differ."""

    recommendations_changed = graphene.Field(
        RecommendationsChangedPayload,
        description="The mentors that a mentee may be paired with, whenever somebody enters or leaves the list, or "
        "places, scores or reasons change.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        goal_id=graphene.ID(description="One of their goals; the latest open one if none is given."),
        programme_id=programme_argument(),
        first=graphene.Int(description=f"Length of the list, 1 to {MOST}."),
    )
    pairing_updated = graphene.Field(
        Pairing,
        description="A pairing, or each of those of a person, whenever it was moved, signed for, met in or given a "
        "milestone or co-mentor. Notes and answers to surveys do not count.",
        pairing_id=graphene.ID(description="The pairing; give either this or personId."),
        person_id=graphene.ID(description="The person; give either this or pairingId."),
    )
    training_progress = graphene.Field(
        TrainingProgress,
        description="How far the last training run is; null before the first one. Not for participants.",
    )

    @staticmethod
    async def subscribe_recommendations_changed(
        _root: None,
        info: Info,
        mentee_id: str,
        goal_id: str | None = None,
        programme_id: str | None = None,
        first: int | None = None,
    ) -> AsyncGenerator[Slate, None]:
        """Follows a list."""
        mentee = read_global_id(mentee_id, expected="Person", field="menteeId")[1]
        goal = read_global_id(goal_id, expected="Goal", field="goalId")[1] if goal_id is not None else None
        programme = programme_of(programme_id)

        async def ask(context: RequestContext) -> Found[Slate]:
            slate = await context.recommender.recommend(
                context.viewer,
                mentee,
                goal,
                first=10 if first is None else first,
                scorer=context.scorer,
                programme=programme,
            )
            return [("", _content_of(slate), slate)]

        context: RequestContext = info.context
        return await _follow(context, ask, context.service.graph_feed, context.service.turn.taken)

    @staticmethod
    async def resolve_recommendations_changed(slate: Slate, info: Info, **_asked: object) -> dict[str, object]:
        """Keeps the list, as one that was asked for, and shows it."""
        context: RequestContext = info.context
        kept = await context.decisions.keep(slate)
        return {
            "slate_id": kept.uid,
            "model_version": kept.model_version,
            "policy_version": kept.policy_version,
            "recommendations": kept.recommendations,
            "has_more": kept.has_next,
            "notice": kept.notice or None,
        }

    @staticmethod
    async def subscribe_pairing_updated(
        _root: None, info: Info, pairing_id: str | None = None, person_id: str | None = None
    ) -> AsyncGenerator[str, None]:
        """Follows pairings."""
        if (pairing_id is None) == (person_id is None):
            raise DomainError("give either pairingId or personId", code="BAD_USER_INPUT", field="pairingId")
        kind, field = ("Pairing", "pairingId") if pairing_id is not None else ("Person", "personId")
        uid = read_global_id(str(pairing_id or person_id), expected=kind, field=field)[1]

        async def ask(context: RequestContext) -> Found[str]:
            await _check_may_follow(context, kind, uid, field)
            found = await context.service.pairing_changes.load((kind, uid))
            return [(pairing, change, pairing) for pairing, change in sorted(found.items(), key=_by_change)]

        context: RequestContext = info.context
        return await _follow(context, ask, context.service.graph_feed)

    @staticmethod
    def resolve_pairing_updated(pairing: str, info: Info, **_asked: object) -> Awaitable[NodeRecord | None]:
        """Shows a pairing as it is now."""
        context: RequestContext = info.context
        return context.visible(pairing)

    @staticmethod
    async def subscribe_training_progress(_root: None, info: Info) -> AsyncGenerator[tuple[Told | None], None]:
        """Follows training."""
        context: RequestContext = info.context

        async def ask(context: RequestContext) -> Found[tuple[Told | None]]:
            if not context.viewer.sees_everybody:
                raise DomainError("participants are not told of training", code="FORBIDDEN")
            told = await context.service.training_progress()
            return [("", told, (told,))]

        return await _follow(context, ask, context.service.training_feed)

    @staticmethod
    def resolve_training_progress(event: tuple[Told | None], _info: Info) -> dict[str, object] | None:
        """Shows what was told."""
        [told] = event
        if told is None:
            return None
        return {
            "run_id": told.run,
            "task": told.what,
            "state": told.state,
            "doing": told.doing,
            "done": told.done,
            "total": told.total or None,
            "started_at": told.began,
            "told_at": told.told,
            "model_version": told.version or None,
            "verdict": told.verdict or None,
        }


Found: TypeAlias = list[tuple[str, object, T]]
"""What is followed: for each thing its name, what tells whether it differs, and the event to send if so."""

Ask: TypeAlias = Callable[[RequestContext], Awaitable[Found[T]]]
"""Looks at what is followed."""

Turns: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]


async def _follow(
    context: RequestContext, ask: Ask[T], feed: Feed[Any], turn: Turns = nullcontext
) -> AsyncGenerator[T, None]:
    """The events of a subscription, whose first look is taken at once: what forbids it shows before it begins.

    Args:
        context: The request that it began with.
        ask: Looks at what is followed.
        feed: Tells when to look again.
        turn: What each further look waits for; the first one is as any request.

    Raises:
        DomainError: It may not be followed.
        DatabaseUnavailable: How things stand cannot be read now.
    """
    mark = feed.mark()
    return _events(context, ask, feed, turn, mark, await ask(context))


async def _events(
    context: RequestContext, ask: Ask[T], feed: Feed[Any], turn: Turns, mark: Mark, found: Found[T]
) -> AsyncGenerator[T, None]:
    known: dict[str, object] = {}
    is_back = False
    with feed.listen(mark) as listener:
        while True:
            before, known = known, {name: state for name, state, _ in found}
            coming = [event for name, state, event in found if is_back or before.get(name, UNKNOWN) != state]
            found = []
            while coming:
                yield coming.pop(0)  # and keeps none: a list with all its evidence is large, and the wait may be long
            is_back = await listener.next(LOOK_AGAIN_S)
            while True:
                try:
                    context = await context.renewed()
                    async with turn():
                        found = await ask(context)
                    break
                except DatabaseUnavailable:
                    is_back = await listener.next(AGAIN_AFTER_S) or is_back


async def _check_may_follow(context: RequestContext, kind: str, uid: str, field: str) -> None:
    if kind == "Person":
        if not context.viewer.sees_everybody and context.viewer.person != uid:
            raise DomainError("you may follow your own pairings only", code="FORBIDDEN", field=field)
    elif await context.visible(uid) is None:
        raise DomainError("no pairing has this id", code="NOT_FOUND", field=field)


def _by_change(item: tuple[str, int]) -> int:
    return item[1]


def _content_of(slate: Slate) -> object:
    """What a reader of a list sees of it; its id is another one after every change of the graph."""
    return (
        slate.model_version,
        slate.policy_version,
        slate.goal,
        slate.notice,
        slate.has_next,
        [
            (
                each.mentor,
                round(each.score, DIGITS),
                each.available_from and each.available_from.date(),
                each.sentences,
                each.cautions,
                each.mode,
            )
            for each in slate.recommendations
        ],
    )
