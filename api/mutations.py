"""What can be told over GraphQL: one input and one payload with `userErrors` for each mutation."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.types import ConsentPurpose, DateTime, Goal, Info, Person, RoleName
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import InvalidFact, Problem
from mentorgraph.graph.pairings import away
from mentorgraph.graph.people import recording
from mentorgraph.graph.store.database import DatabaseUnavailable

SHOWN_CODES = frozenset(
    {
        "BAD_USER_INPUT",
        "NOT_FOUND",
        "FORBIDDEN",
        "CONFLICT",
        "CONSENT_REQUIRED",
        "FORBIDDEN_MOVE",
        "REASON_REQUIRED",
        "NOT_ALLOWED",
        "NO_CAPACITY",
        "NOT_SIGNED",
        "EXPIRED",
        "ARCHIVED",
        "IN_USE",
        "NOT_ONBOARDED",
        "BAD_POLICY",
    }
)
"""Codes of refusals that are the caller's to mend; anything else fails the field."""


class UserError(graphene.ObjectType):
    """Why something was not recorded."""

    message = graphene.String(required=True, description="What is wrong and what to do about it.")
    field = graphene.List(graphene.NonNull(graphene.String), description="Path of the input field that it is about.")
    code = graphene.String(required=True, description="What programs switch on.")


def errors_field() -> graphene.List:
    """The field of a payload that says why something was not recorded."""
    return graphene.List(
        graphene.NonNull(UserError), required=True, description="Why it was not recorded; none if it was."
    )


def source_field() -> graphene.String:
    """The field of an input that says where something is known from."""
    return graphene.String(description="The system that externalId belongs to; `api` if none is given.")


class SkillLevelInput(graphene.InputObjectType):
    """A skill and how well it is, or is to be, known."""

    skill_id = graphene.ID(required=True, description="The skill.")
    level = graphene.Int(description="Proficiency, 1 to 5.")


class RegisterPersonInput(graphene.InputObjectType):
    """A person who joins."""

    name = graphene.String(required=True, description="Their name.")
    roles = graphene.List(graphene.NonNull(RoleName), required=True, description="What they do here.")
    joined_at = graphene.InputField(DateTime, description="When they joined; now if not given.")
    zone = graphene.String(description="Their IANA time zone, such as Europe/Lisbon.")
    offers = graphene.List(graphene.NonNull(SkillLevelInput), description="Skills they can teach.")
    wants = graphene.List(graphene.NonNull(SkillLevelInput), description="Skills they want to learn.")
    consents = graphene.List(graphene.NonNull(ConsentPurpose), description="What they agree to.")
    consent_text_version = graphene.String(description="Version of the text that they agreed to.")
    external_id = graphene.String(description="Their key in another system; telling the same again changes nothing.")
    source = source_field()


class RegisterPersonPayload(graphene.ObjectType):
    """Who was registered."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class CreateGoalInput(graphene.InputObjectType):
    """A goal of a person."""

    person_id = graphene.ID(required=True, description="Whose goal it is.")
    title = graphene.String(required=True, description="In one line.")
    description = graphene.String(description="In more words.")
    needs = graphene.List(graphene.NonNull(SkillLevelInput), description="Skills that it needs.")
    unit_id = graphene.ID(description="The organisation unit that it belongs to.")
    created_at = graphene.InputField(DateTime, description="When it was set; now if not given.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class CreateGoalPayload(graphene.ObjectType):
    """The goal that was created."""

    goal = graphene.Field(Goal, description="The goal.")
    user_errors = errors_field()


class AvailabilityWindowInput(graphene.InputObjectType):
    """A weekly window in local time."""

    weekday = graphene.Int(required=True, description="1 for Monday to 7 for Sunday.")
    start = graphene.String(required=True, description="Local time such as 09:00, in steps of five minutes.")
    end = graphene.String(required=True, description="Local time, up to 24:00.")


class SetAvailabilityInput(graphene.InputObjectType):
    """When a person is free, in place of what was known."""

    person_id = graphene.ID(required=True, description="The person.")
    zone = graphene.String(required=True, description="IANA time zone of the windows.")
    windows = graphene.List(
        graphene.NonNull(AvailabilityWindowInput), required=True, description="Weekly windows; none for no time at all."
    )
    since = graphene.InputField(DateTime, description="From when on; now if not given.")
    source = source_field()


class SetAvailabilityPayload(graphene.ObjectType):
    """Whose availability was set."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class RecordConsentInput(graphene.InputObjectType):
    """What a person agrees to, or does so no longer."""

    person_id = graphene.ID(required=True, description="The person.")
    purpose = graphene.InputField(ConsentPurpose, required=True, description="What it is about.")
    granted = graphene.Boolean(required=True, description="Whether they agree.")
    text_version = graphene.String(required=True, description="Version of the text that they were shown.")
    since = graphene.InputField(DateTime, description="From when on; now if not given.")
    source = source_field()


