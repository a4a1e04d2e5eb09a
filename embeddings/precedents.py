"""What is known at an instant of all past mentoring: precedents, whose mentors may fit the next goal that is like them.

A precedent is a goal that found mentors, or a pairing without a goal. Training and serving take the same arrays from
the same columns. Ages are counted in whole days, so that a score holds for a day.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.embeddings import texts
from mentorgraph.embeddings.tasks import OUTCOME_UNKNOWN, Setting
from mentorgraph.embeddings.texts import Floats, GoalTexts, Projection
from mentorgraph.graph.columns import text
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import DAY_S, YEAR_DAYS
from mentorgraph.graph.columns.table import NONE, Mask, Numbers

CO_MENTOR_DECAY = 0.8
"""What working together counts after another year."""

WORDED = ("full", "title", "parts", "rare", "runs", "bm25")
"""The vectors of `Texts` in which goals are compared term by term."""


@dataclass(frozen=True)
class Texts:
    """Text vectors with the statistics of one instant; rows are all goals, known or asked about.

    Attributes:
        counts: Words of title and description: `float32[goals, words]`.
        full: Their TF-IDF vectors, of length 1.
        title: TF-IDF vectors of the titles.
        parts: TF-IDF vectors of parts of the titles' words.
        rare: Vectors of the words in which IDF counts squared.
        runs: The same of runs of letters.
        bm25: What each word of a goal adds to its BM25 score.
        dense: In the coordinates of the model's projection: `float32[goals, dimensions]`.
    """

    counts: sparse.csr_array
    full: sparse.csr_array
    title: sparse.csr_array
    parts: sparse.csr_array
    rare: sparse.csr_array
    runs: sparse.csr_array
    bm25: sparse.csr_array
    dense: Floats

    @classmethod
    def of(cls, goal_texts: GoalTexts, known: Mask, projection: Projection) -> "Texts":
        """Vectors whose statistics are those of the known goals."""
        full, title, parts = (
            text.vectors(each.counts(), known, np.float32)
            for each in (goal_texts.full, goal_texts.title, goal_texts.parts)
        )
        counts = goal_texts.full.counts()
        rare, runs = (texts.rare_first(each, known) for each in (counts, goal_texts.runs.counts()))
        weights = texts.bm25(counts, text.frequencies(counts, known), known)
        return cls(counts, full, title, parts, rare, runs, weights, projection.of(goal_texts.full))


@dataclass(frozen=True)
class Precedents:
    """Past goals and their pairings as of an instant.

    Attributes:
        day: Days since 1970, up to which ages count.
        goal: Number of each precedent's goal, or `NONE`: `int64[precedents]`, as the others.
        unit: Number of its unit, or `NONE`; always `NONE` where units may not be used.
        mentee: Who was mentored.
        years: Age since its first pairing began.
        team: Number of its pairings.
        outcome: Mean of the outcomes known by then, else `OUTCOME_UNKNOWN`.
        outcome_known: 1 where one was known, else 0.
        sessions: Sessions held by then, per pairing.
        starts: The pairings of precedent p stand from `starts[p]` to `starts[p + 1]`: `int64[precedents + 1]`.
        pairing_mentor: Who mentored: `int64[pairings]`, as the others.
        pairing_row: Its row in the table of pairings.
        pairing_years: Age of the pairing.
        pairing_weight: How much its message counts: outcome × ½^(age / 2 years) × (1 + ln(1 + sessions)).
        asks_needs: Skills that the goals need: `float32[precedents, skills]`, 0 or 1.
        asks_wants: Skills that the mentees wanted when the pairing began.
    """

    day: int
    goal: Numbers
    unit: Numbers
    mentee: Numbers
    years: Floats
    team: Floats
    outcome: Floats
    outcome_known: Floats
    sessions: Floats
    starts: Numbers
    pairing_mentor: Numbers
    pairing_row: Numbers
    pairing_years: Floats
    pairing_weight: Floats
    asks_needs: sparse.csr_array
    asks_wants: sparse.csr_array

    def __len__(self) -> int:
        return len(self.goal)

    @property
    def pairing_precedent(self) -> Numbers:
        """The precedent of each pairing: `int64[pairings]`."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def pairings_of(self, precedent: int, mentor: int) -> Numbers:
        """Rows in the table of pairings of what one person mentored in a precedent: `int64[pairings]`."""
        own = slice(self.starts[precedent], self.starts[precedent + 1])
        rows: Numbers = self.pairing_row[own][self.pairing_mentor[own] == mentor]
        return rows

    @classmethod
    def of(cls, columns: Columns, now: datetime, setting: Setting) -> "Precedents":
        """Those that had begun before an instant."""
        seconds, day = now.timestamp(), int(now.timestamp() // DAY_S)
        table, goals = columns.tables["pairings"], columns.tables["goals"]
        rows = np.flatnonzero(table.begun(seconds))
        goal = table.numbers("goal")[rows]
        if len(goals):
            goal = np.where((goal != NONE) & goals.begun(seconds)[goal], goal, NONE)
        _, first, group = np.unique(np.where(goal == NONE, -1 - rows, goal), return_index=True, return_inverse=True)
        order = np.argsort(group, kind="stable")
        team = np.bincount(group, minlength=len(first))
        years = (day - table.reals("since")[rows] // DAY_S) / YEAR_DAYS
        outcome = np.where(table.reals("until")[rows] < seconds, table.reals("outcome")[rows], np.nan)
        known = ~np.isnan(outcome)
        held = columns.tables["sessions"]
        begun = held.begun(seconds)
        sessions = np.bincount(held.numbers("pairing")[begun], minlength=len(table))[rows]
        outcomes = np.bincount(group, np.where(known, outcome, 0), minlength=len(first))
        numbers_known = np.bincount(group, known, minlength=len(first))
        unit = table.numbers("unit")[rows]
        if len(goals):
            unit = np.where((unit == NONE) & (goal != NONE), goals.numbers("unit")[goal], unit)
        oldest = np.zeros(len(first))
        np.maximum.at(oldest, group, years)
        weight = np.where(known, outcome, OUTCOME_UNKNOWN) * 0.5 ** (years / 2) * (1 + np.log1p(sessions))
        began = np.full(len(first), np.inf)
        np.minimum.at(began, group, table.reals("since")[rows])
        mentee = table.numbers("mentee")[rows][first]
        # Without units a goal's needs are not used: they may be tags of its unit.
        needs = goal_needs(columns, goal[first] if setting.unit else np.full(len(first), NONE), seconds, seconds)
        return cls(
            day,
            goal[first],
            unit[first] if setting.unit else np.full(len(first), NONE),
            mentee,
            oldest.astype(np.float32),
            team.astype(np.float32),
            np.where(numbers_known > 0, outcomes / np.maximum(numbers_known, 1), OUTCOME_UNKNOWN).astype(np.float32),
            (numbers_known > 0).astype(np.float32),
            (np.bincount(group, sessions, minlength=len(first)) / np.maximum(team, 1)).astype(np.float32),
            np.concatenate([[0], np.cumsum(team)]),
            table.numbers("mentor")[rows][order],
            rows[order],
            years[order].astype(np.float32),
            weight[order].astype(np.float32),
            needs,
            wants_when(columns, mentee, np.minimum(began, seconds), seconds),
        )

    def co_mentors(self, people: int) -> sparse.csr_array:
        """How strongly people have mentored together: `float32[people, people]`, each row sums to 1 or is empty.

        Each common precedent counts 1 / (team − 1), decayed by `CO_MENTOR_DECAY` a year.
        """
        decayed = CO_MENTOR_DECAY**self.years / np.maximum(self.team - 1, 1)
        mentors = sparse.csr_array(
            (np.ones(len(self.pairing_mentor), np.float32), (self.pairing_precedent, self.pairing_mentor)),
            shape=(len(self), people),
        )
        together = sparse.csr_array(mentors.T @ sparse.diags_array(decayed) @ mentors)
        together.setdiag(0)
        together.eliminate_zeros()
        together.sort_indices()
        totals = np.asarray(together.sum(axis=1)).ravel()
        together.data = (together.data / totals[text.row_numbers(together)]).astype(np.float32)
        return together


def goal_needs(columns: Columns, goals: Numbers, told: float, now: float) -> sparse.csr_array:
    """Skills that goals need, as was told before an instant: `float32[goals, skills]`, 0 or 1; `NONE` has none.

    What a closed goal needed stays what it was; a skill that was merged before `now` counts for the other one.
    """
    needs, by_goal = columns.tables["goal_skills"], columns.rows_by("goal_skills", "goal")
    rows = [by_goal.of(int(goal)) for goal in goals]
    row = np.repeat(np.arange(len(goals)), [len(each) for each in rows])
    flat = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    held = needs.begun(told)[flat]
    if len(columns.tables["goals"]):
        until, closed = needs.reals("until")[flat], columns.tables["goals"].reals("until")[goals[row]]
        held = held & ((until >= told) | (until >= closed))
    skill = columns.skills_of("goal_skills", "skill", now)[flat]
    return _ones(row[held], skill[held], (len(goals), len(columns.skills)))


def wants_when(columns: Columns, people: Numbers, instants: NDArray[np.float64], now: float) -> sparse.csr_array:
    """Skills that each of some people wanted at an instant of their own: `float32[people, skills]`, 0 or 1.

    A skill that was merged before `now` counts for the other one.
    """
    wants = columns.tables["wants"]
    by_person = columns.rows_by("wants", "person")
    since, until, skill = wants.reals("since"), wants.reals("until"), columns.skills_of("wants", "skill", now)
    rows = [by_person.of(int(person)) for person in people]
    row = np.repeat(np.arange(len(people)), [len(each) for each in rows])
    flat = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    held = (since[flat] <= instants[row]) & (until[flat] > instants[row])
    return _ones(row[held], skill[flat[held]], (len(people), len(columns.skills)))


def _ones(rows: Numbers, columns: Numbers, shape: tuple[int, int]) -> sparse.csr_array:
    matrix = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
