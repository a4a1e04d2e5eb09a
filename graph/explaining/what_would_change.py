"""What would have to change so that a mentor is among the first few: the smallest set of changes, tried for real.

Every set that is told was written in a transaction in which the ordinary ranking was asked, and which was then rolled
back: nothing is predicted, and nothing is kept. Sets are tried from the smallest on. One is left untried only where it
cannot do: where it lifts not every rule that forbids the pair, or where as many of those who may be recommended as are
wanted stay before the mentor.
"""

import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import TypedDict

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Question, question
from mentorgraph.graph.columns.supposing import with_facts
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.remedies import ACTORS, MENTEE, Change, Pair, changes_for, records_of
from mentorgraph.graph.facts.dated import holds
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.people.eligibility import read_pairs
from mentorgraph.graph.people.participants import participants
from mentorgraph.graph.ranking.asking import Asker
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.rules.evaluator import PairFacts
from mentorgraph.graph.rules.tiers import Standing, Tier
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

MOST_CHANGES = 4
"""No larger set is looked for: who has to be told more than this is told nothing of use."""
MOST_SETS = 120
"""So many sets are scored before the search is given up; of a size, those come first that should gain most."""
MOST_TRIES = 12
"""So many sets are tried for real before it is given up: whoever writes waits meanwhile."""
MOST_WANTED = 50


@dataclass(frozen=True, slots=True)
class WhatWouldChange:
    """What would bring a mentor among the first few.

    Attributes:
        mentor: uid of the mentor.
        goal: uid of the goal that was asked about, empty for none.
        top: Among how many first ones.
        rank: Place without any change; None where the mentor is forbidden, or further down than anybody looks.
        changes: The smallest set that does it; empty where none is needed, or where none was found.
        rank_after: Place with these changes, as it was found by trying; None where no set was found.
        blocked_by: Rules that forbid the pair and that no change by these actors may lift.
        tried: How many sets were tried for real.
        is_complete: Whether every set of up to `MOST_CHANGES` was looked at that is not larger than the one told.
    """

    mentor: str
    goal: str
    top: int
    rank: int | None
    changes: tuple[Change, ...]
    rank_after: int | None
    blocked_by: tuple[str, ...]
    tried: int
    is_complete: bool


async def what_would_change(
    recommender: Recommender,
    viewer: Viewer,
    mentee: str,
    mentor: str,
    goal: str | None = None,
    *,
    top: int = 3,
    by: Collection[str] = ACTORS,
    as_of: datetime | None = None,
    scorer: Scorer | None = None,
    programme: str | None = None,
    patience_s: float = math.inf,
) -> WhatWouldChange:
    """Finds the smallest set of changes that brings a mentor among the first few; nothing is written.

    Args:
        recommender: What answers.
        viewer: On whose behalf: a coordinator, or the mentee about what they could do themselves.
        mentee: uid of the person who seeks a mentor.
        mentor: uid of the mentor.
        goal: uid of one of the mentee's goals; the latest open one if none is given.
        top: Among how many first ones, 1 to `MOST_WANTED`.
        by: Whose changes count, some of `ACTORS`.
        as_of: The instant at which it is asked; now if none is given.
        scorer: What ranks; that of the recommender if none is given.
        programme: As for `Recommender.recommend`.
        patience_s: Seconds after which no further set is looked at.

    Raises:
        DomainError: `BAD_USER_INPUT`, `FORBIDDEN`, or as `Recommender.explain`.
        DatabaseUnavailable: The graph cannot be asked.
    """
    if not 1 <= top <= MOST_WANTED:
        raise DomainError(f"topK is {top}; ask for 1 to {MOST_WANTED}", code="BAD_USER_INPUT", field="topK")
    if not by:
        raise DomainError("by is empty; name whose changes count", code="BAD_USER_INPUT", field="by")
    if not viewer.coordinates:
        if viewer.person != mentee or set(by) != {MENTEE}:
            raise DomainError("you may ask what you could change yourself only", code="FORBIDDEN", field="by")
        # A participant learns here too of mentors only of whom they may read.
        await recommender.explain(viewer, mentee, mentor, goal, as_of=as_of, scorer=scorer, programme=programme)
    until = time.monotonic() + patience_s
    scorer = scorer or recommender.scorer
    search = await _Search.begin(recommender, scorer, mentee, mentor, goal, top, by, as_of, programme)
    return await search.run(until)


