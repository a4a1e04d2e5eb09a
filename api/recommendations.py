"""The types of answers: recommendations and explanations with signals, evidence and rules."""

from collections.abc import Awaitable
from typing import Any

import graphene

from mentorgraph.api.connections import Connection, PageInfo, connection_of, listed, paging_arguments
from mentorgraph.api.context import RequestContext
from mentorgraph.api.ids import global_id
from mentorgraph.api.languages import language_argument, named
from mentorgraph.api.types import DateTime, Info, Node, Person, enum_of
from mentorgraph.graph.paging import MOST, check_first
from mentorgraph.graph.ranking import listing, matching
from mentorgraph.graph.ranking.cautions import CAUTIONS
from mentorgraph.graph.ranking.meeting import MODES
from mentorgraph.graph.ranking.options import NO_MIX
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.sentences import EvidencePath as FoundPath
from mentorgraph.graph.ranking.sentences import Reason as FoundReason
from mentorgraph.graph.ranking.sentences import Step, in_language, reasons_of, sentences_of
from mentorgraph.graph.rules.refusals import Refusal, Unjudged
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.vocabulary import ENGLISH


def sentences_in(root: Any, language: Any) -> tuple[str, ...]:
    """The reasons as they were told, or the same in another language; none where they can no longer be read."""
    if named(language) == ENGLISH or not root.sentences:
        return tuple(root.sentences)
    return sentences_of(root.paths, root.measured, named(language))


class Reason(graphene.ObjectType):
    """A sentence, with the paths that say so."""

    sentence = graphene.String(required=True, description="What is said.")
    path_ids = graphene.List(
        graphene.NonNull(graphene.ID),
        required=True,
        description="Ids of those among `paths` that it is made from; none where it is measured and no path tells it.",
    )

    @staticmethod
    def resolve_path_ids(root: FoundReason, _info: Info) -> tuple[str, ...]:
        """Ids of the paths."""
        return root.paths


def reasons_field() -> Any:
    """The field that tells sentences with their paths."""
    return graphene.List(
        graphene.NonNull(Reason),
        required=True,
        description="The sentences, each with its paths.",
        language=language_argument(),
        resolver=_reasons,
    )


def _reasons(root: Any, _info: Info, language: Any = None) -> tuple[FoundReason, ...]:
    """The reasons; none where they can no longer be read."""
    return reasons_of(root.paths, root.measured, named(language)) if root.sentences else ()


class Signal(graphene.ObjectType):
    """One summand of a score."""

    name = graphene.String(required=True, description="Its name.")
    value = graphene.Float(description="Its value; null where nothing is known, which adds nothing.")
    unit = graphene.String(description="What a value of 1 means.")
    weight = graphene.Float(description="What the value is multiplied with; null where the ranker is not linear in it.")
    contribution = graphene.Float(required=True, description="What it adds to the score.")
    source = graphene.String(
        description="Where it comes from, such as `your request` for a wish of this list; null for the graph."
    )

    @staticmethod
    def resolve_source(root: SignalValue, _info: Info) -> str | None:
        """Where it comes from."""
        return root.source or None


class PathStep(graphene.ObjectType):
    """One node of an evidence path, with the relationship that leads to it."""

    node = graphene.Field(
        Node, description="The node; null where the viewer may not see it, and for profiles and phases."
    )
    kind = graphene.String(required=True, description="Its type.")
    label = graphene.String(description="Its name or title.")
    relationship_id = graphene.ID(description="uid of the relationship from the step before.")
    relationship_type = graphene.String(
        description="Its type; SIMILAR_TEXT, between the words of two goals, and COMPARED, between two profiles, are "
        "computed and not stored."
    )
    since = graphene.Field(DateTime, description="When the relationship began.")
    source = graphene.String(description="Where it is known from.")
    holds_now = graphene.Boolean(required=True, description="Whether it holds still.")
    count = graphene.Int(description="Number of facts that the step stands for, where they are counted and not named.")

    @staticmethod
    def resolve_node(root: Step, info: Info) -> Awaitable[NodeRecord | None] | None:
        """The node."""
        context: RequestContext = info.context
        return context.nodes.load(root.node_uid) if root.node_uid else None

    @staticmethod
    def resolve_label(root: Step, _info: Info) -> str | None:
        """Its name or title."""
        return root.label or None

    @staticmethod
    def resolve_relationship_id(root: Step, _info: Info) -> str | None:
        """Uid of the relationship."""
        return root.relationship_uid or None

    @staticmethod
    def resolve_relationship_type(root: Step, _info: Info) -> str | None:
        """Type of the relationship."""
        return root.relationship_type or None

    @staticmethod
    def resolve_source(root: Step, _info: Info) -> str | None:
        """Where it is known from."""
        return root.source or None


