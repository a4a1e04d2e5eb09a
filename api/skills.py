"""Skills over GraphQL: what can be asked of the taxonomy, and what can be told of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import errors_field, names_of, payload, person_of, told_source
from mentorgraph.api.types import DateTime, Info, Person, Rater, Skill
from mentorgraph.graph.columns.proficiency import rate_skill
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.taxonomy_files import ESCO
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.paging import check_first
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.skills import curating
from mentorgraph.graph.skills.naming import Candidate
from mentorgraph.graph.store.store import NodeRecord

LONGEST_TEXT = 500


class SkillCandidate(graphene.ObjectType):
    """A skill that a text may mean."""

    skill = graphene.Field(Skill, required=True, description="The skill.")
    score = graphene.Float(
        required=True, description="1 for its name, 0.9 for another name of it, less where words are shared only."
    )
    spelling = graphene.String(required=True, description="The name that the text fits.")

    @staticmethod
    def resolve_skill(root: Candidate, info: Info) -> Awaitable[NodeRecord | None]:
        """The skill."""
        context: RequestContext = info.context
        return context.nodes.load(root.skill)


class SkillQueries:
    """What can be asked of the taxonomy."""

    skill = graphene.Field(
        Skill,
        description="A skill by its id, or by its key in another system. One that was merged is found as itself.",
        id=graphene.ID(description="Its global id."),
        external_id=graphene.ID(description="Its key in another system, such as a URI of ESCO."),
        source=graphene.String(
            description="The system that externalId belongs to; esco for its URIs, `api` for others if none is given."
        ),
    )
    skills_named = graphene.List(
        graphene.NonNull(SkillCandidate),
        required=True,
        description="The skills that a text may mean, best first; nothing is recorded.",
        text=graphene.String(required=True, description=f"What somebody wrote, of {LONGEST_TEXT} characters at most."),
        first=graphene.Int(description="At most so many; 5 if not given."),
    )

    @staticmethod
    async def resolve_skill(
        _root: None, info: Info, id: str | None = None, external_id: str | None = None, source: str | None = None
    ) -> NodeRecord | None:
        """A skill by id or key."""
        context: RequestContext = info.context
        if (id is None) == (external_id is None):
            raise DomainError("give either id or externalId", code="BAD_USER_INPUT", field="id")
        if id is not None:
            _, uid = read_global_id(id, expected="Skill")
        else:
            key = str(external_id).strip()
            uid = uid_of((source or "").strip() or ("esco" if key.startswith(ESCO) else SOURCE), "skills", key)
        node = await context.nodes.load(uid)
        return node if node is not None and node.kind == "Skill" else None

    @staticmethod
    async def resolve_skills_named(_root: None, info: Info, text: str, first: int | None = None) -> list[Candidate]:
        """Skills that a text may mean."""
        context: RequestContext = info.context
        first = 5 if first is None else first
        check_first(first)
        if len(text) > LONGEST_TEXT:
            raise DomainError(
                f"text has {len(text)} characters; shorten it to {LONGEST_TEXT}", code="BAD_USER_INPUT", field="text"
            )
        taxonomy = await context.taxonomy()
        return context.recommender.columns.skill_names.candidates(text, taxonomy, first=first)


def _skill_id() -> graphene.ID:
    return graphene.ID(required=True, description="The skill.")


def _reason() -> graphene.String:
    return graphene.String(description="Why, in at most 500 characters.")


def _known_from() -> graphene.String:
    return graphene.String(description="Where this is known from; `api` if none is given.")


class ProposeSkillInput(graphene.InputObjectType):
    """A skill that somebody misses."""

    name = graphene.String(required=True, description="Its name.")
    kind = graphene.String(description="What sort of skill it is, in your own words.")
    tier = graphene.Int(description="Depth in the taxonomy, 1 for the broadest, to 9.")
    cluster = graphene.String(description="Its cluster: technical, soft, leadership or your own.")
    aliases = graphene.List(graphene.NonNull(graphene.String), description="Other names for it.")
    broader_ids = graphene.List(graphene.NonNull(graphene.ID), description="Broader skills.")
    reason = graphene.String(description="What it is needed for, in at most 500 characters.")
    external_id = graphene.String(description="Its key in another system; telling the same again changes nothing.")
    source = graphene.String(description="The system that externalId belongs to; `api` if none is given.")


class ApproveSkillInput(graphene.InputObjectType):
    """A skill that is to be used."""

    skill_id = _skill_id()
    source = _known_from()


class DeprecateSkillInput(graphene.InputObjectType):
    """A skill that is not to be named any more."""

    skill_id = _skill_id()
    reason = _reason()
    source = _known_from()


class MergeSkillsInput(graphene.InputObjectType):
    """A skill that is to count for another one."""

    skill_id = graphene.ID(required=True, description="The skill that is given up.")
    into_id = graphene.ID(required=True, description="The skill that it is to count for.")
    reason = _reason()
    source = _known_from()


class SplitSkillInput(graphene.InputObjectType):
    """A skill and its parts."""

    skill_id = graphene.ID(required=True, description="The skill that is given up.")
    into_ids = graphene.List(
        graphene.NonNull(graphene.ID), required=True, description="Two others at least, which are part of it."
    )
    reason = _reason()
    source = _known_from()


class ProposeSkillPayload(graphene.ObjectType):
    """The skill that was proposed."""

    skill = graphene.Field(Skill, description="The skill.")
    user_errors = errors_field()


class ApproveSkillPayload(graphene.ObjectType):
    """The skill that was approved."""

    skill = graphene.Field(Skill, description="The skill.")
    user_errors = errors_field()


class DeprecateSkillPayload(graphene.ObjectType):
    """The skill that was deprecated."""

    skill = graphene.Field(Skill, description="The skill.")
    user_errors = errors_field()


class MergeSkillsPayload(graphene.ObjectType):
    """The skill that was merged into another one."""

    skill = graphene.Field(Skill, description="The skill that was given up.")
    user_errors = errors_field()


class SplitSkillPayload(graphene.ObjectType):
    """The skill that was split."""

    skill = graphene.Field(Skill, description="The skill that was given up.")
    user_errors = errors_field()


class RateSkillInput(graphene.InputObjectType):
    """How good a person is at a skill."""

    person_id = graphene.ID(required=True, description="The person.")
    skill_id = _skill_id()
    level = graphene.Int(required=True, description="1 to 5.")
    rated_by = graphene.InputField(Rater, required=True, description="Where it comes from; participants say SELF.")
    since = graphene.InputField(DateTime, description="Day of the rating, from which it ages; now if not given.")
    source = _known_from()


class RateSkillPayload(graphene.ObjectType):
    """Who was rated."""

    person = graphene.Field(Person, description="The person.")
    user_errors = errors_field()


class SkillMutations:
    """What can be told of the taxonomy."""

    propose_skill = graphene.Field(
        ProposeSkillPayload,
        description="Proposes a skill; anybody may.",
        input=ProposeSkillInput(required=True, description="The skill."),
    )
    approve_skill = graphene.Field(
        ApproveSkillPayload,
        description="Approves a skill that was proposed or deprecated; for coordinators.",
        input=ApproveSkillInput(required=True, description="The skill."),
    )
    deprecate_skill = graphene.Field(
        DeprecateSkillPayload,
        description="Says that a skill is not to be named any more; for coordinators.",
        input=DeprecateSkillInput(required=True, description="The skill, and why."),
    )
    merge_skills = graphene.Field(
        MergeSkillsPayload,
        description="Has a skill count for another one from now on; for coordinators. Its id goes on to be found.",
        input=MergeSkillsInput(required=True, description="Both skills, and why."),
    )
    split_skill = graphene.Field(
        SplitSkillPayload,
        description="Splits a skill into others, which it is broader than from now on; for coordinators.",
        input=SplitSkillInput(required=True, description="The skill and its parts, and why."),
    )
    rate_skill = graphene.Field(
        RateSkillPayload,
        description="Says how good a person is at a skill: people of themselves, mentors of mentees, coordinators all.",
        input=RateSkillInput(required=True, description="Person, skill and level."),
    )

    @staticmethod
    async def resolve_propose_skill(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Proposes a skill."""
        context: RequestContext = info.context

        async def work() -> str:
            skill = {name: input.get(name) for name in ("name", "kind", "tier", "cluster", "aliases")}
            broader = input.get("broader_ids") or []
            return await curating.propose_skill(
                context.store,
                context.viewer,
                skill,
                broader=[_skill(each, f"broaderIds.{place}") for place, each in enumerate(broader)],
                reason=input.get("reason") or "",
                source=told_source(input),
                external_id=input.get("external_id") or "",
            )

        return await _told(context, work)

    @staticmethod
    async def resolve_approve_skill(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Approves a skill."""
        context: RequestContext = info.context

        async def work() -> str:
            skill = _skill(input["skill_id"], "skillId")
            await curating.approve_skill(context.store, context.viewer, skill, source=told_source(input))
            return skill

        return await _told(context, work)

    @staticmethod
    async def resolve_deprecate_skill(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Deprecates a skill."""
        context: RequestContext = info.context

        async def work() -> str:
            skill, reason = _skill(input["skill_id"], "skillId"), input.get("reason") or ""
            await curating.deprecate_skill(context.store, context.viewer, skill, reason, source=told_source(input))
            return skill

        return await _told(context, work)

    @staticmethod
    async def resolve_merge_skills(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Merges two skills."""
        context: RequestContext = info.context

        async def work() -> str:
            skill, into = _skill(input["skill_id"], "skillId"), _skill(input["into_id"], "intoId")
            reason, source = input.get("reason") or "", told_source(input)
            await curating.merge_skills(context.store, context.viewer, skill, into, reason=reason, source=source)
            return skill

        return await _told(context, work)

    @staticmethod
    async def resolve_split_skill(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Splits a skill."""
        context: RequestContext = info.context

        async def work() -> str:
            skill = _skill(input["skill_id"], "skillId")
            into = [_skill(each, f"intoIds.{place}") for place, each in enumerate(input["into_ids"])]
            reason, source = input.get("reason") or "", told_source(input)
            await curating.split_skill(context.store, context.viewer, skill, into, reason=reason, source=source)
            return skill

        return await _told(context, work)

    @staticmethod
    async def resolve_rate_skill(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Rates a person."""
        context: RequestContext = info.context

        async def work() -> str:
            person, skill = person_of(input), _skill(input["skill_id"], "skillId")
            [rated_by] = names_of([input["rated_by"]])
            await rate_skill(
                context.store,
                context.viewer,
                person,
                skill,
                input["level"],
                rated_by,
                source=told_source(input),
                since=input.get("since"),
            )
            context.forget_taxonomy()
            return person

        return await payload(context, "person", work)


def _skill(text: str, field: str) -> str:
    return read_global_id(text, expected="Skill", field=field)[1]


async def _told(context: RequestContext, work: Callable[[], Awaitable[str]]) -> dict[str, object]:
    """The payload of what changes the taxonomy, which the rest of the request sees as it is then."""

    async def change() -> str:
        try:
            return await work()
        finally:
            context.forget_taxonomy()

    return await payload(context, "skill", change)
