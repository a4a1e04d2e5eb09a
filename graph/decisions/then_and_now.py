"""A kept answer beside the present: what has changed in the graph that touches it, and what would be answered now.

What the graph was like is not kept, what was answered is. A fact that was ended and told anew shows what it said
before; one that was written over shows only what it says now, and which of its fields that can be about.
"""

import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from mentorgraph.graph.decisions.decision import Decision, MenteeDecision, Recommended
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Kind
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.listing import Recommendation, Slate
from mentorgraph.graph.ranking.matching import Judged, Recommender
from mentorgraph.graph.ranking.mentees import MenteeRecommendation, recommend_mentees
from mentorgraph.graph.ranking.options import NO_MIX
from mentorgraph.graph.ranking.paths import EDGE_TYPES
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.store.transported import properties_of
from mentorgraph.graph.viewer import Viewer

BEGAN, ENDED, CHANGED, CORRECTED, GONE = "began", "ended", "changed", "corrected", "gone"

OWN = (
    "people",
    "roles",
    "consents",
    "profiles",
    "goals",
    "goal_skills",
    "offers",
    "wants",
    "skill_ratings",
    "unit_membership",
    "memberships",
    "availability",
    "absences",
    "busy_times",
    "completions",
    "steps_done",
)
"""Kinds of fact that score or rules look at and that a person may read of themselves."""

TOUCHING = (*OWN, "blocks", "pairings", "co_mentors", "requests", "overrides")
"""Kinds of fact that score or rules look at."""

MOST_FACTS = 200
"""Facts that are read of each of those whom an answer is about."""

_KIND_OF = {KINDS[name].label: KINDS[name] for name in TOUCHING}
_NOT_TOLD = frozenset({"since", "until", "recommendation", "ended_by"})
"""Fields that are dates of the fact, or uids that say nothing to people."""

_REFUSED = ("CONSENT_REQUIRED", "NOT_ONBOARDED", "NOT_FOUND")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a fact.

    Attributes:
        name: Its name.
        before: What it said when the answer was given; None for nothing, and where that is not known.
        after: What it says now; None for nothing.
    """

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class End:
    """What a fact leads to.

    Attributes:
        kind: Its label.
        uid: Its uid.
        name: Its name or title.
    """

    kind: str
    uid: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that has changed in the graph since an answer.

    Attributes:
        what: `began`, `ended`, `changed` (ended and told anew), `corrected` (recorded or written over afterwards, for a
            time before the answer), or `gone` (no longer in the graph).
        kind: Kind of the fact, such as `offers`.
        uid: Its uid; of what is told anew the new one's.
        owner: uid of the person or goal whose fact it is; empty for evidence that is neither's.
        ends: What else it leads to.
        fields: What it says, or said; for `corrected` the fields that it can be about.
        at: When it began or ended, or will; None where that is not known.
        is_told_by_owner: Whether the fact starts at its owner; a block does so at whoever does not want the other.
    """

    what: str
    kind: str
    uid: str
    owner: str
    ends: tuple[End, ...]
    fields: tuple[FieldChange, ...]
    at: datetime | None
    is_told_by_owner: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """A mentor in the answer then and in the one of now.

    Attributes:
        mentor: uid.
        rank_then: Place in the kept page; None for whoever was not in it.
        rank_now: Place now; None for whom a rule forbids, and beyond the first `paging.MOST`.
        score_then: Score as it was answered; None where it was not.
        score_now: Score now.
        signals_then: Its summands.
        signals_now: Likewise.
        refusals: Rules that forbid the pair now, as the viewer may read them.
        is_in: Whether they stand in the same part of the list now.
        mentee: In a mentor's list of goals the uid of the mentee; empty in a list of mentors.
        goal: In a mentor's list the uid of the goal; likewise.
    """

    mentor: str
    rank_then: int | None
    rank_now: int | None
    score_then: float | None
    score_now: float | None
    signals_then: tuple[SignalValue, ...]
    signals_now: tuple[SignalValue, ...]
    refusals: tuple[Refusal, ...]
    is_in: bool
    mentee: str = ""
    goal: str = ""

    def by_signal(self) -> list[tuple[str, SignalValue | None, SignalValue | None]]:
        """Name, then and now of every summand of either score."""
        then = {each.name: each for each in self.signals_then}
        now = {each.name: each for each in self.signals_now}
        return [(name, then.get(name), now.get(name)) for name in dict.fromkeys((*then, *now))]


