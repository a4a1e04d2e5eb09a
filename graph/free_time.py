"""Who is free when, from columns in memory: weekly windows less absences, busy times and phases of their units.

What is planned is known beforehand: busy times and phases count before they begin, absences once they have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from mentorgraph.graph.availability import ROW_BYTES, Bits, shared_minutes, span_bits, week_of, window_bits
from mentorgraph.graph.columns import Columns, Mask, Numbers, Reals
from mentorgraph.graph.policy import SignalSettings

WEEK_S = 7 * 24 * 60 * 60
WEEKS = 8
"""So many weeks, the present one first, tell whether somebody has time all along."""


@dataclass(frozen=True, slots=True)
class Phased:
    """What a phase of a unit takes of the week of a member.

    Attributes:
        membership: Row in the table of memberships of units.
        phase: Row in the table of phases, the first one where the unit is in several.
        without: The member's free slots if they did not belong to the unit.
    """

    membership: int
    phase: int
    without: Bits


def free_slots(columns: Columns, now: datetime) -> tuple[Bits, Mask]:
    """The free slots of everybody in the week of an instant.

    Returns:
        `uint8[people, ROW_BYTES]`, and `bool[people]` telling who stated any availability.
    """
    return columns.remember("free", _state(columns, now), lambda: _free_slots(columns, now))


def _free_slots(columns: Columns, now: datetime) -> tuple[Bits, Mask]:
    monday = week_of(now)
    free = np.zeros((len(columns.people), ROW_BYTES), np.uint8)
    stated = np.zeros(len(columns.people), bool)
    windows = columns.tables["availability"]
    for row in np.flatnonzero(windows.valid(now.timestamp())):
        person = int(windows.numbers("person")[row])
        free[person] |= window_bits(columns.window(int(row)), monday)
        stated[person] = True
    taken = _Taken.of(columns, now.timestamp(), _starts_s(monday))
    for place in np.flatnonzero(stated[taken.person]):
        free[taken.person[place]] &= ~taken.bits(int(place), monday)
    return free, stated


def phased(columns: Columns, now: datetime) -> Mapping[int, tuple[Phased, ...]]:
    """Who has less time in the week of an instant because a unit of theirs is in a phase, by number of the person."""
    return columns.remember("phased", _state(columns, now), lambda: _phased(columns, now))


def _phased(columns: Columns, now: datetime) -> dict[int, tuple[Phased, ...]]:
    monday, seconds = week_of(now), now.timestamp()
    free, stated = free_slots(columns, now)
    phases = _phases_in(columns, _starts_s(monday))
    members, windows = columns.tables["unit_membership"], columns.tables["availability"]
    valid, by_unit = members.valid(seconds), columns.rows_by("unit_membership", "unit")
    held, by_person = windows.valid(seconds), columns.rows_by("availability", "person")
    taken = _Taken.of(columns, seconds, _starts_s(monday))
    found: dict[int, tuple[Phased, ...]] = {}
    for unit in sorted(set(columns.tables["phases"].numbers("unit")[phases].tolist())):
        own = [int(row) for row in phases if columns.tables["phases"].numbers("unit")[row] == unit]
        since, uids = columns.tables["phases"].reals("since"), columns.tables["phases"].rows.uids
        first = min(own, key=lambda row: (since[row], uids[row]))
        for row in by_unit.of(unit):
            person = int(members.numbers("person")[row])
            if not (valid[row] and stated[person]):
                continue
            without = np.zeros(ROW_BYTES, np.uint8)
            for window in by_person.of(person):
                if held[window]:
                    without |= window_bits(columns.window(int(window)), monday)
            for place in np.flatnonzero((taken.person == person) & (taken.membership != row)):
                without &= ~taken.bits(int(place), monday)
            if (without != free[person]).any():
                found[person] = (*found.get(person, ()), Phased(int(row), first, without))
    return found


def open_weeks(columns: Columns, now: datetime, settings: SignalSettings) -> Reals:
    """Share of the coming `WEEKS` in which a good part of somebody's weekly time is free: `float64[people]`.

    NaN where somebody has stated no availability. A week is open where at least `open_week_share` of its windows is
    neither taken by an absence nor by a busy time or a phase.
    """
    key = (*_state(columns, now), settings.open_week_share)
    return columns.remember("open weeks", key, lambda: _open_weeks(columns, now, settings))


def _open_weeks(columns: Columns, now: datetime, settings: SignalSettings) -> Reals:
    windows, seconds = columns.tables["availability"], now.timestamp()
    held, by_person = windows.valid(seconds), columns.rows_by("availability", "person")
    share = np.full(len(columns.people), np.nan)
    share[windows.numbers("person")[held]] = 1.0
    for monday in _mondays(now):
        taken = _Taken.of(columns, seconds, _starts_s(monday))
        order = np.argsort(taken.person, kind="stable")
        people, starts = np.unique(taken.person[order], return_index=True)
        for person, places in zip(people.tolist(), np.split(order, starts[1:]), strict=False):
            if np.isnan(share[person]):
                continue
            rows = [int(row) for row in by_person.of(person) if held[row]]
            whole = np.zeros(ROW_BYTES, np.uint8)
            for row in rows:
                whole |= window_bits(columns.window(row), monday)
            left = whole.copy()
            for place in places:
                left &= ~taken.bits(int(place), monday)
            minutes = shared_minutes(whole, np.stack([whole, left]))
            if minutes[1] < settings.open_week_share * minutes[0]:
                share[person] -= 1 / WEEKS
    return share


def _mondays(now: datetime) -> Iterator[date]:
    return (week_of(now) + timedelta(weeks=week) for week in range(WEEKS))


def _starts_s(monday: date) -> float:
    return datetime.combine(monday, time(), UTC).timestamp()


def _state(columns: Columns, now: datetime) -> tuple[object, ...]:
    """What tells apart two states of all that free time is made from."""
    seconds, tables = now.timestamp(), columns.tables
    states = tuple(tables[name].state(seconds) for name in ("availability", "absences", "unit_membership"))
    versions = (tables["busy_times"].version, tables["phases"].version)
    return (*states, *versions, len(columns.people), week_of(now))


def _phases_in(columns: Columns, monday_s: float) -> Numbers:
    """The phases of units that meet a week: `int64[phases]`."""
    table = columns.tables["phases"]
    met = (table.reals("since") < monday_s + WEEK_S) & (table.reals("until") > monday_s)
    return np.flatnonzero(met & (table.numbers("unit") >= 0))


@dataclass(frozen=True, slots=True)
class _Taken:
    """Spans of time that meet a week and are taken from people's windows.

    Attributes:
        person: Whose: `int64[spans]`.
        since, until: From when until when, in seconds: `float64[spans]`.
        membership: Row of the membership by which a phase of a unit takes it, −1 for what is the person's own.
    """

    person: Numbers
    since: Reals
    until: Reals
    membership: Numbers

    @classmethod
    def of(cls, columns: Columns, now: float, monday_s: float) -> "_Taken":
        """All spans of a week, as they are known at an instant."""
        person, since, until, membership = [], [], [], []
        for name in ("absences", "busy_times"):
            table = columns.tables[name]
            met = (table.reals("since") < monday_s + WEEK_S) & (table.reals("until") > monday_s)
            rows = np.flatnonzero(met & table.begun(now) if name == "absences" else met)
            person.append(table.numbers("person")[rows])
            since.append(table.reals("since")[rows])
            until.append(table.reals("until")[rows])
            membership.append(np.full(len(rows), -1))
        phases, members = columns.tables["phases"], columns.tables["unit_membership"]
        valid, by_unit = members.valid(now), columns.rows_by("unit_membership", "unit")
        for phase in _phases_in(columns, monday_s):
            rows = by_unit.of(int(phases.numbers("unit")[phase]))
            rows = rows[valid[rows]]
            person.append(members.numbers("person")[rows])
            since.append(np.full(len(rows), phases.reals("since")[phase]))
            until.append(np.full(len(rows), phases.reals("until")[phase]))
            membership.append(rows)
        return cls(np.concatenate(person), np.concatenate(since), np.concatenate(until), np.concatenate(membership))

    def bits(self, place: int, monday: date) -> Bits:
        """The slots of the week that one span covers."""
        ends = (float(each[place]) for each in (self.since, self.until))
        since, until = (datetime.fromtimestamp(each, UTC) for each in ends)
        return span_bits(since, until, monday)
