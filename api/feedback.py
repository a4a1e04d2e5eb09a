"""Surveys, co-mentors and stalls over GraphQL: who is to answer, what is answered, and which pairings need help."""

from collections.abc import Awaitable, Sequence
from typing import Any

import graphene

from mentorgraph.api.connections import PageInfo, connection_of
from mentorgraph.api.context import RequestContext
from mentorgraph.api.courses import StallCause
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, payload, person_of, source_field, told_source
from mentorgraph.api.pairings import Pairing, PairingState
from mentorgraph.api.recommendations import RecommendationConnection, recommended
from mentorgraph.api.types import DateTime, Info, Person
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.pairings import co_mentoring, stalls, surveys
from mentorgraph.graph.ranking.options import Options
from mentorgraph.graph.store.store import NodeRecord

MOST_ALTERNATIVES = 10
"""Mentors that are offered in the place of one."""


class DueSurvey(graphene.ObjectType):
    """A survey that somebody is to answer."""

    pairing = graphene.Field(Pairing, description="The pairing that it is about.")
    person = graphene.Field(Person, description="Who is to answer.")
    round = graphene.Int(required=True, description="Its number.")
    is_closing = graphene.Boolean(required=True, description="Whether it is the one at the end.")
    due_at = graphene.Field(DateTime, required=True, description="Since when it is due.")
    closes_at = graphene.Field(DateTime, description="From when on it cannot be answered; null where the next follows.")
    days_due = graphene.Int(required=True, description="Whole days since it was due.")

    @staticmethod
    def resolve_pairing(root: surveys.DueSurvey, info: Info) -> Awaitable[NodeRecord | None]:
        """The pairing."""
        context: RequestContext = info.context
        return context.nodes.load(root.pairing)

    @staticmethod
    def resolve_person(root: surveys.DueSurvey, info: Info) -> Awaitable[NodeRecord | None]:
        """Who is to answer."""
        context: RequestContext = info.context
        return context.nodes.load(root.person)

    @staticmethod
    def resolve_round(root: surveys.DueSurvey, _info: Info) -> int:
        """Its number."""
        return root.survey.round

    @staticmethod
    def resolve_is_closing(root: surveys.DueSurvey, _info: Info) -> bool:
        """Whether it is the last."""
        return root.survey.is_closing

    @staticmethod
    def resolve_due_at(root: surveys.DueSurvey, _info: Info) -> object:
        """Since when."""
        return root.due

    @staticmethod
    def resolve_closes_at(root: surveys.DueSurvey, _info: Info) -> object:
        """Until when."""
        return root.survey.closes

    @staticmethod
    def resolve_days_due(root: surveys.DueSurvey, _info: Info) -> int:
        """Days since then."""
        return root.days


class DueSurveyEdge(graphene.ObjectType):
    """A survey in a list."""

    cursor = graphene.String(required=True, description="Where to go on after it.")
    node = graphene.Field(DueSurvey, description="The survey.")


class DueSurveyConnection(graphene.ObjectType):
    """A page of surveys."""

    edges = graphene.List(graphene.NonNull(DueSurveyEdge), required=True, description="The surveys.")
    nodes = graphene.List(DueSurvey, required=True, description="The surveys without their cursors.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")


