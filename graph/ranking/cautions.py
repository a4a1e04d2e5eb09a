"""Cautions: what to bear in mind about a recommendation, because little or nothing new is known of the mentor.

A caution changes neither score nor order. It stands beside the reasons and is kept with them.
"""

from collections.abc import Iterator

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import DAY_S
from mentorgraph.graph.ranking.meeting import ASYNC
from mentorgraph.graph.ranking.scoring import Chance
from mentorgraph.graph.ranking.sentences import wording
from mentorgraph.graph.vocabulary import ENGLISH

PROFILE_OLD_DAYS = 365
"""A profile is old where the mentor has told nothing for longer than this."""
FEW_PAIRINGS = 3
"""Fewer past pairings as a mentor than this are few data."""

NAMES = ("profile_old", "few_data", "one_survey_only", "asynchronous_only", "explored", "chance_uncertain")


def caution_in_words(name: str, language: str = ENGLISH) -> str:
    """What a caution means.

    Args:
        name: One of `NAMES`.
        language: One of `sentences.LANGUAGES`.
    """
    return wording(language)[f"caution_{name}"].format(days=PROFILE_OLD_DAYS, pairings=FEW_PAIRINGS)


CAUTIONS = {name: caution_in_words(name) for name in NAMES}
"""Every caution, and what it means."""

_TOLD = ("profiles", "offers", "wants", "availability", "absences")
"""Kinds of facts that people tell of themselves, each with a link to them."""


def cautions_of(
    columns: Columns,
    now: float,
    mentor: int,
    *,
    explored: bool = False,
    mode: str = "",
    chance: Chance | None = None,
) -> tuple[str, ...]:
    """The cautions about a mentor, as of an instant, in the order of `CAUTIONS`.

    Args:
        columns: The columns of the graph.
        now: The instant, in seconds since 1970.
        mentor: Number of the mentor.
        explored: Whether their place was drawn.
        mode: How they can meet whoever asks, one of `meeting.MODES`; empty where it is not known.
        chance: The chance that a pairing with whoever asks would succeed; None if not known.
    """
    more = [("asynchronous_only", mode == ASYNC), ("explored", explored)]
    more.append(("chance_uncertain", chance is not None and chance.value is None))
    return (*_found(columns, now, mentor), *(name for name, is_so in more if is_so))


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
