"""Who becomes free soon: from when on the hard rules will allow somebody whom they refuse now.

What is known beforehand is put in the place of what is the case now, and the one evaluator of the rules is asked again:
when absences end, when somebody's role as a mentor begins, when pairings or shares in them end, when a pair that was
declined may be proposed again, when a coordinator's ban is over, when a month begins, and what calendars say of the
weeks ahead. All else is taken to stay as it is. A Monday may free somebody too, since the time that two have in common
is that of a week.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import fsum

import numpy as np

from mentorgraph.graph.calendar.availability import Bits, free_bits, monday_of, month_of, shared_minutes, week_of
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import open_pairings
from mentorgraph.graph.columns.table import Mask, Table
from mentorgraph.graph.rules.evaluator import PairFacts, RuleSettings, judge

MOMENT = timedelta(milliseconds=1)
"""A fact that begins at an instant holds just after it."""


LIFTED_BY_TIME = frozenset(
    {
        "NOT_A_MENTOR",
        "ALREADY_PAIRED",
        "FORBIDDEN_BY_COORDINATOR",
        "DECLINED_BEFORE",
        "NO_CAPACITY",
        "NO_HOURS",
        "AWAY",
        "NO_SHARED_TIME",
        "MENTEE_FULL",
    }
)
"""Rules that may allow tomorrow whom they refuse today, without anybody doing anything."""


@dataclass(slots=True)
class Horizon:
    """What lies ahead of one mentee.

    Attributes:
        columns: What is known of everybody.
        mentee: Number of the person who asks.
        now: The present instant.
        until: How far it is looked ahead.
        rules: The limits that the rules keep.
        programme: uid of the programme that is meant; empty for none.
    """

    columns: Columns
    mentee: int
    now: datetime
    until: datetime
    rules: RuleSettings
    programme: str = ""
    _free: dict[tuple[int, datetime], Bits | None] = field(default_factory=dict)
    _open: dict[datetime, Mask] = field(default_factory=dict)

    def free_from(self, pair: PairFacts, mentor: int) -> datetime | None:
        """When the rules will first allow a pair that they refuse now; None for not within the horizon.

        Args:
            pair: The facts as of now.
            mentor: Number of the mentor.
        """
        if any(each.rule not in LIFTED_BY_TIME for each in judge(pair, self.rules).refusals):
            return None
        instants = {*self._instants(mentor), *self._ends_of_waiting(pair)}
        if pair.shared_minutes is not None:
            instants |= set(self._mondays())
        for instant in sorted(instants):
            if self.now < instant <= self.until and self._is_allowed(pair, mentor, instant):
                return instant
        return None

    def _is_allowed(self, pair: PairFacts, mentor: int, instant: datetime) -> bool:
        return judge(self.at(pair, mentor, instant + MOMENT), self.rules).is_allowed

    def _ends_of_waiting(self, pair: PairFacts) -> Iterator[datetime]:
        """When a declined pair may be proposed again, a ban is over, and when months begin, with their hours."""
        if pair.forbidden_until is not None:
            yield pair.forbidden_until
        if pair.declined_on is not None:
            yield pair.declined_on + timedelta(days=self.rules.decline_cool_off_days)
        month = month_of(self.now)
        while month <= self.until and pair.hours_per_month is not None:
            yield month
            month = month_of(month + timedelta(days=32))

    def at(self, pair: PairFacts, mentor: int, instant: datetime) -> PairFacts:
        """The facts of a pair as they will be at an instant, as far as that is known."""
        seconds, columns = instant.timestamp(), self.columns
        roles, helps, pairings = (columns.tables[name] for name in ("roles", "co_mentors", "pairings"))
        is_open = self._open_at(instant)
        programmes, short = pairings.strings("programme"), self._short_programmes()
        own = [row for row in self._rows("pairings", "mentor", mentor) if is_open[row]]
        helping = [row for row in self._rows("co_mentors", "person", mentor) if self._helps(row, seconds, is_open)]
        lasting = [row for row in own if programmes[row] not in short]
        helped = [row for each in lasting for row in columns.rows_by("co_mentors", "pairing").of(each)]
        shares, of = helps.reals("share"), helps.numbers("pairing")
        parts = [1.0] * len(lasting) + [float(shares[row]) for row in helping if programmes[of[row]] not in short]
        parts += [-float(shares[row]) for row in helped if self._helps(int(row), seconds, is_open)]
        mentees = {int(pairings.numbers("mentee")[row]) for row in own}
        mentees |= {int(pairings.numbers("mentee")[helps.numbers("pairing")[row]]) for row in helping}
        mentoring = [
            float(roles.reals("max_mentees")[row])
            for row in self._rows("roles", "person", mentor)
            if columns.mentor_roles()[row] and _holds(roles, row, seconds)
        ]
        left = columns.tables["people"].reals("until")[mentor]
        away = [until for since, until in self._spans("absences", mentor) if since < instant <= until]
        free, other = self._free_of(self.mentee, instant), self._free_of(mentor, instant)
        return replace(
            pair,
            at=instant,
            is_mentor=bool(mentoring),
            forbidden_until=pair.forbidden_until if instant <= (pair.forbidden_until or instant) else None,
            places=max((each for each in mentoring if not np.isnan(each)), default=self.rules.max_mentees),
            taken=fsum(parts),
            taken_in_programme=sum(programmes[row] == self.programme for row in own) if self.programme else 0,
            used_minutes=pair.used_minutes if month_of(instant) == month_of(self.now) else 0,
            mentors=sum(bool(is_open[row]) for row in self._rows("pairings", "mentee", self.mentee)),
            paired=self.mentee in mentees,
            left_on=datetime.fromtimestamp(left, UTC) if left < seconds else None,
            away_until=max(away, default=None),
            shared_minutes=(
                int(shared_minutes(free, other[np.newaxis])[0]) if free is not None and other is not None else None
            ),
        )

    def _instants(self, mentor: int) -> Iterator[datetime]:
        """When something may change that keeps a mentor from being free."""
        columns = self.columns
        for row in self._rows("roles", "person", mentor):
            yield from self._ends(columns.tables["roles"], row, "since")
        for row in self._rows("pairings", "mentee", self.mentee):
            yield from self._ends(columns.tables["pairings"], row, "until")
        for row in self._rows("pairings", "mentor", mentor):
            yield from self._ends(columns.tables["pairings"], row, "until")
            for helped in columns.rows_by("co_mentors", "pairing").of(row):
                yield from self._ends(columns.tables["co_mentors"], int(helped), "since")
        for row in self._rows("co_mentors", "person", mentor):
            yield from self._ends(columns.tables["co_mentors"], row, "until")
            pairing = int(columns.tables["co_mentors"].numbers("pairing")[row])
            yield from self._ends(columns.tables["pairings"], pairing, "until")
        for person in (self.mentee, mentor):
            for row in self._rows("availability", "person", person):
                yield from self._ends(columns.tables["availability"], row, "since")
            for row in self._rows("absences", "person", person):
                yield from self._ends(columns.tables["absences"], row, "until")

    def _mondays(self) -> Iterator[datetime]:
        monday = monday_of(self.now) + timedelta(days=7)
        while monday <= self.until:
            yield monday
            monday += timedelta(days=7)

    def _ends(self, table: Table, row: int, name: str) -> Iterator[datetime]:
        seconds = table.reals(name)[row]
        if self.now.timestamp() < seconds <= self.until.timestamp():
            yield datetime.fromtimestamp(seconds, UTC)

    def _rows(self, kind: str, link: str, number: int) -> list[int]:
        return [int(row) for row in self.columns.rows_by(kind, link).of(number)]

    def _helps(self, row: int, seconds: float, is_open: Mask) -> bool:
        helps = self.columns.tables["co_mentors"]
        return _holds(helps, row, seconds) and bool(is_open[helps.numbers("pairing")[row]])

    def _short_programmes(self) -> frozenset[str]:
        """Those whose pairings take up no place."""
        table = self.columns.tables["programmes"]
        told = zip(table.rows.uids, table.strings("format"), strict=True)
        return self.columns.remember(
            "short programmes", table.version, lambda: frozenset(uid for uid, each in told if each == "micro")
        )

    def _open_at(self, instant: datetime) -> Mask:
        if instant not in self._open:
            self._open[instant] = open_pairings(self.columns, instant.timestamp())
        return self._open[instant]

    def _spans(self, kind: str, person: int) -> list[tuple[datetime, datetime]]:
        table = self.columns.tables[kind]
        ends = [(table.reals("since")[row], table.reals("until")[row]) for row in self._rows(kind, "person", person)]
        return [(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)) for since, until in ends]

    def _free_of(self, person: int, instant: datetime) -> Bits | None:
        """The free slots of somebody in the week of an instant; None if they have not said when they are free."""
        if (person, instant) not in self._free:
            columns, monday = self.columns, week_of(instant)
            told, rows = columns.tables["availability"], self._rows("availability", "person", person)
            windows = [columns.window(row) for row in rows if _holds(told, row, instant.timestamp())]
            away = [each for each in self._spans("absences", person) if each[0] < instant]
            spans = [*away, *self._spans("busy_times", person)]
            self._free[person, instant] = free_bits(windows, spans, monday) if windows else None
        return self._free[person, instant]


def _holds(table: Table, row: int, seconds: float) -> bool:
    return bool(table.reals("since")[row] < seconds <= table.reals("until")[row])
