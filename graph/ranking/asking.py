"""Asking: who seeks a mentor and for what, everybody's scores for it, whom the rules allow, and the evidence.

What every answer begins with. Scores, and the facts that rules ask for, come from columns that were just brought up to
date, so that answers are fresh at a bounded price: one round trip for changes, one for paths.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Question, question, told_at
from mentorgraph.graph.columns.rule_facts import ColumnFacts
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.people.eligibility import Seeker, read_pairs, refuse_mentee, refuse_unknown_programme, seeker_of
from mentorgraph.graph.ranking.filtering import TierFilter
from mentorgraph.graph.ranking.horizon import Horizon
from mentorgraph.graph.ranking.paths import Item, find_paths
from mentorgraph.graph.ranking.scoring import Scorer, Scores, Term
from mentorgraph.graph.ranking.sentences import EvidencePath
from mentorgraph.graph.rules.evaluator import judge
from mentorgraph.graph.signals.signal import Evidence
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

FIRST_BLOCK = 32
"""So many candidates are looked at first where the store is asked about them; every further block is twice as long."""

Among: TypeAlias = Callable[[Columns, datetime], Pool]
"""Says who is ranked, as of an instant."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asks, as the graph knows them now, what ranks for them, and the columns that count everybody."""

    scorer: Scorer
    columns: Columns
    facts: ColumnFacts
    uid: str
    goal: str
    key: str
    now: datetime
    seeker: Seeker
    asked: Question
    scores: Scores
    pins: Mapping[int, str]


