"""The list of mentees for a mentor: the goals that this mentor would serve best, each with the evidence behind it.

The other end of a list of mentors. For every open goal the mentor gets the score that they have in that mentee's own
list, under the policy of the mentee's programme, and the same evaluator judges the pair; so whoever stands here also
finds the mentor in theirs. It takes two round trips, whatever the number of goals.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Question, question
from mentorgraph.graph.columns.rule_facts import ColumnFacts
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.paging import Cursor, check_first, read_cursor, short
from mentorgraph.graph.people.eligibility import Seeker, read_pairs_of, seeker_of
from mentorgraph.graph.ranking.asking import Asking, owner, telling
from mentorgraph.graph.ranking.cautions import cautions_of
from mentorgraph.graph.ranking.listing import Recommendation, names_of
from mentorgraph.graph.ranking.meeting import modes_of
from mentorgraph.graph.ranking.paths import Item, find_paths, shown_to
from mentorgraph.graph.ranking.reasons import measured, signal_values
from mentorgraph.graph.ranking.scoring import Scorer, Scores
from mentorgraph.graph.ranking.sentences import sentences_of
from mentorgraph.graph.rules.evaluator import judge
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.viewer import Viewer

MOST_GOALS = 2_000
"""Open goals that one list looks at, the newest ones; scoring each takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenteeRecommendation(Recommendation):
    """One goal that a mentor could serve, with the score and the reasons that the pair has in the mentee's own list.

    Attributes:
        mentee: uid of the person whose goal it is.
        goal: uid of the goal.
        policy_version: Version of the policy that counts in the mentee's programme.
    """

    mentee: str
    goal: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class AskedAsMentor:
    """What was asked, by whom, and on which state of things it was answered.

    Attributes:
        viewer: On whose behalf.
        at: The instant that the rules looked at.
        scored_at: The instant as of which facts counted for the scores; earlier than `at` on later pages.
        change: Number of the last change of the graph that the scores know.
        rank_offset: Place of the last goal of the page before.
        policies: The policies that count for the goals of the page, by version.
        names: Names of the people, and titles of the goals, by uid.
    """

    viewer: Viewer
    at: datetime
    scored_at: datetime
    change: int
    rank_offset: int
    policies: Mapping[str, Policy]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MenteeList:
    """A page of goals, best first.

    Attributes:
        uid: Identity: equal inputs and versions give equal ones.
        model_version: Version of the model, `rules` where none is published.
        mentor: uid of the mentor.
        recommendations: The page.
        cursors: Where to go on after each of them.
        has_next: Whether more follow.
        total: Number of goals that the mentor may be paired for.
        notice: What the reader should know about the list as a whole; empty for nothing.
        asked: The question.
    """

    uid: str
    model_version: str
    mentor: str
    recommendations: tuple[MenteeRecommendation, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int
    notice: str
    asked: AskedAsMentor


@dataclass(frozen=True, slots=True)
class _Asking:
    """One open goal that the rules allow the mentor, with their score for it."""

    seeker: Seeker
    scorer: Scorer
    asked: Question
    score: float = 0.0

    @property
    def place(self) -> tuple[float, str]:
        """What the list is ordered by."""
        return -self.score, self.seeker.goal


async def recommend_mentees(
    asking: Asking,
    viewer: Viewer,
    mentor: str,
    *,
    first: int = 10,
    after: str | None = None,
    scorer: Scorer | None = None,
    with_paths: bool = True,
    patience_s: float = math.inf,
) -> MenteeList:
    """Ranks the open goals of others that a mentor may be paired for, by the mentor's score for each.

    Scoring is done for one goal after the other, the newest first; each takes milliseconds, whoever is asked about.

    Args:
        asking: What answers.
        viewer: On whose behalf; participants may ask as the mentor only.
        mentor: uid of the mentor.
        first: Length of the page, 1 to `paging.MOST`.
        after: Cursor of an earlier page of the same list.
        scorer: What ranks; that of `asking` if none is given.
        with_paths: Whether evidence is wanted.
        patience_s: Seconds of scoring after which no more goals are scored than the page takes.

    Raises:
        DomainError: `BAD_USER_INPUT`, `FORBIDDEN` or `NOT_FOUND`.
        DatabaseUnavailable: The graph cannot be asked.
    """
    check_first(first)
    if not viewer.sees_everybody and viewer.person != mentor:
        raise DomainError("you may ask for yourself only", code="FORBIDDEN")
    now, scorer = asking.clock(), scorer or asking.scorer
    cursor = read_cursor(after, now) if after is not None else None
    key = f"mentees {scorer.model_version} {scorer.policy.version} {mentor}"
    if cursor is not None and cursor.question != short(key):
        raise DomainError("after belongs to another question or version", code="BAD_USER_INPUT", field="after")
    scored_at = cursor.scored_at if cursor else now
    columns = await asking.fresh_columns()
    person = columns.people.find(mentor)
    if person == NONE:
        raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
    goals, passed_over = _open_goals(columns, person, now, scored_at)
    allowed, refused = await _allowed(asking, columns, scorer, viewer, mentor, goals, now, scored_at)
    least = first + (cursor.rank if cursor else 0)
    ranked = await _ranked(columns, person, allowed, least, time.monotonic() + patience_s)
    start = 0 if cursor is None else sum(each.place <= (-cursor.score, cursor.mentor) for each in ranked)
    page, offset = ranked[start : start + first], cursor.rank if cursor else 0
    state = " ".join(f"{each.seeker.goal} {each.score!r}" for each in ranked)
    slate = uid_of("mentorgraph", "slates", f"{key} {columns.change} {state}")
    found = await _told(asking, columns, viewer, person, page, slate, offset, now, with_paths=with_paths)
    return MenteeList(
        slate,
        scorer.model_version,
        mentor,
        found,
        tuple(Cursor(short(key), scored_at, each.rank, each.score, each.goal).write() for each in found),
        start + first < len(ranked),
        len(allowed),
        _notice(viewer, len(goals), passed_over, len(allowed), len(ranked), refused),
        AskedAsMentor(
            viewer,
            now,
            scored_at,
            columns.change,
            offset,
            {each.scorer.policy.version: each.scorer.policy for each in page},
            names_of(columns, [mentor, *(each.mentee for each in found)], [each.goal for each in found]),
        ),
    )


def _open_goals(columns: Columns, mentor: int, now: datetime, scored_at: datetime) -> tuple[list[int], int]:
    """The open goals of others that were known when the list was scored, newest first; how many there are beyond."""
    table = columns.tables["goals"]
    owners, since = table.numbers("person"), table.reals("since")
    is_open = table.valid(now.timestamp()) & table.begun(scored_at.timestamp()) & (owners != NONE) & (owners != mentor)
    rows = np.flatnonzero(is_open)
    rows = rows[np.argsort(-since[rows], kind="stable")]
    return [int(row) for row in rows[:MOST_GOALS]], max(0, len(rows) - MOST_GOALS)


async def _allowed(
    asking: Asking,
    columns: Columns,
    scorer: Scorer,
    viewer: Viewer,
    mentor: str,
    goals: Sequence[int],
    now: datetime,
    scored_at: datetime,
) -> tuple[list[_Asking], Counter[str]]:
    """Those goals for which no rule forbids the pair, in their order, and how often each rule forbade one.

    Goals of people whom the viewer may not meet are passed over.
    """
    owners = columns.tables["goals"].numbers("person")
    numbers = {columns.goals.uids[goal]: (int(owners[goal]), goal) for goal in goals}
    asked = [(columns.people.uids[mentee], uid) for uid, (mentee, _) in numbers.items()]
    facts = ColumnFacts(columns, asking.store)
    rows = await facts.read_askers(asked, now)
    place = {uid: number for number, uid in enumerate(numbers)}
    met = (row for row in rows if viewer.may_meet(row["mentee"], row["takes_part"]))
    known = sorted((row for row in met if row["goal"] is not None), key=lambda row: place[row["goal"]])
    seekers = [seeker_of(row, now, scorer.policy) for row in known]
    pairs = await read_pairs_of(seekers, [mentor], facts, now)
    scorers: dict[str, Scorer] = {}
    alone = Pool.of(columns, [columns.people.find(mentor)])
    allowed, refused = [], Counter[str]()
    for seeker, pair in zip(seekers, pairs, strict=True):
        policy = seeker.frame.policy
        if mentor not in pair:
            continue
        if refusals := judge(pair[mentor], policy.rules).refusals:
            refused.update(each.rule for each in refusals)
            continue
        ranks = scorers.setdefault(policy.version, scorer.under(policy))
        asked_for = replace(question(columns, *numbers[seeker.goal], scored_at, policy.signals), among=alone)
        allowed.append(_Asking(seeker, ranks, asked_for))
    return allowed, refused


async def _ranked(columns: Columns, mentor: int, allowed: Sequence[_Asking], least: int, until: float) -> list[_Asking]:
    """Some goals by the mentor's score for each, best first; equal scores in the order of the goals' uids.

    Those that are not scored by an instant of the monotonic clock are missing, but for so many as are asked for.
    """
    found: list[_Asking] = []
    for each in allowed:
        if len(found) >= least and time.monotonic() > until:
            break
        await asyncio.sleep(0)  # others are answered in between
        score = each.scorer.score(columns, each.asked).of_person(mentor)
        found.append(_Asking(each.seeker, each.scorer, each.asked, score))
    return sorted(found, key=lambda each: each.place)


async def _told(
    asking: Asking,
    columns: Columns,
    viewer: Viewer,
    mentor: int,
    page: Sequence[_Asking],
    slate: str,
    offset: int,
    now: datetime,
    *,
    with_paths: bool,
) -> tuple[MenteeRecommendation, ...]:
    """A page with its reasons; those of all its goals are read at once."""
    uid = columns.people.uids[mentor]
    scores: list[Scores] = [each.scorer.score(columns, each.asked) for each in page]
    items = [
        Item(uid, term.name, drop, evidence, each.seeker.goal)
        for each, found in zip(page, scores, strict=True)
        for term in (found.terms if with_paths else ())
        for drop, evidence in telling(term, mentor)
    ]
    evidence = await find_paths(asking.store, items, now, partial(owner, columns))
    recommended = []
    for rank, (each, found) in enumerate(zip(page, scores, strict=True), offset + 1):
        full, score = evidence.get(each.seeker.goal, ()), found.of_person(mentor)
        paths, signals = shown_to(viewer, full, each.seeker.uid, uid), signal_values(found, mentor)
        least_minutes = each.scorer.policy.rules.least_overlap_minutes
        mode = modes_of(columns, each.asked, [mentor], least_minutes)[mentor]
        said, chance = measured(signals, each.scorer, full, mode), each.scorer.chance(score)
        recommended.append(
            MenteeRecommendation(
                uid_of("mentorgraph", "recommendations", slate + each.seeker.goal),
                rank,
                uid,
                score,
                found.base,
                signals,
                paths,
                sentences_of(paths, said),
                full,
                said,
                cautions=cautions_of(columns, each.asked.seconds, mentor, mode=mode, chance=chance),
                mode=mode,
                chance=chance,
                mentee=each.seeker.uid,
                goal=each.seeker.goal,
                policy_version=each.scorer.policy.version,
            )
        )
    return tuple(recommended)


def _notice(viewer: Viewer, goals: int, passed_over: int, allowed: int, scored: int, refused: Mapping[str, int]) -> str:
    said = []
    if scored < allowed:
        said.append(f"Only the {scored} newest of the {allowed} goals that may be served were scored in time.")
    if passed_over:
        said.append(f"Only the {goals} newest open goals were looked at; {passed_over} older ones are not.")
    if not allowed:
        # Participants are not told which rules: one of them is that somebody does not want to meet them.
        counted = ", ".join(f"{rule} {count}" for rule, count in sorted(refused.items()))
        by = f", by rule: {counted}" if counted and viewer.sees_everybody else ""
        said.append(f"Of {goals} open goals of others this mentor may be paired for none now{by}.")
    return " ".join(said)
