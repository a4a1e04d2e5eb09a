"""Who is free when, from columns in memory: weekly windows less absences, busy times and phases of their units.

What is planned is known beforehand: busy times and phases count before they begin, absences once they have.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.calendar.availability import ROW_BYTES, SLOTS, Bits, week_of, window_bits
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.table import NONE, Mask, Numbers, Reals
from mentorgraph.graph.facts.values import SLOT_MINUTES
from mentorgraph.graph.rules.policy import SignalSettings

WEEK_S = 7 * 24 * 60 * 60
MOST_RENEWED = 1_000
"""Where the windows of more people than these have changed, those of all are looked at anew."""

WEEKS = 8
"""So many weeks, the present one first, tell whether somebody has time all along."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Spans of time that meet a week and are taken from people's windows, in the order of people.

    Attributes:
        person: Whose: `int64[spans]`.
        bits: The slots of the week that each covers: `uint8[spans, ROW_BYTES]`.
        membership: Row of the membership by which a phase of a unit takes it, `NONE` for what is the person's own.
        phase: Row of the phase, or `NONE`.
    """

    person: Numbers
    bits: Bits
    membership: Numbers
    phase: Numbers

    def of_people(self) -> tuple[Numbers, Bits]:
        """Who is concerned, and the slots that are taken of each: `int64[people]` and `uint8[people, ROW_BYTES]`."""
        people, starts = np.unique(self.person, return_index=True)
        if not len(people):
            return people, np.zeros((0, ROW_BYTES), np.uint8)
        return people, np.bitwise_or.reduceat(self.bits, starts, axis=0)


@dataclass(frozen=True, slots=True)
class Windows:
    """What lies within people's weekly windows.

    Attributes:
        bits: The slots of the week: `uint8[people, ROW_BYTES]`.
        stated: Who stated any availability: `bool[people]`.
        monday: Which week.
        version: Version of the table of windows.
        at: The instant as of which they counted, in seconds since 1970.
    """

    bits: Bits
    stated: Mask
    monday: date
    version: int
    at: float


@dataclass(frozen=True, slots=True)
class Week:
    """The free time of everybody in one week.

    Attributes:
        windows: What lies within their windows: `uint8[people, ROW_BYTES]`.
        free: What is left of it: `uint8[people, ROW_BYTES]`.
        stated: Who stated any availability: `bool[people]`.
        taken: What was taken from it.
        by_slots: The free time once more, the other way round: `uint32[ROW_BYTES / 4, people]`.
    """

    windows: Bits
    free: Bits
    stated: Mask
    taken: Taken
    by_slots: NDArray[np.uint32]

    def shared_minutes(self, person: int, pool: Pool) -> Numbers:
        """Minutes of the week in which others are free with one person: `int64[pool]`."""
        own = self.by_slots[:, person]
        slots = np.zeros(len(pool), np.uint16)
        for row in np.flatnonzero(own):  # few hours of a week are free, so most of it need not be looked at
            slots += np.bitwise_count(pool.take(self.by_slots[row]) & own[row])
        return slots.astype(np.int64) * SLOT_MINUTES

    def phases_of(self, person: int) -> list[tuple[int, int, Bits]]:
        """What phases take from a person's week.

        Returns:
            Row of each membership in a unit that is in a phase, row of the phase (the first one where there are
            several), and the free slots of somebody who is in all else the same: `uint8[ROW_BYTES]`.
        """
        low, high = np.searchsorted(self.taken.person, [person, person + 1])
        own = slice(int(low), int(high))
        memberships, phases = self.taken.membership[own], self.taken.phase[own]
        found = []
        for membership in sorted(set(memberships[memberships != NONE].tolist())):
            others = self.taken.bits[own][memberships != membership]
            without = self.windows[person] & ~np.bitwise_or.reduce(others, axis=0, initial=0)
            found.append((membership, int(phases[memberships == membership][0]), without.astype(np.uint8)))
        return found


def week(columns: Columns, now: datetime) -> Week:
    """The week of an instant, as it is known then."""
    return columns.remember("week", _state(columns, now), lambda: _week(columns, now))


def free_slots(columns: Columns, now: datetime) -> tuple[Bits, Mask]:
    """The free slots of everybody in the week of an instant.

    Returns:
        `uint8[people, ROW_BYTES]`, and `bool[people]` telling who stated any availability.
    """
    found = week(columns, now)
    return found.free, found.stated


def _week(columns: Columns, now: datetime) -> Week:
    table, seconds, monday = columns.tables["availability"], now.timestamp(), week_of(now)
    key = (table.state(seconds), len(columns.people), monday)
    windows = columns.renew("windows", key, lambda known: _windows(columns, seconds, monday, known))
    taken = _taken(columns, seconds, monday)
    free = windows.bits.copy()
    people, bits = taken.of_people()
    free[people] &= ~bits
    return Week(windows.bits, free, windows.stated, taken, np.ascontiguousarray(free.view(np.uint32).T))


def _windows(columns: Columns, now: float, monday: date, known: Windows | None) -> Windows:
    """What lies within people's windows; only those are looked at anew of whom what is known is not true any more."""
    table, number = columns.tables["availability"], len(columns.people)
    bits, stated = np.zeros((number, ROW_BYTES), np.uint8), np.zeros(number, bool)
    person, others = table.numbers("person"), None
    if known is not None and known.monday == monday and (changed := table.changed_since(known.version)) is not None:
        turned = table.turned(*sorted((known.at, now)))
        others = np.unique(person[np.concatenate([turned, np.array(changed, np.int64)])])
    if known is None or others is None or len(others) > MOST_RENEWED:
        rows = np.flatnonzero(table.valid(now))
    else:
        bits[: len(known.bits)], stated[: len(known.stated)] = known.bits, known.stated
        bits[others], stated[others] = 0, False
        rows = np.array([row for each in others.tolist() for row in table.rows_of("person", each)], np.int64)
        rows = rows[table.held(rows, now)]
    for row in rows.tolist():
        bits[person[row]] |= window_bits(columns.window(row), monday)
    stated[person[rows]] = True
    return Windows(bits, stated, monday, table.version, now)


