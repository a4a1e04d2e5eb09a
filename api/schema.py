"""What can be asked and told over GraphQL: the roots of the schema, each a short call of the domain."""

from collections.abc import Awaitable
from typing import Any

import graphene
from graphql import FieldNode, FragmentSpreadNode, GraphQLSchema, InlineFragmentNode, print_schema

from mentorgraph.api.access import TABLE, guard, read_table
from mentorgraph.api.away import AwayMutations
from mentorgraph.api.catalogue import CatalogueQueries
from mentorgraph.api.connections import Connection, paged, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.decisions import DecisionQueries
from mentorgraph.api.enrolments import EnrolmentMutations
from mentorgraph.api.explanations import ExplanationQueries
from mentorgraph.api.feedback import FeedbackMutations, FeedbackQueries
from mentorgraph.api.formats import FormatQueries
from mentorgraph.api.groups import GroupMutations, GroupQueries
from mentorgraph.api.idempotency import add_keys
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.list_options import LIST_ARGUMENTS, options_of
from mentorgraph.api.mentees import MenteeQueries
from mentorgraph.api.metrics import MetricQueries
from mentorgraph.api.milestones import Milestone, MilestoneMutations, MilestoneQueries
from mentorgraph.api.mutations import Mutation as OwnMutations
from mentorgraph.api.notes import NoteMutations
from mentorgraph.api.overrides import Override, OverrideMutations, OverrideQueries
from mentorgraph.api.pairings import Pairing, PairingMutations, Request, RequestConnection
from mentorgraph.api.people import OnboardingStep, PeopleQueries
from mentorgraph.api.programmes import Priority, Programme, ProgrammeConnection, ProgrammeMutations, ProgrammeQueries
from mentorgraph.api.recommendations import Explanation, RecommendationConnection, recommended
from mentorgraph.api.rules import RuleMutations, RuleQueries, programme_argument, programme_of
from mentorgraph.api.scripts import ScriptMutations, ScriptQueries
from mentorgraph.api.skills import SkillMutations, SkillQueries
from mentorgraph.api.subscriptions import Subscription
from mentorgraph.api.tiers import Tier, TierMutations, TierQueries, Training, TrainingConnection
from mentorgraph.api.timetable import TimetableMutations, TimetableQueries
from mentorgraph.api.types import NODE_TYPES, GoalConnection, Info, Node, Person, PersonConnection, SkillConnection
from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking import listing, matching
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.vocabulary import OPEN_REQUEST_STATES, REQUEST_STATES

DEFAULT_PAGE = 20


def _first() -> graphene.Int:
    return graphene.Int(description=f"Length of the page, 1 to {MOST}.")


def _after() -> graphene.String:
    return graphene.String(description="Cursor to start after; none for the first page.")


