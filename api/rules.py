"""What can be asked and told over GraphQL of the hard rules: why not, and the policies that state their limits."""

from collections.abc import Awaitable
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.api.mutations import answered, errors_field, source_field, told_source
from mentorgraph.api.recommendations import RuleRefusal, UnjudgedRule
from mentorgraph.api.types import DateTime, Info, Person, enum_of, people_field
from mentorgraph.graph.explaining import policies
from mentorgraph.graph.explaining.why_not import WhyNot as Answer
from mentorgraph.graph.explaining.why_not import why_not as say_why_not
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.rules.policy import settings_of
from mentorgraph.graph.store.store import NodeRecord

WhyNotVerdict = enum_of(
    "WhyNotVerdict",
    {
        "forbidden": "A rule forbids the pair.",
        "ranked_lower": "The pair is allowed, and so many others come first that the mentor is not in the list.",
        "recommended": "The mentor is in the list.",
    },
    "What there is to say of a mentor who is asked about.",
)


def programme_argument() -> graphene.ID:
    """The argument that names a programme."""
    return graphene.ID(
        description="The programme whose rules count; the only one that the mentee is enrolled in if not given."
    )


def programme_of(programme_id: str | None) -> str | None:
    """The uid of the programme that an argument names, if it names one."""
    return read_global_id(programme_id, expected="Programme", field="programmeId")[1] if programme_id else None


class SignalGap(graphene.ObjectType):
    """The part of one signal in the distance to the last one who is shown."""

    signal = graphene.String(required=True, description="Its name.")
    missing = graphene.Float(
        required=True, description="What it adds there beyond what it adds here; below 0 where it adds more here."
    )


