"""Milestones of pairings over GraphQL: planned, reached, dropped and overdue."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, connection_type, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, payload, source_field, told_source
from mentorgraph.api.types import DateTime, Info, Node, enum_of, is_kind, stored
from mentorgraph.graph.clock import present
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.pairings import milestones
from mentorgraph.graph.store.store import NodeRecord

MilestoneState = enum_of(
    "MilestoneState",
    {
        "planned": "Neither reached nor dropped so far.",
        "reached": "What was expected is there.",
        "dropped": "Nobody goes for it any more.",
    },
    "Where a milestone stands.",
)


class Milestone(graphene.ObjectType):
    """What a pair wants to have reached by when."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Milestone")
    title = graphene.String(required=True, description="In one line.", resolver=stored("title"))
    expected = graphene.String(description="What will be there when it is reached.", resolver=stored("expected"))
    due_on = graphene.Field(DateTime, required=True, description="By when.", resolver=stored("due_on"))
    planned_at = graphene.Field(
        DateTime, required=True, description="Since when it is planned.", resolver=stored("since")
    )
    closed_at = graphene.Field(DateTime, description="When it was reached or dropped.", resolver=stored("until"))
    state = graphene.Field(MilestoneState, required=True, description="Where it stands.", resolver=stored("state"))
    evidence = graphene.String(description="What shows that it was reached.", resolver=stored("evidence"))
    is_overdue = graphene.Boolean(required=True, description="Whether it is planned and was due before now.")

    @staticmethod
    def resolve_is_overdue(root: NodeRecord, _info: Info) -> bool:
        """Whether it should have been reached."""
        return milestones.is_overdue(root.properties["state"], root.properties["due_on"], present())


MilestoneConnection = connection_type("Milestone", Milestone, "a milestone", "milestones")


def milestones_field() -> graphene.Field:
    """The milestones of a pairing."""

    async def resolve(root: NodeRecord, info: Info, **paging: Any) -> Connection:
        context: RequestContext = info.context
        return listed("Milestone", await context.milestones.load(root.uid), context.nodes.load, paging)

    return graphene.Field(
        MilestoneConnection,
        required=True,
        description="Its milestones, in the order in which they are due.",
        resolver=resolve,
        **paging_arguments(),
    )


class OverdueMilestone(graphene.ObjectType):
    """A milestone that should have been reached."""

    milestone = graphene.Field(Milestone, description="The milestone.")
    pairing = graphene.Field("mentorgraph.api.pairings.Pairing", description="Whose it is.")
    due_on = graphene.Field(DateTime, required=True, description="By when.")
    days_overdue = graphene.Int(required=True, description="Whole days since then.")

    @staticmethod
    def resolve_milestone(root: milestones.OverdueMilestone, info: Info) -> Awaitable[NodeRecord | None]:
        """The milestone."""
        context: RequestContext = info.context
        return context.nodes.load(root.milestone)

    @staticmethod
    def resolve_pairing(root: milestones.OverdueMilestone, info: Info) -> Awaitable[NodeRecord | None]:
        """Whose it is."""
        context: RequestContext = info.context
        return context.nodes.load(root.pairing)

    @staticmethod
    def resolve_due_on(root: milestones.OverdueMilestone, _info: Info) -> datetime:
        """By when."""
        return root.due

    @staticmethod
    def resolve_days_overdue(root: milestones.OverdueMilestone, _info: Info) -> int:
        """Whole days since then."""
        return root.days


class MilestoneQueries:
    """What can be asked of milestones."""

    overdue_milestones = graphene.List(
        graphene.NonNull(OverdueMilestone),
        description="Milestones of open pairings that should have been reached, the longest overdue first; "
        "for coordinators.",
        programme_id=graphene.ID(description="Of one programme; of all if none is given."),
        first=graphene.Int(description=f"At most so many, 1 to {MOST}; 50 if not given."),
    )

    @staticmethod
    async def resolve_overdue_milestones(
        _root: None, info: Info, programme_id: str | None = None, first: int | None = None
    ) -> list[milestones.OverdueMilestone]:
        """Lists what is overdue."""
        context: RequestContext = info.context
        first = 50 if first is None else first
        check_first(first)
        programme = read_global_id(programme_id, expected="Programme", field="programmeId")[1] if programme_id else None
        return await milestones.list_overdue_milestones(context.store, context.viewer, programme, first=first)


class PlanMilestoneInput(graphene.InputObjectType):
    """What a pair wants to have reached by when."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    title = graphene.String(required=True, description="In one line.")
    expected = graphene.String(description="What will be there when it is reached.")
    due_on = graphene.InputField(DateTime, required=True, description="By when.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class CloseMilestoneInput(graphene.InputObjectType):
    """What became of a milestone."""

    milestone_id = graphene.ID(required=True, description="The milestone.")
    state = graphene.InputField(MilestoneState, required=True, description="Reached, or dropped.")
    evidence = graphene.String(description="What shows that it was reached.")


class PlanMilestonePayload(graphene.ObjectType):
    """The milestone that was planned."""

    milestone = graphene.Field(Milestone, description="The milestone.")
    user_errors = errors_field()


class CloseMilestonePayload(graphene.ObjectType):
    """The milestone that was closed."""

    milestone = graphene.Field(Milestone, description="The milestone.")
    user_errors = errors_field()


class MilestoneMutations:
    """What can be told of milestones."""

    plan_milestone = graphene.Field(
        PlanMilestonePayload,
        description="Plans a milestone of a pairing; for its people and for coordinators.",
        input=PlanMilestoneInput(required=True, description="Pairing and milestone."),
    )
    close_milestone = graphene.Field(
        CloseMilestonePayload,
        description="Says that a milestone was reached or dropped; for its people and for coordinators.",
        input=CloseMilestoneInput(required=True, description="What became of it."),
    )

    @staticmethod
    async def resolve_plan_milestone(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Plans a milestone."""
        context: RequestContext = info.context

        async def work() -> str:
            pairing = read_global_id(input["pairing_id"], expected="Pairing", field="pairingId")[1]
            row = {name: input.get(name) for name in ("title", "expected", "due_on")}
            uid = await milestones.plan_milestone(
                context.store,
                context.viewer,
                pairing,
                row,
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )
            context.milestones.clear(pairing)
            return uid

        return await payload(context, "milestone", work)

    @staticmethod
    async def resolve_close_milestone(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Closes a milestone."""
        context: RequestContext = info.context

        async def work() -> str:
            return await milestones.close_milestone(
                context.store,
                context.viewer,
                read_global_id(input["milestone_id"], expected="Milestone", field="milestoneId")[1],
                str(getattr(input["state"], "value", input["state"])),
                evidence=input.get("evidence") or "",
            )

        return await payload(context, "milestone", work)
