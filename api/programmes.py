"""Programmes over GraphQL: their charter in all its versions, and how they are begun, copied and ended."""

from datetime import datetime
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, connection_type, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, source_field, told_source
from mentorgraph.api.tiers import ProgrammeRole, TierConnection, plain_values, told
from mentorgraph.api.types import DateTime, Info, Node, Person, enum_of, is_kind, stored
from mentorgraph.graph.clock import present
from mentorgraph.graph.facts.label import SUCCESS_THRESHOLD, Weights
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.people import programmes
from mentorgraph.graph.store.programme_reads import Configuration
from mentorgraph.graph.store.store import NodeRecord

ProgrammeFormat = enum_of(
    "ProgrammeFormat",
    {
        "micro": "Short sessions about one goal.",
        "peer": "Equals who coach each other.",
        "cohort": "A group that learns together.",
        "long_term": "A longer way with milestones.",
        "reverse": "The younger teach the older.",
        "sponsor": "Leaders who speak up for somebody.",
    },
    "How people work together in a programme.",
)

PROGRAMME = ("name", "format", "since", "until", "check_in_days")
CHARTER = (
    "why",
    "for_whom",
    "how_measured",
    "skill_weight",
    "confidence_weight",
    "delivery_weight",
    "success_threshold",
    "survey_days",
    "stall_days",
)
_MISSING_WEIGHT = "one that is missing counts 0, and all three count alike where none is given."


def _of_charter(name: str) -> Any:
    def resolve(root: Record, _info: Info) -> Any:
        return root.properties.get(name)

    return resolve


class Charter(graphene.ObjectType):
    """A version of what a programme is for, and how it is measured."""

    why = graphene.String(required=True, description="Why there is the programme.", resolver=_of_charter("why"))
    for_whom = graphene.String(required=True, description="For whom it is.", resolver=_of_charter("for_whom"))
    how_measured = graphene.String(
        required=True, description="How it is measured.", resolver=_of_charter("how_measured")
    )
    skill_weight = graphene.Float(
        description=f"Weight of skill in the outcome of a pairing; {_MISSING_WEIGHT}",
        resolver=_of_charter("skill_weight"),
    )
    confidence_weight = graphene.Float(
        description=f"Weight of confidence; {_MISSING_WEIGHT}", resolver=_of_charter("confidence_weight")
    )
    delivery_weight = graphene.Float(
        description=f"Weight of what was delivered; {_MISSING_WEIGHT}", resolver=_of_charter("delivery_weight")
    )
    success_threshold = graphene.Float(
        required=True, description="Outcome, 0 to 1, from which on a pairing is a success."
    )
    survey_days = graphene.Int(description="Days between two surveys.", resolver=_of_charter("survey_days"))
    stall_days = graphene.Int(
        description="Days without a session after which a pairing has stalled.", resolver=_of_charter("stall_days")
    )
    owner_name = graphene.String(description="Name of who answers for the programme.")
    owner = graphene.Field(Person, description="Who answers for the programme; null for whom you may not see it of.")
    since = graphene.Field(DateTime, required=True, description="Since when it holds.", resolver=_of_charter("since"))
    until = graphene.Field(DateTime, description="Since when it holds no longer.", resolver=_of_charter("until"))

    @staticmethod
    def resolve_success_threshold(root: Record, _info: Info) -> float:
        """From which outcome on a pairing is a success."""
        return Weights.of(root.properties).success_threshold

    @staticmethod
    async def resolve_owner_name(root: Record, info: Info) -> object:
        """Name of who answers for it."""
        context: RequestContext = info.context
        owner = await context.nodes.load(root.links["owner"]) if "owner" in root.links else None
        return owner.properties["name"] if owner is not None else None

    @staticmethod
    async def resolve_owner(root: Record, info: Info) -> NodeRecord | None:
        """Who answers for it."""
        context: RequestContext = info.context
        return await context.visible(root.links["owner"]) if "owner" in root.links else None