class RecordConsentPayload(graphene.ObjectType):
    """Whose consent was recorded."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class Mutation(graphene.ObjectType):
    """What can be told."""

    register_person = graphene.Field(
        RegisterPersonPayload,
        description="Registers a person with their roles, skills and consents.",
        input=RegisterPersonInput(required=True, description="The person."),
    )
    create_goal = graphene.Field(
        CreateGoalPayload,
        description="Sets a goal for a person.",
        input=CreateGoalInput(required=True, description="The goal."),
    )
    set_availability = graphene.Field(
        SetAvailabilityPayload,
        description="Says when a person is free.",
        input=SetAvailabilityInput(required=True, description="Person and windows."),
    )
    record_consent = graphene.Field(
        RecordConsentPayload,
        description="Records what a person agrees to.",
        input=RecordConsentInput(required=True, description="Person and purpose."),
    )

    @staticmethod
    async def resolve_register_person(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Registers a person."""
        context: RequestContext = info.context

        async def work() -> str:
            return await recording.register_person(
                context.store,
                context.viewer,
                {
                    "name": input["name"],
                    "roles": "|".join(names_of(input["roles"])),
                    "joined_on": input.get("joined_at"),
                    "zone": input.get("zone"),
                },
                offers=_skills(input.get("offers"), "offers"),
                wants=_skills(input.get("wants"), "wants"),
                consents=names_of(input.get("consents") or []),
                text_version=input.get("consent_text_version") or "",
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await payload(context, "person", work, {"text_version": "consent_text_version"})

    @staticmethod
    async def resolve_create_goal(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Creates a goal."""
        context: RequestContext = info.context

        async def work() -> str:
            unit = input.get("unit_id")
            return await recording.create_goal(
                context.store,
                context.viewer,
                {
                    "person_id": person_of(input),
                    "title": input["title"],
                    "description": input.get("description"),
                    "unit_id": read_global_id(unit, expected="OrganisationUnit", field="unitId")[1]
                    if unit is not None
                    else None,
                    "created_on": input.get("created_at"),
                },
                needs=_skills(input.get("needs"), "needs"),
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await payload(context, "goal", work)

    @staticmethod
    async def resolve_set_availability(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Sets availability."""
        context: RequestContext = info.context

        async def work() -> str:
            person = person_of(input)
            await recording.set_availability(
                context.store,
                context.viewer,
                person,
                [{**window, "zone": input["zone"]} for window in input["windows"]],
                source=told_source(input),
                since=input.get("since"),
            )
            return person

        return await payload(context, "person", work, {"zone": "zone", "source": "source"})

    @staticmethod
    async def resolve_record_consent(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Records consent."""
        context: RequestContext = info.context

        async def work() -> str:
            person = person_of(input)
            [purpose] = names_of([input["purpose"]])
            await recording.record_consent(
                context.store,
                context.viewer,
                person,
                purpose,
                input["granted"],
                input["text_version"],
                source=told_source(input),
                since=input.get("since"),
            )
            return person

        return await payload(context, "person", work)


async def payload(
    context: RequestContext,
    name: str,
    work: Callable[[], Awaitable[str]],
    elsewhere: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Does the work and returns the node that it names, or says why it was not done.

    Args:
        context: The request.
        name: The field of the payload.
        work: Records something and returns the uid of the node to show.
        elsewhere: Columns that stand at another place in the input than in the bundle.
    """
    found = await answered(context, name, work, elsewhere)
    if isinstance(uid := found[name], str):
        # Another mutation of the same request may have shown what it was before.
        context.nodes.clear(uid)
        context.moves.clear(uid)
        context.courses.clear(uid)
        context.notes.clear(uid)
        context.sessions.clear_all()
        found[name] = await context.nodes.load(uid)
    return found


async def answered(
    context: RequestContext,
    name: str,
    work: Callable[[], Awaitable[object]],
    elsewhere: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """As `payload`, for work that returns itself what is to be shown."""
    try:
        value = await work()
    except InvalidFact as error:
        return {name: None, "user_errors": [_error(each, elsewhere or {}) for each in error.problems]}
    except DomainError as error:
        if error.code not in SHOWN_CODES:
            raise
        message = {"message": error.message, "field": _field(error.field or ""), "code": error.code}
        return {name: None, "user_errors": [message]}
    with suppress(DatabaseUnavailable):  # what was told is told, and the next thing that they tell is a sign, too
        await away.sign_of_life(context.store, context.viewer)
    context.participants.clear_all()
    context.loads.clear_all()
    context.endings.clear_all()
    return {name: value, "user_errors": []}


INPUT_FIELDS = {"joined_on": "joinedAt", "created_on": "createdAt", "left_on": "leftAt", "id": "externalId"}
"""Column of the bundle → the input field that it stands for, where the names differ."""


def _error(problem: Problem, elsewhere: Mapping[str, str]) -> dict[str, object]:
    """What is wrong with a value, under the name that the caller knows its field by."""
    column = elsewhere.get(problem.column.rpartition(".")[2], problem.column)
    field = _field(column)
    message = str(replace(problem, column=".".join(field[1:])))
    return {"message": message, "field": field, "code": "BAD_USER_INPUT"}


def _field(column: str) -> list[str]:
    """The path of the input field that a column of the bundle, with its place in a list, stands for."""
    return ["input", *(INPUT_FIELDS.get(part) or _camel(part) for part in column.split(".") if part)]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def person_of(given: Mapping[str, Any]) -> str:
    """The uid of the person that an input names."""
    return read_global_id(given["person_id"], expected="Person", field="personId")[1]


def told_source(given: Mapping[str, Any]) -> str:
    """Where an input says that it is known from."""
    return (given.get("source") or "").strip() or recording.SOURCE


def _skills(given: list[Mapping[str, Any]] | None, field: str) -> list[dict[str, object]]:
    return [
        {
            "skill_id": read_global_id(each["skill_id"], expected="Skill", field=f"{field}.{place}.skillId")[1],
            "level": each.get("level"),
        }
        for place, each in enumerate(given or [])
    ]


def names_of(members: list[Any]) -> list[str]:
    """What the domain calls enum members; graphene hands over members or their values."""
    return [getattr(member, "value", member) for member in members]
