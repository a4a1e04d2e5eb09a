"""What it costs mentors in the lists that something of them is not known, so that they see what to tell first."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.columns.table import NONE, Numbers
from mentorgraph.graph.ranking.scoring import Scorer, Scores

NEWEST_GOALS = 20
"""How many open goals stand for those to come."""

SIGNALS_OF = {
    "offered_skills": ("skills",),
    "availability": ("time_overlap", "availability_pattern"),
    "communication": ("communication",),
    "pace": ("pace",),
    "formats": ("format",),
    "coaching_style": ("coaching_style",),
    "experience_years": ("seniority",),
}
"""Field of `profile.DEMANDS` → the signals that say nothing of somebody who has not told it."""


async def costs_on_rank(
    columns: Columns, scorer: Scorer, untold: Mapping[str, Collection[str]], now: datetime
) -> dict[str, dict[str, float]]:
    """How many places higher mentors would stand in the mean, for each thing that they have not told.

    An estimate: for each of the newest open goals of others, the mentor is given what the field's signals contribute in
    the mean to those mentors of whom they say something; everybody else stays as they are, and rules are left out.

    Args:
        columns: The facts, fresh.
        scorer: What ranks.
        untold: uid of a mentor → fields of `profile.DEMANDS` that they have not told.
        now: The instant as of which facts count.

    Returns:
        uid → field → places; without fields that no signal reads, and empty for who is no mentor or where no goal of
        another is open.
    """
    mentors = _mentors(columns, now.timestamp())
    asked = {
        number: [field for field in fields if field in SIGNALS_OF]
        for uid, fields in untold.items()
        if (number := columns.people.find(uid)) in mentors
    }
    gained: dict[tuple[int, str], list[int]] = {}
    owners = columns.tables["goals"].numbers("person")
    for goal in _newest_goals(columns, now.timestamp()) if any(asked.values()) else ():
        await asyncio.sleep(0)  # others are answered in between
        mentee = int(owners[goal])
        scores = scorer.score(columns, question(columns, mentee, goal, now, scorer.policy.signals))
        rivals = mentors[mentors != mentee]
        for number, fields in asked.items():
            for field in fields if number != mentee else ():
                gained.setdefault((number, field), []).append(_gain(scores, rivals, number, SIGNALS_OF[field]))
    found: dict[str, dict[str, float]] = {uid: {} for uid in untold}
    for (number, field), places in gained.items():
        found[columns.people.uids[number]][field] = float(np.mean(places))
    return found


def _mentors(columns: Columns, seconds: float) -> Numbers:
    roles = columns.tables["roles"]
    return np.unique(roles.numbers("person")[roles.valid(seconds) & columns.mentor_roles()])


def _newest_goals(columns: Columns, seconds: float) -> list[int]:
    goals = columns.tables["goals"]
    is_open = np.flatnonzero(goals.valid(seconds) & (goals.numbers("person") != NONE))
    newest_first = np.argsort(-goals.reals("since")[is_open], kind="stable")
    return [int(goal) for goal in is_open[newest_first][:NEWEST_GOALS]]


def _gain(scores: Scores, mentors: Numbers, mentor: int, signals: tuple[str, ...]) -> int:
    """Places that a mentor would rise by, did some signals say of them what they say of others in the mean."""
    more, place, others = 0.0, scores.place(mentor), scores.places(mentors)
    for term in scores.terms:
        if term.name in signals and not term.contributions[place]:
            contributions = term.contributions[others]
            told = contributions[contributions != 0]
            more += float(told.mean()) if len(told) else 0.0
    own, totals = scores.total[place], scores.total[others]
    return int(np.count_nonzero(totals > own) - np.count_nonzero(totals > own + more))
