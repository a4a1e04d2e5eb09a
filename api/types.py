"""The types of the GraphQL schema: thin views of what the domain returns."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import graphene
from graphql import GraphQLError, GraphQLResolveInfo, StringValueNode, ValueNode

from mentorgraph.api.connections import Connection, connection_type, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id
from mentorgraph.api.selections import Reading
from mentorgraph.graph.columns.proficiency import SkillLevel as KnownLevel
from mentorgraph.graph.columns.proficiency import person_levels
from mentorgraph.graph.facts.levels import Rating, weight_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.pairings.load import Load
from mentorgraph.graph.people.participants import Participant
from mentorgraph.graph.people.profile import Completeness, completeness_of
from mentorgraph.graph.ranking import listing
from mentorgraph.graph.rules.tiers import Ending
from mentorgraph.graph.store.store import NodeRecord

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


SessionKind = enum_of(
    "SessionKind",
    {
        "live": "Both were there at the same time.",
        "asynchronous": "Each wrote or spoke when they could.",
        "recorded": "One was watched or heard; only the link to it is kept.",
        "written": "One wrote, and the other read.",
    },
    "How a session was held.",
)


SkillState = enum_of(
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


Rater = enum_of(
    "Rater",
    {
        "self": "The person.",
        "mentor": "A mentor of the person.",
        "project": "What a project showed.",
        "certificate": "A certificate.",
    },
    "Where a rating of somebody's skill comes from.",
)


class Node(graphene.Interface):
    """Anything that has a global id and can be asked for again."""

    id = graphene.ID(required=True, description="Global id, of no meaning to clients.")

    @classmethod
    def resolve_type(cls, instance: NodeRecord | listing.Recommendation, _info: Info) -> str:
        """Tells which type a node has."""
        return instance.kind if isinstance(instance, NodeRecord) else "Recommendation"

    resolve_id = Reading(lambda root: global_id(root.kind, root.uid))


def stored(name: str) -> Reading:
    """A resolver that reads one stored property."""
    return Reading(lambda root: root.properties.get(name))


def is_kind(kind: str) -> Any:
    """What tells a type of node from the others by its label."""

    def is_type_of(cls: type, root: object, _info: Info) -> bool:
        return isinstance(root, NodeRecord) and root.kind == kind

    return classmethod(is_type_of)


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
    ancestors = graphene.Field(
        lambda: SkillConnection,
        required=True,
        description="All broader skills, the nearest first.",
        **paging_arguments(),
    )
    merged_into = graphene.Field(lambda: Skill, description="The skill that it counts for, if it was merged.")
    split_into = graphene.Field(
        lambda: SkillConnection,
        required=True,
        description="Its parts, if it was split; none else.",
        **paging_arguments(),
    )

    @staticmethod
    async def resolve_state(root: NodeRecord, info: Info) -> str:
        """Where it stands."""
        context: RequestContext = info.context
        return (await context.taxonomy()).state(root.uid)

    @staticmethod
    async def resolve_ancestors(root: NodeRecord, info: Info, **paging: Any) -> Connection:
        """All broader skills."""
        context: RequestContext = info.context
        return listed("Skill", (await context.taxonomy()).ancestors(root.uid), context.nodes.load, paging)

    @staticmethod
    async def resolve_merged_into(root: NodeRecord, info: Info) -> NodeRecord | None:
        """The skill that it counts for."""
        context: RequestContext = info.context
        uid = (await context.taxonomy()).counts_as(root.uid)
        return await context.nodes.load(uid) if uid != root.uid else None

    @staticmethod
    async def resolve_split_into(root: NodeRecord, info: Info, **paging: Any) -> Connection:
        """Its parts."""
        context: RequestContext = info.context
        return listed("Skill", (await context.taxonomy()).parts(root.uid), context.nodes.load, paging)


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
    kind = graphene.Field(SessionKind, description="How it was held.", resolver=stored("kind"))
    link = graphene.String(description="Where a recorded one is.", resolver=stored("link"))
    notes = graphene.List(
        graphene.NonNull("mentorgraph.api.notes.SessionNote"),
        description="What its people noted; null for everybody else, coordinators too.",
    )

    @staticmethod
    def resolve_notes(root: NodeRecord, info: Info) -> Awaitable[list[Any] | None]:
        """What its people noted."""
        context: RequestContext = info.context
        return context.notes.load(root.uid)


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


GoalConnection: Any = connection_type("Goal", Goal, "a goal", "goals")
SkillConnection: Any = connection_type("Skill", Skill, "a skill", "skills")
SessionConnection = connection_type("Session", Session, "a session", "sessions")
PersonConnection = connection_type("Person", lambda: Person, "a person", "people")


def people_field(name: str, description: str) -> graphene.Field:
    """A field that lists people of whom its object holds the uids.

    Args:
        name: Of the attribute that holds them.
        description: Who they are.
    """

    def resolve(root: Any, info: Info, **paging: Any) -> Connection:
        context: RequestContext = info.context
        return listed("Person", list(getattr(root, name)), context.nodes.load, paging)

    return graphene.Field(
        PersonConnection, required=True, description=description, resolver=resolve, **paging_arguments()
    )


class SkillRating(graphene.ObjectType):
    """One rating of a person in a skill."""

    rated_by = graphene.Field(Rater, required=True, description="Where it comes from.")
    level = graphene.Float(required=True, description="1 to 5.")
    at = graphene.Field(DateTime, required=True, description="When it was given; it ages from then on.")
    weight = graphene.Float(required=True, description="How much it weighs now: trust in the source, less with age.")

    @staticmethod
    def resolve_at(root: Rating, _info: Info) -> datetime:
        """When it was given."""
        return datetime.fromtimestamp(root.since, UTC)

    @staticmethod
    def resolve_weight(root: Rating, info: Info) -> float:
        """How much it weighs now."""
        context: RequestContext = info.context
        return weight_of(root, context.recommender.clock().timestamp())


class SkillLevel(graphene.ObjectType):
    """How good a person is at a skill."""

    skill = graphene.Field(Skill, required=True, description="The skill.")
    level = graphene.Float(description="1 to 5, the weighted mean of the sources; null where none states a level.")
    sources = graphene.List(graphene.NonNull(SkillRating), required=True, description="The ratings that it comes from.")

    @staticmethod
    def resolve_skill(root: KnownLevel, info: Info) -> Awaitable[NodeRecord | None]:
        """The skill."""
        context: RequestContext = info.context
        return context.nodes.load(root.skill)

    @staticmethod
    def resolve_sources(root: KnownLevel, _info: Info) -> list[Rating]:
        """The ratings."""
        return list(root.ratings)


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
    minutes_used = graphene.Int(
        description="Minutes of their sessions in a month, over all programmes; null for whom you may not see it of.",
        month=graphene.String(required=True, description="A month of UTC, such as 2026-03."),
        role=RoleName(description="In which role; in all if none is given."),
    )
    minutes_left = graphene.Int(
        description="Minutes of a month's budget that are left, below 0 where it is overdrawn; null without a budget.",
        month=graphene.String(required=True, description="A month of UTC, such as 2026-03."),
        role=RoleName(description="The role whose hours count; mentor if none is given."),
    )
    skill_levels = graphene.List(
        graphene.NonNull(SkillLevel),
        description="How good they are at skills; null for participants who ask of somebody else.",
    )

    profile = graphene.Field(
        "mentorgraph.api.people.Profile",
        description="What they tell of themselves; null where nothing is told, and for whom you may not see it of.",
    )
    completeness = graphene.Field(
        "mentorgraph.api.people.Completeness",
        description="How much of what they should tell is told; null for whom you may not see it of.",
    )
    consents = graphene.List(
        graphene.NonNull("mentorgraph.api.people.Consent"),
        description="What they agree to now; null for whom you may not see it of.",
    )
    enrolments = graphene.List(
        graphene.NonNull("mentorgraph.api.people.Enrolment"),
        description="Where they take part now; null for whom you may not see it of.",
    )
    onboarding = graphene.Field(
        "mentorgraph.api.people.Onboarding",
        description="Their steps of onboarding; null for whom you may not see it of.",
    )
    completions = graphene.List(
        graphene.NonNull("mentorgraph.api.people.Completion"),
        description="Trainings that they have taken and that hold; null for whom you may not see it of.",
    )
    tier_warnings = graphene.List(
        graphene.NonNull("mentorgraph.api.tiers.TierWarning"),
        description="Tiers where they are enrolled that they will lose soon; null for whom you may not see it of.",
    )
    away = graphene.Field(
        "mentorgraph.api.people.Away",
        description="Their absence, if they are away; null if not, and for whom you may not see it of.",
    )

    mentor_load = graphene.Field(
        "mentorgraph.api.people.MentorLoad",
        description="What they have taken on; null for who is no mentor, and for whom you may not see it of.",
    )

    @staticmethod
    async def resolve_mentor_load(root: NodeRecord, info: Info) -> Load | None:
        """What they have taken on."""
        context: RequestContext = info.context
        return await context.load_of(root.uid)

    @staticmethod
    async def resolve_minutes_used(root: NodeRecord, info: Info, month: str, role: Any = None) -> int | None:
        """Minutes used in a month."""
        context: RequestContext = info.context
        found = await context.minutes_of(root.uid, month)
        return None if found is None else found.used_as(getattr(role, "value", role))

    @staticmethod
    async def resolve_minutes_left(root: NodeRecord, info: Info, month: str, role: Any = None) -> int | None:
        """Minutes left of a month."""
        context: RequestContext = info.context
        found = await context.minutes_of(root.uid, month)
        return None if found is None else found.left_as(getattr(role, "value", role) or "mentor")

    @staticmethod
    async def resolve_skill_levels(root: NodeRecord, info: Info) -> list[KnownLevel] | None:
        """How good they are at skills."""
        context: RequestContext = info.context
        await context.taxonomy()
        return person_levels(context.recommender.columns, root.uid, context.recommender.clock().timestamp())

    @staticmethod
    async def resolve_profile(root: NodeRecord, info: Info) -> Record | None:
        """What they tell of themselves."""
        own = await _participant(root, info)
        return own.profile if own else None

    @staticmethod
    async def resolve_completeness(root: NodeRecord, info: Info) -> Completeness | None:
        """How much of what they should tell is told."""
        own = await _participant(root, info)
        return completeness_of(own) if own else None

    @staticmethod
    async def resolve_consents(root: NodeRecord, info: Info) -> list[Record] | None:
        """What they agree to."""
        own = await _participant(root, info)
        return own.holding("consents") if own else None

    @staticmethod
    async def resolve_enrolments(root: NodeRecord, info: Info) -> list[Record] | None:
        """Where they take part."""
        own = await _participant(root, info)
        return own.holding("memberships") if own else None

    @staticmethod
    async def resolve_onboarding(root: NodeRecord, info: Info) -> Participant | None:
        """Their steps of onboarding."""
        return await _participant(root, info)

    @staticmethod
    async def resolve_completions(root: NodeRecord, info: Info) -> list[Record] | None:
        """Trainings that they have taken."""
        own = await _participant(root, info)
        return own.holding("completions") if own else None

    @staticmethod
    async def resolve_tier_warnings(root: NodeRecord, info: Info) -> list[Ending] | None:
        """Tiers that they will lose."""
        context: RequestContext = info.context
        return await context.endings.load(root.uid) if await _participant(root, info) else None

    @staticmethod
    async def resolve_away(root: NodeRecord, info: Info) -> Record | None:
        """Their absence."""
        own = await _participant(root, info)
        return own.absence if own else None

    @staticmethod
    def resolve_roles(root: NodeRecord, _info: Info) -> list[str]:
        """The roles they have now."""
        return list(root.roles)


async def _participant(root: NodeRecord, info: Info) -> Participant | None:
    context: RequestContext = info.context
    return await context.participant(root.uid)


NODE_TYPES = [Person, Skill, Goal, OrganisationUnit, Session]