def open_weeks(columns: Columns, now: datetime, settings: SignalSettings) -> Reals:
    """Share of the coming `WEEKS` in which a good part of somebody's weekly time is free: `float64[people]`.

    NaN where somebody has stated no availability. A week is open where at least `open_week_share` of its windows is
    neither taken by an absence nor by a busy time or a phase; windows lie as they do in the present week.
    """
    key = (*_state(columns, now), settings.open_week_share)
    return columns.remember("open weeks", key, lambda: _open_weeks(columns, now, settings))


def _open_weeks(columns: Columns, now: datetime, settings: SignalSettings) -> Reals:
    present = week(columns, now)
    share = np.where(present.stated, 1.0, np.nan)
    for number in range(WEEKS):
        monday = week_of(now) + timedelta(weeks=number)
        people, bits = _taken(columns, now.timestamp(), monday).of_people()
        whole = np.bitwise_count(present.windows[people]).sum(axis=1, dtype=np.int64)
        left = np.bitwise_count(present.windows[people] & ~bits).sum(axis=1, dtype=np.int64)
        share[people[left < settings.open_week_share * whole]] -= 1 / WEEKS
    return share


def _state(columns: Columns, now: datetime) -> tuple[object, ...]:
    """What tells apart two states of all that free time is made from."""
    seconds, tables = now.timestamp(), columns.tables
    states = tuple(tables[name].state(seconds) for name in ("availability", "absences", "unit_membership"))
    versions = (tables["busy_times"].version, tables["phases"].version)
    return (*states, *versions, len(columns.people), week_of(now))


def _taken(columns: Columns, now: float, monday: date) -> Taken:
    """All that is taken of a week, as it is known at an instant."""
    monday_s = datetime.combine(monday, time(), UTC).timestamp()
    person, spans, membership, phase = [], [], [], []
    for name in ("absences", "busy_times"):
        table = columns.tables[name]
        met = (table.reals("since") < monday_s + WEEK_S) & (table.reals("until") > monday_s)
        rows = np.flatnonzero(met & table.begun(now) if name == "absences" else met)
        person.append(table.numbers("person")[rows])
        spans.append(np.stack([table.reals("since")[rows], table.reals("until")[rows]], axis=1))
        membership.append(np.full(len(rows), NONE))
        phase.append(np.full(len(rows), NONE))
    phases, members = columns.tables["phases"], columns.tables["unit_membership"]
    since, until, units, uids = phases.reals("since"), phases.reals("until"), phases.numbers("unit"), phases.rows.uids
    met = (since < monday_s + WEEK_S) & (until > monday_s) & (units != NONE)
    valid, by_unit = members.valid(now), columns.rows_by("unit_membership", "unit")
    for row in sorted(np.flatnonzero(met), key=lambda row: (since[row], uids[row])):
        rows = by_unit.of(int(units[row]))
        rows = rows[valid[rows]]
        person.append(members.numbers("person")[rows])
        spans.append(np.tile([since[row], until[row]], (len(rows), 1)))
        membership.append(rows)
        phase.append(np.full(len(rows), row))
    everybody = np.concatenate(person)
    order = np.argsort(everybody, kind="stable")
    distinct, places = np.unique(np.concatenate(spans), axis=0, return_inverse=True)
    bits = _span_bits(distinct - monday_s)
    return Taken(everybody[order], bits[places[order]], np.concatenate(membership)[order], np.concatenate(phase)[order])


def _span_bits(spans: Reals) -> Bits:
    """The slots of a week that half-open spans touch: `uint8[spans, ROW_BYTES]`.

    Args:
        spans: Seconds since the week began, from and until: `float64[spans, 2]`.
    """
    slot_s = SLOT_MINUTES * 60
    first = np.clip(np.floor(spans[:, :1] / slot_s), 0, SLOTS).astype(np.int16)
    end = np.clip(np.ceil(spans[:, 1:] / slot_s), 0, SLOTS).astype(np.int16)
    slots = np.arange(SLOTS, dtype=np.int16)
    found = np.zeros((len(spans), ROW_BYTES), np.uint8)
    for start in range(0, len(spans), 4_096):
        part = slice(start, start + 4_096)
        found[part] = np.packbits((slots >= first[part]) & (slots < end[part]), axis=1)
    return found