@dataclass(frozen=True, slots=True)
class Today:
    """What would be answered now.

    Attributes:
        model_version: The model that would rank.
        policy_version: The policy in force.
        refusal: Why nothing would be answered; None where something would.
        compared: Whoever is in the kept page or in the same part of the present list; the former first.
    """

    model_version: str
    policy_version: str
    refusal: DomainError | None
    compared: tuple[Compared, ...]


async def changes_of(
    store: Store, decision: Decision, recommendation: str, viewer: Viewer, now: datetime
) -> list[Change]:
    """What has changed since an answer in the facts of mentee, mentor and goal, and in the evidence.

    Participants get what is told of themselves, and of the evidence what they were shown; a mentor of their own list of
    goals nothing that is told of the mentees.

    Args:
        store: The graph.
        decision: The kept answer.
        recommendation: uid of one of its recommendations.
        viewer: Who will read it, and may see the decision.
        now: The present instant.

    Raises:
        DomainError: `NOT_FOUND`.
        DatabaseUnavailable: The graph cannot be asked.
    """
    found = decision.find(recommendation)
    if found is None:
        raise DomainError("no recommendation has this id", code="NOT_FOUND", field="recommendationId")
    of_mentee = [decision.mentee, *([decision.goal] if decision.goal else [])]
    uids = [found.recommendation.mentor] if decision.within else of_mentee
    if viewer.sees_everybody:
        uids = [*of_mentee, found.recommendation.mentor]
    kinds = TOUCHING if viewer.sees_everybody else OWN
    rows = await store.read_touched(
        uids, [KINDS[name].label for name in kinds], decision.change, decision.scored_at, now, MOST_FACTS
    )
    own = [
        change
        for owner, facts in rows.items()
        for fact in facts
        if (change := _change(owner, fact, decision)) is not None
        and (viewer.sees_everybody or (change.is_told_by_owner and change.kind in OWN))
    ]
    known = {change.uid: change for change in own}
    evidence = [each async for each in _of_evidence(store, decision, found, viewer, now) if each.uid not in known]
    return [*_told_anew(list(known.values())), *evidence]


def _change(owner: str, fact: Mapping[str, Any], decision: Decision) -> Change | None:
    """What has become of one fact; None for none of the kinds that count."""
    kind = _KIND_OF.get(fact["label"])
    if kind is None:
        return None
    properties = properties_of(fact["properties"])
    then, since, until = decision.scored_at, properties["since"], properties.get("until")
    fields = tuple((each.name, properties.get(each.name)) for each in kind.fields if each.name not in _NOT_TOLD)
    told = [(name, value) for name, value in fields if value is not None]
    if since >= then:
        what, at, shown = BEGAN, since, [FieldChange(name, None, value) for name, value in told]
    elif until is not None and until >= then:
        what, at, shown = ENDED, until, [FieldChange(name, value, None) for name, value in told]
    else:
        what, at = CORRECTED, None
        shown = [FieldChange(name, None, value) for name, value in fields if name not in kind.key]
    ends = tuple(End(*each) for each in fact["ends"])
    return Change(what, kind.name, properties["uid"], owner, ends, tuple(shown), at, fact["is_start"])


