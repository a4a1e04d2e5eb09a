"""The mentor's side: open goals of mentees, ranked by the scores that the mentor has in the lists of these mentees.

The same pair has the same score from both sides, and the same rules decide. Participants are told how well they fit and
by which signals, but not whose goal it is or what it asks for: nobody may read everybody's goals by mentoring.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from mentorgraph.graph.asking import Asker, may_ask, owner, telling
from mentorgraph.graph.columns import NONE, Columns
from mentorgraph.graph.eligibility import free_of, pair_facts
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.listing import Asked, Listing, Recommendation, Slate, names_of
from mentorgraph.graph.model import uid_of
from mentorgraph.graph.paging import Cursor, check_first, read_cursor, short
from mentorgraph.graph.paths import EvidencePath, Item, find_paths
from mentorgraph.graph.question import question
from mentorgraph.graph.reasons import measured, sentences_of, signal_values
from mentorgraph.graph.rules import refusals
from mentorgraph.graph.scoring import Scorer
from mentorgraph.graph.viewer import Viewer

CONSIDERED = 200
"""So many open goals, those that were set last, are scored; each takes scoring everybody once."""

AT_ONCE = 5
"""Goals that are scored before others who wait get their turn."""

FIRST_BLOCK = 32


@dataclass(frozen=True, slots=True)
class Mentee:
    """One mentee of a list, with the goal that the mentor fits.

    Attributes:
        mentee: uid of the person.
        goal: uid of the goal.
        recommendation: The mentor for that goal, as a coordinator sees it.
        slate: The same as an answer of its own, to be kept.
    """

    mentee: str
    goal: str
    recommendation: Recommendation
    slate: Slate


@dataclass(frozen=True, slots=True)
class MenteeSlate:
    """One answer.

    Attributes:
        uid: Identity: equal inputs and versions give equal ones.
        model_version: Version of the model, `rules` where none is published.
        policy_version: Version of the policy.
        mentees: The page.
        cursors: Where to go on after each of them.
        has_next: Whether more follow.
        notice: What the reader should know about the list as a whole; empty for nothing.
    """

    uid: str
    model_version: str
    policy_version: str
    mentees: tuple[Mentee, ...]
    cursors: tuple[str, ...]
    has_next: bool
    notice: str


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a mentor fits one goal."""

    asker: Asker
    score: float


