"""What can be asked and told over GraphQL: the roots of the schema, each a short call of the domain."""

from collections.abc import Awaitable, Callable
from typing import Any

import graphene
from graphql import FieldNode, FragmentSpreadNode, GraphQLSchema, InlineFragmentNode, print_schema

from mentorgraph.api.access import TABLE, guard, read_table
from mentorgraph.api.away import AwayMutations
from mentorgraph.api.catalogue import CatalogueQueries
from mentorgraph.api.connections import connection_of
from mentorgraph.api.context import RequestContext
from mentorgraph.api.decisions import DecisionQueries
from mentorgraph.api.enrolments import EnrolmentMutations
from mentorgraph.api.explanations import ExplanationQueries
from mentorgraph.api.feedback import FeedbackMutations, FeedbackQueries
from mentorgraph.api.formats import FormatQueries
from mentorgraph.api.groups import GroupMutations, GroupQueries
from mentorgraph.api.idempotency import add_keys
from mentorgraph.api.ids import global_id, read_global_id
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
from mentorgraph.api.recommendations import Explanation, RecommendationConnection
from mentorgraph.api.rules import RuleMutations, RuleQueries, programme_argument, programme_of
from mentorgraph.api.scripts import ScriptMutations, ScriptQueries
from mentorgraph.api.skills import SkillMutations, SkillQueries
from mentorgraph.api.subscriptions import Subscription
from mentorgraph.api.tiers import Tier, TierMutations, TierQueries, Training, TrainingConnection
from mentorgraph.api.timetable import TimetableMutations, TimetableQueries
from mentorgraph.api.types import NODE_TYPES, GoalConnection, Info, Node, Person, SkillConnection
from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.ranking import listing, matching
from mentorgraph.graph.ranking.options import NO_MIX
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
    skills = graphene.Field(SkillConnection, description="All skills.", first=_first(), after=_after())
    programmes = graphene.Field(
        ProgrammeConnection,
        description="All programmes.",
        is_archived=graphene.Boolean(description="Only those that have ended, or only those that have not."),
        first=_first(),
        after=_after(),
    )
    trainings = graphene.Field(
        TrainingConnection, description="The trainings that are offered.", first=_first(), after=_after()
    )
    goals = graphene.Field(
        GoalConnection,
        description="The goals of a person, or of everybody.",
        person_id=graphene.ID(description="Whose goals; everybody's if none is given, which coordinators may see."),
        first=_first(),
        after=_after(),
    )

    requests = graphene.Field(
        RequestConnection,
        description="The requests that a person made or got.",
        person_id=graphene.ID(required=True, description="The person."),
        is_open=graphene.Boolean(description="Only those that wait for an answer, or only those that do not."),
        first=_first(),
        after=_after(),
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
        return {
            "slate_id": slate.uid,
            "model_version": slate.model_version,
            "policy_version": slate.policy_version,
            "total_count": slate.total,
            "notice": slate.notice or None,
            "mix_shortfall": slate.lacking if slate.lacking != NO_MIX else None,
            **connection_of(slate.recommendations, slate.cursors, slate.has_next, arguments.get("after")),
        }

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
    async def resolve_skills(
        _root: None, info: Info, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """A page of skills."""
        context: RequestContext = info.context
        return await _page(context, "Skill", first, after, context.store.page_skills)

    @staticmethod
    async def resolve_programmes(
        _root: None, info: Info, is_archived: bool | None = None, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """A page of programmes."""
        context: RequestContext = info.context

        async def page(start: str, limit: int) -> list[str]:
            return await context.store.page_programmes(is_archived, present(), start, limit)

        return await _page(context, "Programme", first, after, page)

    @staticmethod
    async def resolve_trainings(
        _root: None, info: Info, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """A page of trainings."""
        context: RequestContext = info.context

        async def page(start: str, limit: int) -> list[str]:
            return await context.store.page_trainings(present(), start, limit)

        return await _page(context, "Training", first, after, page)

    @staticmethod
    async def resolve_goals(
        _root: None, info: Info, person_id: str | None = None, first: int | None = None, after: str | None = None
    ) -> dict[str, object]:
        """A page of goals."""
        context: RequestContext = info.context
        person = read_global_id(person_id, expected="Person", field="personId")[1] if person_id is not None else None
        if not context.viewer.sees_everybody and (person is None or person != context.viewer.person):
            raise DomainError("you may see your own goals only", code="FORBIDDEN", field="personId")

        async def page(start: str, limit: int) -> list[str]:
            return await context.store.page_goals(person, start, limit)

        return await _page(context, "Goal", first, after, page)

    @staticmethod
    async def resolve_requests(
        _root: None,
        info: Info,
        person_id: str,
        is_open: bool | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> dict[str, object]:
        """A page of requests."""
        context: RequestContext = info.context
        person = read_global_id(person_id, expected="Person", field="personId")[1]
        if not context.viewer.sees_everybody and person != context.viewer.person:
            raise DomainError("you may see your own requests only", code="FORBIDDEN", field="personId")
        states = [each for each in REQUEST_STATES if is_open is None or (each in OPEN_REQUEST_STATES) == is_open]

        async def page(start: str, limit: int) -> list[str]:
            return await context.store.page_requests_of(person, states, start, limit)

        return await _page(context, "Request", first, after, page)


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


async def _page(
    context: RequestContext,
    kind: str,
    first: int | None,
    after: str | None,
    page: Callable[[str, int], Awaitable[list[str]]],
) -> dict[str, object]:
    """A connection over uids in their order; the cursor of a node is its global id."""
    first = DEFAULT_PAGE if first is None else first
    check_first(first)
    start = read_global_id(after, expected=kind, field="after")[1] if after else ""
    uids = await page(start, first + 1)
    found = await context.nodes.load_many(uids[:first])
    nodes = [node for node in found if node is not None]
    return connection_of(nodes, [global_id(kind, node.uid) for node in nodes], len(uids) > first, after)


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