def _told_anew(changes: Sequence[Change]) -> Iterator[Change]:
    """Facts that ended and the ones that took their place become one change; the rest stays as it is."""
    ended = {_place(each): each for each in changes if each.what == ENDED and _is_one_of_its_place(KINDS[each.kind])}
    begun = {_place(each) for each in changes if each.what == BEGAN}
    for each in changes:
        before = ended.get(_place(each))
        if each.what == ENDED and before is each and _place(each) in begun:
            continue
        if each.what != BEGAN or before is None or each.at is None or before.at is None or each.at < before.at:
            yield each
            continue
        was = {field.name: field.before for field in before.fields}
        now = {field.name: field.after for field in each.fields}
        names = [name for name in dict.fromkeys((*was, *now)) if was.get(name) != now.get(name)]
        fields = tuple(FieldChange(name, was.get(name), now.get(name)) for name in names)
        yield replace(each, what=CHANGED, fields=fields)


def _is_one_of_its_place(kind: Kind) -> bool:
    """Whether a fact holds one at a time between the same ends, so that the next one takes the place of the last."""
    return kind.is_relationship or kind.name == "profiles"


def _place(change: Change) -> tuple[object, ...]:
    return change.kind, change.owner, tuple(each.uid for each in change.ends)


async def _of_evidence(
    store: Store, decision: Decision, found: Recommended, viewer: Viewer, now: datetime
) -> AsyncIterator[Change]:
    """What has become of the relationships that the paths of a recommendation name."""
    wanted: dict[str, set[str]] = {name: set() for name in EDGE_TYPES}
    held = {}
    for path in found.shown_to(viewer, decision.mentee).paths:
        for step in path.steps:
            if step.relationship_uid and step.relationship_type in wanted:
                wanted[step.relationship_type].add(step.relationship_uid)
                held[step.relationship_uid] = step
    rows = await store.read_edges(wanted, []) if held else []
    edges = {row["uid"]: row for row in rows if row["type"]}
    for uid, step in held.items():
        kind = _kind_of_edge(step.relationship_type)
        row = edges.get(uid)
        if row is None:
            yield Change(GONE, kind, uid, "", (), (), None)
        elif row["until"] is not None and step.holds_now and row["until"] < now:
            ends = tuple(
                End(end["kind"], end["uid"], end["name"] or "")
                for end in (row["start"], row["end"])
                if viewer.sees_everybody
            )
            yield Change(ENDED, kind, uid, "", ends, (), row["until"])


def _kind_of_edge(edge_type: str) -> str:
    """The kind of fact that a relationship states, or is a link of."""
    for kind in KINDS.values():
        if kind.label == edge_type or any(link.type == edge_type for link in kind.links):
            return kind.name
    return ""


async def today_of(
    recommender: Recommender,
    viewer: Viewer,
    decision: Decision,
    *,
    scorer: Scorer | None = None,
    patience_s: float = math.inf,
) -> Today:
    """What the question of a kept answer would be answered with now, beside it; it is not kept.

    For a pair of a mentor's list that is the list of the mentor.

    Args:
        recommender: What answers.
        viewer: Who will read it, and may see the decision.
        decision: The kept answer.
        scorer: What ranks; the one of the recommender if none is given.
        patience_s: As in `recommend_mentees`.

    Raises:
        DatabaseUnavailable: The graph cannot be asked.
    """
    scorer = scorer or recommender.scorer
    if decision.within is not None:
        return await _todays_mentees(recommender, viewer, decision, decision.within, scorer, patience_s)
    goal = decision.goal or None
    kept = {each.recommendation.mentor: each.recommendation for each in decision.recommended}
    try:
        listed = await _todays_list(recommender, viewer, decision, scorer)
        judged = await recommender.judge(
            viewer,
            decision.mentee,
            list(kept),
            goal,
            ignored=decision.options.ignored,
            scorer=scorer,
            programme=decision.programme or None,
            in_place_of=decision.options.in_place_of,
        )
    except DomainError as error:
        if error.code not in _REFUSED:
            raise
        return Today(scorer.model_version, scorer.policy.version, error, tuple(_compared(decision, (), {})))
    slate, everybody = listed
    return Today(slate.model_version, slate.policy_version, None, tuple(_compared(decision, everybody, judged)))


