"""What a ranking is asked to do: goals of a window, who could be their mentor, and who became it.

A task owns its window. Everything that ranks for it sees the graph as of `now`, the first instant of the window; what
happened later is only in `relevant`. Tasks of earlier windows teach, tasks of later ones judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question, question
from mentorgraph.graph.columns.table import NONE, Mask, Numbers, Reals
from mentorgraph.graph.rules.policy import SignalSettings

OUTCOME_UNKNOWN = 0.5
"""What a pairing counts with while its outcome is not known."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Which facts a ranking may use.

    Attributes:
        name: `full`, `no-unit` or `masked`.
        unit: Whether units, and what is said per unit, may be used: memberships, categories, needed skills.
        unit_names: Whether texts keep the name of their goal's unit.
        without: Parts of the network that are switched off, of `PARTS`; what serves has them all.
    """

    name: str
    unit: bool
    unit_names: bool
    without: frozenset[str] = frozenset()

    def lacking(self, part: str) -> "Setting":
        """The same with a part of the network switched off."""
        return replace(self, name=f"{self.name} without {part}", without=self.without | {part})


FULL = Setting("full", unit=True, unit_names=True)
NO_UNIT = Setting("no-unit", unit=False, unit_names=True)
MASKED = Setting("masked", unit=False, unit_names=False)
MESSAGES, PRECEDENTS = "messages", "precedents"
PARTS = (MESSAGES, PRECEDENTS)
"""Parts of the network that can be switched off, to see what each adds.

