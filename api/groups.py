"""Plans for whole programmes over GraphQL: who coaches whom, who meets in which circle, and how both are proposed."""

from collections.abc import Awaitable
from typing import Any

import graphene

from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import read_global_id
from mentorgraph.api.mutations import answered, errors_field
from mentorgraph.api.pairings import Request
from mentorgraph.api.recommendations import Explanation, Signal
from mentorgraph.api.types import DateTime, Info, Person, Skill, enum_of, people_field
from mentorgraph.graph.pairings.proposing import MOST_PAIRS, propose_pairs
from mentorgraph.graph.ranking import circles, matching, peers
from mentorgraph.graph.ranking.grouping import MOST_PLANNED
from mentorgraph.graph.store.store import NodeRecord

PeerCause = enum_of(
    "PeerCause",
    {
        "alone": "Nobody else of the programme seeks a peer.",
        "nobody_allowed": "Rules forbid all others.",
        "others_paired": "All whom the rules allow are paired with somebody else.",
    },
    "Why a plan has no peer for somebody.",
)
CircleCause = enum_of(
    "CircleCause",
    {
        "no_leader": "Nobody of the programme could lead a circle with them.",
        "nobody_allowed": "Rules forbid all who could lead.",
        "time_unknown": "They have not said when they are free.",
        "no_common_hour": "No leader whom the rules allow is free for an hour when they are.",
        "no_seat": "No circle that reaches its least size had a seat left for them.",
    },
    "Why a plan has no circle for somebody.",
)


def _node(name: str) -> Any:
    """A resolver of somebody or something that a plan names."""

    def resolve(root: Any, info: Info) -> Awaitable[NodeRecord | None] | None:
        context: RequestContext = info.context
        uid = getattr(root, name)
        return context.nodes.load(uid) if uid else None

    return resolve


_PAIRED = "Those who are in an open pairing of the programme; nothing is planned for them."
_WAITING = "Those who are in a request of the programme that waits for an answer; nothing is planned for them."


class Hindrance(graphene.ObjectType):
    """A rule that keeps somebody from several others."""

    rule = graphene.String(required=True, description="Its name.")
    others = graphene.Int(required=True, description="How many others it forbids them.")
    example = graphene.String(required=True, description="What is the case with one of these.")
    remedy = graphene.String(description="What would mend that; null where nothing does.")

    @staticmethod
    def resolve_remedy(root: Any, _info: Info) -> str | None:
        """What would mend that."""
        return root.remedy or None


def _hindrances() -> graphene.List:
    return graphene.List(
        graphene.NonNull(Hindrance),
        required=True,
        description="The rules that forbid them others, that which forbids the most of these first.",
    )


class PeerPair(graphene.ObjectType):
    """Two who are to coach each other."""

    one = graphene.Field(
        Person, description="Who would be asked as the mentee: whoever ranks the other higher.", resolver=_node("one")
    )
    other = graphene.Field(Person, description="The other one.", resolver=_node("other"))
    score = graphene.Float(required=True, description="The mean of how the two rank each other.")
    scores = graphene.List(
        graphene.NonNull(graphene.Float), required=True, description="How `one` ranks `other`, and the other way round."
    )
    why_for_one = graphene.Field(Explanation, required=True, description="Why `other` fits `one`.")
    why_for_other = graphene.Field(Explanation, required=True, description="Why `one` fits `other`.")

    @staticmethod
    def resolve_why_for_one(root: "_Planned", info: Info) -> Awaitable[matching.Explanation]:
        """Why the other one fits."""
        return root.explained(info, root.one, root.other)

    @staticmethod
    def resolve_why_for_other(root: "_Planned", info: Info) -> Awaitable[matching.Explanation]:
        """Why the one fits."""
        return root.explained(info, root.other, root.one)