class EvidencePath(graphene.ObjectType):
    """One reason: a path that exists in the graph."""

    path_id = graphene.ID(
        required=True, description="Its identity as it is shown: the same facts have the same one at all times."
    )
    weight = graphene.Float(
        required=True,
        description="By how much the score would fall without the path's last edge; below 0 where it would rise.",
    )
    sentence = graphene.String(required=True, description="What it says.", language=language_argument())
    signal = graphene.String(required=True, description="The signal that it is evidence for.")
    steps = graphene.List(graphene.NonNull(PathStep), required=True, description="The path, ending at the mentor.")
    cypher = graphene.String(
        description="A query that returns exactly this path; null where the viewer may not see all of it."
    )

    @staticmethod
    def resolve_path_id(root: FoundPath, _info: Info) -> str:
        """Its identity."""
        return root.uid

    @staticmethod
    def resolve_sentence(root: FoundPath, _info: Info, language: Any = None) -> str:
        """What it says."""
        return in_language(root, named(language))

    @staticmethod
    def resolve_cypher(root: FoundPath, _info: Info) -> str | None:
        """The query that returns the path."""
        return root.cypher or None


Caution = enum_of("Caution", dict(CAUTIONS), "What to bear in mind about a mentor; it changes neither score nor order.")


MeetingMode = enum_of("MeetingMode", dict(MODES), "How two people can meet.")


class Chance(graphene.ObjectType):
    """The estimated chance that a pairing would reach its programme's threshold of success, if it took place."""

    value = graphene.Float(description="From 0 to 1; null where the interval is wider than 0.3, too wide to name one.")
    low = graphene.Float(required=True, description="Lower end of the interval of 95 %.")
    high = graphene.Float(required=True, description="Upper end of the interval of 95 %.")
    outcomes = graphene.Int(required=True, description="Number of known outcomes of like scores that it rests on.")


def first_paths(root: Any, first: int | None) -> list[FoundPath]:
    """The heaviest paths of an answer; all if no number is given."""
    if first is not None:
        check_first(first)
    return list(root.paths[:first])


Lift = enum_of(
    "Lift",
    {
        "mix": "The mix that was asked for needs them.",
        "diversity": "They are less like those above them than whom the score would put there.",
        "exploration": "The place was drawn, to learn how mentors from further down do.",
    },
    "Why somebody stands higher than the score alone would put them.",
)


class MixShortfall(graphene.ObjectType):
    """What a list lacks of the mix that was asked for, which cannot be met."""

    experts = graphene.Int(required=True, description="Experts who are missing.")
    cross_functional = graphene.Int(required=True, description="Cross-functional mentors who are missing.")


class ModelAnswer(graphene.ObjectType):
    """Where the model alone would have put somebody."""

    rank = graphene.Int(
        description="Place by score alone; null where the page that was answered does not tell, because of pins."
    )
    score = graphene.Float(required=True, description="The score, which no coordinator changes.")


