"""Recommending: score everybody in memory, keep whom the rules allow, and show the evidence behind each answer.

The order of work keeps answers fresh at a bounded price: scores come from columns that were just brought up to date,
the facts that rules ask for are read in growing blocks down the order, and paths are read for the final
few only. Round trips: one for changes, one for whoever asks, O(log n) for rules, one for paths.
Later pages go on in the order of the first one; the rules look at the present on every page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.columns import NONE, Columns
from mentorgraph.graph.database import DatabaseUnavailable
from mentorgraph.graph.eligibility import Seeker, read_pairs, refuse_mentee, refuse_unknown_programme, seeker_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.model import uid_of
from mentorgraph.graph.paging import Cursor, check_first, read_cursor, short
from mentorgraph.graph.paths import EvidencePath, Item, find_paths, shown_to
from mentorgraph.graph.pins import Standing, model_ranks, pinned_first, place_after
from mentorgraph.graph.policy import Policy
from mentorgraph.graph.question import Question, question, told_at
from mentorgraph.graph.reasons import SignalValue, measured, sentences_of, signal_values
from mentorgraph.graph.rules import Judgement, Refusal, Unjudged, judge, may_be_shown
from mentorgraph.graph.scoring import Scorer, Scores, Term
from mentorgraph.graph.signals.signal import Evidence
from mentorgraph.graph.store import Store
from mentorgraph.graph.viewer import Viewer

FIRST_BLOCK = 32
"""Candidates whose facts are read at first; every further block is twice as long."""

NOT_AVAILABLE = Refusal("NOT_AVAILABLE", "this pair cannot be made now", "ask your coordinator")
"""What participants are told in place of the rules that forbid a pair."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One mentor of a slate.

    Attributes:
        uid: Identity of the answer: the same slate gives the same.
        rank: Place, counted from 1.
        mentor: uid of the mentor.
        score: base + Σ contributions; compares within one slate only.
        base: Where every score starts.
        signals: The summands.
        paths: Evidence as the viewer may see it, heaviest first.
        sentences: The reasons in words.
        evidence: The same paths in full, for the decision log.
        measured: Those of the sentences that tell of no path.
        pin: uid of the override by which a coordinator put the mentor first; empty for none.
        model_rank: Place by score alone; None where the page does not tell, see `pins.model_ranks`.
    """

    uid: str
    rank: int
    mentor: str
    score: float
    base: float
    signals: tuple[SignalValue, ...]
    paths: tuple[EvidencePath, ...]
    sentences: tuple[str, ...]
    evidence: tuple[EvidencePath, ...]
    measured: tuple[str, ...]
    pin: str = ""
    model_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by whom, and on which state of things it was answered.

    Attributes:
        viewer: On whose behalf.
        mentee: uid of the person who seeks a mentor.
        at: The instant that the rules looked at: the present one, or `as_of`.
        scored_at: The instant as of which facts counted for the scores; earlier than `at` on later pages.
        as_of: The past instant that was asked about; None for the present.
        change: Number of the last change of the graph that the scores know.
        rank_offset: Place of the last mentor of the page before.
        policy: The policy in force.
        names: Names of the people, and the title of the goal, by uid.
    """

    viewer: Viewer
    mentee: str
    at: datetime
    scored_at: datetime
    as_of: datetime | None
    change: int
    rank_offset: int
    policy: Policy
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Slate:
    """One answer.

    Attributes:
        uid: Identity: equal inputs and versions give equal ones.
        model_version: Version of the model, `rules` where none is published.
        policy_version: Version of the policy.
        goal: uid of the goal that was asked about, empty for none.
        recommendations: The page.
        cursors: Where to go on after each of them.
        has_next: Whether more follow.
        total: Number of allowed mentors, if it was asked for.
        notice: What the reader should know about the list as a whole; empty for nothing.
        asked: The question.
    """

    uid: str
    model_version: str
    policy_version: str
    goal: str
    recommendations: tuple[Recommendation, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int | None
    notice: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one mentor fits one mentee, whether or not they may be paired now.

    Attributes:
        answered_at: When it was said, for one that is kept; None for one as of now.
        is_redacted: Whether the names and sentences in it can no longer be read.
        unjudged: Rules that could not be judged since facts are missing; none for participants.
    """

    model_version: str
    policy_version: str
    mentor: str
    goal: str
    score: float
    base: float
    signals: tuple[SignalValue, ...]
    paths: tuple[EvidencePath, ...]
    sentences: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    answered_at: datetime | None = None
    is_redacted: bool = False
    unjudged: tuple[Unjudged, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A mentor as they would be scored now, whether or not they may be recommended.

    Attributes:
        score: base + Σ contributions.
        signals: The summands.
        refusals: Rules that forbid the pair, as the viewer may read them.
    """

    score: float
    signals: tuple[SignalValue, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Asker:
    """Whoever asks, as the graph knows them now, what ranks for them, and the columns that count everybody."""

    scorer: Scorer
    columns: Columns
    uid: str
    goal: str
    key: str
    now: datetime
    seeker: Seeker
    asked: Question
    scores: Scores
    pins: Mapping[int, str]


@dataclass(slots=True)
class Recommender:
    """Answers for one graph.

    Attributes:
        store: The graph.
        scorer: What ranks.
        columns: What scoring needs of the graph; kept fresh by every question.
        clock: The present instant.
    """

    store: Store
    scorer: Scorer
    columns: Columns = field(default_factory=Columns)
    clock: Clock = present

    async def recommend(
        self,
        viewer: Viewer,
        mentee: str,
        goal: str | None = None,
        *,
        first: int = 10,
        after: str | None = None,
        with_paths: bool = True,
        with_total: bool = False,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
        programme: str | None = None,
    ) -> Slate:
        """Ranks the mentors that a mentee may be paired with.

        Args:
            viewer: On whose behalf; participants may ask for themselves only.
            mentee: uid of the person who seeks a mentor.
            goal: uid of one of their goals; the latest open one if none is given.
            first: Length of the page, 1 to `paging.MOST`.
            after: Cursor of an earlier page of the same question.
            with_paths: Whether evidence is wanted.
            with_total: Whether the number of allowed mentors is wanted; it takes reading the facts of all of them.
            as_of: Judge mentors by what was known before this instant; now if none is given. A goal that was set later
                is taken as it was when it was set.
            scorer: What ranks; the one of this recommender if none is given.
            programme: uid of the programme whose rules count; the only one in which they are a mentee if none is given.

        Raises:
            DomainError: `BAD_USER_INPUT`, `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        check_first(first)
        _may_ask(viewer, mentee)
        cursor = read_cursor(after, as_of or self.clock()) if after is not None else None
        asker = await self._ask(
            mentee, goal, as_of, scorer or self.scorer, cursor.scored_at if cursor else None, programme=programme
        )
        scored_at = asker.asked.now
        slate_uid = uid_of("mentorgraph", "slates", f"{asker.key} {asker.columns.change} {asker.scores.fingerprint()}")
        if asker.pins:
            slate_uid = uid_of("mentorgraph", "slates", f"{slate_uid} {sorted(asker.pins.values())}")
        order = pinned_first(self._order(asker), asker.pins)
        start = 0
        if cursor is not None:
            if cursor.question != short(asker.key):
                raise DomainError("after belongs to another question or version", code="BAD_USER_INPUT", field="after")
            uids = asker.columns.people.uids
            start = place_after(asker.scores, order, asker.pins, uids, cursor.score, cursor.mentor)
        rank = cursor.rank if cursor else 0
        total = None
        if with_total:
            everybody = await self._allowed(asker, order, len(order))
            later = set(order[start:].tolist())
            total, allowed = len(everybody), [person for person in everybody if person in later]
        else:
            allowed = await self._allowed(asker, order[start:], first + 1)
        page = allowed[:first]
        by_score = self._model_ranks(asker, allowed, rank, len(allowed) <= first)
        evidence = await self._paths(asker, page) if with_paths else {}
        recommendations = []
        for place, person in enumerate(page, rank + 1):
            mentor = asker.columns.people.uids[person]
            found = shown_to(viewer, evidence.get(mentor, ()), mentee, mentor)
            signals = signal_values(asker.scores, person)
            measured_words = measured(signals, asker.scorer, evidence.get(mentor, ()))
            recommendations.append(
                Recommendation(
                    uid_of("mentorgraph", "recommendations", slate_uid + mentor),
                    place,
                    mentor,
                    float(asker.scores.total[person]),
                    asker.scores.base,
                    signals,
                    found,
                    sentences_of(found, measured_words),
                    evidence.get(mentor, ()),
                    measured_words,
                    asker.pins.get(person, ""),
                    by_score[place - rank - 1],
                )
            )
        names = _names(asker.columns, [mentee, *(each.mentor for each in recommendations)], asker.goal)
        return Slate(
            slate_uid,
            asker.scorer.model_version,
            asker.scorer.policy.version,
            asker.goal,
            tuple(recommendations),
            tuple(
                Cursor(short(asker.key), scored_at, each.rank, each.score, each.mentor).write()
                for each in recommendations
            ),
            len(allowed) > first,
            total,
            _notice(asker.asked),
            Asked(viewer, mentee, asker.now, scored_at, as_of, asker.columns.change, rank, asker.scorer.policy, names),
        )

    async def explain(
        self,
        viewer: Viewer,
        mentee: str,
        mentor: str,
        goal: str | None = None,
        *,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
        programme: str | None = None,
    ) -> Explanation:
        """Says why a mentor fits a mentee, and which rules forbid the pair now; participants ask as the mentee only.

        Participants are told of mentors who take part only, as if nobody else existed.

        Raises:
            DomainError: `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        _may_ask(viewer, mentee)
        asker = await self._ask(mentee, goal, as_of, scorer or self.scorer, programme=programme)
        person, judged = await self._judged(viewer, asker, mentor)
        evidence = (await self._paths(asker, [person])).get(mentor, ())
        paths = shown_to(viewer, evidence, mentee, mentor)
        signals = signal_values(asker.scores, person)
        return Explanation(
            asker.scorer.model_version,
            asker.scorer.policy.version,
            mentor,
            asker.goal,
            float(asker.scores.total[person]),
            asker.scores.base,
            signals,
            paths,
            sentences_of(paths, measured(signals, asker.scorer, evidence)),
            judged.refusals,
            unjudged=judged.unjudged,
        )

    async def judge(
        self,
        viewer: Viewer,
        mentee: str,
        mentors: Sequence[str],
        goal: str | None = None,
        *,
        scorer: Scorer | None = None,
    ) -> dict[str, Judged]:
        """Scores some mentors for a mentee as of now, with the rules that forbid each pair; unknown ones are absent.

        Raises:
            DomainError: As `recommend`; but coordinators learn of rules that forbid the mentee from the refusals.
            DatabaseUnavailable: The graph cannot be asked.
        """
        _may_ask(viewer, mentee)
        asker = await self._ask(mentee, goal, None, scorer or self.scorer, as_is=viewer.sees_everybody)
        found = {}
        for uid, pair in (await read_pairs(self.store, asker.seeker, mentors, asker.now)).items():
            person = asker.columns.people.find(uid)
            if person != NONE:
                told = judge(pair, asker.scorer.policy.rules).refusals
                shown = told if viewer.sees_everybody or not told else (NOT_AVAILABLE,)
                score = float(asker.scores.total[person])
                found[uid] = Judged(score, signal_values(asker.scores, person), shown)
        return found

    async def _judged(self, viewer: Viewer, asker: _Asker, mentor: str) -> tuple[int, Judgement]:
        """Number of a mentor, and what the rules say of the pair, as a viewer may read it."""
        person = asker.columns.people.find(mentor)
        pairs = await read_pairs(self.store, asker.seeker, [mentor], asker.now) if person != NONE else {}
        if mentor not in pairs or not (viewer.sees_everybody or may_be_shown(pairs[mentor])):
            raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
        found = judge(pairs[mentor], asker.scorer.policy.rules)
        if viewer.sees_everybody:
            return person, found
        told = () if found.is_allowed else (NOT_AVAILABLE,)
        return person, Judgement(told)

    async def _ask(
        self,
        mentee: str,
        goal: str | None,
        as_of: datetime | None,
        scorer: Scorer,
        scored_at: datetime | None = None,
        *,
        programme: str | None = None,
        as_is: bool = False,
    ) -> _Asker:
        now = as_of or self.clock()
        columns = await self.fresh_columns()
        told = told_at(columns, columns.goals.find(goal) if goal else NONE, now)
        row = await self.store.read_asker(mentee, goal, told, programme, scored_at or now)
        if row is None:
            raise DomainError("no person has this id", code="NOT_FOUND", field="menteeId")
        if goal is not None and row["goal"] is None:
            raise DomainError("this person has no goal with this id", code="NOT_FOUND", field="goalId")
        refuse_unknown_programme(row, programme)
        if not as_is:
            refuse_mentee(row)
        seeker = seeker_of(row, now, scorer.policy)
        scorer = scorer.under(seeker.frame.policy)
        found = row["goal"] or ""
        if columns.people.find(mentee) == NONE or (found and columns.goals.find(found) == NONE):
            columns = await self.fresh_columns()  # they were recorded since the refresh above
        person, number = columns.people.find(mentee), columns.goals.find(found) if found else NONE
        if person == NONE or (found and number == NONE):
            raise DatabaseUnavailable("the graph is being put back; try again in a moment")
        asked = question(columns, person, number, scored_at or now, scorer.policy.signals)
        scores = scorer.score(columns, asked)
        frame = seeker.frame.programme
        key = f"{scorer.model_version} {scorer.policy.version} {mentee} {found}" + (f" {frame}" if frame else "")
        pins = {columns.people.find(uid): override for uid, override in row["pins"]}
        return _Asker(scorer, columns, mentee, found, key, now, seeker, asked, scores, pins)

    async def fresh_columns(self) -> Columns:
        """The columns with all that was written so far; new ones where the graph was put back to an earlier state."""
        columns = self.columns
        while not await columns.refresh(self.store):
            if self.columns is columns:  # else another question has begun with new ones
                self.columns = Columns()
            columns = self.columns
        return columns

    def _order(self, asker: _Asker) -> NDArray[np.int64]:
        """Everybody who has the role of a mentor, best first."""
        roles = asker.columns.tables["roles"]
        mentors = roles.valid(asker.asked.seconds) & asker.columns.mentor_roles()
        people = np.unique(roles.numbers("person")[mentors])
        uids = asker.columns.people.uids
        places = asker.columns.remember("places of uids", len(uids), lambda: np.argsort(np.argsort(np.array(uids))))
        return asker.scores.order(people[people != asker.asked.mentee], places)

    def _model_ranks(self, asker: _Asker, allowed: Sequence[int], offset: int, is_whole: bool) -> list[int | None]:
        """Where score alone would put each of those who were found."""
        uids, total = asker.columns.people.uids, asker.scores.total
        seen = [Standing(float(total[each]), uids[each], each in asker.pins) for each in allowed]
        return model_ranks(seen, offset, bool(asker.pins), is_whole)

    async def _allowed(self, asker: _Asker, order: NDArray[np.int64], wanted: int) -> list[int]:
        """The first few of an order whom no rule forbids."""
        allowed: list[int] = []
        uids = asker.columns.people.uids
        position, block = 0, max(FIRST_BLOCK, wanted)
        while position < len(order) and len(allowed) < wanted:
            people = [int(person) for person in order[position : position + block]]
            pairs = await read_pairs(self.store, asker.seeker, [uids[person] for person in people], asker.now)
            judged = {uid: judge(pair, asker.scorer.policy.rules) for uid, pair in pairs.items()}
            allowed += [person for person in people if uids[person] in judged and judged[uids[person]].is_allowed]
            position += block
            block *= 2
        return allowed[:wanted]

    async def _paths(self, asker: _Asker, people: Sequence[int]) -> dict[str, tuple[EvidencePath, ...]]:
        items = [
            Item(asker.columns.people.uids[person], term.name, drop, evidence)
            for person in people
            for term in asker.scores.terms
            for drop, evidence in _telling(term, person)
        ]
        return await find_paths(self.store, items, asker.now, partial(_owner, asker.columns))


def _telling(term: Term, person: int) -> list[tuple[float, Evidence]]:
    """The evidence worth telling, with its drop in units of the score: what the score would miss, or else one item."""
    weight = 1.0 if term.weight is None else term.weight
    found = [(weight * evidence.drop + 0.0, evidence) for evidence in term.explain(person)]
    return [each for each in found if each[0] != 0] or found[:1]


def _may_ask(viewer: Viewer, mentee: str) -> None:
    # Not even as the mentor: whoever could explain themselves to anybody could read everybody's goals.
    if not viewer.sees_everybody and viewer.person != mentee:
        raise DomainError("you may ask for yourself only", code="FORBIDDEN")


def _names(columns: Columns, people: Sequence[str], goal: str) -> dict[str, str]:
    """Names or titles by uid, as far as it is known."""
    names, titles = columns.tables["people"].strings("name"), columns.tables["goals"].strings("title")
    found = {uid: names[columns.people.find(uid)] for uid in people}
    if goal:
        found[goal] = titles[columns.goals.find(goal)]
    return {uid: name for uid, name in found.items() if name}


def _owner(columns: Columns, goal: str) -> str:
    """Uid of the person who set a goal; empty where it is not known."""
    number = columns.goals.find(goal)
    return "" if number == NONE else columns.people.uids[columns.tables["goals"].numbers("person")[number]]


def _notice(asked: Question) -> str:
    if asked.goal == NONE and not asked.wishes:
        return "This person has no open goal and wants no skill yet, so the order rests on units, time and experience."
    return ""
