"""Kept answers over GraphQL: what was proposed, what was decided, what has changed since, and what is answered now."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.mentees import PATIENCE_S
from mentorgraph.api.overrides import OverrideConnection, OverrideReason, asked_about
from mentorgraph.api.recommendations import Recommendation, RuleRefusal
from mentorgraph.api.types import DateTime, Goal, Info, Node, Person, enum_of
from mentorgraph.graph.decisions import then_and_now
from mentorgraph.graph.decisions.decision import Decision as KeptDecision
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.paging import check_first
from mentorgraph.graph.ranking import listing
from mentorgraph.graph.store.store import NodeRecord

ChangeKind = enum_of(
    "ChangeKind",
    {
        "began": "The fact began, or begins.",
        "ended": "The fact ended, or ends.",
        "changed": "The fact ended and was told anew with other values.",
        "corrected": "The fact was recorded, or written over, afterwards for a time before the answer.",
        "gone": "The fact is no longer in the graph.",
    },
    "What has become of a fact since an answer.",
)


class FieldChange(graphene.ObjectType):
    """A field of a fact."""

    name = graphene.String(required=True, description="Its name, as the bundle has it.")
    before = graphene.String(description="What it said; null for nothing, and where it was written over.")
    after = graphene.String(description="What it says now; null for nothing.")

    @staticmethod
    def resolve_before(root: then_and_now.FieldChange, _info: Info) -> str | None:
        """What it said."""
        return None if root.before is None else plain(root.before)  # type: ignore[arg-type]

    @staticmethod
    def resolve_after(root: then_and_now.FieldChange, _info: Info) -> str | None:
        """What it says now."""
        return None if root.after is None else plain(root.after)  # type: ignore[arg-type]


class GraphChange(graphene.ObjectType):
    """Something that has changed in the graph since an answer and touches it."""

    what = graphene.Field(ChangeKind, required=True, description="What has become of the fact.")
    kind = graphene.String(required=True, description="Kind of the fact: the name of its file in a bundle.")
    of = graphene.Field(Node, description="Whose fact it is: mentee, mentor or goal; null for evidence of others.")
    about = graphene.List(
        graphene.NonNull(graphene.String), required=True, description="Names of what else it leads to."
    )
    fields = graphene.List(graphene.NonNull(FieldChange), required=True, description="What it says, or said.")
    at = graphene.Field(DateTime, description="When it began or ended, or will; null where that is not known.")

    @staticmethod
    def resolve_of(root: then_and_now.Change, info: Info) -> Awaitable[NodeRecord | None] | None:
        """Whose fact it is."""
        context: RequestContext = info.context
        return context.nodes.load(root.owner) if root.owner else None

    @staticmethod
    def resolve_about(root: then_and_now.Change, _info: Info) -> list[str]:
        """Names of what else it leads to."""
        return [each.name for each in root.ends if each.name]


class SignalThenAndNow(graphene.ObjectType):
    """One summand of a score, then and now."""

    name = graphene.String(required=True, description="Its name.")
    value_then = graphene.Float(description="Its value then; null where nothing was known.")
    value_now = graphene.Float(description="Its value now; null where nothing is known.")
    contribution_then = graphene.Float(description="What it added; null where there was no such signal.")
    contribution_now = graphene.Float(description="What it adds; null where there is no such signal.")


class MentorThenAndNow(graphene.ObjectType):
    """A mentor in the answer that was given and in the one that would be given now."""

    mentor = graphene.Field(Person, description="The mentor.")
    mentee = graphene.Field(Person, description="In a mentor's list of goals, whose goal it is; else null.")
    goal = graphene.Field(Goal, description="In a mentor's list of goals, the goal; else null.")
    rank_then = graphene.Int(description="Place then; null for whoever came in.")
    rank_now = graphene.Int(description="Place now; null for whom a rule forbids, and beyond the first 100.")
    score_then = graphene.Float(description="Score then; null for whoever came in.")
    score_now = graphene.Float(description="Score now; null where nothing is answered.")
    is_in = graphene.Boolean(required=True, description="Whether they stand in the same part of the list now.")
    signals = graphene.List(graphene.NonNull(SignalThenAndNow), required=True, description="The summands.")
    refusals = graphene.List(
        graphene.NonNull(RuleRefusal), required=True, description="Rules that forbid the pair now; none if allowed."
    )

    @staticmethod
    def resolve_mentor(root: then_and_now.Compared, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_mentee(root: then_and_now.Compared, info: Info) -> Awaitable[NodeRecord | None] | None:
        """Whose goal it is."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentee) if root.mentee else None

    @staticmethod
    def resolve_goal(root: then_and_now.Compared, info: Info) -> Awaitable[NodeRecord | None] | None:
        """The goal."""
        context: RequestContext = info.context
        return context.nodes.load(root.goal) if root.goal else None

    @staticmethod
    def resolve_signals(root: then_and_now.Compared, _info: Info) -> list[dict[str, object]]:
        """The summands."""
        return [
            {
                "name": name,
                "value_then": then.value if then else None,
                "value_now": now.value if now else None,
                "contribution_then": then.contribution if then else None,
                "contribution_now": now.contribution if now else None,
            }
            for name, then, now in root.by_signal()
        ]