class Priority(graphene.ObjectType):
    """A strategic aim of the organisation that goals serve."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Priority")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    description = graphene.String(description="What it is about.", resolver=stored("description"))
    since = graphene.Field(DateTime, description="When it began.", resolver=stored("since"))
    until = graphene.Field(DateTime, description="When it ended.", resolver=stored("until"))


class Programme(graphene.ObjectType):
    """A frame in which people are paired, with a charter, tiers and an end."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    is_type_of = is_kind("Programme")
    name = graphene.String(required=True, description="Its name.", resolver=stored("name"))
    format = graphene.Field(ProgrammeFormat, description="How people work together.", resolver=stored("format"))
    check_in_days = graphene.Int(
        description="Days within which its pairs are to meet again, where a pairing does not say otherwise.",
        resolver=stored("check_in_days"),
    )
    since = graphene.Field(DateTime, required=True, description="When it begins.", resolver=stored("since"))
    until = graphene.Field(DateTime, description="When it ends, or ended.", resolver=stored("until"))
    is_archived = graphene.Boolean(required=True, description="Whether it has ended, and takes nothing new.")
    config_hash = graphene.String(
        required=True,
        description="Hash of how it is laid down: equal for programmes that differ in name, dates and people only.",
    )
    charter = graphene.Field(
        Charter,
        description="The version of its charter that holds, or held last where the programme has ended.",
        at=graphene.Argument(DateTime, description="As of an instant; null where no version held then."),
    )
    charters = graphene.List(
        graphene.NonNull(Charter), required=True, description="All versions of its charter, in their order."
    )
    tiers = graphene.Field(
        TierConnection,
        required=True,
        description="Its tiers by role and rank.",
        role=ProgrammeRole(description="Of one role; of both if none is given."),
        with_ended=graphene.Boolean(default_value=False, description="Also those that hold no longer."),
        **paging_arguments(),
    )

    @staticmethod
    async def resolve_is_archived(root: NodeRecord, info: Info) -> bool:
        """Whether it has ended."""
        return (await _configuration(root, info)).ended(present()) is not None

    @staticmethod
    async def resolve_config_hash(root: NodeRecord, info: Info) -> str:
        """Hash of how it is laid down."""
        return programmes.config_hash(await _configuration(root, info), present())

    @staticmethod
    async def resolve_charter(root: NodeRecord, info: Info, at: datetime | None = None) -> Record | None:
        """A version of its charter."""
        configuration = await _configuration(root, info)
        return configuration.latest_charter(present()) if at is None else configuration.charter_at(at)

    @staticmethod
    async def resolve_charters(root: NodeRecord, info: Info) -> list[Record]:
        """All versions of its charter."""
        return list((await _configuration(root, info)).charters)

    @staticmethod
    async def resolve_tiers(
        root: NodeRecord, info: Info, role: Any = None, with_ended: bool | None = False, **paging: Any
    ) -> Connection:
        """Its tiers."""
        context: RequestContext = info.context
        wanted, now = getattr(role, "value", role), present()
        tiers = [
            each.uid
            for each in (await _configuration(root, info)).tiers
            if wanted in (None, each.properties["role"])
            and (with_ended or "until" not in each.properties or each.properties["until"] > now)  # type: ignore[operator]
        ]
        return listed("Tier", tiers, context.nodes.load, paging)


async def _configuration(root: NodeRecord, info: Info) -> Configuration:
    context: RequestContext = info.context
    found = await context.programmes.load(root.uid)
    assert found is not None  # noqa: S101 - its node was read
    return found


ProgrammeConnection = connection_type("Programme", Programme, "a programme", "programmes")


class ProgrammeQueries:
    """What can be asked of programmes by themselves."""

    programme = graphene.Field(
        Programme, description="A programme by id.", id=graphene.ID(required=True, description="Its global id.")
    )

    @staticmethod
    async def resolve_programme(_root: None, info: Info, id: str) -> NodeRecord | None:
        """A programme by id."""
        context: RequestContext = info.context
        node = await context.nodes.load(read_global_id(id, expected="Programme")[1])
        return node if node is not None and node.kind == "Programme" else None


def _weight(of: str) -> graphene.Float:
    return graphene.Float(description=f"Weight of {of}, 0 to 1; {_MISSING_WEIGHT}")


class CharterInput(graphene.InputObjectType):
    """What a programme is for, and how it is measured."""

    why = graphene.String(required=True, description="Why there is the programme.")
    for_whom = graphene.String(required=True, description="For whom it is.")
    how_measured = graphene.String(required=True, description="How it is measured.")
    owner_id = graphene.ID(description="Who answers for the programme.")
    skill_weight = _weight("skill in the outcome of a pairing")
    confidence_weight = _weight("confidence")
    delivery_weight = _weight("what was delivered")
    success_threshold = graphene.Float(
        description=f"Outcome, 0 to 1, from which on a pairing is a success; {SUCCESS_THRESHOLD} if not given."
    )
    survey_days = graphene.Int(description="Days between two surveys.")
    stall_days = graphene.Int(description="Days without a session after which a pairing has stalled.")


class CreateProgrammeInput(graphene.InputObjectType):
    """A programme and its first charter."""

    name = graphene.String(required=True, description="Its name.")
    format = graphene.InputField(ProgrammeFormat, description="How people work together.")
    since = graphene.InputField(DateTime, description="When it begins; now if not given.")
    until = graphene.InputField(DateTime, description="When it ends.")
    check_in_days = graphene.Int(description="Days within which its pairs are to meet again.")
    charter = graphene.InputField(
        CharterInput, required=True, description="Its first charter, which holds from then on."
    )
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class ReviseCharterInput(graphene.InputObjectType):
    """What a charter is to say otherwise; what is left out stays, and null takes it away."""

    programme_id = graphene.ID(required=True, description="The programme.")
    why = graphene.String(description="Why there is the programme.")
    for_whom = graphene.String(description="For whom it is.")
    how_measured = graphene.String(description="How it is measured.")
    owner_id = graphene.ID(description="Who answers for the programme.")
    skill_weight = _weight("skill in the outcome of a pairing")
    confidence_weight = _weight("confidence")
    delivery_weight = _weight("what was delivered")
    success_threshold = graphene.Float(description="Outcome, 0 to 1, from which on a pairing is a success.")
    survey_days = graphene.Int(description="Days between two surveys.")
    stall_days = graphene.Int(description="Days without a session after which a pairing has stalled.")
    since = graphene.InputField(DateTime, description="When the new version begins; now if not given.")
    source = graphene.String(description="Where this is known from; `api` if none is given.")


