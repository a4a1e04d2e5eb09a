"""What happened in a pairing, as GraphQL shows it: why it stalled, who shares it, and what its people answered."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.types import DateTime, Info, Person, enum_of
from mentorgraph.graph.facts.dated import since_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.pairings.surveys import shown_to
from mentorgraph.graph.store.store import NodeRecord

StallCause = enum_of(
    "StallCause",
    {
        "not_signed": "The agreement is not signed by both.",
        "mentor_away": "The mentor is away.",
        "mentee_away": "The mentee is away.",
        "no_shared_time": "The two are never free at the same time in the coming week.",
        "hours_spent": "The mentor's hours of this month are spent.",
        "never_met": "The two have never met.",
        "poor_feedback": "The last rating of one of the two is poor.",
        "stopped_meeting": "They met, and do so no longer.",
    },
    "Why a pairing does not move, the one that explains most first; only coordinators see it.",
)


class CoMentor(graphene.ObjectType):
    """Somebody who shares a pairing with its mentor."""

    person = graphene.Field(Person, description="Who.")
    share = graphene.Float(required=True, description="Which part of the mentor's place they take over.")
    since = graphene.Field(DateTime, required=True, description="From when on.")
    until = graphene.Field(DateTime, description="Until when; null while they share it.")

    @staticmethod
    def resolve_person(root: Record, info: Info) -> Awaitable[NodeRecord | None]:
        """Who."""
        context: RequestContext = info.context
        return context.nodes.load(root.links["person"])

    @staticmethod
    def resolve_share(root: Record, _info: Info) -> object:
        """Which part."""
        return root.properties["share"]

    @staticmethod
    def resolve_since(root: Record, _info: Info) -> datetime:
        """From when on."""
        return since_of(root)

    @staticmethod
    def resolve_until(root: Record, _info: Info) -> object:
        """Until when."""
        return root.properties.get("until")


class SurveyAnswer(graphene.ObjectType):
    """What somebody answered about a pairing."""

    person = graphene.Field(Person, description="Who.")
    at = graphene.Field(DateTime, required=True, description="When.")
    round = graphene.Int(description="Which survey it answers; null for what was said without one.")
    rating = graphene.Float(required=True, description="How good it is, 0 to 1.")
    skill = graphene.Float(description="How far they came with what they wanted to learn, 0 to 1.")
    confidence = graphene.Float(description="How sure they feel, 0 to 1.")
    delivery = graphene.Float(description="How well the work itself went, 0 to 1.")
    comment = graphene.String(description="In words; null for all but coordinators and whoever wrote it.")

    @staticmethod
    def resolve_person(root: Mapping[str, Any], info: Info) -> Awaitable[NodeRecord | None]:
        """Who."""
        context: RequestContext = info.context
        return context.nodes.load(root["person"])

    @staticmethod
    def resolve_at(root: Mapping[str, Any], _info: Info) -> object:
        """When."""
        return root["since"]


def outcome_field() -> graphene.Field:
    """How far a pairing got, for those who see everybody: from a mean, one of two could reckon what the other said."""

    def resolve(root: NodeRecord, _info: Info) -> Any:
        return root.properties.get("outcome")

    return graphene.Float(
        description="How far it got, 0 to 1, by the weights of its programme; null while it goes on, where nothing is "
        "known, and for participants.",
        resolver=resolve,
    )


def co_mentors_field() -> graphene.List:
    """Who shares a pairing, or has shared it."""

    async def resolve(root: NodeRecord, info: Info) -> list[Record]:
        context: RequestContext = info.context
        course = await context.courses.load(root.uid)
        return list(course.helpers) if course else []

    return graphene.List(
        graphene.NonNull(CoMentor),
        required=True,
        description="Who shares it with the mentor, or has shared it.",
        resolver=resolve,
    )


def answers_field() -> graphene.List:
    """What was answered about a pairing, as far as the viewer may read it."""

    async def resolve(root: NodeRecord, info: Info) -> list[Mapping[str, Any]]:
        context: RequestContext = info.context
        course = await context.courses.load(root.uid)
        return shown_to(context.viewer, course.answers) if course else []

    return graphene.List(
        graphene.NonNull(SurveyAnswer),
        required=True,
        description="What was answered about it, in order; participants read their own answers only.",
        resolver=resolve,
    )