class Query(
    CatalogueQueries,
    DecisionQueries,
    FeedbackQueries,
    MenteeQueries,
    MetricQueries,
    OverrideQueries,
    SkillQueries,
    TimetableQueries,
    ProgrammeQueries,
    TierQueries,
    PeopleQueries,
    ScriptQueries,
    ExplanationQueries,
    RuleQueries,
    GroupQueries,
    FormatQueries,
    MilestoneQueries,
    graphene.ObjectType,
):
    """What can be asked."""

    recommend_mentors = graphene.Field(
        RecommendationConnection,
        description="The mentors that a mentee may be paired with, best first.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        goal_id=graphene.ID(description="One of their goals; the latest open one if none is given."),
        programme_id=programme_argument(),
        first=_first(),
        after=_after(),
        **LIST_ARGUMENTS,
    )
    explain_match = graphene.Field(
        Explanation,
        description="Why a mentor fits a mentee, as of now.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        mentor_id=graphene.ID(required=True, description="The mentor in question."),
        goal_id=graphene.ID(description="One of the mentee's goals; the latest open one if none is given."),
        programme_id=programme_argument(),
    )
    explain_recommendation = graphene.Field(
        Explanation,
        description="Why a mentor was recommended, as it was answered.",
        recommendation_id=graphene.ID(required=True, description="The id of the recommendation."),
    )
    person = graphene.Field(
        Person, description="A person by id.", id=graphene.ID(required=True, description="Their global id.")
    )
    node = graphene.Field(
        Node, description="Anything by its id.", id=graphene.ID(required=True, description="Its global id.")
    )
    nodes = graphene.List(
        Node,
        required=True,
        description="Several things by their ids, in the same order; null for what does not exist.",
        ids=graphene.List(graphene.NonNull(graphene.ID), required=True, description=f"Up to {MOST} global ids."),
    )
    skills = graphene.Field(SkillConnection, description="All skills.", **paging_arguments())
    people = graphene.Field(
        PersonConnection,
        description="Everybody whom the graph knows; not for participants.",
        has_left=graphene.Boolean(description="Only those who have left, or only the others."),
        **paging_arguments(),
    )
    programmes = graphene.Field(
        ProgrammeConnection,
        description="All programmes.",
        is_archived=graphene.Boolean(description="Only those that have ended, or only those that have not."),
        **paging_arguments(),
    )
    trainings = graphene.Field(TrainingConnection, description="The trainings that are offered.", **paging_arguments())
    goals = graphene.Field(
        GoalConnection,
        description="The goals of a person, or of everybody.",
        person_id=graphene.ID(description="Whose goals; everybody's if none is given, which coordinators may see."),
        **paging_arguments(),
    )

    requests = graphene.Field(
        RequestConnection,
        description="The requests that a person made or got.",
        person_id=graphene.ID(required=True, description="The person."),
        is_open=graphene.Boolean(description="Only those that wait for an answer, or only those that do not."),
        **paging_arguments(),
    )

    @staticmethod
    async def resolve_recommend_mentors(_root: None, info: Info, mentee_id: str, **arguments: Any) -> dict[str, object]:
        """Ranks the mentors."""
        context: RequestContext = info.context
        answer = await context.recommender.recommend(
            context.viewer,
            read_global_id(mentee_id, expected="Person", field="menteeId")[1],
            _goal(arguments.get("goal_id")),
            first=10 if arguments.get("first") is None else arguments["first"],
            after=arguments.get("after"),
            options=options_of(arguments),
            with_total="totalCount" in _selected(info),
            scorer=context.scorer,
            programme=programme_of(arguments.get("programme_id")),
        )
        slate = await context.decisions.keep(answer)
        return recommended(slate, arguments.get("after"))

    @staticmethod
    async def resolve_explain_match(
        _root: None,
        info: Info,
        mentee_id: str,
        mentor_id: str,
        goal_id: str | None = None,
        programme_id: str | None = None,
    ) -> matching.Explanation:
        """Explains one pair."""
        context: RequestContext = info.context
        return await context.recommender.explain(
            context.viewer,
            read_global_id(mentee_id, expected="Person", field="menteeId")[1],
            read_global_id(mentor_id, expected="Person", field="mentorId")[1],
            _goal(goal_id),
            scorer=context.scorer,
            programme=programme_of(programme_id),
        )

    @staticmethod
    async def resolve_explain_recommendation(
        _root: None, info: Info, recommendation_id: str
    ) -> matching.Explanation | None:
        """Explains what was answered."""
        context: RequestContext = info.context
        _, uid = read_global_id(recommendation_id, expected="Recommendation", field="recommendationId")
        decision = await context.decision(uid)
        if decision is None:
            raise DomainError("no recommendation has this id", code="NOT_FOUND", field="recommendationId")
        return decision.explanation(uid, context.viewer)

    @staticmethod
    async def resolve_person(_root: None, info: Info, id: str) -> NodeRecord | listing.Recommendation | None:
        """A person by id."""
        return await _visible(info, id, "Person")

    @staticmethod
    async def resolve_node(_root: None, info: Info, id: str) -> NodeRecord | listing.Recommendation | None:
        """Anything by its id."""
        return await _visible(info, id)

    @staticmethod
    async def resolve_nodes(
        _root: None, info: Info, ids: list[str]
    ) -> list[Awaitable[NodeRecord | listing.Recommendation | None]]:
        """Several things by their ids."""
        if len(ids) > MOST:
            raise DomainError(f"ids has {len(ids)} entries; ask for up to {MOST}", code="BAD_USER_INPUT", field="ids")
        return [_visible(info, each) for each in ids]

    @staticmethod
    async def resolve_skills(_root: None, info: Info, **paging: Any) -> Connection:
        """A page of skills."""
        context: RequestContext = info.context
        store, with_total = context.store, "totalCount" in _selected(info)
        return await paged("Skill", lambda part: store.page_skills(part, with_total), context.nodes.load, paging)

    @staticmethod
    async def resolve_people(_root: None, info: Info, has_left: bool | None = None, **paging: Any) -> Connection:
        """A page of people."""
        context: RequestContext = info.context
        store, with_total = context.store, "totalCount" in _selected(info)
        is_present = None if has_left is None else not has_left
        return await paged(
            "Person",
            lambda part: store.page_people(is_present, present(), part, with_total),
            context.nodes.load,
            paging,
        )

    @staticmethod
    async def resolve_programmes(_root: None, info: Info, is_archived: bool | None = None, **paging: Any) -> Connection:
        """A page of programmes."""
        context: RequestContext = info.context
        store, with_total = context.store, "totalCount" in _selected(info)
        return await paged(
            "Programme",
            lambda part: store.page_programmes(is_archived, present(), part, with_total),
            context.nodes.load,
            paging,
        )

    @staticmethod
    async def resolve_trainings(_root: None, info: Info, **paging: Any) -> Connection:
        """A page of trainings."""
        context: RequestContext = info.context
        store, with_total = context.store, "totalCount" in _selected(info)
        return await paged(
            "Training", lambda part: store.page_trainings(present(), part, with_total), context.nodes.load, paging
        )

    @staticmethod
    async def resolve_goals(_root: None, info: Info, person_id: str | None = None, **paging: Any) -> Connection:
        """A page of goals."""
        context: RequestContext = info.context
        person = read_global_id(person_id, expected="Person", field="personId")[1] if person_id is not None else None
        if not context.viewer.sees_everybody and (person is None or person != context.viewer.person):
            raise DomainError("you may see your own goals only", code="FORBIDDEN", field="personId")
        store, with_total = context.store, "totalCount" in _selected(info)
        return await paged("Goal", lambda part: store.page_goals(person, part, with_total), context.nodes.load, paging)

    @staticmethod
    async def resolve_requests(
        _root: None, info: Info, person_id: str, is_open: bool | None = None, **paging: Any
    ) -> Connection:
        """A page of requests."""
        context: RequestContext = info.context
        person = read_global_id(person_id, expected="Person", field="personId")[1]
        if not context.viewer.sees_everybody and person != context.viewer.person:
            raise DomainError("you may see your own requests only", code="FORBIDDEN", field="personId")
        states = [each for each in REQUEST_STATES if is_open is None or (each in OPEN_REQUEST_STATES) == is_open]
        store = context.store
        return await paged(
            "Request", lambda part: store.page_requests_of(person, states, part), context.nodes.load, paging
        )