@dataclass(slots=True)
class Asking:
    """What all answers about one graph rest on.

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
        among: Among | None = None,
        in_place_of: int = 0,
    ) -> Asker:
        now = as_of or self.clock()
        columns = await self.fresh_columns()
        told = told_at(columns, columns.goals.find(goal) if goal else NONE, now)
        facts = ColumnFacts(columns, self.store)
        rows = await facts.read_askers([(mentee, goal)], told, programme, scored_at or now)
        if not rows:
            raise DomainError("no person has this id", code="NOT_FOUND", field="menteeId")
        [row] = [{**each, "mentors": max(0, each["mentors"] - in_place_of)} for each in rows]
        if goal is not None and row["goal"] is None:
            raise DomainError("this person has no goal with this id", code="NOT_FOUND", field="goalId")
        refuse_unknown_programme(row, programme)
        if not as_is:
            refuse_mentee(row)
        seeker = seeker_of(row, now, scorer.policy)
        scorer = scorer.under(seeker.frame.policy)
        found = row["goal"] or ""
        person, number = columns.people.find(mentee), columns.goals.find(found) if found else NONE
        asked = question(columns, person, number, scored_at or now, scorer.policy.signals)
        ranked = asked if among is None else replace(asked, among=among(columns, asked.now))
        scores = scorer.score(columns, ranked)
        frame = seeker.frame.programme
        key = f"{scorer.model_version} {scorer.policy.version} {mentee} {found}" + (f" {frame}" if frame else "")
        pins = {columns.people.find(uid): override for uid, override in row["pins"]}
        return Asker(scorer, columns, facts, mentee, found, key, now, seeker, asked, scores, pins)

    async def fresh_columns(self) -> Columns:
        """The columns with all that was written so far; new ones where the graph was put back to an earlier state."""
        columns = self.columns
        while not await columns.refresh(self.store):
            if self.columns is columns:  # else another question has begun with new ones
                self.columns = Columns()
            columns = self.columns
        return columns

    def _order(self, asker: Asker, soon: timedelta = timedelta()) -> NDArray[np.int64]:
        """Everybody who has the role of a mentor, or will have it soon, best first."""
        people = mentors_of(asker.columns, asker.asked.now, soon)[1]
        return asker.scores.order(people[people != asker.asked.mentee])

    async def _allowed(
        self,
        asker: Asker,
        order: NDArray[np.int64],
        wanted: int,
        *,
        tier: TierFilter | None = None,
        ahead: Horizon | None = None,
        viewer: Viewer = COORDINATOR,
    ) -> dict[int, datetime | None]:
        """The first few of an order whom no rule forbids now, or will soon.

        Args:
            asker: Who asks.
            order: Numbers of people.
            wanted: How many are wanted.
            tier: Only those who are eligible for it.
            ahead: How far to look ahead; only the present counts if none is given.
            viewer: Who is shown them: only those whom they may meet.

        Returns:
            Person → None, or from when on they are allowed; in the order.
        """
        allowed: dict[int, datetime | None] = {}
        uids = asker.columns.people.uids
        # The store is asked where tiers count, in growing blocks: in O(log n) round trips.
        by_store = tier is not None or asker.scorer.policy.rules.least_mentor_tier > 0
        position, block, free = 0, max(FIRST_BLOCK, wanted), _seem_free(asker, order)
        while position < len(order) and len(allowed) < wanted:
            # How many to look at is a guess that saves time; whom the rules allow is judged by the facts.
            size = int(np.searchsorted(free, free[position] + wanted - len(allowed))) - position
            if by_store:
                size, block = max(size, block), 2 * block
            people = [int(person) for person in order[position : position + size]]
            if tier is not None:
                eligible = await tier.eligible(self.store, [uids[person] for person in people], asker.now)
                people = [person for person in people if uids[person] in eligible]
            pairs = await read_pairs(asker.facts, asker.seeker, [uids[person] for person in people], asker.now)
            for person in people:
                pair = pairs.get(uids[person])
                if pair is None or len(allowed) == wanted or not viewer.may_meet(uids[person], pair.programmes):
                    continue
                if judge(pair, asker.scorer.policy.rules).is_allowed:
                    allowed[person] = None
                elif ahead is not None and (instant := ahead.free_from(pair, person)) is not None:
                    allowed[person] = instant
            position += size
        return allowed

    async def _paths(self, asker: Asker, people: Sequence[int]) -> dict[str, tuple[EvidencePath, ...]]:
        items = [
            Item(asker.columns.people.uids[person], term.name, drop, evidence)
            for person in people
            for term in asker.scores.terms
            for drop, evidence in telling(term, person)
        ]
        return await find_paths(self.store, items, asker.now, partial(owner, asker.columns))


def among_mentors(soon: timedelta) -> Among:
    """Ranks only those who have the role of a mentor, or will have it soon."""
    return lambda columns, now: mentors_of(columns, now, soon)[0]


def among_these(people: Sequence[str]) -> Among:
    """Ranks only some people, by their uids."""
    return lambda columns, _now: Pool.of(columns, map(columns.people.find, people))


def mentors_of(columns: Columns, now: datetime, soon: timedelta = timedelta()) -> tuple[Pool, NDArray[np.int64]]:
    """Everybody who has the role of a mentor at an instant, or will have it soon, and the same people by uid."""
    roles, seconds = columns.tables["roles"], now.timestamp()
    ahead = seconds + soon.total_seconds()

    def build() -> tuple[Pool, NDArray[np.int64]]:
        held = roles.begun(ahead) & (roles.reals("until") >= seconds) & columns.mentor_roles()
        pool, uids = Pool.of(columns, roles.numbers("person")[held]), columns.people.uids
        return pool, pool.people[np.argsort([uids[person] for person in pool.people.tolist()])]

    key = (roles.state(seconds), roles.state(ahead), len(columns.people))
    return columns.remember("mentors", key, build)


def _seem_free(asker: Asker, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many before each place of an order seem to have a free place, and in all: `int64[n + 1]`."""
    load = next((term.values for term in asker.scores.terms if term.name == "load"), None)
    free = np.ones(len(order), bool) if load is None else ~(load[asker.scores.places(order)] >= 1)
    return np.concatenate(([0], np.cumsum(free)))


def telling(term: Term, person: int) -> list[tuple[float, Evidence]]:
    """The evidence worth telling, with its drop in units of the score: what the score would miss, or else one item."""
    weight = 1.0 if term.weight is None else term.weight
    found = [(weight * evidence.drop + 0.0, evidence) for evidence in term.explain(person)]
    return [each for each in found if each[0] != 0] or found[:1]


def may_ask(viewer: Viewer, mentee: str) -> None:
    """Refuses participants who ask for others.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    # Not even as the mentor: whoever could explain themselves to anybody could read everybody's goals.
    if not viewer.sees_everybody and viewer.person != mentee:
        raise DomainError("you may ask for yourself only", code="FORBIDDEN")


def owner(columns: Columns, goal: str) -> str:
    """Uid of the person who set a goal; empty where it is not known."""
    number = columns.goals.find(goal)
    return "" if number == NONE else columns.people.uids[columns.tables["goals"].numbers("person")[number]]
