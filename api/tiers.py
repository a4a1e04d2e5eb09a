"""Tiers and trainings over GraphQL: what a programme asks of its people, and whether somebody meets it."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, connection_type, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.languages import language_argument, named
from mentorgraph.api.mutations import errors_field, payload, source_field, told_source
from mentorgraph.api.types import DateTime, Info, Node, enum_of, is_kind, stored
from mentorgraph.graph.people import admission
from mentorgraph.graph.people.admission import Eligibility
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.rules.tiers import WARN_BEFORE, Ending
from mentorgraph.graph.store.store import NodeRecord

ProgrammeRole = enum_of(
    "ProgrammeRole", {"mentor": "Takes mentees.", "mentee": "Seeks a mentor."}, "The role that a tier is for."
)

TIER = ("name", "role", "rank", "least_days", "least_completed", "least_level", "hours_per_month")
TRAINING = ("name", "description", "minutes", "valid_days", "link", "since", "until")


class Training(graphene.ObjectType):
    """A short training that people take, and may have to take again."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Training")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    description = graphene.String(description="What it is about.", resolver=stored("description"))
    minutes = graphene.Int(description="How long it takes.", resolver=stored("minutes"))
    valid_days = graphene.Int(
        description="Days after which it is to be taken again; null where it does not expire.",
        resolver=stored("valid_days"),
    )
    link = graphene.String(description="Where it is.", resolver=stored("link"))
    since = graphene.Field(DateTime, required=True, description="Since when it is offered.", resolver=stored("since"))
    until = graphene.Field(DateTime, description="Since when it is offered no longer.", resolver=stored("until"))


TrainingConnection = connection_type("Training", Training, "a training", "trainings")


