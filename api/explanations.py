"""Comparing mentors, what would change a list, and how much a mentor is shown, over GraphQL."""

from collections.abc import Awaitable, Sequence
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.languages import language_argument, named
from mentorgraph.api.recommendations import Explanation
from mentorgraph.api.rules import programme_argument, programme_of
from mentorgraph.api.types import Info, Person, enum_of
from mentorgraph.graph.explaining import exposure, remedies
from mentorgraph.graph.explaining import what_would_change as changing
from mentorgraph.graph.explaining.comparing import FEWEST, MOST, Compared, compare
from mentorgraph.graph.store.store import NodeRecord

ChangeActor = enum_of(
    "ChangeActor",
    {
        "mentee": "The person who seeks a mentor.",
        "mentor": "The mentor in question.",
        "coordinator": "A coordinator.",
    },
    "Who can change something.",
)
ChangeAction = enum_of("ChangeAction", dict(remedies.ACTIONS), "Something that would change who is recommended.")

DEFAULT_TOP = 3
PATIENCE_S = 1.5
"""For so long changes are looked for; an answer has to come within the time that every request has."""
DEFAULT_DAYS = 90


class SignalDifference(graphene.ObjectType):
    """What one signal adds to the gap between two scores."""

    signal = graphene.String(required=True, description="The signal.")
    amount = graphene.Float(required=True, description="Its contribution less that to the first mentor's score.")


class ComparedMentor(graphene.ObjectType):
    """One of the mentors who are compared."""

    mentor = graphene.Field(Person, description="The mentor.")
    score = graphene.Float(required=True, description="The base plus all contributions.")
    gap = graphene.Float(required=True, description="The score less that of the first mentor.")
    differences = graphene.List(
        graphene.NonNull(SignalDifference),
        required=True,
        description="What each signal adds to the gap, the largest first; they sum to it.",
    )
    strongest = graphene.List(
        graphene.NonNull(graphene.String), required=True, description="The strongest reasons in words."
    )
    explanation = graphene.Field(
        Explanation, required=True, description="All reasons, and the rules that forbid the pair now."
    )

    @staticmethod
    def resolve_mentor(root: Compared, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.explanation.mentor)

    @staticmethod
    def resolve_score(root: Compared, _info: Info) -> float:
        """The score."""
        return root.explanation.score


class Change(graphene.ObjectType):
    """Something that somebody could do."""

    action = graphene.Field(ChangeAction, required=True, description="What sort of change it is.")
    by = graphene.List(graphene.NonNull(ChangeActor), required=True, description="Who could do it.")
    words = graphene.String(required=True, description="What it is, in words.", language=language_argument())

    @staticmethod
    def resolve_words(root: remedies.Change, _info: Info, language: Any = None) -> str:
        """What it is, in words."""
        return root.words_in(named(language))

    @staticmethod
    def resolve_by(root: remedies.Change, _info: Info) -> list[str]:
        """Who could do it."""
        return [each for each in remedies.ACTORS if each in root.by]


class WhatWouldChange(graphene.ObjectType):
    """The smallest set of changes that brings a mentor among the first few; it was tried, and taken back."""

    mentor = graphene.Field(Person, description="The mentor.")
    rank = graphene.Int(description="Place as it is; null for who is forbidden or further down than 100.")
    changes = graphene.List(
        graphene.NonNull(Change),
        required=True,
        description="The changes; none where none are needed, and where no set does it.",
    )
    rank_after = graphene.Int(description="Place with these changes, as it was tried; null where no set does it.")
    blocked_by = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Rules that forbid the pair and that no change by these people could lift.",
    )
    tried = graphene.Int(required=True, description="How many sets were tried for real.")
    is_complete = graphene.Boolean(
        required=True,
        description=f"Whether all sets of up to {changing.MOST_CHANGES} changes were looked at, as far as it took.",
    )

    @staticmethod
    def resolve_mentor(root: changing.WhatWouldChange, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)


class Counted(graphene.ObjectType):
    """How often something was found."""

    name = graphene.String(required=True, description="A signal or a rule.")
    count = graphene.Int(required=True, description="How often.")


def _counted(description: str) -> graphene.List:
    return graphene.List(graphene.NonNull(Counted), required=True, description=description)