@dataclass(slots=True)
class MenteeListing(Listing):
    """Answers with lists of both sides."""

    async def recommend_mentees(
        self,
        viewer: Viewer,
        mentor: str,
        *,
        first: int = 10,
        after: str | None = None,
        scorer: Scorer | None = None,
    ) -> MenteeSlate:
        """Ranks the open goals of the mentees whom a mentor may be paired with.

        Args:
            viewer: On whose behalf; participants may ask for themselves only.
            mentor: uid of the mentor.
            first: Length of the page, 1 to `paging.MOST`.
            after: Cursor of an earlier page of the same question.
            scorer: What ranks; the one of this recommender if none is given.

        Raises:
            DomainError: `BAD_USER_INPUT`, `FORBIDDEN` or `NOT_FOUND`.
            DatabaseUnavailable: The graph cannot be asked.
        """
        check_first(first)
        may_ask(viewer, mentor)
        now, ranks = self.clock(), scorer or self.scorer
        cursor = read_cursor(after, now) if after is not None else None
        key = f"{ranks.model_version} {ranks.policy.version} mentees of {mentor}"
        if cursor is not None and cursor.question != short(key):
            raise DomainError("after belongs to another question or version", code="BAD_USER_INPUT", field="after")
        columns = await self.fresh_columns()
        person = columns.people.find(mentor)
        own = await self.store.read_candidates("", [mentor], now) if person != NONE else []
        if not own:
            raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
        scored_at = cursor.scored_at if cursor else now
        goals = _open_goals(columns, person, scored_at)
        notice = f"Of {len(goals)} open goals the {CONSIDERED} that were set last are ranked." * (
            len(goals) > CONSIDERED
        )
        hindered = refusals(pair_facts(own[0], "", None, now, ranks.policy.rules))
        if hindered:
            told = "; ".join(each.fact for each in hindered)
            return MenteeSlate(
                uid_of("mentorgraph", "slates", f"{key} {columns.change}"),
                ranks.model_version,
                ranks.policy.version,
                (),
                (),
                False,
                f"No mentee may be paired with this mentor now: {told}.",
            )
        fits = await self._fits(ranks, columns, goals[:CONSIDERED], person, now, scored_at)
        uid = uid_of("mentorgraph", "slates", f"{key} {columns.change} {[each.score for each in fits]}")
        if cursor is not None:
            fits = [each for each in fits if (-each.score, each.asker.goal) > (-cursor.score, cursor.mentor)]
        allowed = await self._fitting(fits, mentor, first + 1)
        rank = cursor.rank if cursor else 0
        evidence = await self._evidence(allowed[:first], person)
        mentees = tuple(
            _mentee(viewer, uid, each, person, rank + place, evidence.get(each.asker.goal, ()))
            for place, each in enumerate(allowed[:first], 1)
        )
        cursors = tuple(
            Cursor(short(key), scored_at, each.recommendation.rank, each.recommendation.score, each.goal).write()
            for each in mentees
        )
        return MenteeSlate(
            uid, ranks.model_version, ranks.policy.version, mentees, cursors, len(allowed) > first, notice
        )

    async def _fits(
        self, scorer: Scorer, columns: Columns, goals: list[int], mentor: int, now: datetime, scored_at: datetime
    ) -> list[_Fit]:
        """How a mentor fits some goals, best first; equal scores in the order of the goals' uids."""
        found = []
        owners = columns.tables["goals"].numbers("person")
        for number, goal in enumerate(goals, 1):
            asked = question(columns, int(owners[goal]), goal, scored_at, scorer.policy.signals)
            scores = scorer.score(columns, asked)
            mentee, uid = columns.people.uids[asked.mentee], columns.goals.uids[goal]
            asker = Asker(scorer, columns, mentee, uid, "", now, None, asked, scores)
            found.append(_Fit(asker, float(scores.total[mentor])))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return sorted(found, key=lambda each: (-each.score, each.asker.goal))

    async def _fitting(self, fits: list[_Fit], mentor: str, wanted: int) -> list[_Fit]:
        """The first few whom no rule forbids, and who may seek a mentor."""
        allowed: list[_Fit] = []
        position, block = 0, max(FIRST_BLOCK, wanted)
        while position < len(fits) and len(allowed) < wanted:
            some = fits[position : position + block]
            now, rules = some[0].asker.now, some[0].asker.scorer.policy.rules
            mentees = sorted({each.asker.uid for each in some})
            seekers = await self.store.read_seekers(mentees, now)
            rows = {row["mentee"]: row for row in await self.store.read_candidacy(mentor, mentees, now)}
            for each in some:
                seeker, row = seekers.get(each.asker.uid), rows.get(each.asker.uid)
                if seeker is None or row is None or not seeker["consented"] or seeker["missing_steps"]:
                    continue
                free = free_of(seeker, now)
                if not refusals(pair_facts(row, each.asker.uid, free, now, rules)):
                    allowed.append(each)
            position += block
            block *= 2
        return allowed[:wanted]

    async def _evidence(self, fits: list[_Fit], mentor: int) -> dict[str, tuple[EvidencePath, ...]]:
        """The evidence for each goal, in one round trip: uid of the goal → paths in full."""
        if not fits:
            return {}
        columns = fits[0].asker.columns
        items = [
            Item(columns.people.uids[mentor], term.name, drop, evidence, each.asker.goal)
            for each in fits
            for term in each.asker.scores.terms
            for drop, evidence in telling(term, mentor)
        ]
        return await find_paths(self.store, items, fits[0].asker.now, partial(owner, columns))


def _open_goals(columns: Columns, mentor: int, now: datetime) -> list[int]:
    """Numbers of the goals of others that are open, those that were set last first."""
    goals = columns.tables["goals"]
    rows = np.flatnonzero(goals.valid(now.timestamp()) & (goals.numbers("person") != mentor))
    since, uids = goals.reals("since"), goals.rows.uids
    return sorted(map(int, rows), key=lambda row: (-since[row], uids[row]))


def _mentee(
    viewer: Viewer, list_uid: str, fit: _Fit, person: int, rank: int, evidence: tuple[EvidencePath, ...]
) -> Mentee:
    asker, columns = fit.asker, fit.asker.columns
    mentor, policy = columns.people.uids[person], asker.scorer.policy
    signals = signal_values(asker.scores, person)
    words = measured(signals, asker.scorer, evidence)
    slate_uid = uid_of("mentorgraph", "slates", f"{list_uid} {asker.goal}")
    found = Recommendation(
        uid_of("mentorgraph", "recommendations", slate_uid + mentor),
        rank,
        mentor,
        fit.score,
        asker.scores.base,
        signals,
        evidence,
        sentences_of(evidence, words),
        evidence,
        words,
    )
    names = names_of(columns, [asker.uid, mentor], asker.goal)
    asked = Asked(viewer, asker.uid, asker.now, asker.asked.now, None, columns.change, rank - 1, policy, names)
    slate = Slate(
        slate_uid, asker.scorer.model_version, policy.version, asker.goal, (found,), (), False, None, "", asked
    )
    return Mentee(asker.uid, asker.goal, found, slate)