class _Planned:
    """A pair of a plan, with the programme whose rules count for its reasons."""

    def __init__(self, pair: peers.PeerPair, programme: str) -> None:
        self.one, self.other, self.score, self.scores = pair.one, pair.other, pair.score, pair.scores
        self._programme = programme

    def explained(self, info: Info, mentee: str, mentor: str) -> Awaitable[matching.Explanation]:
        """Why one of the two fits the other one."""
        context: RequestContext = info.context
        return context.recommender.explain(
            context.viewer, mentee, mentor, scorer=context.scorer, programme=self._programme
        )


class LeftOver(graphene.ObjectType):
    """Somebody for whom there is no peer."""

    person = graphene.Field(Person, description="Who.", resolver=_node("person"))
    cause = graphene.Field(PeerCause, required=True, description="Why.")
    hindrances = _hindrances()
    nearest = graphene.Field(
        Person,
        description="Who would fit best of those whom the rules allow; null for nobody.",
        resolver=_node("nearest"),
    )
    taken_by = graphene.Field(Person, description="With whom that one is paired instead.", resolver=_node("taken_by"))


class PeerPlan(graphene.ObjectType):
    """Who could coach whom in a programme; nothing of it is written."""

    model_version = graphene.String(required=True, description="Version of the model that ranked.")
    pairs = graphene.List(graphene.NonNull(PeerPair), required=True, description="The pairs, the best one first.")
    left_over = graphene.List(
        graphene.NonNull(LeftOver), required=True, description="Those for whom there is no peer, and why."
    )
    paired = people_field("paired", _PAIRED)
    waiting = people_field("waiting", _WAITING)
    total = graphene.Float(required=True, description="The sum of the scores of the pairs.")

    @staticmethod
    def resolve_pairs(root: peers.PeerPlan, _info: Info) -> list[_Planned]:
        """The pairs."""
        return [_Planned(each, root.programme) for each in root.pairs]


class CircleSeat(graphene.ObjectType):
    """A mentee of a circle."""

    mentee = graphene.Field(Person, description="Who.", resolver=_node("mentee"))
    score = graphene.Float(required=True, description="How they rank the leader.")
    signals = graphene.List(graphene.NonNull(Signal), required=True, description="What that score is made of.")


class SharedWish(graphene.ObjectType):
    """A skill that mentees of a circle wish to learn."""

    skill = graphene.Field(Skill, description="The skill.", resolver=_node("skill"))
    wishing = graphene.Int(required=True, description="How many of them wish it.")
    is_offered = graphene.Boolean(required=True, description="Whether the leader offers it.")


class Circle(graphene.ObjectType):
    """A leader with some mentees."""

    leader = graphene.Field(Person, description="Who leads it.", resolver=_node("leader"))
    starts_at = graphene.Field(
        DateTime,
        required=True,
        description=f"When in the present week all of them are free for {circles.MEETING_MINUTES} minutes.",
    )
    seats = graphene.List(graphene.NonNull(CircleSeat), required=True, description="Its mentees.")
    wishes = graphene.List(
        graphene.NonNull(SharedWish),
        required=True,
        description="What its mentees wish to learn, the most wished first.",
    )

    @staticmethod
    def resolve_starts_at(root: circles.Circle, _info: Info) -> object:
        """When all are free."""
        return root.starts


class Unseated(graphene.ObjectType):
    """A mentee for whom there is no circle."""

    person = graphene.Field(Person, description="Who.", resolver=_node("person"))
    cause = graphene.Field(CircleCause, required=True, description="Why.")
    hindrances = _hindrances()


class CirclePlan(graphene.ObjectType):
    """Who could meet in which circle of a programme; nothing of it is written."""

    model_version = graphene.String(required=True, description="Version of the model that ranked.")
    circles = graphene.List(graphene.NonNull(Circle), required=True, description="The circles.")
    unseated = graphene.List(
        graphene.NonNull(Unseated), required=True, description="Mentees for whom there is none, and why."
    )
    idle = people_field("idle", "Those who could lead a circle and lead none.")
    paired = people_field("paired", _PAIRED)
    waiting = people_field("waiting", _WAITING)
    total = graphene.Float(required=True, description="The sum of the scores of the seats.")


def _programme(programme_id: str) -> str:
    return read_global_id(programme_id, expected="Programme", field="programmeId")[1]