class Today(graphene.ObjectType):
    """What the question of a kept answer is answered with now, beside what it was answered with; it is not kept."""

    model_version = graphene.String(required=True, description="The model that ranks now.")
    policy_version = graphene.String(required=True, description="The policy in force now.")
    not_answered = graphene.String(description="Why nothing is answered now; null where something is.")
    mentors = graphene.List(
        graphene.NonNull(MentorThenAndNow),
        required=True,
        description="Whoever was in the answer, and after them whoever came in; in a mentor's list of goals the pairs.",
    )

    @staticmethod
    def resolve_not_answered(root: then_and_now.Today, _info: Info) -> str | None:
        """Why nothing is answered now."""
        return root.refusal.message if root.refusal else None

    @staticmethod
    def resolve_mentors(root: then_and_now.Today, _info: Info) -> list[then_and_now.Compared]:
        """The mentors."""
        return list(root.compared)


class Decision(graphene.ObjectType):
    """A recommendation as it was answered, what coordinators decided about it, and how things stand now."""

    answered_at = graphene.Field(DateTime, required=True, description="When it was answered.")
    model_version = graphene.String(required=True, description="The model that ranked then.")
    policy_version = graphene.String(required=True, description="The policy in force then.")
    code_version = graphene.String(required=True, description="The version of mentorgraph that answered.")
    mentee = graphene.Field(Person, description="For whom.")
    goal = graphene.Field(Goal, description="The goal that was asked about; null for none.")
    proposed = graphene.Field(Recommendation, required=True, description="What the model answered.")
    chosen = graphene.Field(
        Person, description="Whom a coordinator had asked in the end; null for nobody, and for participants."
    )
    by = graphene.Field(Person, description="Who chose; null where the coordinator is no known person.")
    reason = graphene.Field(OverrideReason, description="Why, where somebody was chosen.")
    note = graphene.String(description="Why, in words.")
    overrides = graphene.Field(
        OverrideConnection,
        description="All that was decided about it, in order; null for participants.",
        **paging_arguments(),
    )
    changes = graphene.List(
        graphene.NonNull(GraphChange),
        required=True,
        description="What has changed in the graph since in the facts of the two, of the goal and of the evidence; "
        "participants read of themselves only.",
        first=graphene.Int(description="At most so many, 1 to 100; 20 if not given."),
    )
    today = graphene.Field(Today, required=True, description="The same question, answered now.")

    @staticmethod
    def resolve_mentee(root: "Kept", info: Info) -> Awaitable[NodeRecord | None]:
        """For whom."""
        context: RequestContext = info.context
        return context.nodes.load(root.decision.mentee)

    @staticmethod
    def resolve_goal(root: "Kept", info: Info) -> Awaitable[NodeRecord | None] | None:
        """The goal."""
        context: RequestContext = info.context
        return context.nodes.load(root.decision.goal) if root.decision.goal else None

    @staticmethod
    def resolve_proposed(root: "Kept", info: Info) -> listing.Recommendation | None:
        """What the model answered."""
        context: RequestContext = info.context
        found = root.decision.find(root.recommendation)
        return found.shown_to(context.viewer, root.decision.mentee) if found else None

    @staticmethod
    async def resolve_chosen(root: "Kept", info: Info) -> NodeRecord | None:
        """Whom a coordinator had asked."""
        return await _of_choice(root, info, "mentor")

    @staticmethod
    async def resolve_by(root: "Kept", info: Info) -> NodeRecord | None:
        """Who chose."""
        return await _of_choice(root, info, "by")

    @staticmethod
    async def resolve_reason(root: "Kept", info: Info) -> object:
        """Why."""
        choice = await root.choice(info)
        return choice.properties["reason"] if choice else None

    @staticmethod
    async def resolve_note(root: "Kept", info: Info) -> object:
        """Why, in words."""
        choice = await root.choice(info)
        return choice.properties["note"] if choice else None

    @staticmethod
    async def resolve_overrides(root: "Kept", info: Info, **paging: Any) -> Connection:
        """All that was decided about it."""
        found = {node.uid: node for node in await root.overrides(info)}
        return listed("Override", list(found), found.__getitem__, paging)

    @staticmethod
    async def resolve_changes(root: "Kept", info: Info, first: int | None = None) -> list[then_and_now.Change]:
        """What has changed in the graph since."""
        context: RequestContext = info.context
        first = 20 if first is None else first
        check_first(first)
        now = context.recommender.clock()
        found = await then_and_now.changes_of(context.store, root.decision, root.recommendation, context.viewer, now)
        return found[:first]

    @staticmethod
    async def resolve_today(root: "Kept", info: Info) -> then_and_now.Today:
        """The same question, answered now."""
        context: RequestContext = info.context
        return await then_and_now.today_of(
            context.recommender, context.viewer, root.decision, scorer=context.scorer, patience_s=PATIENCE_S
        )


