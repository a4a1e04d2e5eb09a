"""People over GraphQL: what they tell of themselves, where they take part, and what they go through before they do."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any, NamedTuple

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.programmes import Programme
from mentorgraph.api.tiers import Training
from mentorgraph.api.types import ConsentPurpose, DateTime, Info, Node, Person, RoleName, enum_of, is_kind, stored
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.pairings.load import ProgrammeLoad as KnownProgrammeLoad
from mentorgraph.graph.people import onboarding, profile
from mentorgraph.graph.people.participants import Participant, Step
from mentorgraph.graph.store.store import NodeRecord

Pace = enum_of(
    "Pace",
    {"gentle": "Slowly.", "steady": "One step after the other.", "intensive": "As fast as possible."},
    "How fast somebody likes to go.",
)
Channel = enum_of(
    "Channel",
    {"live": "At the same time.", "asynchronous": "Each when they can.", "mixed": "Both."},
    "How somebody likes to talk.",
)
Necessity = enum_of(
    "Necessity",
    {"mandatory": "Nobody is recommended before it.", "optional": "It is good to have taken it."},
    "Whether a step of onboarding has to be taken.",
)
AbsenceCause = enum_of(
    "AbsenceCause",
    {
        "told": "They or a coordinator said so.",
        "silent": "Nothing was heard of them, though somebody waited; the first thing that they tell ends it.",
    },
    "Why somebody counts as away.",
)


def told(name: str) -> Any:
    """A resolver that reads one property of a fact."""

    def resolve(root: Record, _info: Info) -> Any:
        return root.properties.get(name)

    return resolve


def linked(name: str) -> Any:
    """A resolver of the node that a fact refers to."""

    def resolve(root: Record, info: Info) -> Awaitable[NodeRecord | None]:
        context: RequestContext = info.context
        return context.nodes.load(root.links[name])

    return resolve


class Profile(graphene.ObjectType):
    """What a person tells of themselves."""

    job_title = graphene.String(description="What they do.", resolver=told("job_title"))
    grade = graphene.String(description="Their grade, in the organisation's words.", resolver=told("grade"))
    experience_years = graphene.Float(
        description="For how many years they have done it.", resolver=told("experience_years")
    )
    about = graphene.String(description="In their own words.", resolver=told("about"))
    pace = graphene.Field(Pace, description="How fast they like to go.", resolver=told("pace"))
    communication = graphene.Field(Channel, description="How they like to talk.", resolver=told("communication"))
    coaching_style = graphene.String(
        description="How they coach, such as challenging.", resolver=told("coaching_style")
    )
    formats = graphene.List(
        graphene.NonNull(graphene.String), description="In which forms they take part.", resolver=told("formats")
    )
    languages = graphene.List(
        graphene.NonNull(graphene.String), description="Language tags, such as pt-BR.", resolver=told("languages")
    )
    since = graphene.Field(DateTime, required=True, description="Since when it reads so.", resolver=told("since"))


class Missing(NamedTuple):
    """One thing that a person has not told, and all that they have not."""

    demand: profile.Demand
    completeness: profile.Completeness


class MissingField(graphene.ObjectType):
    """Something that a person should tell."""

    field = graphene.String(required=True, description="What.")
    message = graphene.String(required=True, description="What it is good for.")
    cost_on_rank = graphene.Float(
        description="For mentors, about how many places higher they would stand in the lists for the newest open goals "
        "if it were told; null where no signal reads it."
    )

    @staticmethod
    def resolve_field(root: Missing, _info: Info) -> str:
        """What."""
        head, *rest = root.demand.field.split("_")
        return head + "".join(map(str.capitalize, rest))

    @staticmethod
    def resolve_message(root: Missing, _info: Info) -> str:
        """What it is good for."""
        return root.demand.why

    @staticmethod
    async def resolve_cost_on_rank(root: Missing, info: Info) -> float | None:
        """How many places it costs."""
        context: RequestContext = info.context
        costs = await context.costs_on_rank.load(root.completeness)
        return costs.get(root.demand.field)


class Completeness(graphene.ObjectType):
    """How much of what a person should tell is told."""

    share = graphene.Float(required=True, description="From 0 to 1.")
    missing = graphene.List(
        graphene.NonNull(MissingField), required=True, description="What is not told, the weightiest first."
    )

    @staticmethod
    def resolve_missing(root: profile.Completeness, _info: Info) -> list[Missing]:
        """What is not told."""
        return [Missing(demand, root) for demand in root.missing]


class ProgrammeLoad(graphene.ObjectType):
    """What a mentor has taken on in one programme."""

    programme = graphene.Field(Programme, description="The programme; null for pairings outside of any.")
    taken = graphene.Float(required=True, description="Places taken; a shared pairing counts by shares.")
    places = graphene.Int(description="Places that they have there; null where their enrolment does not say.")

    @staticmethod
    def resolve_programme(root: KnownProgrammeLoad, info: Info) -> Awaitable[NodeRecord | None] | None:
        """The programme."""
        context: RequestContext = info.context
        return context.nodes.load(root.programme) if root.programme else None


class MentorLoad(graphene.ObjectType):
    """What a mentor has taken on."""

    taken = graphene.Float(
        required=True, description="Places taken over all programmes; a shared pairing counts by shares."
    )
    places = graphene.Float(required=True, description="Places that they have.")
    left = graphene.Float(required=True, description="Places left, below 0 where more were taken than there are.")
    is_near_limit = graphene.Boolean(
        required=True, description="Whether at most one more pairing goes, over all programmes or in one."
    )
    programmes = graphene.List(graphene.NonNull(ProgrammeLoad), required=True, description="The same by programme.")


class Consent(graphene.ObjectType):
    """What a person agrees to."""

    purpose = graphene.Field(ConsentPurpose, required=True, description="What it is about.", resolver=told("purpose"))
    text_version = graphene.String(
        required=True, description="Version of the text that they were shown.", resolver=told("text_version")
    )
    since = graphene.Field(DateTime, required=True, description="Since when.", resolver=told("since"))


class Enrolment(graphene.ObjectType):
    """That a person takes part in a programme."""

    programme = graphene.Field(Programme, description="The programme.", resolver=linked("programme"))
    role = graphene.Field(RoleName, description="As what; null where that is not known.", resolver=told("role"))
    max_mentees = graphene.Int(
        description="How many mentees they take there; null for no limit but that of their role.",
        resolver=told("max_mentees"),
    )
    hours_per_month = graphene.Float(description="Hours a month that they give it.", resolver=told("hours_per_month"))
    since = graphene.Field(DateTime, required=True, description="Since when.", resolver=told("since"))


class OnboardingStep(graphene.ObjectType):
    """Something that people do before they take part."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("OnboardingStep")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    description = graphene.String(description="In more words.", resolver=stored("description"))
    role = graphene.Field(RoleName, description="For whom; null for everybody.", resolver=stored("role"))
    necessity = graphene.Field(
        Necessity, required=True, description="Whether it has to be taken.", resolver=stored("necessity")
    )
    position = graphene.Int(required=True, description="Its place in their order.", resolver=stored("position"))
    since = graphene.Field(DateTime, required=True, description="Since when it is in use.", resolver=stored("since"))
    ended_at = graphene.Field(DateTime, description="Since when it is no more.", resolver=stored("until"))


