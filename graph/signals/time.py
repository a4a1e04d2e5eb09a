"""Signals of when two people can meet."""

import numpy as np

from mentorgraph.graph import availability
from mentorgraph.graph.columns import Columns
from mentorgraph.graph.policy import SignalSettings
from mentorgraph.graph.question import Question
from mentorgraph.graph.signals.signal import Signal


def time_overlap(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Hours of this week in which both are free, up to what is enough; unknown where either has not said."""
    free, stated = columns.free_slots(asked.now)
    values = np.full(len(columns.people), np.nan)
    if stated[asked.mentee]:
        hours = availability.shared_minutes(free[asked.mentee], free) / 60
        values = np.where(stated, np.minimum(hours, settings.overlap_enough_hours), np.nan)
    enough = f"hours a week, {settings.overlap_enough_hours:g} are enough"
    return Signal("time_overlap", enough, values, lambda _mentor: [])
