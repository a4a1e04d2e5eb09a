"""Taking part over GraphQL: profiles, enrolments, steps of onboarding and trainings, as they are told."""

from collections.abc import Mapping
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, names_of, payload, person_of, source_field, told_source
from mentorgraph.api.people import Channel, Necessity, OnboardingStep, Pace
from mentorgraph.api.types import DateTime, Info, Person, RoleName
from mentorgraph.graph.people import enrolment, onboarding, profile


class UpdateProfileInput(graphene.InputObjectType):
    """What a person tells of themselves; what is left out stays, and null takes it back."""

    person_id = graphene.ID(required=True, description="The person.")
    job_title = graphene.String(description="What they do.")
    grade = graphene.String(description="Their grade, in the organisation's words.")
    experience_years = graphene.Float(description="For how many years they have done it.")
    about = graphene.String(description="In their own words.")
    pace = graphene.InputField(Pace, description="How fast they like to go.")
    communication = graphene.InputField(Channel, description="How they like to talk.")
    coaching_style = graphene.String(description="How they coach, such as challenging.")
    formats = graphene.List(graphene.NonNull(graphene.String), description="In which forms they take part.")
    languages = graphene.List(graphene.NonNull(graphene.String), description="Language tags, such as pt-BR.")
    source = source_field()


class EnrolInput(graphene.InputObjectType):
    """Where a person is to take part, and as what."""

    person_id = graphene.ID(required=True, description="The person.")
    programme_id = graphene.ID(required=True, description="The programme.")
    role = graphene.InputField(
        RoleName, required=True, description="As what; a coordinator's word gives them the role."
    )
    max_mentees = graphene.Int(description="How many mentees they take there; no limit of its own if not given.")
    hours_per_month = graphene.Float(description="Hours a month that they give it.")
    since = graphene.InputField(DateTime, description="From when on; now if not given.")
    source = source_field()


class ChangeEnrolmentInput(graphene.InputObjectType):
    """What an enrolment is to limit; what is left out stays, and null takes a limit away."""

    person_id = graphene.ID(required=True, description="The person.")
    programme_id = graphene.ID(required=True, description="The programme.")
    role = graphene.InputField(RoleName, required=True, description="As what they take part.")
    max_mentees = graphene.Int(description="How many mentees they take there.")
    hours_per_month = graphene.Float(description="Hours a month that they give it.")
    source = source_field()


class LeaveProgrammeInput(graphene.InputObjectType):
    """Where a person no longer takes part."""

    person_id = graphene.ID(required=True, description="The person.")
    programme_id = graphene.ID(required=True, description="The programme.")
    role = graphene.InputField(RoleName, required=True, description="As what they took part.")


