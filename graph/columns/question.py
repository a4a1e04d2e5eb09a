"""What is asked of a ranking: who seeks a mentor, for which goal and skills, and what had happened by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.table import NONE, Mask, Numbers, Reals, Table
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.vocabulary import OPEN_STATES

DAY_S = 24 * 3600
YEAR_DAYS = 365.25


class Edge(NamedTuple):
    """A relationship of the graph.

    Attributes:
        type: Its type.
        uid: Its identity.
    """

    type: str
    uid: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A skill that the asking goal needs or the mentee wants.

    Attributes:
        skill: Number of the skill, or of the one that it counts for.
        level: Proficiency that is asked for, 1 to 5.
        edges: The relationship that says so, and those that lead from the skill to the one that it counts for.
        metapath: `goal_needs` or `mentee_wants`.
    """

    skill: int
    level: float
    edges: tuple[Edge, ...]
    metapath: str


@dataclass(frozen=True, slots=True)
class Question:
    """For whom and for what a mentor is sought.

    Attributes:
        mentee: Number of the person who asks.
        goal: Number of the goal, or `NONE`.
        now: The instant as of which facts count.
        wishes: The skills asked for, one entry a skill.
        units: Numbers of the organisation units asked about.
        among: Who is ranked; everybody if None.
    """

    mentee: int
    goal: int
    now: datetime
    wishes: tuple[Wish, ...]
    units: frozenset[int]
    among: Pool | None = None

    @property
    def seconds(self) -> float:
        """The instant in seconds since 1970."""
        return self.now.timestamp()

    def pool(self, columns: Columns) -> Pool:
        """Who is ranked."""
        return self.among or Pool.everybody(columns)


def told_at(columns: Columns, goal: int, now: datetime) -> datetime:
    """The instant as of which the facts of whoever asks count: that of the question, but not before the goal was set.

    A goal that was set after `now` is a question put to an earlier state of the graph. Its own needs are known, because
    it is what is asked.
    """
    since = columns.tables["goals"].reals("since")[goal] if goal != NONE else -np.inf
    if not np.isfinite(since) or since < now.timestamp():
        return now
    return datetime.fromtimestamp(since, UTC) + timedelta(milliseconds=1)


def question(columns: Columns, mentee: int, goal: int, now: datetime, settings: SignalSettings) -> Question:
    """Gathers what a mentee, and the goal if there is one, ask for.

    Mentors are judged as of `now`; the wishes are those of when it was asked, see `told_at`.
    """
    seconds, told = now.timestamp(), told_at(columns, goal, now).timestamp()
    merges = columns.merges(seconds)
    wishes: dict[int, Wish] = {}
    for kind, link, number, metapath in (
        ("goal_skills", "goal", goal, "goal_needs"),
        ("wants", "person", mentee, "mentee_wants"),
    ):
        table = columns.tables[kind]
        uids = table.rows.uids
        rows = [row for row in table.rows_of(link, number) if table.holds(row, told)] if number != NONE else []
        # Where a skill is wished twice, the wish that began last counts.
        for row in sorted(rows, key=lambda row: (-table.reals("since")[row], uids[row])):
            level, skill = table.reals("level")[row], int(table.numbers("skill")[row])
            wish = Wish(
                int(merges.counts_as[skill]),
                settings.level_unknown if np.isnan(level) else float(level),
                (Edge(table.kind.label, uids[row]), *(Edge(*each) for each in merges.steps.get(skill, ()))),
                metapath,
            )
            wishes.setdefault(wish.skill, wish)
    units: set[int] = set()
    goals = columns.tables["goals"]
    if goal != NONE and goals.numbers("unit")[goal] != NONE:
        units.add(int(goals.numbers("unit")[goal]))
    else:
        members = columns.tables["unit_membership"]
        own = (row for row in members.rows_of("person", mentee) if members.holds(row, seconds))
        units.update(members.strings("unit")[row] for row in own)
    ordered = sorted(wishes.values(), key=lambda wish: columns.skills.uids[wish.skill])
    return Question(mentee, goal, now, tuple(ordered), frozenset(units))