class WhyNot(graphene.ObjectType):
    """Why a mentor is not in the list for a mentee: the rules that forbid the pair, or the rank and the gap."""

    verdict = graphene.Field(WhyNotVerdict, required=True, description="What there is to say.")
    blockers = graphene.List(
        graphene.NonNull(RuleRefusal),
        required=True,
        description="The rules that forbid the pair; participants are told only that it cannot be made.",
    )
    unjudged = graphene.List(
        graphene.NonNull(UnjudgedRule),
        required=True,
        description="Rules of which nothing can be said since facts are missing; they forbid nobody.",
    )
    mentor = graphene.Field(Person, description="The mentor.")
    score = graphene.Float(required=True, description="The mentor's score.")
    rank = graphene.Int(description="Place among all who may be recommended; null for whom a rule forbids.")
    first = graphene.Int(required=True, description="Length of the list.")
    last_shown = graphene.Field(Person, description="The last one in the list, where the mentor is not in it.")
    gap = graphene.List(
        graphene.NonNull(SignalGap),
        required=True,
        description="What is missing to the last one in the list; the parts add up to the distance of the scores.",
    )
    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    policy_version = graphene.String(required=True, description="The policy that counted.")
    available_from = graphene.Field(
        DateTime,
        description="When the pair may first be made, of whom a rule forbids now; null where that is not known.",
    )

    @staticmethod
    def resolve_mentor(root: Answer, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_last_shown(root: Answer, info: Info) -> Awaitable[NodeRecord | None] | None:
        """The last one in the list."""
        context: RequestContext = info.context
        return context.nodes.load(root.last_shown) if root.last_shown else None


class RuleSetting(graphene.ObjectType):
    """A limit that the rules keep."""

    name = graphene.String(required=True, description="Its key in a policy file.")
    value = graphene.String(required=True, description="Its value, as TOML writes it.")


class PolicyVersion(graphene.ObjectType):
    """A version of what a programme says of its policy."""

    draft = graphene.String(required=True, description="The policy file: TOML, only where it differs.")
    since = graphene.Field(DateTime, required=True, description="When it began.")
    until = graphene.Field(DateTime, description="When it ended; null for the one that holds.")

    @staticmethod
    def resolve_draft(root: Record, _info: Info) -> object:
        """The policy file."""
        return root.properties["content"]

    @staticmethod
    def resolve_since(root: Record, _info: Info) -> object:
        """When it began."""
        return root.properties["since"]

    @staticmethod
    def resolve_until(root: Record, _info: Info) -> object:
        """When it ended."""
        return root.properties.get("until")


class Policy(graphene.ObjectType):
    """How pairs are judged in a programme."""

    version = graphene.String(required=True, description="The version that answers name; equal content, equal version.")
    draft = graphene.String(required=True, description="Where the programme differs, as TOML; empty where it does not.")
    settings = graphene.List(
        graphene.NonNull(RuleSetting), required=True, description="All limits that count in the programme."
    )
    history = graphene.List(
        graphene.NonNull(PolicyVersion), required=True, description="All versions of the draft, in their order."
    )

    @staticmethod
    def resolve_version(root: policies.ProgrammePolicy, _info: Info) -> str:
        """The version."""
        return root.policy.version

    @staticmethod
    def resolve_settings(root: policies.ProgrammePolicy, _info: Info) -> list[dict[str, str]]:
        """All limits."""
        return [{"name": name, "value": value} for name, value in settings_of(root.policy.rules)]

    @staticmethod
    def resolve_history(root: policies.ProgrammePolicy, _info: Info) -> list[Record]:
        """All versions."""
        return list(root.versions)


class EligibilityChange(graphene.ObjectType):
    """A pair that would be allowed under a draft, or no longer be."""

    mentee = graphene.Field(Person, description="The mentee.")
    mentor = graphene.Field(Person, description="The mentor.")
    gains = graphene.Boolean(required=True, description="Whether it would be allowed; else it would be forbidden.")
    rules = graphene.List(
        graphene.NonNull(RuleRefusal),
        required=True,
        description="What forbids it: now, where it gains; under the draft, where it loses.",
    )

    @staticmethod
    def resolve_mentee(root: policies.Change, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentee."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentee)

    @staticmethod
    def resolve_mentor(root: policies.Change, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)


class PolicyTest(graphene.ObjectType):
    """Who would gain or lose eligibility under a draft; nothing was written."""

    policy_version = graphene.String(required=True, description="The version that the draft would have.")
    pairs = graphene.Int(required=True, description="Pairs that were judged.")
    gained = graphene.Int(required=True, description="Pairs that would be allowed and are not.")
    lost = graphene.Int(required=True, description="Pairs that are allowed and would not be.")
    changes = graphene.List(
        graphene.NonNull(EligibilityChange),
        required=True,
        description=f"These pairs, by mentee and mentor; at most {policies.MOST_CHANGES}.",
    )
    mentors_gained = people_field(
        "mentors_gained", "Mentors who may be recommended to none of the mentees, and could be to some."
    )
    mentors_lost = people_field(
        "mentors_lost", "Mentors who may be recommended to some of the mentees, and could be to none."
    )
    without_mentor = people_field("without_mentor", "Mentees who would have nobody any more.")
    has_next = graphene.Boolean(required=True, description="Whether further mentees of the programme follow.")
    end_cursor = graphene.ID(description="The last mentee who was judged, to go on after; null for none.")

    @staticmethod
    def resolve_end_cursor(root: policies.PolicyTest, _info: Info) -> str | None:
        """The last mentee who was judged."""
        return global_id("Person", root.mentees[-1]) if root.mentees else None


class RuleQueries:
    """What can be asked of rules and policies."""

    why_not = graphene.Field(
        WhyNot,
        description="Why a mentor is not in the list for a mentee, as of now. Participants ask for themselves only.",
        mentee_id=graphene.ID(required=True, description="The person who seeks a mentor."),
        mentor_id=graphene.ID(required=True, description="The mentor in question."),
        goal_id=graphene.ID(description="One of the mentee's goals; the latest open one if none is given."),
        programme_id=programme_argument(),
        first=graphene.Int(description=f"Length of the list, 1 to {MOST}; 10 if not given."),
    )
    policy = graphene.Field(
        Policy,
        description="How pairs are judged in a programme, as of now.",
        programme_id=graphene.ID(required=True, description="The programme."),
    )
    test_policy = graphene.Field(
        PolicyTest,
        description="Who would gain or lose eligibility under a draft; nothing is written. For coordinators.",
        programme_id=graphene.ID(required=True, description="The programme."),
        draft=graphene.String(required=True, description="The policy file: TOML, only where it differs."),
        first=graphene.Int(description=f"Mentees of the programme to judge, 1 to {MOST}; 20 if not given."),
        after=graphene.ID(description="The mentee to go on after; none for the first ones."),
    )

    @staticmethod
    async def resolve_why_not(_root: None, info: Info, mentee_id: str, mentor_id: str, **arguments: Any) -> Answer:
        """Says why not."""
        context: RequestContext = info.context
        goal = arguments.get("goal_id")
        return await say_why_not(
            context.recommender,
            context.viewer,
            read_global_id(mentee_id, expected="Person", field="menteeId")[1],
            read_global_id(mentor_id, expected="Person", field="mentorId")[1],
            read_global_id(goal, expected="Goal", field="goalId")[1] if goal is not None else None,
            first=10 if arguments.get("first") is None else arguments["first"],
            scorer=context.scorer,
            programme=programme_of(arguments.get("programme_id")),
        )

    @staticmethod
    async def resolve_policy(_root: None, info: Info, programme_id: str) -> policies.ProgrammePolicy:
        """Reads a policy."""
        context: RequestContext = info.context
        programme = read_global_id(programme_id, expected="Programme", field="programmeId")[1]
        return await policies.policy_of(context.store, programme, context.recommender.scorer.policy)

    @staticmethod
    async def resolve_test_policy(
        _root: None, info: Info, programme_id: str, draft: str, first: int | None = None, after: str | None = None
    ) -> policies.PolicyTest:
        """Tries a draft."""
        context: RequestContext = info.context
        return await policies.try_policy(
            context.recommender,
            context.viewer,
            read_global_id(programme_id, expected="Programme", field="programmeId")[1],
            draft,
            first=20 if first is None else first,
            after=read_global_id(after, expected="Person", field="after")[1] if after is not None else "",
        )


class SetPolicyInput(graphene.InputObjectType):
    """How pairs are judged in a programme from now on."""

    programme_id = graphene.ID(required=True, description="The programme.")
    draft = graphene.String(
        required=True, description="The policy file: TOML, only where it differs; nothing takes the own policy away."
    )
    since = graphene.InputField(DateTime, description="From when on; now if not given.")
    source = source_field()


class SetPolicyPayload(graphene.ObjectType):
    """The policy as it is from now on."""

    policy = graphene.Field(Policy, description="The policy that holds now; null where it was refused.")
    user_errors = errors_field()


class RuleMutations:
    """What can be told of policies."""

    set_policy = graphene.Field(
        SetPolicyPayload,
        description="Sets the policy of a programme; the old version ends and stays readable. For coordinators.",
        input=SetPolicyInput(required=True, description="The policy."),
    )

    @staticmethod
    async def resolve_set_policy(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Sets a policy."""
        context: RequestContext = info.context

        async def work() -> policies.ProgrammePolicy:
            programme = read_global_id(input["programme_id"], expected="Programme", field="programmeId")[1]
            base, source = context.recommender.scorer.policy, told_source(input)
            await policies.set_policy(
                context.store,
                context.viewer,
                programme,
                input["draft"],
                base,
                since=input.get("since"),
                source=source,
            )
            context.forget_programmes()
            return await policies.policy_of(context.store, programme, base)

        return await answered(context, "policy", work)