class DefineStepInput(graphene.InputObjectType):
    """A step of onboarding."""

    name = graphene.String(required=True, description="Its name.")
    description = graphene.String(description="In more words.")
    role = graphene.InputField(RoleName, description="For whom; for everybody if not given.")
    programme_id = graphene.ID(description="Only for those who are enrolled there; for all if not given.")
    necessity = graphene.InputField(Necessity, required=True, description="Whether it has to be taken.")
    position = graphene.Int(required=True, description="Its place in their order, from 1.")
    since = graphene.InputField(DateTime, description="From when on; now if not given.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = source_field()


class EndStepInput(graphene.InputObjectType):
    """A step that nobody has to take any more."""

    step_id = graphene.ID(required=True, description="The step.")


class MarkStepDoneInput(graphene.InputObjectType):
    """That a person has taken a step."""

    person_id = graphene.ID(required=True, description="The person.")
    step_id = graphene.ID(required=True, description="The step.")
    at = graphene.InputField(DateTime, description="When; now if not given.")
    source = source_field()


class RecordCompletionInput(graphene.InputObjectType):
    """That a person has taken a training."""

    person_id = graphene.ID(required=True, description="The person.")
    training_id = graphene.ID(required=True, description="The training.")
    at = graphene.InputField(DateTime, description="When; now if not given.")
    source = source_field()


class UpdateProfilePayload(graphene.ObjectType):
    """Of whom something was told."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class EnrolPayload(graphene.ObjectType):
    """Who was enrolled."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class ChangeEnrolmentPayload(graphene.ObjectType):
    """Whose enrolment was changed."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class LeaveProgrammePayload(graphene.ObjectType):
    """Who no longer takes part."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class DefineStepPayload(graphene.ObjectType):
    """The step that was defined."""

    step = graphene.Field(OnboardingStep, description="The step.")
    user_errors = errors_field()


class EndStepPayload(graphene.ObjectType):
    """The step that was ended."""

    step = graphene.Field(OnboardingStep, description="The step.")
    user_errors = errors_field()


class MarkStepDonePayload(graphene.ObjectType):
    """Who took a step."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class RecordCompletionPayload(graphene.ObjectType):
    """Who took a training."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class EnrolmentMutations(graphene.ObjectType):
    """What can be told of how people take part."""

    update_profile = graphene.Field(
        UpdateProfilePayload,
        description="Tells something of a person.",
        input=UpdateProfileInput(required=True, description="What."),
    )
    enrol = graphene.Field(
        EnrolPayload,
        description="Enrols a person in a programme.",
        input=EnrolInput(required=True, description="Who and where."),
    )
    change_enrolment = graphene.Field(
        ChangeEnrolmentPayload,
        description="Changes what an enrolment limits.",
        input=ChangeEnrolmentInput(required=True, description="What."),
    )
    leave_programme = graphene.Field(
        LeaveProgrammePayload,
        description="Ends an enrolment.",
        input=LeaveProgrammeInput(required=True, description="Which."),
    )
    define_onboarding_step = graphene.Field(
        DefineStepPayload,
        description="Defines a step of onboarding; for coordinators.",
        input=DefineStepInput(required=True, description="The step."),
    )
    end_onboarding_step = graphene.Field(
        EndStepPayload,
        description="Ends a step of onboarding; for coordinators.",
        input=EndStepInput(required=True, description="Which."),
    )
    mark_step_done = graphene.Field(
        MarkStepDonePayload,
        description="Says that a person has taken a step of onboarding.",
        input=MarkStepDoneInput(required=True, description="Who and which."),
    )
    record_completion = graphene.Field(
        RecordCompletionPayload,
        description="Says that a person has taken a training.",
        input=RecordCompletionInput(required=True, description="Who and which."),
    )

    @staticmethod
    async def resolve_update_profile(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Tells something of a person."""
        context: RequestContext = info.context

        async def work() -> str:
            person = person_of(input)
            given = {name: _plain(input[name]) for name in profile.TOLD if name in input}
            await profile.tell_profile(context.store, context.viewer, person, given, source=told_source(input))
            return person

        return await payload(context, "person", work)

    @staticmethod
    async def resolve_enrol(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Enrols a person."""
        context: RequestContext = info.context

        async def work() -> str:
            person, programme, role = _where(input)
            await enrolment.enrol(
                context.store,
                context.viewer,
                person,
                programme,
                role,
                limits=input,
                since=input.get("since"),
                source=told_source(input),
            )
            return person

        return await payload(context, "person", work)

    @staticmethod
    async def resolve_change_enrolment(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Changes an enrolment."""
        context: RequestContext = info.context

        async def work() -> str:
            person, programme, role = _where(input)
            source = told_source(input)
            await enrolment.change_enrolment(
                context.store, context.viewer, person, programme, role, input, source=source
            )
            return person

        return await payload(context, "person", work)

    @staticmethod
    async def resolve_leave_programme(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Ends an enrolment."""
        context: RequestContext = info.context

        async def work() -> str:
            person, programme, role = _where(input)
            await enrolment.leave_programme(context.store, context.viewer, person, programme, role)
            return person

        return await payload(context, "person", work)

    @staticmethod
    async def resolve_define_onboarding_step(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Defines a step."""
        context: RequestContext = info.context

        async def work() -> str:
            programme = input.get("programme_id")
            step = {name: _plain(input.get(name)) for name in ("name", "description", "role", "necessity", "since")}
            step |= {"position": input["position"]}
            if programme is not None:
                step["programme_id"] = read_global_id(programme, expected="Programme", field="programmeId")[1]
            return await onboarding.define_step(
                context.store,
                context.viewer,
                step,
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await payload(context, "step", work)

    @staticmethod
    async def resolve_end_onboarding_step(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Ends a step."""
        context: RequestContext = info.context

        async def work() -> str:
            step = read_global_id(input["step_id"], expected="OnboardingStep", field="stepId")[1]
            await onboarding.end_step(context.store, context.viewer, step)
            return step

        return await payload(context, "step", work)

    @staticmethod
    async def resolve_mark_step_done(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Marks a step as done."""
        context: RequestContext = info.context

        async def work() -> str:
            person = person_of(input)
            step = read_global_id(input["step_id"], expected="OnboardingStep", field="stepId")[1]
            await onboarding.mark_done(
                context.store, context.viewer, person, step, at=input.get("at"), source=told_source(input)
            )
            return person

        return await payload(context, "person", work)

    @staticmethod
    async def resolve_record_completion(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Records that a training was taken."""
        context: RequestContext = info.context

        async def work() -> str:
            person = person_of(input)
            training = read_global_id(input["training_id"], expected="Training", field="trainingId")[1]
            await onboarding.record_completion(
                context.store, context.viewer, person, training, at=input.get("at"), source=told_source(input)
            )
            return person

        return await payload(context, "person", work)


def _where(given: Mapping[str, Any]) -> tuple[str, str, str]:
    """Person, programme and role that an input names."""
    programme = read_global_id(given["programme_id"], expected="Programme", field="programmeId")[1]
    [role] = names_of([given["role"]])
    return person_of(given), programme, role


def _plain(value: Any) -> Any:
    """What the domain calls an enum member; anything else stays."""
    return getattr(value, "value", value)
