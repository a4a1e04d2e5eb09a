"""Which format of programmes suits a goal, over GraphQL."""

from collections.abc import Awaitable, Mapping
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.programmes import ProgrammeConnection, ProgrammeFormat
from mentorgraph.api.types import Info, Skill
from mentorgraph.graph.ranking.format_choice import FormatChoice, SkillGap, suggest_format
from mentorgraph.graph.store.store import NodeRecord


class FormatPoints(graphene.ObjectType):
    """What speaks for a format."""

    format = graphene.Field(ProgrammeFormat, required=True, description="The format.")
    points = graphene.Float(required=True, description="The points.")


def _points(root: Any, _info: Info) -> list[Mapping[str, object]]:
    return [{"format": each, "points": points} for each, points in root.points.items()]


class FormatReason(graphene.ObjectType):
    """A rule that applies to a goal."""

    rule = graphene.String(required=True, description="Its name.")
    fact = graphene.String(required=True, description="By what it applies.")
    points = graphene.List(
        graphene.NonNull(FormatPoints),
        required=True,
        description="What it adds to which format.",
        resolver=_points,
    )


class NeededSkill(graphene.ObjectType):
    """How far somebody is from what a goal needs in one skill."""

    skill = graphene.Field(Skill, description="The skill.")
    needed = graphene.Float(required=True, description="The level that the goal needs, 1 to 5.")
    is_stated = graphene.Boolean(
        required=True, description="Whether the goal states that level; one in the middle counts where it does not."
    )
    own = graphene.Float(
        description="The person's level; 1 where nothing says that they know it, null where it is known at no level."
    )
    learners = graphene.Int(required=True, description="How many others have an open goal that needs it.")

    @staticmethod
    def resolve_skill(root: SkillGap, info: Info) -> Awaitable[NodeRecord | None]:
        """The skill."""
        context: RequestContext = info.context
        return context.nodes.load(root.skill)


class FormatSuggestion(graphene.ObjectType):
    """The format that suits a goal."""

    format = graphene.Field(ProgrammeFormat, required=True, description="The format.")
    why = graphene.List(
        graphene.NonNull(FormatReason),
        required=True,
        description="The rules that apply.",
        resolver=lambda r, _: r.reasons,
    )
    points = graphene.List(
        graphene.NonNull(FormatPoints),
        required=True,
        description="The sum of the points of each format that the person takes part in, the suggested one first.",
        resolver=_points,
    )
    needs = graphene.List(
        graphene.NonNull(NeededSkill),
        required=True,
        description="The skills that the goal needs, as the rules saw them.",
    )
    free_minutes = graphene.Int(
        description="The person's free time in the present week; null where they have not said when they are free."
    )
    programmes = graphene.Field(
        ProgrammeConnection,
        required=True,
        description="Up to twenty programmes of that format that run now.",
        **paging_arguments(),
    )

    @staticmethod
    def resolve_needs(root: FormatChoice, _info: Info) -> list[SkillGap]:
        """What the goal needs."""
        return list(root.facts.gaps)

    @staticmethod
    def resolve_free_minutes(root: FormatChoice, _info: Info) -> int | None:
        """The free time."""
        return root.facts.free_minutes

    @staticmethod
    def resolve_programmes(root: FormatChoice, info: Info, **paging: Any) -> Connection:
        """The programmes."""
        context: RequestContext = info.context
        return listed("Programme", list(root.programmes), context.nodes.load, paging)


class FormatQueries:
    """What can be asked of formats."""

    suggest_format = graphene.Field(
        FormatSuggestion,
        description="Which format of programmes suits a goal, and why; for whose goal it is and for coordinators.",
        goal_id=graphene.ID(required=True, description="The goal."),
    )

    @staticmethod
    async def resolve_suggest_format(_root: None, info: Info, goal_id: str) -> FormatChoice:
        """Suggests a format."""
        context: RequestContext = info.context
        goal = read_global_id(goal_id, expected="Goal", field="goalId")[1]
        return await suggest_format(context.recommender, context.viewer, goal)