class Tier(graphene.ObjectType):
    """A level at which people take part in a programme, and what it asks of them. A revised tier is another one."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Tier")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    role = graphene.Field(ProgrammeRole, required=True, description="Whom it is for.", resolver=stored("role"))
    rank = graphene.Int(required=True, description="Its place among those of its role.", resolver=stored("rank"))
    least_days = graphene.Int(
        description="Days since somebody joined the organisation, at least.", resolver=stored("least_days")
    )
    least_completed = graphene.Int(
        description="Pairings completed in the role, at least.", resolver=stored("least_completed")
    )
    least_level = graphene.Int(
        description="Level of the best skill that somebody offers, at least.", resolver=stored("least_level")
    )
    hours_per_month = graphene.Float(description="Hours that it commits to.", resolver=stored("hours_per_month"))
    trainings = graphene.Field(
        TrainingConnection,
        required=True,
        description="Trainings that are to be taken and valid.",
        **paging_arguments(),
    )
    since = graphene.Field(DateTime, required=True, description="Since when it holds.", resolver=stored("since"))
    until = graphene.Field(DateTime, description="Since when it holds no longer.", resolver=stored("until"))

    @staticmethod
    async def resolve_trainings(root: NodeRecord, info: Info, **paging: Any) -> Connection:
        """The trainings that it asks for."""
        context: RequestContext = info.context
        return listed("Training", await context.demands.load(root.uid), context.nodes.load, paging)


TierConnection = connection_type("Tier", Tier, "a tier", "tiers")


class UnmetRequirement(graphene.ObjectType):
    """Something that keeps a person from a tier."""

    rule = graphene.String(
        required=True,
        description="For programs: LEFT, TOO_NEW, TOO_FEW_COMPLETED, LEVEL_TOO_LOW, TRAINING_MISSING, TRAINING_EXPIRED "
        "or TOO_FEW_HOURS.",
    )
    fact = graphene.String(required=True, description="What is the case.", language=language_argument())
    remedy = graphene.String(
        description="What would change it; null where nothing would.", language=language_argument()
    )

    @staticmethod
    def resolve_fact(root: Refusal, _info: Info, language: Any = None) -> str:
        """What is the case."""
        return root.fact_in(named(language))

    @staticmethod
    def resolve_remedy(root: Refusal, _info: Info, language: Any = None) -> str | None:
        """What would change it."""
        return root.remedy_in(named(language)) or None


class TierWarning(graphene.ObjectType):
    """That somebody will lose a tier unless they take trainings again."""

    tier = graphene.Field(Tier, description="The tier.")
    held_until = graphene.Field(DateTime, required=True, description="Since when they will not hold it any more.")
    trainings = graphene.Field(
        TrainingConnection,
        required=True,
        description="What they have to take again, the most urgent first.",
        **paging_arguments(),
    )
    message = graphene.String(required=True, description="What to do by when.")

    @staticmethod
    def resolve_tier(root: Ending, info: Info) -> Awaitable[NodeRecord | None]:
        """The tier."""
        context: RequestContext = info.context
        return context.nodes.load(root.tier.uid)

    @staticmethod
    def resolve_held_until(root: Ending, _info: Info) -> datetime:
        """Since when they will not hold it."""
        return root.until

    @staticmethod
    def resolve_trainings(root: Ending, info: Info, **paging: Any) -> Connection:
        """What they have to take again."""
        context: RequestContext = info.context
        return listed("Training", [each.uid for each in root.refreshers], context.nodes.load, paging)


class TierEligibility(graphene.ObjectType):
    """Whether a person may stand in a tier."""

    tier = graphene.Field(Tier, description="The tier.")
    is_eligible = graphene.Boolean(required=True, description="Whether nothing keeps them from it.")
    unmet = graphene.List(graphene.NonNull(UnmetRequirement), required=True, description="What keeps them from it.")
    warning = graphene.Field(
        TierWarning,
        description=f"That they will lose it, from {WARN_BEFORE.days} days before; null where that is not known.",
    )

    @staticmethod
    def resolve_warning(root: Eligibility, _info: Info) -> Ending | None:
        """That they will lose it."""
        return root.ending

    @staticmethod
    def resolve_tier(root: Eligibility, info: Info) -> Awaitable[NodeRecord | None]:
        """The tier."""
        context: RequestContext = info.context
        return context.nodes.load(root.tier.uid)

    @staticmethod
    def resolve_is_eligible(root: Eligibility, _info: Info) -> bool:
        """Whether nothing keeps them from it."""
        return not root.unmet


class TierQueries:
    """What can be asked of tiers."""

    eligibility = graphene.List(
        graphene.NonNull(TierEligibility),
        required=True,
        description="For each tier of a role that holds now, the lowest first, whether a person may stand in it; "
        "for themselves and coordinators.",
        person_id=graphene.ID(required=True, description="The person."),
        programme_id=graphene.ID(required=True, description="The programme."),
        role=ProgrammeRole(required=True, description="The role."),
    )

    @staticmethod
    async def resolve_eligibility(
        _root: None, info: Info, person_id: str, programme_id: str, role: Any
    ) -> list[Eligibility]:
        """Whether a person may stand in the tiers of a programme."""
        context: RequestContext = info.context
        return await admission.eligibility(
            context.store,
            context.viewer,
            read_global_id(person_id, expected="Person", field="personId")[1],
            read_global_id(programme_id, expected="Programme", field="programmeId")[1],
            getattr(role, "value", role),
        )


def _tier_id() -> graphene.ID:
    return graphene.ID(required=True, description="The tier.")


def _trainings(description: str) -> graphene.List:
    return graphene.List(graphene.NonNull(graphene.ID), description=description)


def _since() -> graphene.InputField:
    return graphene.InputField(DateTime, description="From when on; now if not given.")


def _until() -> graphene.InputField:
    return graphene.InputField(DateTime, description="The first instant at which it does not hold; now if not given.")


class SetTierInput(graphene.InputObjectType):
    """A tier of a programme."""

    programme_id = graphene.ID(required=True, description="The programme.")
    name = graphene.String(required=True, description="Its name.")
    role = graphene.InputField(ProgrammeRole, required=True, description="Whom it is for.")
    rank = graphene.Int(required=True, description="Its place among those of its role, 1 for the lowest, to 9.")
    least_days = graphene.Int(description="Days since somebody joined the organisation, at least.")
    least_completed = graphene.Int(description="Pairings completed in the role, at least.")
    least_level = graphene.Int(description="Level of the best skill that somebody offers, 1 to 5, at least.")
    hours_per_month = graphene.Float(description="Hours that it commits to.")
    training_ids = _trainings("Trainings that are to be taken and valid.")
    since = _since()
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class ReviseTierInput(graphene.InputObjectType):
    """What a tier is to ask for from now on; what is left out stays, and null takes it away."""

    tier_id = _tier_id()
    name = graphene.String(description="Its name.")
    rank = graphene.Int(description="Its place among those of its role, 1 for the lowest, to 9.")
    least_days = graphene.Int(description="Days since somebody joined the organisation, at least.")
    least_completed = graphene.Int(description="Pairings completed in the role, at least.")
    least_level = graphene.Int(description="Level of the best skill that somebody offers, 1 to 5, at least.")
    hours_per_month = graphene.Float(description="Hours that it commits to.")
    training_ids = _trainings("All trainings that are to be taken and valid.")
    since = _since()
    source = graphene.String(description="Where this is known from; `api` if none is given.")


class EndTierInput(graphene.InputObjectType):
    """A tier that is to end."""

    tier_id = _tier_id()
    until = _until()


class DefineTrainingInput(graphene.InputObjectType):
    """A training that people can take."""

    name = graphene.String(required=True, description="Its name.")
    description = graphene.String(description="What it is about.")
    minutes = graphene.Int(description="How long it takes.")
    valid_days = graphene.Int(description="Days after which it is to be taken again; none if it does not expire.")
    link = graphene.String(description="Where it is, as https://example.org/listening.")
    since = _since()
    until = graphene.InputField(DateTime, description="Since when it is offered no longer.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class EndTrainingInput(graphene.InputObjectType):
    """A training that is to end."""

    training_id = graphene.ID(required=True, description="The training.")
    until = _until()


class SetTierPayload(graphene.ObjectType):
    """The tier that was set."""

    tier = graphene.Field(Tier, description="The tier.")
    user_errors = errors_field()


class ReviseTierPayload(graphene.ObjectType):
    """The tier that holds from then on."""

    tier = graphene.Field(Tier, description="The tier, which has an id of its own.")
    user_errors = errors_field()


class EndTierPayload(graphene.ObjectType):
    """The tier that was ended."""

    tier = graphene.Field(Tier, description="The tier.")
    user_errors = errors_field()


class DefineTrainingPayload(graphene.ObjectType):
    """The training that was defined."""

    training = graphene.Field(Training, description="The training.")
    user_errors = errors_field()


class EndTrainingPayload(graphene.ObjectType):
    """The training that was ended."""

    training = graphene.Field(Training, description="The training.")
    user_errors = errors_field()


class TierMutations:
    """What can be told of tiers and trainings; coordinators only."""

    set_tier = graphene.Field(
        SetTierPayload,
        description="Sets a tier of a programme; for coordinators.",
        input=SetTierInput(required=True, description="The tier."),
    )
    revise_tier = graphene.Field(
        ReviseTierPayload,
        description="Ends a tier and begins another one in its place; for coordinators.",
        input=ReviseTierInput(required=True, description="What is to be otherwise."),
    )
    end_tier = graphene.Field(
        EndTierPayload,
        description="Ends a tier; for coordinators.",
        input=EndTierInput(required=True, description="The tier."),
    )
    define_training = graphene.Field(
        DefineTrainingPayload,
        description="Defines a training; for coordinators.",
        input=DefineTrainingInput(required=True, description="The training."),
    )
    end_training = graphene.Field(
        EndTrainingPayload,
        description="Ends a training, which no tier asks for from then on; for coordinators.",
        input=EndTrainingInput(required=True, description="The training."),
    )

    @staticmethod
    async def resolve_set_tier(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Sets a tier."""
        context: RequestContext = info.context

        async def work() -> str:
            return await admission.set_tier(
                context.store,
                context.viewer,
                read_global_id(input["programme_id"], expected="Programme", field="programmeId")[1],
                plain_values(input, TIER),
                _training_ids(input) or [],
                since=input.get("since"),
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await told(context, "tier", work)

    @staticmethod
    async def resolve_revise_tier(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Revises a tier."""
        context: RequestContext = info.context

        async def work() -> str:
            return await admission.revise_tier(
                context.store,
                context.viewer,
                read_global_id(input["tier_id"], expected="Tier", field="tierId")[1],
                plain_values(input, TIER),
                _training_ids(input),
                since=input.get("since"),
                source=told_source(input),
            )

        return await told(context, "tier", work)

    @staticmethod
    async def resolve_end_tier(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Ends a tier."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = read_global_id(input["tier_id"], expected="Tier", field="tierId")[1]
            await admission.end_tier(context.store, context.viewer, uid, until=input.get("until"))
            return uid

        return await told(context, "tier", work)

    @staticmethod
    async def resolve_define_training(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Defines a training."""
        context: RequestContext = info.context

        async def work() -> str:
            return await admission.define_training(
                context.store,
                context.viewer,
                plain_values(input, TRAINING),
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await told(context, "training", work)

    @staticmethod
    async def resolve_end_training(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Ends a training."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = read_global_id(input["training_id"], expected="Training", field="trainingId")[1]
            await admission.end_training(context.store, context.viewer, uid, until=input.get("until"))
            return uid

        return await told(context, "training", work)


def plain_values(given: dict[str, Any], names: tuple[str, ...]) -> dict[str, object]:
    """The fields of an input that were given, as the domain knows them; null stays None."""
    return {name: getattr(given[name], "value", given[name]) for name in names if name in given}


async def told(context: RequestContext, name: str, work: Any) -> dict[str, object]:
    """The payload of what changes a programme, which the rest of the request sees as it is then."""
    answer = await payload(context, name, work)
    context.forget_programmes()
    return answer


def _training_ids(given: dict[str, Any]) -> list[str] | None:
    ids = given.get("training_ids")
    if ids is None:
        return None
    return [
        read_global_id(each, expected="Training", field=f"trainingIds.{place}")[1] for place, each in enumerate(ids)
    ]
