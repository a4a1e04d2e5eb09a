"""Overrides over GraphQL: what coordinators decide about recommendations, beside the model's own answer."""

from collections.abc import Awaitable
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, connection_type, paged, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, payload, source_field, told_source
from mentorgraph.api.pairings import Request
from mentorgraph.api.recommendations import Recommendation, RuleRefusal
from mentorgraph.api.types import DateTime, Goal, Info, Node, Person, enum_of, is_kind, stored
from mentorgraph.graph.clock import present
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining import overriding
from mentorgraph.graph.facts.dated import holds
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.ranking import listing
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.store.store import NodeRecord

OverrideAction = enum_of(
    "OverrideAction",
    {
        "accept": "The recommended mentor is asked.",
        "swap": "Another mentor is asked instead.",
        "pin": "The mentor comes first in the mentee's lists, as far as the rules allow it.",
        "forbid": "The two are not recommended to each other.",
        "end": "What was asked of the mentor is taken back, and the pairing of the two ended.",
    },
    "What a coordinator decides about a recommendation.",
)
OverrideReason = enum_of(
    "OverrideReason",
    {
        "asked_for": "One of the two asked for it.",
        "better_fit": "The two, or another two, fit better than the facts show.",
        "experience": "One of the two should gain this experience.",
        "balance": "Work should be shared out more evenly.",
        "conflict_of_interest": "The two should not work together.",
        "wrong_facts": "The facts behind the answer are wrong.",
        "does_not_work_out": "The two do not get on.",
        "other": "Another reason.",
    },
    "Why a coordinator decides so; participants never see it.",
)


def _party(name: str) -> Any:
    """A resolver of one of those whom an override is about."""

    def resolve(root: NodeRecord, info: Info) -> Awaitable[NodeRecord | None] | None:
        context: RequestContext = info.context
        return context.nodes.load(root.parties[name]) if name in root.parties else None

    return resolve


