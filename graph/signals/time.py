"""Signals of when, and whether at the same time, two people can work together."""

import numpy as np

from mentorgraph.graph import availability
from mentorgraph.graph.columns import Columns
from mentorgraph.graph.free_time import free_slots, open_weeks, phased
from mentorgraph.graph.kinds import KINDS
from mentorgraph.graph.model import link_uid
from mentorgraph.graph.policy import SignalSettings
from mentorgraph.graph.question import Edge, Question
from mentorgraph.graph.signals.profiles import Profiles
from mentorgraph.graph.signals.signal import Evidence, Signal, strongest_first


def time_overlap(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Hours of this week in which both are free, up to what is enough; unknown where either has not said.

    Whoever is in a unit that is in a phase without time for sessions is not free in it. The evidence tells what such a
    phase takes away: its drop is below 0.
    """
    free, stated = free_slots(columns, asked.now)
    values = np.full(len(columns.people), np.nan)
    if stated[asked.mentee]:
        hours = availability.shared_minutes(free[asked.mentee], free) / 60
        values = np.where(stated, np.minimum(hours, settings.overlap_enough_hours), np.nan)
    taken, members, phases = (
        phased(columns, asked.now),
        columns.tables["unit_membership"],
        columns.tables["phases"],
    )
    units, phase_units = members.numbers("unit"), columns.numberings["units"].uids
    link = KINDS["phases"].links[0]

    def explain(mentor: int) -> list[Evidence]:
        found = []
        for each in taken.get(mentor, ()) if not np.isnan(values[mentor]) else ():
            minutes = availability.shared_minutes(free[asked.mentee], each.without[np.newaxis])[0]
            drop = float(values[mentor]) - min(float(minutes) / 60, settings.overlap_enough_hours)
            if drop:
                phase = phases.rows.uids[each.phase]
                part = Edge(link.type, link_uid(phase, link, phase_units[int(units[each.membership])]))
                found.append(
                    Evidence("unit_phase", (part, Edge("BELONGS_TO", members.rows.uids[each.membership])), drop)
                )
        return strongest_first(found)

    enough = f"hours a week, {settings.overlap_enough_hours:g} are enough"
    return Signal("time_overlap", enough, values, explain)


def asynchronous(columns: Columns, asked: Question, profiles: Profiles) -> Signal:
    """Whether two who are never free at the same time this week both accept to work asynchronously: 1, else 0.

    Unknown where either has not said when they are free, or how they like to talk.
    """
    free, stated = free_slots(columns, asked.now)
    accepts = profiles.scale("communication", ("live", "mixed", "asynchronous"))
    both = (accepts > 0) & (accepts[asked.mentee] > 0)
    known = stated & stated[asked.mentee] & ~np.isnan(accepts) & ~np.isnan(accepts[asked.mentee])
    apart = availability.shared_minutes(free[asked.mentee], free) == 0
    values = np.where(known, (apart & both).astype(np.float64), np.nan)
    return profiles.signal("asynchronous", "never free at the same time, and both work without it", values)


def availability_pattern(columns: Columns, asked: Question, settings: SignalSettings) -> Signal:
    """Whether both have time all along, or both in some weeks only: 1, else 0; unknown where either has not said.

    Somebody has time all along where at least `ongoing_share` of the coming weeks are open, see
    `mentorgraph.graph.free_time.open_weeks`.
    """
    share = open_weeks(columns, asked.now, settings)
    ongoing = share >= settings.ongoing_share
    known = ~np.isnan(share) & ~np.isnan(share[asked.mentee])
    values = np.where(known, (ongoing == ongoing[asked.mentee]).astype(np.float64), np.nan)
    return Signal("availability_pattern", "both all along, or both in some weeks", values, lambda _mentor: [])