class StalledPairing(graphene.ObjectType):
    """A pairing that does not move, with why and what would help."""

    pairing = graphene.Field(Pairing, description="The pairing.")
    status = graphene.Field(
        PairingState, required=True, description="Where it stands; stalled once that has been written down."
    )
    since = graphene.Field(DateTime, required=True, description="From when on it counts as stalled.")
    cause = graphene.Field(StallCause, required=True, description="What explains it best.")
    sentence = graphene.String(required=True, description="The fact behind it.")
    remedy = graphene.String(required=True, description="What would help.")
    further_causes = graphene.List(
        graphene.NonNull(StallCause),
        required=True,
        description="What else holds.",
    )
    alternatives = graphene.Field(
        RecommendationConnection,
        description="Other mentors for the mentee and the goal, best first, never one of the pairing; null where the "
        "mentee has not agreed to be matched or is not onboarded. The pairing counts as ended for them.",
        first=graphene.Int(description=f"Length of the page, 1 to {MOST_ALTERNATIVES}; 3 if not given."),
        after=graphene.String(description="Cursor to start after; none for the first page."),
    )

    @staticmethod
    def resolve_pairing(root: stalls.Stall, info: Info) -> Awaitable[NodeRecord | None]:
        """The pairing."""
        context: RequestContext = info.context
        return context.nodes.load(root.pairing)

    @staticmethod
    def resolve_further_causes(root: stalls.Stall, _info: Info) -> Sequence[str]:
        """What else holds."""
        return root.further

    @staticmethod
    async def resolve_alternatives(
        root: stalls.Stall, info: Info, first: int | None = None, after: str | None = None
    ) -> dict[str, object] | None:
        """Other mentors; the hard rules leave out whoever shares an open pairing with the mentee."""
        context: RequestContext = info.context
        first = 3 if first is None else first
        if not 1 <= first <= MOST_ALTERNATIVES:
            message = f"first is {first}; ask for 1 to {MOST_ALTERNATIVES}"
            raise DomainError(message, code="BAD_USER_INPUT", field="first")
        try:
            answer = await context.recommender.recommend(
                context.viewer,
                root.mentee,
                root.goal or None,
                first=first,
                after=after,
                options=Options(in_place_of=1),
                explores=False,
                scorer=context.scorer,
                programme=root.programme or None,
            )
        except DomainError as error:
            if error.code not in ("CONSENT_REQUIRED", "NOT_ONBOARDED"):
                raise
            return None
        return recommended(await context.decisions.keep(answer), after)


class AnswerSurveyInput(graphene.InputObjectType):
    """What somebody answers about a pairing."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    rating = graphene.Float(required=True, description="How good it is, 0 to 1.")
    skill = graphene.Float(description="How far they came with what they wanted to learn, 0 to 1.")
    confidence = graphene.Float(description="How sure they feel, 0 to 1.")
    delivery = graphene.Float(description="How well the work itself went, 0 to 1.")
    comment = graphene.String(description="In words, for coordinators.")
    round = graphene.Int(description="Which survey it answers; the one that was due last if not given.")
    person_id = graphene.ID(description="Whose answer it is, where a coordinator tells it; the viewer's if not given.")
    given_at = graphene.InputField(DateTime, description="When it was given, where a coordinator tells it later.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class AnswerSurveyPayload(graphene.ObjectType):
    """The pairing that was answered about."""

    pairing = graphene.Field(Pairing, description="The pairing.")
    user_errors = errors_field()


class AddCoMentorInput(graphene.InputObjectType):
    """Who is to share a pairing with its mentor."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    person_id = graphene.ID(required=True, description="The co-mentor.")
    share = graphene.Float(
        required=True, description="Which part of the mentor's place they take over: above 0, all together below 1."
    )


class AddCoMentorPayload(graphene.ObjectType):
    """The pairing that is shared."""

    pairing = graphene.Field(Pairing, description="The pairing.")
    user_errors = errors_field()


class EndCoMentorInput(graphene.InputObjectType):
    """Who shares a pairing no longer."""

    pairing_id = graphene.ID(required=True, description="The pairing.")
    person_id = graphene.ID(required=True, description="The co-mentor.")


class EndCoMentorPayload(graphene.ObjectType):
    """The pairing that was shared."""

    pairing = graphene.Field(Pairing, description="The pairing.")
    user_errors = errors_field()


def _pairing_of(given: dict[str, Any]) -> str:
    return read_global_id(given["pairing_id"], expected="Pairing", field="pairingId")[1]


