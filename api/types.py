"""The types of the GraphQL schema: thin views of what the domain returns."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import graphene
from graphql import GraphQLError, GraphQLResolveInfo, StringValueNode, ValueNode

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id
from mentorgraph.graph import matching, rules
from mentorgraph.graph.paging import check_first
from mentorgraph.graph.paths import EvidencePath as FoundPath
from mentorgraph.graph.paths import Step
from mentorgraph.graph.store import NodeRecord
from mentorgraph.graph.values import instant

Info: TypeAlias = GraphQLResolveInfo


class DateTime(graphene.Scalar):
    """An instant as RFC 3339 writes it, such as `2026-01-31T09:30:00Z`; as input a day alone is its midnight in UTC."""

    @staticmethod
    def serialize(value: datetime) -> str:
        """Writes an instant."""
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    @staticmethod
    def parse_value(value: object) -> datetime:
        """Reads an instant from a variable."""
        try:
            return instant(value)
        except ValueError as error:
            reason, _, remedy = str(error).partition("|")
            raise GraphQLError(f"{value!r} {reason}; {remedy}") from None

    @classmethod
    def parse_literal(cls, node: ValueNode, _variables: object = None) -> datetime:
        """Reads an instant from a document."""
        if not isinstance(node, StringValueNode):
            raise GraphQLError('a DateTime is written as a string, such as "2026-01-31T09:30:00Z"')
        return cls.parse_value(node.value)


def enum_of(name: str, values: dict[str, str], description: str) -> Any:
    """An enum of ours: NAME → what it means; the domain knows it as `name`."""
    members = [(key.upper(), key) for key in values]
    return graphene.Enum(
        name, members, description=lambda value: description if value is None else values[str(value.value)]
    )


RoleName = enum_of(
    "RoleName",
    {
        "mentor": "Takes mentees.",
        "mentee": "Seeks a mentor.",
        "coordinator": "Runs a programme.",
        "facilitator": "Leads a group.",
        "sponsor": "Answers for a programme.",
        "data_scientist": "Trains and judges models.",
        "auditor": "Checks decisions.",
    },
    "What a person does here.",
)
ConsentPurpose = enum_of(
    "ConsentPurpose",
    {
        "matching": "To be recommended and to get recommendations.",
        "training": "To have past pairings learned from.",
        "audit_attributes": "To have attributes used for checks of fairness, never for ranking.",
        "stories": "To have their story told.",
        "recording": "To have sessions recorded.",
    },
    "What personal data may be used for.",
)


SkillState = _enum(
    "SkillState",
    {
        "proposed": "Somebody misses it; a coordinator has not approved it yet.",
        "approved": "In use.",
        "deprecated": "Not to be named any more; what names it goes on to count.",
        "merged": "Counts for another one.",
        "split": "Has parts that are to be named in its place.",
    },
    "Where a skill stands in its life.",
)


class Node(graphene.Interface):
    """Anything that has a global id and can be asked for again."""

    id = graphene.ID(required=True, description="Global id, of no meaning to clients.")

    @classmethod
    def resolve_type(cls, instance: NodeRecord | matching.Recommendation, _info: Info) -> str:
        """Tells which type a node has."""
        return instance.kind if isinstance(instance, NodeRecord) else "Recommendation"

    @staticmethod
    def resolve_id(root: NodeRecord, _info: Info) -> str:
        """The global id."""
        return global_id(root.kind, root.uid)


def stored(name: str) -> Any:
    """A resolver that reads one stored property."""

    def resolve(root: NodeRecord, _info: Info) -> Any:
        return root.properties.get(name)

    return resolve


def is_kind(kind: str) -> Any:
    """What tells a type of node from the others by its label."""

    def is_type_of(cls: type, root: object, _info: Info) -> bool:
        return isinstance(root, NodeRecord) and root.kind == kind

    return classmethod(is_type_of)


class PageInfo(graphene.ObjectType):
    """Where a page stands in its connection (Relay cursor connections)."""

    has_next_page = graphene.Boolean(required=True, description="Whether more follow.")
    has_previous_page = graphene.Boolean(required=True, description="Whether this page began after a cursor.")
    start_cursor = graphene.String(description="Cursor of the first edge.")
    end_cursor = graphene.String(description="Cursor of the last edge; pass it as `after`.")


class Skill(graphene.ObjectType):
    """Something that can be learned and taught."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Skill")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    kind = graphene.String(description="What sort of skill it is, in its source's words.", resolver=stored("kind"))
    tier = graphene.Int(description="Depth in the taxonomy, 1 for the broadest.", resolver=stored("tier"))
    cluster = graphene.String(description="Its cluster, such as technical.", resolver=stored("cluster"))
    aliases = graphene.List(
        graphene.NonNull(graphene.String), description="Other names for it.", resolver=stored("aliases")
    )
    state = graphene.Field(SkillState, required=True, description="Where it stands in its life.")
    ancestors = graphene.List(
        graphene.NonNull(lambda: Skill), required=True, description="All broader skills, the nearest first."
    )
    merged_into = graphene.Field(lambda: Skill, description="The skill that it counts for, if it was merged.")
    split_into = graphene.List(
        graphene.NonNull(lambda: Skill), required=True, description="Its parts, if it was split; none else."
    )

    @staticmethod
    async def resolve_state(root: NodeRecord, info: Info) -> str:
        """Where it stands."""
        context: RequestContext = info.context
        return (await context.taxonomy()).state(root.uid)

    @staticmethod
    async def resolve_ancestors(root: NodeRecord, info: Info) -> list[Awaitable[NodeRecord | None]]:
        """All broader skills."""
        context: RequestContext = info.context
        return [context.nodes.load(uid) for uid in (await context.taxonomy()).ancestors(root.uid)]

    @staticmethod
    async def resolve_merged_into(root: NodeRecord, info: Info) -> NodeRecord | None:
        """The skill that it counts for."""
        context: RequestContext = info.context
        uid = (await context.taxonomy()).counts_as(root.uid)
        return await context.nodes.load(uid) if uid != root.uid else None

    @staticmethod
    async def resolve_split_into(root: NodeRecord, info: Info) -> list[Awaitable[NodeRecord | None]]:
        """Its parts."""
        context: RequestContext = info.context
        return [context.nodes.load(uid) for uid in (await context.taxonomy()).parts(root.uid)]