class Mutation(
    OwnMutations,
    PairingMutations,
    OverrideMutations,
    FeedbackMutations,
    SkillMutations,
    TimetableMutations,
    ProgrammeMutations,
    TierMutations,
    EnrolmentMutations,
    AwayMutations,
    ScriptMutations,
    NoteMutations,
    RuleMutations,
    GroupMutations,
    MilestoneMutations,
):
    """What can be told."""


def _goal(goal_id: str | None) -> str | None:
    return read_global_id(goal_id, expected="Goal", field="goalId")[1] if goal_id is not None else None


async def _visible(info: Info, text: str, expected: str | None = None) -> NodeRecord | listing.Recommendation | None:
    kind, uid = read_global_id(text, expected=expected)
    context: RequestContext = info.context
    if kind == "Recommendation":
        decision = await context.decision(uid)
        found = decision.find(uid) if decision else None
        return found.shown_to(context.viewer, decision.mentee) if decision and found else None
    node = await context.visible(uid)
    return node if node is not None and node.kind == kind else None


def _selected(info: Info) -> set[str]:
    """Names of all fields that are selected anywhere below a field, fragments included."""
    names: set[str] = set()
    spread: set[str] = set()
    sets = [node.selection_set for node in info.field_nodes]
    while sets:
        selections = sets.pop()
        for selection in selections.selections if selections else ():
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in spread:
                    spread.add(name)
                    sets.append(info.fragments[name].selection_set)
            elif isinstance(selection, FieldNode | InlineFragmentNode):
                sets.append(selection.selection_set)
                if isinstance(selection, FieldNode):
                    names.add(selection.name.value)
    return names


def unguarded() -> GraphQLSchema:
    """The schema before it is bound to the table of rights; nothing that is served answers from it."""
    built: GraphQLSchema = graphene.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*NODE_TYPES, Pairing, Request, Priority, Programme, Tier, Training, OnboardingStep, Override, Milestone],
    ).graphql_schema
    built.description = "Ranked mentor recommendations with evidence that can be checked."
    # graphene cannot say where a scalar is specified.
    built.type_map["DateTime"].specified_by_url = "https://scalars.graphql.org/andimarek/date-time"  # type: ignore[attr-defined]
    add_keys(built)
    return built


schema = unguarded()
guard(schema, read_table(TABLE.read_text("utf-8"), schema))


def printed() -> str:
    """The schema as `schema.graphql` holds it."""
    return print_schema(schema) + "\n"