class FeedbackMutations:
    """What can be told of how pairings go."""

    answer_survey = graphene.Field(
        AnswerSurveyPayload,
        description="Answers a survey about a pairing, once per person and round.",
        input=AnswerSurveyInput(required=True, description="The answer."),
    )
    add_co_mentor = graphene.Field(
        AddCoMentorPayload,
        description="Has somebody share a pairing with its mentor; coordinators only.",
        input=AddCoMentorInput(required=True, description="Who, and which part."),
    )
    end_co_mentor = graphene.Field(
        EndCoMentorPayload,
        description="Ends that somebody shares a pairing; coordinators only.",
        input=EndCoMentorInput(required=True, description="Who."),
    )

    @staticmethod
    async def resolve_answer_survey(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Answers a survey."""
        context: RequestContext = info.context

        async def work() -> str:
            row = {name: input.get(name) for name in ("rating", "skill", "confidence", "delivery", "comment", "round")}
            return await surveys.answer_survey(
                context.store,
                context.viewer,
                {
                    **row,
                    "pairing_id": _pairing_of(input),
                    "person_id": person_of(input) if input.get("person_id") is not None else None,
                    "given_on": input.get("given_at"),
                },
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await payload(context, "pairing", work, {"given_on": "given_at"})

    @staticmethod
    async def resolve_add_co_mentor(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Adds a co-mentor."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = _pairing_of(input)
            policy = context.recommender.scorer.policy
            await co_mentoring.add_co_mentor(
                context.store, context.viewer, uid, person_of(input), input["share"], policy
            )
            return uid

        return await payload(context, "pairing", work)

    @staticmethod
    async def resolve_end_co_mentor(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Ends a co-mentor's part."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = _pairing_of(input)
            await co_mentoring.end_co_mentor(context.store, context.viewer, uid, person_of(input))
            return uid

        return await payload(context, "pairing", work)


class FeedbackQueries:
    """What can be asked of how pairings go."""

    due_surveys = graphene.List(
        graphene.NonNull(DueSurvey),
        required=True,
        description="The surveys that a person is to answer, the longest due first.",
        person_id=graphene.ID(required=True, description="The person: oneself, or anybody for coordinators."),
    )
    overdue_surveys = graphene.Field(
        DueSurveyConnection,
        description="The surveys that are due and not answered, the longest due first; for coordinators.",
        programme_id=graphene.ID(description="Of one programme; of all and of none if not given."),
        first=graphene.Int(description=f"Length of the page, 1 to {MOST}; 50 if not given."),
        after=graphene.String(description="Cursor to start after; none for the first page."),
    )
    stalled_pairings = graphene.List(
        graphene.NonNull(StalledPairing),
        required=True,
        description="The pairings that do not move, the longest first; for coordinators.",
        programme_id=graphene.ID(description="Of one programme; of all and of none if not given."),
        first=graphene.Int(description=f"At most so many, 1 to {MOST}; 50 if not given."),
    )

    @staticmethod
    async def resolve_due_surveys(_root: None, info: Info, person_id: str) -> list[surveys.DueSurvey]:
        """Lists what a person is to answer."""
        context: RequestContext = info.context
        person = read_global_id(person_id, expected="Person", field="personId")[1]
        return await surveys.list_due(context.store, context.viewer, person)

    @staticmethod
    async def resolve_overdue_surveys(
        _root: None, info: Info, programme_id: str | None = None, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """Lists what nobody answered."""
        context: RequestContext = info.context
        page, has_next = await surveys.list_overdue(
            context.store, context.viewer, _programme(programme_id), first=50 if first is None else first, after=after
        )
        cursors = [surveys.cursor_of(each) for each in page]
        return connection_of(page, cursors, has_next, after)

    @staticmethod
    async def resolve_stalled_pairings(
        _root: None, info: Info, programme_id: str | None = None, first: int | None = None
    ) -> list[stalls.Stall]:
        """Lists what does not move."""
        context: RequestContext = info.context
        first = 50 if first is None else first
        return await stalls.list_stalled(context.store, context.viewer, _programme(programme_id), first=first)


def _programme(programme_id: str | None) -> str | None:
    return read_global_id(programme_id, expected="Programme", field="programmeId")[1] if programme_id else None