class OrganisationUnit(graphene.ObjectType):
    """A part of the organisation."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("OrganisationUnit")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    category = graphene.String(description="What sort of unit it is.", resolver=stored("category"))


class Session(graphene.ObjectType):
    """A meeting of a mentor and a mentee."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Session")
    started_at = graphene.Field(DateTime, required=True, description="When it began.", resolver=stored("since"))
    minutes = graphene.Int(required=True, description="How long it took.", resolver=stored("minutes"))


class Goal(graphene.ObjectType):
    """What a person wants to reach."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Goal")
    title = graphene.String(required=True, description="In one line.", resolver=stored("title"))
    description = graphene.String(description="In more words.", resolver=stored("description"))
    created_at = graphene.Field(DateTime, required=True, description="When it was set.", resolver=stored("since"))
    closed_at = graphene.Field(DateTime, description="When it was reached or given up.", resolver=stored("until"))
    person = graphene.Field(lambda: Person, description="Whose goal it is.")

    @staticmethod
    async def resolve_person(root: NodeRecord, info: Info) -> NodeRecord | None:
        """Whose goal it is."""
        context: RequestContext = info.context
        return await context.visible(root.owner)


class GoalEdge(graphene.ObjectType):
    """A goal in a list."""

    cursor = graphene.String(required=True, description="Where to go on after it.")
    node = graphene.Field(Goal, description="The goal.")


class GoalConnection(graphene.ObjectType):
    """A page of goals."""

    edges = graphene.List(graphene.NonNull(GoalEdge), required=True, description="The goals.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")


class SkillEdge(graphene.ObjectType):
    """A skill in a list."""

    cursor = graphene.String(required=True, description="Where to go on after it.")
    node = graphene.Field(Skill, description="The skill.")


class SkillConnection(graphene.ObjectType):
    """A page of skills."""

    edges = graphene.List(graphene.NonNull(SkillEdge), required=True, description="The skills.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")


class Person(graphene.ObjectType):
    """Somebody who takes part."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Person")
    name = graphene.String(required=True, description="Their name.", resolver=stored("name"))
    zone = graphene.String(description="Their IANA time zone.", resolver=stored("zone"))
    joined_at = graphene.Field(DateTime, required=True, description="When they joined.", resolver=stored("since"))
    roles = graphene.List(graphene.NonNull(RoleName), required=True, description="The roles they have now.")

    @staticmethod
    def resolve_roles(root: NodeRecord, _info: Info) -> list[str]:
        """The roles they have now."""
        return list(root.roles)