@dataclass(frozen=True, slots=True)
class PastPairings:
    """Pairings that had begun by the time of the question, other than those of the asking goal.

    Attributes:
        rows: Row in the table of pairings, ascending: `int64[n]`, as all the others.
        mentor: Number of the mentor.
        place: Place of the mentor in the pool of the question.
        mentee: Number of the mentee.
        goal: Number of the goal, or `NONE`.
        unit: Number of the unit, or `NONE`.
        outcome: Outcome where it was known by then, else NaN.
        years: Age: whole days since it began, in years, so that a score holds for a day.
        over: Whether it had ended by then: `bool[n]`.
        table: The table of pairings.
    """

    rows: Numbers
    mentor: Numbers
    place: Numbers
    mentee: Numbers
    goal: Numbers
    unit: Numbers
    outcome: Reals
    years: Reals
    over: Mask
    table: Table

    @classmethod
    def of(cls, columns: Columns, asked: Question) -> "PastPairings":
        """Those that a question may look at."""
        table, goals = columns.tables["pairings"], columns.tables["goals"]
        key = (table.state(asked.seconds), goals.state(asked.seconds))
        known = columns.remember("past pairings", key, lambda: _begun(columns, asked.seconds))
        years = columns.remember(
            "years since pairings", (key, _turns(columns, asked.seconds)), lambda: known.ages(asked)
        )
        own = columns.rows_by("pairings", "goal").of(asked.goal)
        kept = slice(None) if not len(own) else ~np.isin(known.rows, own)
        mentor = known.mentor[kept]
        return cls(
            known.rows[kept],
            mentor,
            asked.pool(columns).places_of(mentor),
            known.mentee[kept],
            known.goal[kept],
            known.unit[kept],
            known.outcome[kept],
            years[kept],
            known.over[kept],
            table,
        )

    def ages(self, asked: Question) -> Reals:
        """Whole days since each began, in years."""
        found: Reals = (asked.seconds - self.table.reals("since")[self.rows]) // DAY_S / YEAR_DAYS
        return found

    def of_mentor(self, mentor: int) -> Numbers:
        """Positions of one mentor's pairings, ascending: `int64[m]`."""
        places = self.at(np.array(self.table.rows_of("mentor", mentor), np.int64))
        own: Numbers = places[self.mentor[places] == mentor]
        return own

    def at(self, rows: Numbers) -> Numbers:
        """Positions of those of some rows, ascending, that are among these pairings: `int64[m]`."""
        places = np.searchsorted(self.rows, rows)
        rows, places = rows[places < len(self.rows)], places[places < len(self.rows)]
        found: Numbers = places[self.rows[places] == rows]
        return found


def _begun(columns: Columns, now: float) -> PastPairings:
    """All pairings that had begun by an instant, without their age and the place of their mentor."""
    table, goals = columns.tables["pairings"], columns.tables["goals"]
    goal = table.numbers("goal")
    if len(goals):
        goal = np.where(goals.begun(now)[goal], goal, NONE)
    rows = np.flatnonzero(table.begun(now))
    over = table.reals("until")[rows] < now
    return PastPairings(
        rows,
        table.numbers("mentor")[rows],
        np.zeros(0, np.int64),
        table.numbers("mentee")[rows],
        goal[rows],
        table.numbers("unit")[rows],
        np.where(over, table.reals("outcome")[rows], np.nan),
        np.zeros(0),
        over,
        table,
    )


def _turns(columns: Columns, now: float) -> tuple[int, int]:
    """What tells apart two instants between which some pairing turned a day older: the day, and how many did in it."""
    table = columns.tables["pairings"]
    hours = columns.remember("hours of pairings", table.version, lambda: np.sort(table.reals("since") % DAY_S))
    return int(now // DAY_S), int(np.searchsorted(hours, now % DAY_S, side="right"))


def open_pairings(columns: Columns, now: float) -> Mask:
    """Which pairings take up one of their mentor's places at an instant: `bool[pairings]`."""
    table = columns.tables["pairings"]
    states = columns.remember("open pairings", table.version, lambda: _are_open(table.strings("status")))
    # A pairing that has ended since was open then, whatever its state is now.
    return table.valid(now) & ((table.reals("until") < np.inf) | states)


def _are_open(states: Sequence[str | None]) -> Mask:
    """Which pairings are in a state that takes up a place: `bool[pairings]`."""
    return np.array([state in OPEN_STATES for state in states], bool)