Messages are the encoder's, over skills, units, goals and pairings; precedents are the past goals from which attention
flows to their mentors.
"""
SETTINGS = {each.name: each for each in (FULL, NO_UNIT, MASKED)}


@dataclass(frozen=True, slots=True)
class Task:
    """Goals to find mentors for.

    Attributes:
        now: What began before this instant is known.
        until: The goals were set from `now` until before this instant.
        goals: Numbers of the asking goals, ascending: `int64[asks]`.
        mentees: Number of whoever set each goal: `int64[asks]`.
        candidates: Numbers of everybody who had mentored before `now`, ascending: `int64[candidates]`.
        relevant: Of each ask, the positions of its mentors among the candidates, ascending; at least one.
        newcomers: Whether the mentee had never been paired before `now`: `bool[asks]`.
        worth: Of each of `relevant`, how much it counts as an example: the outcome, as far as it was told, else
            `OUTCOME_UNKNOWN`. Only teaching looks at it.
        popularity: How often each candidate had mentored before `now`: `int64[candidates]`.
        labels: Of each ask, the groups for which it is judged apart too: `unit NAME` and, of the programmes in which it
            found its mentors, `format NAME`. Only judging looks at them.
    """

    now: datetime
    until: datetime
    goals: Numbers
    mentees: Numbers
    candidates: Numbers
    relevant: tuple[Numbers, ...]
    newcomers: Mask
    worth: tuple[Reals, ...] = ()
    popularity: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    labels: tuple[frozenset[str], ...] = ()

    def __len__(self) -> int:
        return len(self.goals)

    def only(self, asks: NDArray[np.int64] | NDArray[np.bool_]) -> "Task":
        """The same task with some of its asks."""
        kept = np.arange(len(self))[asks]
        return replace(
            self,
            goals=self.goals[kept],
            mentees=self.mentees[kept],
            relevant=tuple(self.relevant[place] for place in kept),
            newcomers=self.newcomers[kept],
            worth=tuple(self.worth[place] for place in kept) if self.worth else (),
            labels=tuple(self.labels[place] for place in kept) if self.labels else (),
        )

    def of_roster(self) -> "Task":
        """The same where it is known who mentors in the window: nobody else is ranked, and nothing else is known."""
        serving = np.unique(np.concatenate(self.relevant)) if self.relevant else np.zeros(0, np.int64)
        return replace(
            self,
            candidates=self.candidates[serving],
            relevant=tuple(np.searchsorted(serving, each) for each in self.relevant),
            popularity=self.popularity[serving],
        )


def task(columns: Columns, now: datetime, until: datetime, told: datetime | None = None) -> Task:
    """The task of one window.

    Args:
        columns: The facts.
        now: Begin of the window.
        until: Its end, exclusive.
        told: Pairings that began before this instant count as found; all of them by default. A task that teaches must
            not be told of what began after the teaching.
    """
    pairings, goals = columns.tables["pairings"], columns.tables["goals"]
    mentor, goal = pairings.numbers("mentor"), pairings.numbers("goal")
    before = pairings.begun(now.timestamp())
    candidates, popularity = np.unique(mentor[before], return_counts=True)
    paired = np.zeros(len(columns.people) + 1, bool)
    paired[pairings.numbers("mentee")[before]] = True
    since = goals.reals("since")
    asking = (since >= now.timestamp()) & (since < until.timestamp())
    rows = np.flatnonzero(goal != NONE)
    rows = rows[asking[goal[rows]] & np.isin(mentor[rows], candidates)]
    told_s = np.inf if told is None else told.timestamp()
    rows = rows[pairings.reals("since")[rows] < told_s]
    links, first = np.unique(
        np.stack([goal[rows], np.searchsorted(candidates, mentor[rows])]), axis=1, return_index=True
    )
    asks, starts = np.unique(links[0], return_index=True)
    outcome = np.where(pairings.reals("until") < told_s, pairings.reals("outcome"), np.nan)[rows[first]]
    worth = np.nan_to_num(outcome, nan=OUTCOME_UNKNOWN)
    relevant, worths = (tuple(np.split(each, starts[1:])) if len(asks) else () for each in (links[1], worth))
    mentees = goals.numbers("person")[asks]
    labels = _labels(columns, asks, rows)
    return Task(now, until, asks, mentees, candidates, relevant, ~paired[mentees], worths, popularity, labels)


def _labels(columns: Columns, asks: Numbers, pairings: Numbers) -> tuple[frozenset[str], ...]:
    """See `Task.labels`, of goals that found their mentors by some pairings."""
    goals, table, programmes = (columns.tables[name] for name in ("goals", "pairings", "programmes"))
    names, formats = columns.tables["units"].strings("name"), programmes.strings("format")
    found: dict[int, set[str]] = {int(goal): set() for goal in asks}
    for goal, unit in zip(asks, goals.numbers("unit")[asks], strict=True):
        if unit != NONE and unit < len(names) and names[unit]:
            found[int(goal)].add(f"unit {names[unit]}")
    for goal, row in zip(table.numbers("goal")[pairings], pairings, strict=True):
        programme = programmes.rows.find(table.strings("programme")[row] or "")
        if programme != NONE and formats[programme]:
            found[int(goal)].add(f"format {formats[programme]}")
    return tuple(map(frozenset, found.values()))


def windows(columns: Columns, now: datetime, starts: Sequence[datetime]) -> list[Task]:
    """Tasks that lie before `now`, for teaching: from each start to the next one, the last until `now`."""
    ends = [*starts[1:], now][: len(starts)]
    return [task(columns, start, end, told=now) for start, end in zip(starts, ends, strict=True)]


def window_starts(columns: Columns, now: datetime, most: int = 3, fewest_asks: int = 100) -> list[datetime]:
    """Where the windows for teaching begin: yearly where the history is long, else in shorter equal steps.

    The first quarter of the history is left as what the first window may look back on.

    Args:
        columns: The facts.
        now: The end of the last window.
        most: Number of windows.
        fewest_asks: Windows with fewer goals than this are not worth a step.
    """
    since = columns.tables["pairings"].reals("since")
    past = since[since < now.timestamp()]
    if len(past) < fewest_asks:
        return []
    year_s = 365.25 * 24 * 3600
    length = now.timestamp() - float(past.min())
    step = min(year_s, 0.75 * length / most)
    if step == year_s:
        return [now.replace(year=now.year - back, day=min(now.day, 28)) for back in range(most, 0, -1)]
    starts = [now.timestamp() - step * back for back in range(most, 0, -1)]
    return [datetime.fromtimestamp(round(start), now.tzinfo) for start in starts]


def questions(columns: Columns, asked: Task, setting: Setting, settings: SignalSettings) -> list[Question]:
    """The questions of a task, without what the setting forbids."""
    return [
        allowed(question(columns, int(mentee), int(goal), asked.now, settings), setting)
        for goal, mentee in zip(asked.goals, asked.mentees, strict=True)
    ]


def allowed(asked: Question, setting: Setting) -> Question:
    """A question without what a setting forbids to use."""
    if setting.unit:
        return asked
    wishes = tuple(wish for wish in asked.wishes if wish.metapath != "goal_needs")
    return replace(asked, wishes=wishes, units=frozenset())