class MentorExposure(graphene.ObjectType):
    """How much a mentor is shown, and why; what keeps out one who is shown to nobody."""

    days = graphene.Int(required=True, description="The days up to now that are looked at.")
    answers = graphene.Int(required=True, description="Lists that were given in that time.")
    shown = graphene.Int(required=True, description="Lists in which the mentor stood.")
    share = graphene.Float(description="Part of the lists in which the mentor stood; null without lists.")
    mean_rank = graphene.Float(description="The mean of the mentor's places; null for who was not shown.")
    reasons = _counted("The signals that their first reason was evidence for, the most frequent first.")
    examined = graphene.Int(
        required=True, description="For who was shown to nobody: for how many goals they were looked at now."
    )
    blockers = _counted("For who was shown to nobody: the rules that forbid the pair, by how many of these goals.")
    missing_signals = _counted("For who was shown to nobody: signals that add nothing, by how many of these goals.")
    missing_fields = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="For who was shown to nobody: what their profile lacks.",
    )


class ExplanationQueries(graphene.ObjectType):
    """What can be asked about the reasons of answers."""

    compare_mentors = graphene.List(
        graphene.NonNull(ComparedMentor),
        description="Why one mentor stands before another, in the order in which they are named.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        mentor_ids=graphene.List(
            graphene.NonNull(graphene.ID),
            required=True,
            description=f"{FEWEST} to {MOST} mentors; each is compared with the first one.",
        ),
        goal_id=graphene.ID(description="One of the mentee's goals; the latest open one if none is given."),
        programme_id=programme_argument(),
    )
    what_would_change = graphene.Field(
        WhatWouldChange,
        description="The smallest set of changes that would bring a mentor among the first few.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        mentor_id=graphene.ID(required=True, description="The mentor in question."),
        goal_id=graphene.ID(description="One of the mentee's goals; the latest open one if none is given."),
        programme_id=programme_argument(),
        top_k=graphene.Int(
            description=f"Among how many first ones, 1 to {changing.MOST_WANTED}; {DEFAULT_TOP} if none is given."
        ),
        by=graphene.List(
            graphene.NonNull(ChangeActor),
            description="Whose changes count; everybody's if none is given. Mentees may ask for their own only.",
        ),
    )
    mentor_exposure = graphene.Field(
        MentorExposure,
        description="How much a mentor is shown, and why; for coordinators.",
        mentor_id=graphene.ID(required=True, description="The mentor."),
        days=graphene.Int(description=f"How many days up to now; {DEFAULT_DAYS} if none are given."),
    )

    @staticmethod
    async def resolve_compare_mentors(
        _root: None,
        info: Info,
        mentee_id: str,
        mentor_ids: Sequence[str],
        goal_id: str | None = None,
        programme_id: str | None = None,
    ) -> list[Compared]:
        """Compares mentors."""
        context: RequestContext = info.context
        return await compare(
            context.recommender,
            context.viewer,
            read_global_id(mentee_id, expected="Person", field="menteeId")[1],
            [read_global_id(each, expected="Person", field="mentorIds")[1] for each in mentor_ids],
            _goal(goal_id),
            scorer=context.scorer,
            programme=programme_of(programme_id),
        )

    @staticmethod
    async def resolve_what_would_change(
        _root: None, info: Info, mentee_id: str, mentor_id: str, **arguments: Any
    ) -> changing.WhatWouldChange:
        """Finds what would change it."""
        context: RequestContext = info.context
        by, top = arguments.get("by"), arguments.get("top_k")
        return await changing.what_would_change(
            context.recommender,
            context.viewer,
            read_global_id(mentee_id, expected="Person", field="menteeId")[1],
            read_global_id(mentor_id, expected="Person", field="mentorId")[1],
            _goal(arguments.get("goal_id")),
            top=DEFAULT_TOP if top is None else top,
            by=remedies.ACTORS if by is None else [each.value for each in by],
            scorer=context.scorer,
            programme=programme_of(arguments.get("programme_id")),
            patience_s=PATIENCE_S,
        )

    @staticmethod
    async def resolve_mentor_exposure(
        _root: None, info: Info, mentor_id: str, days: int | None = None
    ) -> exposure.Exposure:
        """Says how much a mentor is shown."""
        context: RequestContext = info.context
        return await exposure.mentor_exposure(
            context.recommender,
            context.decisions.records,
            context.viewer,
            read_global_id(mentor_id, expected="Person", field="mentorId")[1],
            DEFAULT_DAYS if days is None else days,
            scorer=context.scorer,
        )


def _goal(goal_id: str | None) -> str | None:
    return read_global_id(goal_id, expected="Goal", field="goalId")[1] if goal_id is not None else None
