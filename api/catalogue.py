"""The catalogue of mentors over GraphQL: who they are, what they offer, how they work and when they are free."""

from collections.abc import Awaitable
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, PageInfo, connection_of, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.api.mutations import names_of
from mentorgraph.api.people import Channel, Pace
from mentorgraph.api.types import GoalConnection, Info, Person, Skill
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.ranking.catalogue import Entry, Wanted, page_of_catalogue
from mentorgraph.graph.ranking.catalogue import OfferedSkill as KnownOffer
from mentorgraph.graph.store.store import NodeRecord


class MentorCatalogueFilter(graphene.InputObjectType):
    """Which mentors are looked for; what is left out is not asked for."""

    skill_id = graphene.ID(
        description="They offer this skill, or a narrower one; one that was merged stands for its successor."
    )
    min_level = graphene.Int(description="At this level at least, 1 to 5; together with a skill.")
    format = graphene.String(description="A form in which they take part, in any letter case.")
    coaching_style = graphene.String(description="How they coach, in any letter case.")
    communication = graphene.InputField(Channel, description="How they like to talk; who likes both likes each.")
    language = graphene.String(description="A language that they speak; `pt` stands for `pt-BR` as well.")
    programme_id = graphene.ID(description="They are mentors in this programme.")
    has_free_places = graphene.Boolean(
        description="Whether they can take one more mentee, in that programme as well where one is given."
    )


class OfferedSkill(graphene.ObjectType):
    """A skill that a mentor offers."""

    skill = graphene.Field(Skill, required=True, description="The skill.")
    level = graphene.Float(description="1 to 5, all ratings considered; null where none is known.")

    @staticmethod
    def resolve_skill(root: KnownOffer, info: Info) -> Awaitable[NodeRecord | None]:
        """The skill."""
        context: RequestContext = info.context
        return context.nodes.load(root.skill)


def _of_window(name: str) -> Any:
    def resolve(root: Record, _info: Info) -> Any:
        return root.properties[name]

    return resolve


class AvailabilityWindow(graphene.ObjectType):
    """A time of every week in which somebody is free, as their clock shows it."""

    weekday = graphene.Int(required=True, description="1 for Monday to 7 for Sunday.", resolver=_of_window("weekday"))
    start = graphene.String(required=True, description="Local time, such as 09:00.", resolver=_of_window("start"))
    end = graphene.String(required=True, description="Local time, up to 24:00.", resolver=_of_window("end"))
    zone = graphene.String(required=True, description="The IANA zone of these times.", resolver=_of_window("zone"))


def _told(name: str) -> Any:
    def resolve(root: Entry, _info: Info) -> Any:
        return root.profile.get(name)

    return resolve


class MentorEntry(graphene.ObjectType):
    """What the catalogue tells of a mentor."""

    mentor = graphene.Field(Person, description="The mentor.")
    skills = graphene.List(
        graphene.NonNull(OfferedSkill),
        required=True,
        description="What they offer, their core strengths first: by level, those of unknown level last.",
        first=graphene.Int(description=f"At most so many, 1 to {MOST}; 20 if not given."),
    )
    job_title = graphene.String(description="What they do.", resolver=_told("job_title"))
    about = graphene.String(description="In their own words.", resolver=_told("about"))
    formats = graphene.List(
        graphene.NonNull(graphene.String), description="In which forms they take part.", resolver=_told("formats")
    )
    coaching_style = graphene.String(
        description="How they coach, such as challenging.", resolver=_told("coaching_style")
    )
    communication = graphene.Field(Channel, description="How they like to talk.", resolver=_told("communication"))
    pace = graphene.Field(Pace, description="How fast they like to go.", resolver=_told("pace"))
    languages = graphene.List(
        graphene.NonNull(graphene.String), description="Language tags, such as pt-BR.", resolver=_told("languages")
    )
    availability = graphene.List(
        graphene.NonNull(AvailabilityWindow),
        required=True,
        description="When they are free, every week; none where they have not said.",
    )
    goals = graphene.Field(
        GoalConnection,
        description="What they want to reach themselves, the latest first, 20 at most; null for whom you may not see "
        "the goals of.",
        **paging_arguments(),
    )
    has_free_places = graphene.Boolean(
        required=True, description="Whether they can take one more mentee, in the programme asked about as well."
    )

    @staticmethod
    def resolve_mentor(root: Entry, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_skills(root: Entry, _info: Info, first: int | None = None) -> tuple[KnownOffer, ...]:
        """What they offer."""
        first = 20 if first is None else first
        check_first(first)
        return root.skills[:first]

    @staticmethod
    def resolve_goals(root: Entry, info: Info, **paging: Any) -> Connection | None:
        """What they want to reach."""
        context: RequestContext = info.context
        return None if root.goals is None else listed("Goal", list(root.goals), context.nodes.load, paging)

    @staticmethod
    def resolve_availability(root: Entry, _info: Info) -> tuple[Record, ...]:
        """When they are free."""
        return root.windows


class MentorCatalogueEdge(graphene.ObjectType):
    """A mentor in the catalogue."""

    cursor = graphene.String(required=True, description="Where to go on after them.")
    node = graphene.Field(MentorEntry, description="What is told of them.")


class MentorCatalogueConnection(graphene.ObjectType):
    """A page of the catalogue of mentors."""

    edges = graphene.List(graphene.NonNull(MentorCatalogueEdge), required=True, description="The mentors.")
    nodes = graphene.List(MentorEntry, required=True, description="The mentors without their cursors.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")


class CatalogueQueries:
    """What can be asked of mentors without a question of one's own."""

    mentor_catalogue = graphene.Field(
        MentorCatalogueConnection,
        description="The mentors who take part, in an order that stays; not who blocks you, nor whom you block.",
        filter=MentorCatalogueFilter(description="Which of them; all if not given."),
        first=graphene.Int(description=f"Length of the page, 1 to {MOST}; 20 if not given."),
        after=graphene.String(description="Cursor to start after; none for the first page."),
    )

    @staticmethod
    async def resolve_mentor_catalogue(
        _root: None,
        info: Info,
        filter: dict[str, Any] | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> dict[str, object]:
        """A page of the catalogue."""
        context: RequestContext = info.context
        first = 20 if first is None else first
        check_first(first)
        found = await page_of_catalogue(
            context.store,
            context.viewer,
            await context.taxonomy(),
            _wanted(filter or {}),
            max_mentees=context.recommender.scorer.policy.rules.max_mentees,
            after=read_global_id(after, expected="Person", field="after")[1] if after else "",
            limit=first + 1,
        )
        page = found[:first]
        return connection_of(page, [global_id("Person", each.mentor) for each in page], len(found) > first, after)


def _wanted(given: dict[str, Any]) -> Wanted:
    def uid(name: str, kind: str, field: str) -> str:
        return read_global_id(given[name], expected=kind, field=field)[1] if given.get(name) else ""

    [channel] = names_of([given.get("communication")])
    return Wanted(
        skill=uid("skill_id", "Skill", "filter.skillId"),
        least_level=given.get("min_level"),
        format=(given.get("format") or "").strip(),
        coaching_style=(given.get("coaching_style") or "").strip(),
        communication=channel or "",
        language=(given.get("language") or "").strip(),
        programme=uid("programme_id", "Programme", "filter.programmeId"),
        has_free_places=given.get("has_free_places"),
    )
