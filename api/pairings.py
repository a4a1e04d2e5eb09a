"""Requests and pairings over GraphQL: what they are, what happened to them, and how they are moved on."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import graphene

from mentorgraph.api.connections import connection_type
from mentorgraph.api.context import RequestContext
from mentorgraph.api.courses import StallCause, answers_field, co_mentors_field, outcome_field
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.milestones import milestones_field
from mentorgraph.api.mutations import errors_field, payload, source_field, told_source
from mentorgraph.api.notes import sessions_field
from mentorgraph.api.types import DateTime, Goal, Info, Node, Person, enum_of, is_kind, stored
from mentorgraph.graph.pairings import pairing
from mentorgraph.graph.store.pairing_reads import Move as StoredMove
from mentorgraph.graph.store.store import NodeRecord

OF_REQUESTS = {
    "proposed": "A coordinator suggests the mentor; the mentee has not agreed yet.",
    "requested": "The mentor is asked.",
    "more_information": "The mentor wants to know more.",
    "accepted": "The mentor accepted; there is a pairing now.",
    "declined": "The mentor, or the mentee of a proposal, said no.",
    "withdrawn": "It was taken back.",
    "expired": "Nobody answered in time.",
    "released": "The mentor went away before answering.",
}
OF_PAIRINGS = {
    "accepted": "The mentor accepted; the two have not begun.",
    "active": "The two work together.",
    "paused": "They make a break.",
    "stalled": "Nothing happens any more.",
    "completed": "They reached the end.",
    "ended": "They stopped before.",
}
RequestState = enum_of("RequestState", OF_REQUESTS, "Where a request stands.")
PairingState = enum_of("PairingState", OF_PAIRINGS, "Where a pairing stands.")
MoveState = enum_of(
    "MoveState", {**OF_REQUESTS, **OF_PAIRINGS, "accepted": "The mentor accepted."}, "Where a move led to."
)
MoveReason = enum_of(
    "MoveReason",
    {
        "no_capacity": "No time for another mentee.",
        "not_my_field": "The goal asks for something else.",
        "no_shared_time": "The two find no time together.",
        "conflict_of_interest": "The two should not work together.",
        "no_response": "The other side does not answer.",
        "goal_reached": "There is nothing left to do.",
        "goal_changed": "The mentee wants something else now.",
        "does_not_work_out": "The two do not get on.",
        "left": "One of them has left.",
        "other": "Another reason.",
    },
    "Why a request was declined or a pairing ended; only coordinators see it.",
)
Mover = enum_of(
    "Mover",
    {
        "mentor": "The mentor, or a co-mentor.",
        "mentee": "The mentee.",
        "coordinator": "A coordinator.",
        "time": "Nobody in particular: time ran out, or the mentor went away.",
    },
    "As what somebody moved a request or pairing.",
)


class Move(graphene.ObjectType):
    """A step in the life of a request or pairing."""

    state = graphene.Field(MoveState, required=True, description="Where it went.")
    at = graphene.Field(DateTime, required=True, description="When.")
    by = graphene.Field(Mover, required=True, description="As what somebody moved it.")
    note = graphene.String(description="A word to the other side.")
    reason = graphene.Field(MoveReason, description="Why; null where none was given and for all but coordinators.")
    cause = graphene.Field(
        StallCause, description="Why it stalled; null where it did not and for all but coordinators."
    )


def _party(name: str) -> Any:
    """A resolver of one of those whom a request or pairing is about."""

    def resolve(root: NodeRecord, info: Info) -> Awaitable[NodeRecord | None] | None:
        context: RequestContext = info.context
        return context.nodes.load(root.parties[name]) if name in root.parties else None

    return resolve


async def _moves(root: NodeRecord, info: Info) -> list[dict[str, object]]:
    """What happened to a request or pairing."""
    context: RequestContext = info.context
    return [
        {
            "state": each.state,
            "at": each.at,
            "by": _mover(root, each),
            "note": each.note or None,
            "reason": each.reason or None,
            "cause": each.cause or None,
        }
        for each in await context.moves.load(root.uid)
    ]


def _mover(root: NodeRecord, move: StoredMove) -> str:
    for name in ("mentor", "mentee"):
        if move.person and move.person == root.parties.get(name):
            return name
    if move.person and move.person in root.helpers:
        return "mentor"
    return "time" if not move.person and move.state in ("expired", "released", "stalled") else "coordinator"


class Request(graphene.ObjectType):
    """That a mentor is asked to take a mentee."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Request")
    state = graphene.Field(RequestState, required=True, description="Where it stands.", resolver=stored("status"))
    asked_at = graphene.Field(DateTime, required=True, description="When it was made.", resolver=stored("since"))
    answered_at = graphene.Field(DateTime, description="Since when it waits no longer.", resolver=stored("until"))
    expires_at = graphene.Field(DateTime, required=True, description="Until when it can be answered.")
    mentor = graphene.Field(Person, description="Who is asked.", resolver=_party("mentor"))
    mentee = graphene.Field(Person, description="For whom.", resolver=_party("mentee"))
    goal = graphene.Field(Goal, description="The goal that it is about.", resolver=_party("goal"))
    pairing = graphene.Field(lambda: Pairing, description="What it became; null unless it was accepted.")
    moves = graphene.List(
        graphene.NonNull(Move), required=True, description="What happened to it, in order.", resolver=_moves
    )

    @staticmethod
    def resolve_expires_at(root: NodeRecord, _info: Info) -> object:
        """Until when it can be answered."""
        return root.properties["since"] + timedelta(days=root.properties["answer_within_days"])

    @staticmethod
    def resolve_pairing(root: NodeRecord, info: Info) -> Awaitable[NodeRecord | None]:
        """What it became."""
        context: RequestContext = info.context
        return context.nodes.load(pairing.pairing_of(root.uid))


