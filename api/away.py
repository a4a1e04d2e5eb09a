"""Being away and leaving over GraphQL, with whom to offer to those who wait no longer."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.mutations import errors_field, payload, person_of
from mentorgraph.api.pairings import Pairing, Request
from mentorgraph.api.recommendations import RecommendationConnection, recommended
from mentorgraph.api.types import DateTime, Goal, Info, Person
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.pairings import away, leaving
from mentorgraph.graph.pairings.pairing import Released
from mentorgraph.graph.store.store import NodeRecord

DEFAULT_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Somebody who is to be offered others than one mentor."""

    without: str
    mentee: str
    goal: str
    programme: str
    request: str = ""
    pairing: str = ""


def _released(mentor: str, released: Released) -> _Waiting:
    return _Waiting(mentor, released.mentee, released.goal, released.programme, request=released.request)


def _loaded(name: str) -> Any:
    """A resolver of the node that a field names."""

    def resolve(root: _Waiting, info: Info) -> Awaitable[NodeRecord | None] | None:
        context: RequestContext = info.context
        uid: str = getattr(root, name)
        return context.nodes.load(uid) if uid else None

    return resolve


class OfferOthers(graphene.ObjectType):
    """A mentee who has nobody any more, through no fault of theirs, and is to be offered others."""

    mentee = graphene.Field(Person, description="The mentee.", resolver=_loaded("mentee"))
    goal = graphene.Field(Goal, description="The goal that it was about.", resolver=_loaded("goal"))
    request = graphene.Field(Request, description="The request that was released.", resolver=_loaded("request"))
    pairing = graphene.Field(Pairing, description="The pairing that ended.", resolver=_loaded("pairing"))
    alternatives = graphene.Field(
        RecommendationConnection,
        description="Others who may be recommended to them now, in the programme that it was about, best first; null "
        "for all but coordinators.",
        first=graphene.Int(description=f"Length of the page, 1 to {MOST}; {DEFAULT_ALTERNATIVES} if not given."),
        after=graphene.String(description="Cursor to start after; none for the first page."),
    )

    @staticmethod
    async def resolve_alternatives(
        root: _Waiting, info: Info, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """Others who may be recommended to them."""
        context: RequestContext = info.context
        first = DEFAULT_ALTERNATIVES if first is None else first
        check_first(first)
        answer = await context.recommender.recommend(
            context.viewer,
            root.mentee,
            root.goal or None,
            first=min(first + 1, MOST),
            after=after,
            explores=False,
            scorer=context.scorer,
            programme=root.programme or None,
        )
        return recommended(await context.decisions.keep(answer), after, first, root.without)


class SetAwayInput(graphene.InputObjectType):
    """When a person is away."""

    person_id = graphene.ID(required=True, description="The person.")
    since = graphene.InputField(DateTime, required=True, description="From when on.")
    until = graphene.InputField(DateTime, required=True, description="From when on they are back.")


class SetAwayPayload(graphene.ObjectType):
    """Who is away, and who waits for them no longer."""

    person = graphene.Field(Person, description="The person.")
    released = graphene.List(
        graphene.NonNull(Request), required=True, description="Requests that were released; offer these mentees others."
    )
    offer_others = graphene.List(
        graphene.NonNull(OfferOthers), required=True, description="Who made them, and whom to offer in place."
    )
    user_errors = errors_field()


class ComeBackInput(graphene.InputObjectType):
    """Who is back."""

    person_id = graphene.ID(required=True, description="The person.")


class ComeBackPayload(graphene.ObjectType):
    """Who is back."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class RecordLeavingInput(graphene.InputObjectType):
    """Who has left the organisation."""

    person_id = graphene.ID(required=True, description="The person.")
    left_at = graphene.InputField(DateTime, required=True, description="When; not in the future.")


class RecordLeavingPayload(graphene.ObjectType):
    """Who has left, and whom they leave behind."""

    person = graphene.Field(Person, description="The person.")
    offer_others = graphene.List(
        graphene.NonNull(OfferOthers),
        required=True,
        description="Mentees whose request or pairing ended with it, and whom to offer in place.",
    )
    user_errors = errors_field()


class AwayMutations(graphene.ObjectType):
    """What can be told of who is there."""

    set_away = graphene.Field(
        SetAwayPayload,
        description="Says that a person is away; requests that wait for them are released.",
        input=SetAwayInput(required=True, description="Who and when."),
    )
    come_back = graphene.Field(
        ComeBackPayload,
        description="Says that a person is back: the absence that holds, told or made of silence, ends now.",
        input=ComeBackInput(required=True, description="Who."),
    )
    record_leaving = graphene.Field(
        RecordLeavingPayload,
        description="Says that a person has left: what they were and did ends, pairings included; for coordinators.",
        input=RecordLeavingInput(required=True, description="Who and when."),
    )

    @staticmethod
    async def resolve_set_away(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Says that a person is away."""
        context: RequestContext = info.context
        released: list[Released] = []

        async def work() -> str:
            person = person_of(input)
            released.extend(await away.set_away(context.store, context.viewer, person, input["since"], input["until"]))
            return person

        told = await payload(context, "person", work)
        return {
            **told,
            "released": await context.nodes.load_many([each.request for each in released]),
            "offer_others": [_released(person_of(input), each) for each in released],
        }

    @staticmethod
    async def resolve_come_back(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Says that a person is back."""
        context: RequestContext = info.context

        async def work() -> str:
            person = person_of(input)
            await away.come_back(context.store, context.viewer, person)
            return person

        return await payload(context, "person", work)

    @staticmethod
    async def resolve_record_leaving(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Says that a person has left."""
        context: RequestContext = info.context
        behind: list[_Waiting] = []

        async def work() -> str:
            person = person_of(input)
            left = await leaving.record_leaving(context.store, context.viewer, person, input["left_at"])
            behind.extend(_released(person, each) for each in left.released)
            behind.extend(
                _Waiting(person, each.mentee, each.goal, each.programme, pairing=each.pairing)
                for each in left.left_behind
            )
            return person

        told = await payload(context, "person", work)
        return {**told, "offer_others": behind}
