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

from mentorgraph.graph.cautions import cautions_of
from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.columns import NONE, Columns
from mentorgraph.graph.database import DatabaseUnavailable
from mentorgraph.graph.eligibility import Seeker, read_pairs, refuse_mentee, refuse_unknown_programme, seeker_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.model import uid_of
from mentorgraph.graph.paging import Cursor, check_first, read_cursor, short
from mentorgraph.graph.paths import Item, find_paths, shown_to
from mentorgraph.graph.policy import Policy
from mentorgraph.graph.question import Question, question, told_at
from mentorgraph.graph.reasons import SignalValue, measured, signal_values
from mentorgraph.graph.rules import Judgement, PairFacts, Refusal, Unjudged, judge, may_be_shown
from mentorgraph.graph.scoring import Scorer, Scores, Term
from mentorgraph.graph.sentences import EvidencePath, Measured, sentences_of
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
        measured: What is said that no path tells.
        cautions: Names of `cautions.CAUTIONS`.
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
    measured: tuple[Measured, ...]
    cautions: tuple[str, ...] = ()


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
        cautions: Names of `cautions.CAUTIONS`.
        measured: What is said that no path tells.
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
    cautions: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()


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
        order = self._order(asker)
        start = 0
        if cursor is not None:
            if cursor.question != short(asker.key):
                raise DomainError("after belongs to another question or version", code="BAD_USER_INPUT", field="after")
            start = asker.scores.place_after(order, asker.columns.people.uids, cursor.score, cursor.mentor)
        rank = cursor.rank if cursor else 0
        total = None
        if with_total:
            everybody = await self._allowed(asker, order, len(order))
            later = set(order[start:].tolist())
            total, allowed = len(everybody), [person for person in everybody if person in later]
        else:
            allowed = await self._allowed(asker, order[start:], first + 1)
        page = allowed[:first]
        evidence = await self._paths(asker, page) if with_paths else {}
        recommendations = []
        for place, person in enumerate(page, rank + 1):
            mentor = asker.columns.people.uids[person]
            found = shown_to(viewer, evidence.get(mentor, ()), mentee, mentor)
            signals = signal_values(asker.scores, person)
            unpathed = measured(signals, asker.scorer, evidence.get(mentor, ()))
            recommendations.append(
                Recommendation(
                    uid_of("mentorgraph", "recommendations", slate_uid + mentor),
                    place,
                    mentor,
                    float(asker.scores.total[person]),
                    asker.scores.base,
                    signals,
                    found,
                    sentences_of(found, unpathed),
                    evidence.get(mentor, ()),
                    unpathed,
                    cautions_of(asker.columns, asker.asked.seconds, person),
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
        [found] = await self.explain_all(
            viewer, mentee, [mentor], goal, as_of=as_of, scorer=scorer, programme=programme
        )
        return found

    async def explain_all(
        self,
        viewer: Viewer,
        mentee: str,
        mentors: Sequence[str],
        goal: str | None = None,
        *,
        as_of: datetime | None = None,
        scorer: Scorer | None = None,
        programme: str | None = None,
        field: str = "mentorId",
    ) -> list[Explanation]:
        """Explains several mentors for one mentee as `explain` does one, in as many round trips.

        Args:
            viewer: On whose behalf.
            mentee: uid of the person who seeks a mentor.
            mentors: uids of the mentors.
            goal: uid of one of the mentee's goals; the latest open one if none is given.
            as_of: As for `recommend`.
            scorer: As for `recommend`.
            programme: As for `recommend`.
            field: Name of the argument that an unknown mentor stands in.

        Raises:
            DomainError: As `explain`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        _may_ask(viewer, mentee)
        asker = await self._ask(mentee, goal, as_of, scorer or self.scorer, programme=programme)
        judged = await self._judged_all(viewer, asker, mentors, field)
        evidence = await self._paths(asker, [person for person, _ in judged])
        return [
            self._explanation(viewer, asker, person, found, evidence.get(mentor, ()))
            for mentor, (person, found) in zip(mentors, judged, strict=True)
        ]

    def _explanation(
        self, viewer: Viewer, asker: _Asker, person: int, judged: Judgement, evidence: tuple[EvidencePath, ...]
    ) -> Explanation:
        mentor = asker.columns.people.uids[person]
        paths = shown_to(viewer, evidence, asker.uid, mentor)
        signals = signal_values(asker.scores, person)
        unpathed = measured(signals, asker.scorer, evidence)
        return Explanation(
            asker.scorer.model_version,
            asker.scorer.policy.version,
            mentor,
            asker.goal,
            float(asker.scores.total[person]),
            asker.scores.base,
            signals,
            paths,
            sentences_of(paths, unpathed),
            judged.refusals,
            unjudged=judged.unjudged,
            cautions=cautions_of(asker.columns, asker.asked.seconds, person),
            measured=unpathed,
        )

    async def _judged(self, viewer: Viewer, asker: _Asker, mentor: str) -> tuple[int, Judgement]:
        """Number of a mentor, and what the rules say of the pair, as a viewer may read it."""
        [found] = await self._judged_all(viewer, asker, [mentor], "mentorId")
        return found

    async def _judged_all(
        self, viewer: Viewer, asker: _Asker, mentors: Sequence[str], field: str
    ) -> list[tuple[int, Judgement]]:
        pairs: Mapping[str, PairFacts] = await read_pairs(self.store, asker.seeker, mentors, asker.now)
        judged = []
        for mentor in mentors:
            person = asker.columns.people.find(mentor)
            hidden = mentor in pairs and not (viewer.sees_everybody or may_be_shown(pairs[mentor]))
            if person == NONE or mentor not in pairs or hidden:
                raise DomainError("no person has this id", code="NOT_FOUND", field=field)
            found = judge(pairs[mentor], asker.scorer.policy.rules)
            if not viewer.sees_everybody:
                found = Judgement(() if found.is_allowed else (NOT_AVAILABLE,))
            judged.append((person, found))
        return judged

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
        row = await self.store.read_asker(mentee, goal, told, programme)
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
        return _Asker(scorer, columns, mentee, found, key, now, seeker, asked, scores)

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