class Recommendation(graphene.ObjectType):
    """A mentor who was recommended, and why; kept in the decision log, from which it can be asked for again."""

    class Meta:
        """Shape."""

        interfaces = (Node,)

    @classmethod
    def is_type_of(cls, root: object, _info: Info) -> bool:
        """Tells a recommendation from what the graph stores."""
        return isinstance(root, listing.Recommendation)

    rank = graphene.Int(required=True, description="Place in the list, counted from 1.")
    score = graphene.Float(required=True, description="The base plus all contributions; compares within one list only.")
    base = graphene.Float(required=True, description="Where every score starts.")
    chance = graphene.Field(Chance, description="Chance of success; null while no calibrated model ranks.")
    mentor = graphene.Field(Person, description="The mentor.")
    signals = graphene.List(graphene.NonNull(Signal), required=True, description="The summands of the score.")
    paths = graphene.List(
        graphene.NonNull(EvidencePath),
        required=True,
        description="Evidence, heaviest first.",
        first=graphene.Int(description="At most so many."),
    )
    sentences = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="The reasons in words.",
        language=language_argument(),
    )
    reasons = reasons_field()
    cautions = graphene.List(
        graphene.NonNull(Caution), required=True, description="What to bear in mind beside the reasons."
    )
    mode = graphene.Field(
        MeetingMode, description="How the two can meet; null where not both have said when they are free."
    )
    available_from = graphene.Field(DateTime, description="From when on the pair may be made; null for now.")
    lifted_by = graphene.Field(Lift, description="Why they stand higher than the score puts them; null if they do not.")
    explored = graphene.Boolean(
        required=True, description="Whether the place was drawn, to learn how mentors from further down do."
    )
    propensity = graphene.Float(
        description="Probability with which this mentor stood in this place; null for participants."
    )

    is_pinned = graphene.Boolean(
        required=True, description="Whether a coordinator put the mentor first, as far as the rules allow it."
    )
    proposed = graphene.Field(
        ModelAnswer, required=True, description="The model's own answer, beside what was decided."
    )
    overrides = graphene.Field(
        "mentorgraph.api.overrides.OverrideConnection",
        description="What coordinators decided about it, in order; null for participants.",
        **paging_arguments(),
    )

    @staticmethod
    def resolve_is_pinned(root: listing.Recommendation, _info: Info) -> bool:
        """Whether a coordinator put the mentor first."""
        return bool(root.pin)

    @staticmethod
    def resolve_proposed(root: listing.Recommendation, _info: Info) -> dict[str, object]:
        """The model's own answer."""
        return {"rank": root.model_rank, "score": root.score}

    @staticmethod
    async def resolve_overrides(root: listing.Recommendation, info: Info, **paging: Any) -> Connection:
        """What coordinators decided about it."""
        context: RequestContext = info.context
        found = {node.uid: node for node in await context.overrides.load(root.uid)}
        return listed("Override", list(found), found.__getitem__, paging)

    @staticmethod
    def resolve_id(root: listing.Recommendation, _info: Info) -> str:
        """Identity of this answer."""
        return global_id("Recommendation", root.uid)

    @staticmethod
    def resolve_mode(root: listing.Recommendation, _info: Info) -> str | None:
        """How the two can meet."""
        return root.mode or None

    @staticmethod
    def resolve_lifted_by(root: listing.Recommendation, _info: Info) -> str | None:
        """Why they stand higher than the score puts them."""
        return root.lifted_by or None

    @staticmethod
    def resolve_explored(root: listing.Recommendation, _info: Info) -> bool:
        """Whether the place was drawn."""
        return root.is_explored

    @staticmethod
    def resolve_propensity(root: listing.Recommendation, _info: Info) -> float | None:
        """The probability of the place."""
        return root.propensity

    @staticmethod
    def resolve_mentor(root: listing.Recommendation, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_sentences(root: listing.Recommendation, _info: Info, language: Any = None) -> tuple[str, ...]:
        """The reasons in words."""
        return sentences_in(root, language)

    @staticmethod
    def resolve_paths(root: listing.Recommendation, _info: Info, first: int | None = None) -> list[FoundPath]:
        """Evidence, heaviest first."""
        return first_paths(root, first)


class RecommendationEdge(graphene.ObjectType):
    """A recommendation in its list."""

    cursor = graphene.String(required=True, description="Where to go on after it.")
    node = graphene.Field(Recommendation, description="The recommendation.")


class RecommendationConnection(graphene.ObjectType):
    """A page of recommendations, best first."""

    slate_id = graphene.ID(required=True, description="Identity of the list: equal inputs and versions, equal id.")
    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    policy_version = graphene.String(required=True, description="The policy in force.")
    edges = graphene.List(graphene.NonNull(RecommendationEdge), required=True, description="The recommendations.")
    nodes = graphene.List(Recommendation, required=True, description="The recommendations without their cursors.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page stands.")
    total_count = graphene.Int(description="Number of mentors who may be recommended; reads the facts of all of them.")
    notice = graphene.String(description="What to know about the list as a whole.")
    mix_shortfall = graphene.Field(MixShortfall, description="What it lacks of the mix; null if nothing.")


def recommended(slate: listing.Slate, after: str | None, most: int = MOST, without: str = "") -> dict[str, object]:
    """A page of recommendations.

    Args:
        slate: What was answered, and is kept.
        after: The cursor that it began after, if it did.
        most: At most so many of it.
        without: uid of somebody who is left out.
    """
    shown = [
        (each, cursor)
        for each, cursor in zip(slate.recommendations, slate.cursors, strict=True)
        if each.mentor != without
    ]
    nodes, cursors = [each for each, _ in shown[:most]], [cursor for _, cursor in shown[:most]]
    return {
        "slate_id": slate.uid,
        "model_version": slate.model_version,
        "policy_version": slate.policy_version,
        "total_count": slate.total,
        "notice": slate.notice or None,
        "mix_shortfall": slate.lacking if slate.lacking != NO_MIX else None,
        **connection_of(nodes, cursors, slate.has_next or len(shown) > most, after),
    }


class RuleRefusal(graphene.ObjectType):
    """A rule that forbids a pair."""

    rule = graphene.String(required=True, description="Name of the rule.")
    fact = graphene.String(required=True, description="What is the case.", language=language_argument())
    remedy = graphene.String(description="What would lift it.", language=language_argument())

    @staticmethod
    def resolve_fact(root: Refusal, _info: Info, language: Any = None) -> str:
        """What is the case."""
        return root.fact_in(named(language))

    @staticmethod
    def resolve_remedy(root: Refusal, _info: Info, language: Any = None) -> str | None:
        """What would lift it."""
        return root.remedy_in(named(language)) or None


class UnjudgedRule(graphene.ObjectType):
    """A rule of which nothing can be said, since facts are missing; it forbids nobody."""

    rule = graphene.String(required=True, description="Name of the rule.")
    fact = graphene.String(required=True, description="What is not known.", language=language_argument())

    @staticmethod
    def resolve_fact(root: Unjudged, _info: Info, language: Any = None) -> str:
        """What is not known."""
        return root.fact_in(named(language))


class Explanation(graphene.ObjectType):
    """Why a mentor fits a mentee: as of now, whether or not the two may be paired, or as it was once answered."""

    model_version = graphene.String(required=True, description="The model that ranked; `rules` for none.")
    policy_version = graphene.String(required=True, description="The policy in force.")
    score = graphene.Float(required=True, description="The base plus all contributions.")
    base = graphene.Float(required=True, description="Where every score starts.")
    chance = graphene.Field(Chance, description="Chance of success; null while no calibrated model ranks.")
    mentor = graphene.Field(Person, description="The mentor.")
    signals = graphene.List(graphene.NonNull(Signal), required=True, description="The summands of the score.")
    paths = graphene.List(
        graphene.NonNull(EvidencePath),
        required=True,
        description="Evidence, heaviest first.",
        first=graphene.Int(description="At most so many."),
    )
    sentences = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="The reasons in words.",
        language=language_argument(),
    )
    reasons = reasons_field()
    cautions = graphene.List(
        graphene.NonNull(Caution), required=True, description="What to bear in mind beside the reasons."
    )
    refusals = graphene.List(
        graphene.NonNull(RuleRefusal),
        required=True,
        description="Rules that forbid the pair now; none if allowed, and none of whom was recommended.",
    )
    unjudged = graphene.List(
        graphene.NonNull(UnjudgedRule),
        required=True,
        description="Rules of which nothing can be said since facts are missing; none for participants.",
    )
    answered_at = graphene.Field(DateTime, description="When it was answered; null for an explanation as of now.")
    is_redacted = graphene.Boolean(
        required=True, description="Whether names and sentences are gone because somebody was erased."
    )

    @staticmethod
    def resolve_mentor(root: matching.Explanation, info: Info) -> Awaitable[NodeRecord | None]:
        """The mentor."""
        context: RequestContext = info.context
        return context.nodes.load(root.mentor)

    @staticmethod
    def resolve_sentences(root: matching.Explanation, _info: Info, language: Any = None) -> tuple[str, ...]:
        """The reasons in words."""
        return sentences_in(root, language)

    @staticmethod
    def resolve_paths(root: matching.Explanation, _info: Info, first: int | None = None) -> list[FoundPath]:
        """Evidence, heaviest first."""
        return first_paths(root, first)