class CloneProgrammeInput(graphene.InputObjectType):
    """A new programme that is laid down like another one."""

    programme_id = graphene.ID(required=True, description="The other one, which may be archived.")
    name = graphene.String(required=True, description="Name of the new one.")
    since = graphene.InputField(DateTime, description="When it begins; now if not given.")
    until = graphene.InputField(DateTime, description="When it ends.")
    owner_id = graphene.ID(description="Who answers for the new one; nobody is taken over.")
    external_id = graphene.String(
        description="Key of the new one in another system; telling the same again changes nothing."
    )
    source = source_field()


class ArchiveProgrammeInput(graphene.InputObjectType):
    """A programme that is to end."""

    programme_id = graphene.ID(required=True, description="The programme.")


class CreateProgrammePayload(graphene.ObjectType):
    """The programme that was created."""

    programme = graphene.Field(Programme, description="The programme.")
    user_errors = errors_field()


class ReviseCharterPayload(graphene.ObjectType):
    """The programme whose charter was revised."""

    programme = graphene.Field(Programme, description="The programme.")
    user_errors = errors_field()


class CloneProgrammePayload(graphene.ObjectType):
    """The programme that was made like another one."""

    programme = graphene.Field(Programme, description="The new programme.")
    user_errors = errors_field()


class ArchiveProgrammePayload(graphene.ObjectType):
    """The programme that was ended."""

    programme = graphene.Field(Programme, description="The programme, which stays readable.")
    user_errors = errors_field()


class ProgrammeMutations:
    """What can be told of programmes; coordinators only."""

    create_programme = graphene.Field(
        CreateProgrammePayload,
        description="Creates a programme with its first charter; for coordinators.",
        input=CreateProgrammeInput(required=True, description="The programme."),
    )
    revise_charter = graphene.Field(
        ReviseCharterPayload,
        description="Ends the version of a charter that holds and begins another one; for coordinators.",
        input=ReviseCharterInput(required=True, description="What is to be otherwise."),
    )
    clone_programme = graphene.Field(
        CloneProgrammePayload,
        description="Creates a programme with the charter, tiers, trainings and onboarding of another one, and nobody "
        "in it; for coordinators.",
        input=CloneProgrammeInput(required=True, description="The other one, and what is new."),
    )
    archive_programme = graphene.Field(
        ArchiveProgrammePayload,
        description="Ends a programme with its charter, tiers, onboarding and memberships, once no pairing and no "
        "request of it is open; for coordinators.",
        input=ArchiveProgrammeInput(required=True, description="The programme."),
    )

    @staticmethod
    async def resolve_create_programme(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Creates a programme."""
        context: RequestContext = info.context

        async def work() -> str:
            charter = input["charter"]
            return await programmes.create_programme(
                context.store,
                context.viewer,
                plain_values(input, PROGRAMME),
                {**plain_values(charter, CHARTER), "owner_id": _owner(charter, "charter.ownerId")},
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await told(context, "programme", work)

    @staticmethod
    async def resolve_revise_charter(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Revises a charter."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = _programme(input)
            changes = plain_values(input, CHARTER)
            if "owner_id" in input:
                changes["owner_id"] = _owner(input, "ownerId")
            await programmes.revise_charter(
                context.store, context.viewer, uid, changes, since=input.get("since"), source=told_source(input)
            )
            return uid

        return await told(context, "programme", work)

    @staticmethod
    async def resolve_clone_programme(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Clones a programme."""
        context: RequestContext = info.context

        async def work() -> str:
            return await programmes.clone_programme(
                context.store,
                context.viewer,
                _programme(input),
                plain_values(input, ("name", "since", "until")),
                owner=_owner(input, "ownerId"),
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await told(context, "programme", work)

    @staticmethod
    async def resolve_archive_programme(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Archives a programme."""
        context: RequestContext = info.context

        async def work() -> str:
            uid = _programme(input)
            await programmes.archive_programme(context.store, context.viewer, uid)
            return uid

        return await told(context, "programme", work)


def _programme(given: dict[str, Any]) -> str:
    return read_global_id(given["programme_id"], expected="Programme", field="programmeId")[1]


def _owner(given: dict[str, Any], field: str) -> str | None:
    owner = given.get("owner_id")
    return read_global_id(owner, expected="Person", field=field)[1] if owner is not None else None