RequestConnection = connection_type("Request", Request, "a request", "requests")


class Pairing(graphene.ObjectType):
    """A mentor and a mentee who work, or have worked, together."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Pairing")
    started_at = graphene.Field(DateTime, required=True, description="When it began.", resolver=stored("since"))
    ended_at = graphene.Field(DateTime, description="When it ended.", resolver=stored("until"))
    status = graphene.Field(PairingState, required=True, description="Where it stands.", resolver=stored("status"))
    mentor = graphene.Field(Person, description="The mentor.", resolver=_party("mentor"))
    mentee = graphene.Field(Person, description="The mentee.", resolver=_party("mentee"))
    goal = graphene.Field(Goal, description="The goal that it is about.", resolver=_party("goal"))
    moves = graphene.List(
        graphene.NonNull(Move), required=True, description="What happened to it, in order.", resolver=_moves
    )
    outcome = outcome_field()
    co_mentors = co_mentors_field()
    answers = answers_field()
    sessions = sessions_field()
    milestones = milestones_field()


class RequestMentorInput(graphene.InputObjectType):
    """Whom to ask, and for whom."""

    mentee_id = graphene.ID(required=True, description="Who seeks a mentor.")
    mentor_id = graphene.ID(required=True, description="Who is asked.")
    goal_id = graphene.ID(description="One of the mentee's goals.")
    programme_id = graphene.ID(description="The programme in which they are to meet.")
    is_proposal = graphene.Boolean(
        default_value=False, description="Whether the mentee is to agree first; coordinators only."
    )
    note = graphene.String(description="What the mentor should know.")
    answer_within_days = graphene.Int(
        description=f"After so many days it expires; {pairing.ANSWER_WITHIN_DAYS} if not given."
    )
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class MoveRequestInput(graphene.InputObjectType):
    """Where a request is to go."""

    request_id = graphene.ID(required=True, description="The request.")
    to = graphene.InputField(RequestState, required=True, description="Where to.")
    reason = graphene.InputField(MoveReason, description="Why; needed to decline, and seen by coordinators only.")
    note = graphene.String(description="A word to the other side.")


class RequestMentorPayload(graphene.ObjectType):
    """The request that was made."""

    request = graphene.Field(Request, description="The request.")
    user_errors = errors_field()


class MoveRequestPayload(graphene.ObjectType):
    """The request that was moved."""

    request = graphene.Field(Request, description="The request, as it stands now.")
    user_errors = errors_field()


class SignAgreementInput(graphene.InputObjectType):
    """What one of a pair agrees to; nobody signs for somebody else."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    text_version = graphene.String(required=True, description="Version of the text.")


