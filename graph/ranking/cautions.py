"""Cautions: what to bear in mind about a recommendation, because little or nothing new is known of the mentor.

A caution changes neither score nor order. It stands beside the reasons and is kept with them.
"""

from collections.abc import Iterator

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import DAY_S

PROFILE_OLD_DAYS = 365
"""A profile is old where the mentor has told nothing for longer than this."""
FEW_PAIRINGS = 3
"""Fewer past pairings as a mentor than this are few data."""

CAUTIONS = {
    "profile_old": f"The mentor has told nothing about themselves for more than {PROFILE_OLD_DAYS} days.",
    "few_data": f"The mentor has mentored in fewer than {FEW_PAIRINGS} pairings, so little can be learned from them.",
    "one_survey_only": "Only one of the mentor's past pairings has an outcome, so how they do rests on that one.",
    "explored": "The place was drawn, to learn how mentors from further down do.",
}
"""Every caution, and what it means."""

_TOLD = ("profiles", "offers", "wants", "availability", "absences")
"""Kinds of facts that people tell of themselves, each with a link to them."""


def cautions_of(columns: Columns, now: float, mentor: int, *, explored: bool = False) -> tuple[str, ...]:
    """The cautions about a mentor, as of an instant, in the order of `CAUTIONS`.

    Args:
        columns: The columns of the graph.
        now: The instant, in seconds since 1970.
        mentor: Number of the mentor.
        explored: Whether their place was drawn.
    """
    return (*_found(columns, now, mentor), *(("explored",) if explored else ()))


def _found(columns: Columns, now: float, mentor: int) -> Iterator[str]:
    if now - _last_told(columns, now, mentor) > PROFILE_OLD_DAYS * DAY_S:
        yield "profile_old"
    table = columns.tables["pairings"]
    rows = columns.rows_by("pairings", "mentor").of(mentor)
    rows = rows[table.reals("since")[rows] < now]
    if len(rows) < FEW_PAIRINGS:
        yield "few_data"
    known = (table.reals("until")[rows] < now) & ~np.isnan(table.reals("outcome")[rows])
    if known.sum() == 1:
        yield "one_survey_only"


def _last_told(columns: Columns, now: float, person: int) -> float:
    """When somebody last told or ended something of themselves; when they joined if never."""
    last = columns.tables["people"].reals("since")[person]
    for kind in _TOLD:
        table = columns.tables[kind]
        rows = columns.rows_by(kind, "person").of(person)
        for instants in (table.reals("since")[rows], table.reals("until")[rows]):
            last = max(last, instants[instants < now].max(initial=-np.inf))
    return float(last)
