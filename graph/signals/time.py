"""Signals of when, and whether at the same time, two people can work together."""

import numpy as np

from mentorgraph.graph.calendar import availability
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.free_time import open_weeks, week
from mentorgraph.graph.columns.question import Edge, Question
from mentorgraph.graph.columns.table import Reals
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.signals.profiles import Profiles
from mentorgraph.graph.signals.signal import Evidence, Signal, strongest_first


def shared_hours(columns: Columns, asked: Question) -> Reals:
    """Hours of this week in which others are free with the mentee: `float64[pool]`, NaN where either has not said."""
    present, pool = week(columns, asked.now), asked.pool(columns)
    if not present.stated[asked.mentee]:
        return np.full(len(pool), np.nan)
    return np.where(pool.take(present.stated), present.shared_minutes(asked.mentee, pool) / 60, np.nan)


def time_overlap(columns: Columns, asked: Question, settings: SignalSettings, shared: Reals) -> Signal:
    """Hours of this week in which both are free, up to what is enough; unknown where either has not said.

    Whoever is in a unit that is in a phase without time for sessions is not free in it. The evidence tells what such a
    phase takes away: its drop is below 0.

    Args:
        columns: The facts.
        asked: The question.
        settings: What is enough.
        shared: See `shared_hours`.
    """
    values = np.minimum(shared, settings.overlap_enough_hours)
    present, members, phases = week(columns, asked.now), columns.tables["unit_membership"], columns.tables["phases"]
    pool = asked.pool(columns)
    units, phase_units, link = members.numbers("unit"), columns.numberings["units"].uids, KINDS["phases"].links[0]

    def explain(mentor: int) -> list[Evidence]:
        found, value = [], float(values[pool.place(mentor)])
        for membership, phase, without in present.phases_of(mentor) if not np.isnan(value) else ():
            minutes = availability.shared_minutes(present.free[asked.mentee], without[np.newaxis])[0]
            drop = value - min(float(minutes) / 60, settings.overlap_enough_hours)
            if drop:
                uid = phases.rows.uids[phase]
                part = Edge(link.type, link_uid(uid, link, phase_units[int(units[membership])]))
                found.append(Evidence("unit_phase", (part, Edge("BELONGS_TO", members.rows.uids[membership])), drop))
        return strongest_first(found)

    enough = f"hours a week, {settings.overlap_enough_hours:g} are enough"
    return Signal("time_overlap", enough, values, explain)


def asynchronous(asked: Question, profiles: Profiles, shared: Reals) -> Signal:
    """Whether two who are never free at the same time this week both accept to work asynchronously: 1, else 0.

    Unknown where either has not said when they are free, or how they like to talk.

    Args:
        asked: The question.
        profiles: What people tell of themselves.
        shared: See `shared_hours`.
    """
    accepts, own = profiles.compared(profiles.scale("communication", ("live", "mixed", "asynchronous")))
    both = (accepts > 0) & (own > 0)
    known = ~np.isnan(shared) & ~np.isnan(accepts) & ~np.isnan(own)
    values = np.where(known, ((shared == 0) & both).astype(np.float64), np.nan)
    return profiles.signal("asynchronous", "never free at the same time, and both work without it", values)


def availability_pattern(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Whether both have time all along, or both in some weeks only: 1, else 0; unknown where either has not said.

    Somebody has time all along where at least `ongoing_share` of the coming weeks are open, see
    `mentorgraph.graph.columns.free_time.open_weeks`.
    """
    told = open_weeks(columns, asked.now, settings)
    share, own = asked.pool(columns).take(told), told[asked.mentee]
    known = ~np.isnan(share) & ~np.isnan(own)
    same = (share >= settings.ongoing_share) == (own >= settings.ongoing_share)
    values = np.where(known, same.astype(np.float64), np.nan)
    return Signal("availability_pattern", "both all along, or both in some weeks", values, lambda _mentor: [])