class MovePairingInput(graphene.InputObjectType):
    """Where a pairing is to go."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    to = graphene.InputField(PairingState, required=True, description="Where to; active needs the signatures of both.")
    reason = graphene.InputField(
        MoveReason,
        description="Why; needed to end it, or to complete it with a milestone planned. Coordinators alone see it.",
    )
    note = graphene.String(description="A word to the other side.")


class SignAgreementPayload(graphene.ObjectType):
    """The pairing that was signed for."""

    pairing = graphene.Field(Pairing, description="The pairing.")
    user_errors = errors_field()


class MovePairingPayload(graphene.ObjectType):
    """The pairing that was moved."""

    pairing = graphene.Field(Pairing, description="The pairing, as it stands now.")
    user_errors = errors_field()


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    return str(getattr(value, "value", value) or "")


class PairingMutations(graphene.ObjectType):
    """What can be told of requests and pairings."""

    request_mentor = graphene.Field(
        RequestMentorPayload,
        description="Asks a mentor to take a mentee, or proposes a mentor to one.",
        input=RequestMentorInput(required=True, description="Whom to ask."),
    )
    move_request = graphene.Field(
        MoveRequestPayload,
        description="Accepts or declines a request, asks for more, answers that, takes it back.",
        input=MoveRequestInput(required=True, description="Where to."),
    )
    sign_agreement = graphene.Field(
        SignAgreementPayload,
        description="Signs the agreement of a pair, as one of the two.",
        input=SignAgreementInput(required=True, description="What is agreed to."),
    )
    move_pairing = graphene.Field(
        MovePairingPayload,
        description="Begins, pauses, resumes, completes or ends a pairing.",
        input=MovePairingInput(required=True, description="Where to."),
    )

    @staticmethod
    async def resolve_request_mentor(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Asks a mentor."""
        context: RequestContext = info.context

        async def work() -> str:
            told = {
                f"{name}_id": read_global_id(input[f"{name}_id"], expected=kind, field=f"{name}Id")[1]
                for name, kind in (
                    ("mentee", "Person"),
                    ("mentor", "Person"),
                    ("goal", "Goal"),
                    ("programme", "Programme"),
                )
                if input.get(f"{name}_id") is not None
            }
            return await pairing.request_mentor(
                context.store,
                context.viewer,
                {**told, "answer_within_days": input.get("answer_within_days")},
                context.recommender.scorer.policy,
                is_proposal=bool(input.get("is_proposal")),
                note=_text(input, "note"),
                source=told_source(input),
                external_id=_text(input, "external_id"),
            )

        return await payload(context, "request", work)

    @staticmethod
    async def resolve_move_request(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Moves a request."""
        context: RequestContext = info.context

        async def work() -> str:
            return await pairing.move_request(
                context.store,
                context.viewer,
                read_global_id(input["request_id"], expected="Request", field="requestId")[1],
                _text(input, "to"),
                context.recommender.scorer.policy,
                reason=_text(input, "reason"),
                note=_text(input, "note"),
            )

        return await payload(context, "request", work)

    @staticmethod
    async def resolve_sign_agreement(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Signs an agreement."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = read_global_id(input["pairing_id"], expected="Pairing", field="pairingId")[1]
            await pairing.sign_agreement(context.store, context.viewer, uid, input["text_version"])
            return uid

        return await payload(context, "pairing", work)

    @staticmethod
    async def resolve_move_pairing(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Moves a pairing."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = read_global_id(input["pairing_id"], expected="Pairing", field="pairingId")[1]
            await pairing.move_pairing(
                context.store,
                context.viewer,
                uid,
                _text(input, "to"),
                reason=_text(input, "reason"),
                note=_text(input, "note"),
            )
            return uid

        return await payload(context, "pairing", work)