class Kept:
    """A kept answer, and one recommendation of it, as resolvers hand it on."""

    def __init__(self, decision: KeptDecision, recommendation: str) -> None:
        self.decision = decision
        self.recommendation = recommendation
        self.answered_at: datetime = decision.recorded_at
        self.model_version = decision.model_version
        self.policy_version = decision.policy_version
        self.code_version = decision.code_version

    async def overrides(self, info: Info) -> list[NodeRecord]:
        """What was decided about it."""
        context: RequestContext = info.context
        return await context.overrides.load(self.recommendation)

    async def choice(self, info: Info) -> NodeRecord | None:
        """The decision by which somebody was asked and which holds, if there is one."""
        context: RequestContext = info.context
        return choice_among(await self.overrides(info), context.recommender.clock())


def choice_among(overrides: list[NodeRecord], now: datetime) -> NodeRecord | None:
    """The last of some overrides by which somebody was asked and that holds."""
    chosen = [
        each
        for each in overrides
        if each.properties["action"] in ("accept", "swap")
        and (each.properties.get("until") is None or each.properties["until"] > now)
    ]
    return chosen[-1] if chosen else None


async def _of_choice(root: Kept, info: Info, name: str) -> NodeRecord | None:
    context: RequestContext = info.context
    choice = await root.choice(info)
    return await context.nodes.load(choice.parties[name]) if choice and name in choice.parties else None


class DecisionQueries(graphene.ObjectType):
    """What can be asked about kept answers."""

    decision = graphene.Field(
        Decision,
        description="A recommendation as it was answered, what was decided about it, and how things stand now.",
        recommendation_id=graphene.ID(required=True, description="The id of the recommendation."),
    )

    @staticmethod
    async def resolve_decision(_root: None, info: Info, recommendation_id: str) -> Any:
        """A kept answer."""
        context: RequestContext = info.context
        return Kept(*await asked_about(context, recommendation_id))