class _Told(TypedDict):
    """What every question of a search is asked with."""

    as_of: datetime
    scorer: Scorer
    programme: str | None


@dataclass(slots=True)
class _Search:
    """One search.

    Attributes:
        at: The instant at which changes would be made; what they do is asked a moment later.
        ranked: uids of those who may be recommended, best first; the first `MOST` only.
        forbidden: Rules that forbid the pair.
        has_no_time: Whether the mentee has not said when they are free.
    """

    recommender: Recommender
    scorer: Scorer
    mentee: str
    mentor: str
    goal: str
    programme: str | None
    top: int
    at: datetime
    ranked: tuple[str, ...]
    forbidden: tuple[str, ...]
    changes: list[Change]
    has_no_time: bool
    tried: int = 0
    scored: int = 0

    @classmethod
    async def begin(
        cls,
        recommender: Recommender,
        scorer: Scorer,
        mentee: str,
        mentor: str,
        goal: str | None,
        top: int,
        by: Collection[str],
        as_of: datetime | None,
        programme: str | None,
    ) -> "_Search":
        at = as_of or recommender.clock()
        told: _Told = {"as_of": _after(at), "scorer": scorer, "programme": programme}
        slate = await recommender.recommend(COORDINATOR, mentee, goal, first=MOST, with_paths=False, **told)
        [found] = await recommender.explain_all(COORDINATOR, mentee, [mentor], goal, **told)
        people = await participants(recommender.store, [mentee, mentor], _after(at))
        # The rules and weights are those of the programme in which they seek a mentor, if it has some.
        asker = await recommender._ask(mentee, goal, _after(at), scorer, programme=programme)
        scorer = asker.scorer
        facts = (await read_pairs(asker.facts, asker.seeker, [mentor], _after(at)))[mentor]
        rules, frame = asker.scorer.policy.rules, asker.seeker.frame
        overrides = await recommender.store.read_overrides_of(mentee)
        pair = Pair(
            people[mentee],
            people[mentor],
            facts.taken,
            facts.taken_in_programme,
            at,
            frame.format,
            frame.programme,
            max(rules.least_hours_per_month, math.ceil((facts.used_minutes + rules.least_minutes_left) / 60)),
            rules.least_hours_per_month,
            frozenset(refusal.rule for refusal in found.refusals),
            tuple(each for each in overrides if _bans(each, mentor, _after(at))),
            *await _tier(asker, mentor, facts, _after(at)),
        )
        asked = _question(recommender.columns, scorer, mentee, slate.goal, _after(at))
        changes = [each for each in changes_for(recommender.columns, asked, pair) if each.by & set(by)]
        ranked = tuple(each.mentor for each in slate.recommendations)
        forbidden = tuple(refusal.rule for refusal in found.refusals)
        has_no_time = not people[mentee].holding("availability")
        question = (mentee, mentor, slate.goal, programme, top, at)
        return cls(recommender, scorer, *question, ranked, forbidden, changes, has_no_time)

    async def run(self, until: float) -> WhatWouldChange:
        rank = self.ranked.index(self.mentor) + 1 if self.mentor in self.ranked else None
        if rank is not None and rank <= self.top:
            return self._answer(rank, (), rank, is_complete=True)
        if not set(self.forbidden) <= {rule for each in self.changes for rule in each.lifts}:
            return self._answer(rank, (), None, is_complete=True)
        for some in self._sets():
            if self.scored >= MOST_SETS or self.tried >= MOST_TRIES or time.monotonic() > until:
                return self._answer(rank, (), None, is_complete=False)
            if not self._may_do(some):
                continue
            after = await self.try_for_real(some)
            if after is not None:
                return self._answer(rank, some, after, is_complete=True)
        return self._answer(rank, (), None, is_complete=True)

    def _sets(self) -> Iterator[tuple[Change, ...]]:
        """Sets of changes that lift every rule that forbids the pair, the smallest first."""
        needed = set(self.forbidden)
        gains = {id(each): self._score([each])[self.mentor] for each in self.changes}
        for size in range(1, min(MOST_CHANGES, len(self.changes)) + 1):
            sets = [
                some
                for some in combinations(self.changes, size)
                if needed <= {rule for each in some for rule in each.lifts}
            ]
            yield from sorted(sets, key=lambda some: -sum(gains[id(each)] for each in some))

    def _score(self, some: Sequence[Change]) -> dict[str, float]:
        """The scores of the mentor and of those before them, with some changes."""
        columns = with_facts(self.recommender.columns, records_of(some))
        asked = _question(columns, self.scorer, self.mentee, self.goal, _after(self.at))
        numbers = {uid: columns.people.find(uid) for uid in {self.mentor, *self.ranked}}
        scores = self.scorer.score(columns, replace(asked, among=Pool.of(columns, numbers.values())))
        return {uid: scores.of_person(number) for uid, number in numbers.items()}

    def _may_do(self, some: Sequence[Change]) -> bool:
        """Whether some changes could bring the mentor there; only what certainly cannot is left out.

        A time more that the mentee has can only add to those who may be recommended, unless it is the first that they
        tell of.
        """
        if self.has_no_time and any(each.action == "add_time" and MENTEE in each.by for each in some):
            return True
        self.scored += 1
        scores = self._score(some)
        own = (-scores[self.mentor], self.mentor)
        return sum((-scores[uid], uid) < own for uid in self.ranked if uid != self.mentor) < self.top

    async def try_for_real(self, some: Sequence[Change]) -> int | None:
        """Makes some changes, asks for the list and takes them back: the mentor's place, None if not there."""
        self.tried += 1
        records = records_of(some)
        columns = with_facts(self.recommender.columns, records)

        async def ask(store: Store) -> int | None:
            supposed = Recommender(store, self.scorer, columns, self.recommender.clock)
            slate = await supposed.recommend(
                COORDINATOR,
                self.mentee,
                self.goal or None,
                first=self.top,
                with_paths=False,
                as_of=_after(self.at),
                programme=self.programme,
            )
            places = {each.mentor: each.rank for each in slate.recommendations}
            return places.get(self.mentor)

        return await self.recommender.store.suppose(records, ask)

    def _answer(
        self, rank: int | None, changes: tuple[Change, ...], after: int | None, *, is_complete: bool
    ) -> WhatWouldChange:
        liftable = {rule for each in self.changes for rule in each.lifts}
        blocked = tuple(rule for rule in self.forbidden if rule not in liftable)
        return WhatWouldChange(self.mentor, self.goal, self.top, rank, changes, after, blocked, self.tried, is_complete)


def _bans(override: Record, mentor: str, at: datetime) -> bool:
    return override.properties["action"] == "forbid" and override.links["mentor"] == mentor and holds(override, at)


async def _tier(asker: Asker, mentor: str, facts: PairFacts, at: datetime) -> tuple[Tier | None, Standing | None]:
    """The tier of which a mentor lacks something, and how they stand to it."""
    if not facts.unmet:
        return None, None
    frame = asker.seeker.frame
    asked = (mentor, frame.programme, "mentor")
    standing, tiers = (await asker.facts.read_standings([asked], at))[asked]
    return [each for each in tiers if each.rank == frame.policy.rules.least_mentor_tier][-1], standing


def _after(at: datetime) -> datetime:
    """A moment later: a fact counts from the instant after it began."""
    return at + timedelta(seconds=1)


def _question(columns: Columns, scorer: Scorer, mentee: str, goal: str, at: datetime) -> Question:
    number = columns.goals.find(goal) if goal else NONE
    return question(columns, columns.people.find(mentee), number, at, scorer.policy.signals)