class StepProgress(graphene.ObjectType):
    """A step of onboarding as a person stands to it."""

    step = graphene.Field(OnboardingStep, required=True, description="The step.")
    done_at = graphene.Field(DateTime, description="When they took it; null where they have not.")

    @staticmethod
    def resolve_step(root: Step, info: Info) -> Awaitable[NodeRecord | None]:
        """The step."""
        context: RequestContext = info.context
        return context.nodes.load(root.record.uid)

    @staticmethod
    def resolve_done_at(root: Step, _info: Info) -> datetime | None:
        """When they took it."""
        return root.done


class Onboarding(graphene.ObjectType):
    """How far a person is before they take part."""

    is_complete = graphene.Boolean(required=True, description="Whether no mandatory step is missing.")
    steps = graphene.List(graphene.NonNull(StepProgress), required=True, description="Their steps, in order.")

    @staticmethod
    def resolve_is_complete(root: Participant, _info: Info) -> bool:
        """Whether no mandatory step is missing."""
        return not any(each.is_missing for each in root.onboarding())

    @staticmethod
    def resolve_steps(root: Participant, _info: Info) -> list[Step]:
        """Their steps."""
        return root.onboarding()


class Completion(graphene.ObjectType):
    """That a person has taken a training."""

    training = graphene.Field(Training, description="The training.", resolver=linked("training"))
    taken_at = graphene.Field(DateTime, required=True, description="When.", resolver=told("since"))
    expires_at = graphene.Field(DateTime, description="Until when it holds; null for ever.", resolver=told("until"))


class Away(graphene.ObjectType):
    """That a person is away."""

    since = graphene.Field(DateTime, required=True, description="Since when.", resolver=told("since"))
    until = graphene.Field(DateTime, required=True, description="From when on they are back.", resolver=told("until"))
    cause = graphene.Field(AbsenceCause, description="Why; null where a calendar says so.", resolver=told("cause"))


class ExpiringTraining(graphene.ObjectType):
    """A training that somebody has to take again."""

    person = graphene.Field(Person, description="Who.")
    training = graphene.Field(Training, description="The training.")
    taken_at = graphene.Field(DateTime, required=True, description="When they took it last.")
    expires_at = graphene.Field(DateTime, required=True, description="Until when that holds, or held.")
    days_left = graphene.Int(required=True, description="Whole days that are left; below 0 where it has expired.")

    @staticmethod
    def resolve_person(root: onboarding.Expiring, info: Info) -> Awaitable[NodeRecord | None]:
        """Who."""
        context: RequestContext = info.context
        return context.nodes.load(root.person)

    @staticmethod
    def resolve_training(root: onboarding.Expiring, info: Info) -> Awaitable[NodeRecord | None]:
        """The training."""
        context: RequestContext = info.context
        return context.nodes.load(root.training)

    @staticmethod
    def resolve_taken_at(root: onboarding.Expiring, _info: Info) -> datetime:
        """When they took it last."""
        return root.taken

    @staticmethod
    def resolve_expires_at(root: onboarding.Expiring, _info: Info) -> datetime:
        """Until when that holds."""
        return root.expires

    @staticmethod
    def resolve_days_left(root: onboarding.Expiring, _info: Info) -> int:
        """Whole days that are left."""
        return root.days


class PeopleQueries(graphene.ObjectType):
    """What can be asked of people's part."""

    expiring_trainings = graphene.List(
        graphene.NonNull(ExpiringTraining),
        required=True,
        description="Who has to take a training again soon, or should have, the most urgent first; for coordinators.",
        within_days=graphene.Int(description=f"Days from now, up to 366; {onboarding.WARN_DAYS} if not given."),
        first=graphene.Int(description=f"At most so many, up to {MOST}; 50 if not given."),
    )

    @staticmethod
    async def resolve_expiring_trainings(
        _root: None, info: Info, within_days: int | None = None, first: int | None = None
    ) -> list[onboarding.Expiring]:
        """Who has to take a training again."""
        context: RequestContext = info.context
        first = 50 if first is None else first
        check_first(first)
        within = onboarding.WARN_DAYS if within_days is None else within_days
        return await onboarding.list_expiring(context.store, context.viewer, within, first=first)
