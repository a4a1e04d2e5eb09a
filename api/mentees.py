"""The mentor's side of recommendations over GraphQL: the goals that a mentor could serve, best first."""

from collections.abc import Awaitable
from typing import Any

import graphene

from mentorgraph.api.connections import PageInfo, connection_of
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.api.languages import language_argument
from mentorgraph.api.recommendations import (
    Caution,
    Chance,
    EvidencePath,
    MeetingMode,
    Signal,
    first_paths,
    reasons_field,
    sentences_in,
)
from mentorgraph.api.types import Goal, Info, Person
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking import mentees
from mentorgraph.graph.ranking.sentences import EvidencePath as FoundPath
from mentorgraph.graph.store.store import NodeRecord

PATIENCE_S = 2.5
"""Seconds for which goals are scored; a part of the time that a request has."""


class MenteeRecommendation(graphene.ObjectType):
    """A goal that a mentor could serve, and why."""

    recommendation_id = graphene.ID(
        required=True, description="Id of the kept recommendation, for explainRecommendation, decision and node."
    )
    rank = graphene.Int(required=True, description="Place in the list, counted from 1.")
    score = graphene.Float(
        required=True,
        description="The mentor's score in the mentee's own list for this goal: the base plus all contributions.",
    )
    base = graphene.Float(required=True, description="Where every score starts.")
    mentee = graphene.Field(Person, description="Whose goal it is.")
    goal = graphene.Field(Goal, description="The goal.")
    mode = graphene.Field(
        MeetingMode, description="How the two can meet; null where not both have said when they are free."
    )
    reasons = reasons_field()
    chance = graphene.Field(Chance, description="Chance of success; null while no calibrated model ranks.")
    cautions = graphene.List(
        graphene.NonNull(Caution), required=True, description="What to bear in mind beside the reasons."
    )
    policy_version = graphene.String(required=True, description="The policy that counts in the mentee's programme.")
    signals = graphene.List(graphene.NonNull(Signal), required=True, description="The summands of the score.")
    paths = graphene.List(
        graphene.NonNull(EvidencePath),
        required=True,
        description="Evidence, heaviest first; participants get counts in place of third people.",
        first=graphene.Int(description="At most so many."),
    )
    sentences = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="The reasons in words.",
        language=language_argument(),
    )

    @staticmethod
    def resolve_recommendation_id(root: mentees.MenteeRecommendation, _info: Info) -> str:
        """Id of the kept recommendation."""
        return global_id("Recommendation", root.uid)

    @staticmethod
    def resolve_mentee(root: mentees.MenteeRecommendation, info: Info) -> Awaitable[NodeRecord | None]:
        """Whose goal it is."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentee)

    @staticmethod
    def resolve_goal(root: mentees.MenteeRecommendation, info: Info) -> Awaitable[NodeRecord | None]:
        """The goal."""
        context: RequestContext = info.context
        return context.nodes.load(root.goal)

    @staticmethod
    def resolve_mode(root: mentees.MenteeRecommendation, _info: Info) -> str | None:
        """How the two can meet."""
        return root.mode or None

    @staticmethod
    def resolve_sentences(root: mentees.MenteeRecommendation, _info: Info, language: Any = None) -> tuple[str, ...]:
        """The reasons in words."""
        return sentences_in(root, language)

    @staticmethod
    def resolve_paths(root: mentees.MenteeRecommendation, _info: Info, first: int | None = None) -> list[FoundPath]:
        """Evidence, heaviest first."""
        return first_paths(root, first)


class MenteeRecommendationEdge(graphene.ObjectType):
    """A goal in its list."""

    cursor = graphene.String(required=True, description="Where to go on after it.")
    node = graphene.Field(MenteeRecommendation, description="The goal and why.")


class MenteeRecommendationConnection(graphene.ObjectType):
    """A page of goals that a mentor could serve, best first."""

    slate_id = graphene.ID(required=True, description="Identity of the list: equal inputs and versions, equal id.")
    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    edges = graphene.List(graphene.NonNull(MenteeRecommendationEdge), required=True, description="The goals.")
    nodes = graphene.List(MenteeRecommendation, required=True, description="The recommendations without their cursors.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")
    total_count = graphene.Int(required=True, description="Number of goals that the mentor may be paired for.")
    notice = graphene.String(description="What to know about the list as a whole.")


class MenteeQueries:
    """What a mentor asks."""

    recommend_mentees = graphene.Field(
        MenteeRecommendationConnection,
        description="The open goals of others that a mentor may be paired for, best first; for the mentor themselves "
        "and for coordinators.",
        mentor_id=graphene.ID(required=True, description="The mentor."),
        first=graphene.Int(description=f"Length of the page, 1 to {MOST}."),
        after=graphene.String(description="Cursor to start after; none for the first page."),
    )

    @staticmethod
    async def resolve_recommend_mentees(
        _root: None, info: Info, mentor_id: str, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """Ranks the goals."""
        context: RequestContext = info.context
        answer = await mentees.recommend_mentees(
            context.recommender,
            context.viewer,
            read_global_id(mentor_id, expected="Person", field="mentorId")[1],
            first=10 if first is None else first,
            after=after,
            scorer=context.scorer,
            patience_s=PATIENCE_S,
        )
        found = await context.decisions.keep(answer)
        return {
            "slate_id": found.uid,
            "model_version": found.model_version,
            "total_count": found.total,
            "notice": found.notice or None,
            **connection_of(found.recommendations, found.cursors, found.has_next, after),
        }