class Override(graphene.ObjectType):
    """What a coordinator decided about a recommendation; participants never see it."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Override")
    action = graphene.Field(OverrideAction, required=True, description="What was decided.", resolver=stored("action"))
    reason = graphene.Field(OverrideReason, required=True, description="Why.", resolver=stored("reason"))
    note = graphene.String(required=True, description="Why, in words.", resolver=stored("note"))
    since = graphene.Field(DateTime, required=True, description="When.", resolver=stored("since"))
    until = graphene.Field(
        DateTime,
        description="Until when it holds, or when it was ended; null for what holds on.",
        resolver=stored("until"),
    )
    is_in_force = graphene.Boolean(required=True, description="Whether it holds now.")
    mentee = graphene.Field(Person, description="For whom.", resolver=_party("mentee"))
    mentor = graphene.Field(Person, description="Whom the coordinator chose, or forbade.", resolver=_party("mentor"))
    proposed = graphene.Field(Person, description="Whom the model had recommended.", resolver=_party("proposed"))
    goal = graphene.Field(Goal, description="The goal that it is about; null for all.", resolver=_party("goal"))
    request = graphene.Field(Request, description="The request that it led to.", resolver=_party("request"))
    by = graphene.Field(
        Person, description="Who decided; null where the coordinator is no known person.", resolver=_party("by")
    )
    recommendation = graphene.Field(Recommendation, description="The recommendation, as it was answered.")
    end_note = graphene.String(description="Why it was ended, in words.", resolver=stored("end_note"))
    ended_by = graphene.Field(Person, description="Who ended it.")
    refusals = graphene.List(
        graphene.NonNull(RuleRefusal),
        required=True,
        description="Rules that forbid the pair now; somebody who is pinned is not shown where there are any.",
    )

    @staticmethod
    def resolve_is_in_force(root: NodeRecord, _info: Info) -> bool:
        """Whether it holds now."""
        return holds(Record("overrides", root.uid, root.properties, {}), present())

    @staticmethod
    async def resolve_recommendation(root: NodeRecord, info: Info) -> listing.Recommendation | None:
        """The recommendation."""
        context: RequestContext = info.context
        uid = str(root.properties.get("recommendation", ""))
        decision = await context.decision(uid) if uid else None
        found = decision.find(uid) if decision else None
        return found.shown_to(context.viewer, decision.mentee) if decision and found else None

    @staticmethod
    def resolve_ended_by(root: NodeRecord, info: Info) -> Awaitable[NodeRecord | None] | None:
        """Who ended it."""
        context: RequestContext = info.context
        ended_by = root.properties.get("ended_by")
        return context.nodes.load(str(ended_by)) if ended_by else None

    @staticmethod
    def resolve_refusals(root: NodeRecord, info: Info) -> Awaitable[list[Refusal]]:
        """Rules that forbid the pair now."""
        context: RequestContext = info.context
        return context.refusals.load((root.parties["mentee"], root.parties["mentor"]))


OverrideConnection = connection_type("Override", Override, "an override", "overrides")


class OverrideMatchInput(graphene.InputObjectType):
    """What a coordinator decides about a recommendation, and why."""

    recommendation_id = graphene.ID(required=True, description="The recommendation.")
    action = graphene.InputField(OverrideAction, required=True, description="What is decided.")
    reason = graphene.InputField(OverrideReason, description="Why; nothing is decided without it.")
    note = graphene.String(description="Why, in words; nothing is decided without them.")
    mentor_id = graphene.ID(
        description="The other mentor of a swap; for a pin or a ban the recommended one if not given."
    )
    until = graphene.InputField(DateTime, description="Until when a pin or a ban holds; needed for these.")
    for_all_goals = graphene.Boolean(
        default_value=False, description="Whether a pin holds for all goals of the mentee."
    )
    is_proposal = graphene.Boolean(
        default_value=False, description="Whether the mentee is to agree before the mentor is asked."
    )
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class OverrideMatchPayload(graphene.ObjectType):
    """What was decided."""

    override = graphene.Field(Override, description="What was decided.")
    user_errors = errors_field()


class EndOverrideInput(graphene.InputObjectType):
    """What is to hold no longer."""

    override_id = graphene.ID(required=True, description="The override.")
    note = graphene.String(description="Why, in words; nothing is ended without them.")


class EndOverridePayload(graphene.ObjectType):
    """What holds no longer."""

    override = graphene.Field(Override, description="What was ended.")
    user_errors = errors_field()


class OverrideQueries(graphene.ObjectType):
    """What can be asked about overrides."""

    overrides = graphene.Field(
        OverrideConnection,
        description="What coordinators have decided about recommendations to a person; not for participants.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        is_in_force=graphene.Boolean(default_value=False, description="Only what holds now."),
        **paging_arguments(),
    )

    @staticmethod
    async def resolve_overrides(
        _root: None, info: Info, mentee_id: str, is_in_force: bool = False, **paging: Any
    ) -> Connection:
        """A page of overrides."""
        context: RequestContext = info.context
        mentee = read_global_id(mentee_id, expected="Person", field="menteeId")[1]
        at = present() if is_in_force else None
        return await paged(
            "Override", lambda part: context.store.page_overrides_of(mentee, at, part), context.nodes.load, paging
        )


class OverrideMutations(graphene.ObjectType):
    """What can be told of overrides."""

    override_match = graphene.Field(
        OverrideMatchPayload,
        description="Decides about a recommendation, with a reason; the model's own answer stays beside it.",
        input=OverrideMatchInput(required=True, description="What is decided."),
    )
    end_override = graphene.Field(
        EndOverridePayload,
        description="Ends what was decided about a recommendation, and takes back the request that it led to.",
        input=EndOverrideInput(required=True, description="What is to hold no longer."),
    )

    @staticmethod
    async def resolve_override_match(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Decides about a recommendation."""
        context: RequestContext = info.context

        async def work() -> str:
            decision, uid = await asked_about(context, input["recommendation_id"])
            mentor = input.get("mentor_id")
            wanted = overriding.Override(
                _text(input, "action"),
                _text(input, "reason"),
                _text(input, "note"),
                read_global_id(mentor, expected="Person", field="mentorId")[1] if mentor else "",
                input.get("until"),
                bool(input.get("for_all_goals")),
                bool(input.get("is_proposal")),
            )
            return await overriding.override_match(
                context.store,
                context.viewer,
                decision,
                uid,
                wanted,
                context.recommender.scorer.policy,
                source=told_source(input),
                external_id=_text(input, "external_id"),
            )

        context.overrides.clear_all()
        return await payload(context, "override", work)

    @staticmethod
    async def resolve_end_override(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Ends what was decided."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = read_global_id(input["override_id"], expected="Override", field="overrideId")[1]
            await overriding.end_override(context.store, context.viewer, uid, _text(input, "note"))
            return uid

        return await payload(context, "override", work)


async def asked_about(context: RequestContext, recommendation_id: str) -> tuple[Decision, str]:
    """The kept answer that holds a recommendation, and the uid of that one.

    Raises:
        DomainError: `NOT_FOUND`, also for whoever may not see it; `BAD_USER_INPUT`.
    """
    _, uid = read_global_id(recommendation_id, expected="Recommendation", field="recommendationId")
    decision = await context.decision(uid)
    if decision is None:
        raise DomainError("no recommendation has this id", code="NOT_FOUND", field="recommendationId")
    return decision, uid


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    return str(getattr(value, "value", value) or "")