NODE_TYPES = [Person, Skill, Goal, OrganisationUnit, Session]


class Signal(graphene.ObjectType):
    """One summand of a score."""

    name = graphene.String(required=True, description="Its name.")
    value = graphene.Float(description="Its value; null where nothing is known, which adds nothing.")
    unit = graphene.String(description="What a value of 1 means.")
    weight = graphene.Float(description="What the value is multiplied with; null where the ranker is not linear in it.")
    contribution = graphene.Float(required=True, description="What it adds to the score.")


class PathStep(graphene.ObjectType):
    """One node of an evidence path, with the relationship that leads to it."""

    node = graphene.Field(Node, description="The node; null where it belongs to somebody whom the viewer may not see.")
    kind = graphene.String(required=True, description="Its type.")
    label = graphene.String(description="Its name or title.")
    relationship_id = graphene.ID(description="uid of the relationship from the step before.")
    relationship_type = graphene.String(
        description="Its type; SIMILAR_TEXT is computed from the words of two goals and not stored."
    )
    since = graphene.Field(DateTime, description="When the relationship began.")
    source = graphene.String(description="Where it is known from.")
    holds_now = graphene.Boolean(required=True, description="Whether it holds still.")
    count = graphene.Int(description="Number of facts that the step stands for, where they are counted and not named.")

    @staticmethod
    def resolve_node(root: Step, info: Info) -> Awaitable[NodeRecord | None] | None:
        """The node."""
        context: RequestContext = info.context
        return context.nodes.load(root.node_uid) if root.node_uid else None

    @staticmethod
    def resolve_label(root: Step, _info: Info) -> str | None:
        """Its name or title."""
        return root.label or None

    @staticmethod
    def resolve_relationship_id(root: Step, _info: Info) -> str | None:
        """Uid of the relationship."""
        return root.relationship_uid or None

    @staticmethod
    def resolve_relationship_type(root: Step, _info: Info) -> str | None:
        """Type of the relationship."""
        return root.relationship_type or None

    @staticmethod
    def resolve_source(root: Step, _info: Info) -> str | None:
        """Where it is known from."""
        return root.source or None


class EvidencePath(graphene.ObjectType):
    """One reason: a path that exists in the graph."""

    weight = graphene.Float(required=True, description="By how much the score would fall without the path's last edge.")
    sentence = graphene.String(required=True, description="What it says.")
    signal = graphene.String(required=True, description="The signal that it is evidence for.")
    steps = graphene.List(graphene.NonNull(PathStep), required=True, description="The path, ending at the mentor.")
    cypher = graphene.String(
        description="A query that returns exactly this path; null where the viewer may not see all of it."
    )

    @staticmethod
    def resolve_cypher(root: FoundPath, _info: Info) -> str | None:
        """The query that returns the path."""
        return root.cypher or None


class Chance(graphene.ObjectType):
    """The estimated chance that a pairing would succeed, if it took place."""

    value = graphene.Float(required=True, description="From 0 to 1.")
    low = graphene.Float(required=True, description="Lower end of the interval.")
    high = graphene.Float(required=True, description="Upper end of the interval.")


def _first_paths(root: Any, first: int | None) -> list[FoundPath]:
    if first is not None:
        check_first(first)
    return list(root.paths[:first])