class GroupQueries:
    """What can be planned."""

    plan_peers = graphene.Field(
        PeerPlan,
        description="The most pairs of peers that the rules allow in a programme, and of these the best; "
        f"for coordinators, and for up to {MOST_PLANNED} people.",
        programme_id=graphene.ID(required=True, description="A programme of the format peer."),
    )
    plan_circles = graphene.Field(
        CirclePlan,
        description="The circles that seat the most mentees of a programme, and of these the best; "
        f"for coordinators, and for up to {MOST_PLANNED} people.",
        programme_id=graphene.ID(required=True, description="A programme of the format cohort."),
        least=graphene.Int(
            default_value=circles.SMALLEST,
            description=f"Mentees that a circle needs, {circles.SMALLEST} to {circles.LARGEST}.",
        ),
        most=graphene.Int(default_value=6, description="Mentees that a circle has at most."),
        least_skills=graphene.Int(
            default_value=0,
            description="Different skills that its mentees together wish to learn at least.",
        ),
    )

    @staticmethod
    async def resolve_plan_peers(_root: None, info: Info, programme_id: str) -> peers.PeerPlan:
        """Plans peers."""
        context: RequestContext = info.context
        return await peers.plan_peers(
            context.recommender, context.viewer, _programme(programme_id), scorer=context.scorer
        )

    @staticmethod
    async def resolve_plan_circles(
        _root: None,
        info: Info,
        programme_id: str,
        least: int | None = None,
        most: int | None = None,
        least_skills: int | None = None,
    ) -> circles.CirclePlan:
        """Plans circles."""
        context: RequestContext = info.context
        return await circles.plan_circles(
            context.recommender,
            context.viewer,
            _programme(programme_id),
            least=circles.SMALLEST if least is None else least,
            most=6 if most is None else most,
            least_skills=least_skills or 0,
            scorer=context.scorer,
        )


class ProposedPairInput(graphene.InputObjectType):
    """Two who are to be paired."""

    mentee_id = graphene.ID(required=True, description="Who is asked first; of peers, either one.")
    mentor_id = graphene.ID(required=True, description="Who is asked then.")


class ProposePairsInput(graphene.InputObjectType):
    """Pairs of a programme that are to be proposed, such as those of a plan."""

    programme_id = graphene.ID(required=True, description="The programme.")
    pairs = graphene.List(
        graphene.NonNull(ProposedPairInput), required=True, description=f"The pairs, 1 to {MOST_PAIRS}."
    )
    note = graphene.String(description="A word to all of them.")
    answer_within_days = graphene.Int(description="After so many days a proposal expires.")


class ProposePairsPayload(graphene.ObjectType):
    """The proposals that were made."""

    requests = graphene.List(
        graphene.NonNull(Request), description="The proposals, in the order of the pairs; null where none was made."
    )
    user_errors = errors_field()


class GroupMutations:
    """What can be proposed at once."""

    propose_pairs = graphene.Field(
        ProposePairsPayload,
        description="Proposes several pairs of a programme, all of them or none; for coordinators.",
        input=ProposePairsInput(required=True, description="The pairs."),
    )

    @staticmethod
    async def resolve_propose_pairs(_root: None, info: Info, input: dict[str, Any]) -> dict[str, object]:
        """Proposes pairs."""
        context: RequestContext = info.context

        def person(place: int, pair: dict[str, Any], side: str) -> str:
            return read_global_id(pair[f"{side}_id"], expected="Person", field=f"pairs.{place}.{side}Id")[1]

        async def work() -> list[Awaitable[NodeRecord | None]]:
            uids = await propose_pairs(
                context.store,
                context.viewer,
                _programme(input["programme_id"]),
                [
                    (person(place, pair, "mentee"), person(place, pair, "mentor"))
                    for place, pair in enumerate(input["pairs"])
                ],
                context.recommender.scorer.policy,
                note=input.get("note") or "",
                answer_within_days=input.get("answer_within_days"),
            )
            return [context.nodes.load(uid) for uid in uids]

        return await answered(context, "requests", work)