async def _todays_list(
    recommender: Recommender, viewer: Viewer, decision: Decision, scorer: Scorer
) -> tuple[Slate, list[Recommendation]]:
    """The list of now, and the first `MOST` of it; where its first places are given, as many are given as then."""
    question = (viewer, decision.mentee, decision.goal or None)
    first = MOST
    if decision.options.mix != NO_MIX or decision.options.diversity:
        shown = [each.recommendation for each in decision.recommended]
        first = decision.shaping.first + sum(bool(each.pin) for each in shown) if decision.shaping else len(shown)
    asked = partial(
        recommender.recommend,
        *question,
        options=decision.options,
        explores=False,
        with_paths=False,
        scorer=scorer,
        programme=decision.programme or None,
    )
    slate = await asked(first=max(first, 1))
    found = list(slate.recommendations)
    if slate.has_next and len(found) < MOST:
        found += (await asked(first=MOST - len(found), after=slate.cursors[-1])).recommendations
    return slate, found


def _compared(decision: Decision, todays: Sequence[Recommendation], judged: Mapping[str, Judged]) -> Iterator[Compared]:
    now = {each.mentor: each for each in todays}
    first = decision.rank_offset
    last = first + len(decision.recommended)
    for each in decision.recommended:
        was = each.recommendation
        found, own = now.get(was.mentor), judged.get(was.mentor)
        yield Compared(
            was.mentor,
            was.rank,
            found.rank if found else None,
            was.score,
            own.score if own else None,
            was.signals,
            own.signals if own else (),
            own.refusals if own else (),
            found is not None and first < found.rank <= last,
        )
    known = {each.recommendation.mentor for each in decision.recommended}
    for new in todays:
        if new.mentor not in known and first < new.rank <= last:
            yield Compared(new.mentor, None, new.rank, None, new.score, (), new.signals, (), True)


async def _todays_mentees(
    recommender: Recommender,
    viewer: Viewer,
    decision: Decision,
    within: MenteeDecision,
    scorer: Scorer,
    patience_s: float,
) -> Today:
    """The mentor's list of today beside the kept one; the policy is that of the programme of the pair in question."""
    slate = await recommend_mentees(
        recommender, viewer, within.mentor, first=MOST, scorer=scorer, with_paths=False, patience_s=patience_s
    )
    now = {each.goal: each for each in slate.recommendations}
    first, last = within.rank_offset, within.rank_offset + len(within.recommended)
    compared = []
    for was in (each.recommendation for each in within.recommended):
        found = now.get(was.goal)
        own = None if found else await _judged_now(recommender, viewer, was, scorer)
        compared.append(
            Compared(
                was.mentor,
                was.rank,
                found.rank if found else None,
                was.score,
                found.score if found else own.score if own else None,
                was.signals,
                found.signals if found else own.signals if own else (),
                own.refusals if own else (),
                found is not None and first < found.rank <= last,
                was.mentee,
                was.goal,
            )
        )
    known = {each.recommendation.goal for each in within.recommended}
    for new in slate.recommendations:
        if new.goal not in known and first < new.rank <= last:
            new_pair = (new.mentor, None, new.rank, None, new.score, (), new.signals, (), True, new.mentee, new.goal)
            compared.append(Compared(*new_pair))
    policy = now[decision.goal].policy_version if decision.goal in now else scorer.policy.version
    return Today(slate.model_version, policy, None, tuple(compared))


async def _judged_now(
    recommender: Recommender, viewer: Viewer, was: MenteeRecommendation, scorer: Scorer
) -> Judged | None:
    """A pair that is not in the mentor's list now; None for participants, and where there is nothing left to judge."""
    if not viewer.sees_everybody:
        return None
    try:
        return (await recommender.judge(viewer, was.mentee, [was.mentor], was.goal, scorer=scorer)).get(was.mentor)
    except DomainError as error:
        if error.code not in _REFUSED:
            raise
        return None