class Recommendation(graphene.ObjectType):
    """A mentor who was recommended, and why; kept in the decision log, from which it can be asked for again."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    @classmethod
    def is_type_of(cls, root: object, _info: Info) -> bool:
        """Tells a recommendation from what the graph stores."""
        return isinstance(root, matching.Recommendation)

    rank = graphene.Int(required=True, description="Place in the list, counted from 1.")
    score = graphene.Float(required=True, description="The base plus all contributions; compares within one list only.")
    base = graphene.Float(required=True, description="Where every score starts.")
    chance = graphene.Field(Chance, description="Chance of success; null while no calibrated model is published.")
    mentor = graphene.Field(Person, description="The mentor.")
    signals = graphene.List(graphene.NonNull(Signal), required=True, description="The summands of the score.")
    paths = graphene.List(
        graphene.NonNull(EvidencePath),
        required=True,
        description="Evidence, heaviest first.",
        first=graphene.Int(description="At most so many."),
    )
    sentences = graphene.List(graphene.NonNull(graphene.String), required=True, description="The reasons in words.")

    @staticmethod
    def resolve_id(root: matching.Recommendation, _info: Info) -> str:
        """Identity of this answer."""
        return global_id("Recommendation", root.uid)

    @staticmethod
    def resolve_chance(_root: matching.Recommendation, _info: Info) -> None:
        """No calibrated model is published."""

    @staticmethod
    def resolve_mentor(root: matching.Recommendation, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_paths(root: matching.Recommendation, _info: Info, first: int | None = None) -> list[FoundPath]:
        """Evidence, heaviest first."""
        return _first_paths(root, first)


class RecommendationEdge(graphene.ObjectType):
    """A recommendation in its list."""

    cursor = graphene.String(required=True, description="Where to go on after it.")
    node = graphene.Field(Recommendation, description="The recommendation.")


class RecommendationConnection(graphene.ObjectType):
    """A page of recommendations, best first."""

    slate_id = graphene.ID(required=True, description="Identity of the list: equal inputs and versions, equal id.")
    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    policy_version = graphene.String(required=True, description="The policy in force.")
    edges = graphene.List(graphene.NonNull(RecommendationEdge), required=True, description="The recommendations.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")
    total_count = graphene.Int(description="Number of mentors who may be recommended; reads the facts of all of them.")
    notice = graphene.String(description="What to know about the list as a whole.")


class RuleRefusal(graphene.ObjectType):
    """A rule that forbids a pair."""

    rule = graphene.String(required=True, description="Name of the rule.")
    fact = graphene.String(required=True, description="What is the case.")
    remedy = graphene.String(description="What would lift it.")

    @staticmethod
    def resolve_remedy(root: rules.Refusal, _info: Info) -> str | None:
        """What would lift it."""
        return root.remedy or None


class Explanation(graphene.ObjectType):
    """Why a mentor fits a mentee: as of now, whether or not the two may be paired, or as it was once answered."""

    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    policy_version = graphene.String(required=True, description="The policy in force.")
    score = graphene.Float(required=True, description="The base plus all contributions.")
    base = graphene.Float(required=True, description="Where every score starts.")
    chance = graphene.Field(Chance, description="Chance of success; null while no calibrated model is published.")
    mentor = graphene.Field(Person, description="The mentor.")
    signals = graphene.List(graphene.NonNull(Signal), required=True, description="The summands of the score.")
    paths = graphene.List(
        graphene.NonNull(EvidencePath),
        required=True,
        description="Evidence, heaviest first.",
        first=graphene.Int(description="At most so many."),
    )
    sentences = graphene.List(graphene.NonNull(graphene.String), required=True, description="The reasons in words.")
    refusals = graphene.List(
        graphene.NonNull(RuleRefusal),
        required=True,
        description="Rules that forbid the pair now; none if allowed, and none of whom was recommended.",
    )
    answered_at = graphene.Field(DateTime, description="When it was answered; null for an explanation as of now.")
    is_redacted = graphene.Boolean(
        required=True, description="Whether names and sentences are gone because somebody was erased."
    )

    @staticmethod
    def resolve_chance(_root: matching.Explanation, _info: Info) -> None:
        """No calibrated model is published."""

    @staticmethod
    def resolve_mentor(root: matching.Explanation, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_paths(root: matching.Explanation, _info: Info, first: int | None = None) -> list[FoundPath]:
        """Evidence, heaviest first."""
        return _first_paths(root, first)
