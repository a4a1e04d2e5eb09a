"""What happened in a world, in the form in which version 2 of it goes on: the lives of pairings, and who was away."""

import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from mentorgraph.graph.world.appeal import HiddenMentor
from mentorgraph.graph.world.choices import Pairing
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.first import Made
from mentorgraph.graph.world.people import Person
from mentorgraph.graph.world.programmes import Programme
from mentorgraph.graph.world.tables import COLUMNS_2, Tables

DAY_MINUTES = 24 * 60


@cache
def words() -> dict[str, Any]:
    """The word lists of `second.toml`."""
    return tomllib.loads(Path(__file__).with_name("second.toml").read_text(encoding="utf-8"))


@dataclass(slots=True)
class Meeting:
    """A session; `begins` counts minutes after midnight of its day, which counts as `date.toordinal` does."""

    id: str
    day: int
    begins: int
    at: str
    minutes: int
    kind: str


@dataclass(frozen=True, slots=True)
class Move:
    """A step of a request or pairing; `by` is who made it, empty for nobody in particular."""

    day: int
    state: str
    by: str = ""
    reason: str = ""
    cause: str = ""
    note: str = ""


@dataclass(slots=True)
class Life:
    """A pairing from its request to its end; days are 0 for what did not happen.

    Attributes:
        asked: The day on which the mentor was asked.
        active: When both had signed and it began.
        ends: The first day after it.
        stalled: When the two stopped meeting.
        cause: Why they did.
        seen: When it was marked as stalled.
        is_paused: Whether it rests on the last day.
        ratings: What was answered: day, person and rating in hundredths, in the order of days.
    """

    id: str
    pairing: Pairing
    mentor: HiddenMentor
    mentee: Person
    meetings: list[Meeting]
    begins: int
    ends: int
    is_paused: bool
    asked: int = 0
    active: int = 0
    stalled: int = 0
    cause: str = ""
    seen: int = 0
    moves: list[Move] = field(default_factory=list)
    ratings: list[tuple[int, str, int]] = field(default_factory=list)

    @property
    def programme(self) -> Programme | None:
        """The programme that it belongs to."""
        return self.pairing.goal.programme

    @property
    def people(self) -> tuple[str, str]:
        """Ids of mentor and mentee."""
        return self.mentor.id, self.mentee.id

    @property
    def last_met(self) -> int:
        """The day of the last session; that of the beginning where there was none."""
        return self.meetings[-1].day if self.meetings else self.begins


class Spans:
    """Spans of days by person, half-open, that do not overlap."""

    def __init__(self) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}

    def add(self, person: str, since: int, until: int) -> None:
        """Adds a span that no other one of the person meets."""
        own = self._spans.setdefault(person, [])
        own.insert(bisect_left(own, (since, until)), (since, until))

    def meets(self, person: str, since: int, until: int) -> bool:
        """Whether some span of the person shares a day with this one, or touches it."""
        own = self._spans.get(person, ())
        place = bisect_right(own, (since, until))
        return any(a <= until and since <= b for a, b in own[max(0, place - 1) : place + 1])

    def holds(self, person: str, day: int) -> bool:
        """Whether a day lies in a span of the person."""
        return any(since <= day < until for since, until in self._spans.get(person, ()))


@dataclass
class History:
    """The state of a world of version 2 while it is told.

    Attributes:
        made: What version 1 made.
        tables: Where the rows go.
        lives: Every pairing, in the order of ids.
        away: When people are away.
        absences: What is told of it: person, first day, first day back, `told` or `silent`.
        starts: Person → the days on which they begin a pairing, ascending.
        coordinators: Ids of the coordinators.
        coordinating: Programme → who coordinates it.
    """

    made: Made
    tables: Tables
    lives: list[Life]
    away: Spans
    absences: list[tuple[str, int, int, str]]
    starts: dict[str, list[int]]
    coordinators: list[str]
    coordinating: dict[str, list[str]]

    @classmethod
    def of(cls, made: Made) -> "History":
        """The beginning: all that version 1 knows."""
        meetings: dict[str, list[Meeting]] = {}
        for id, pairing_id, at, minutes, kind in made.tables.rows["sessions"]:
            begins = int(at[11:13]) * 60 + int(at[14:16])
            day = date.fromisoformat(at[:10]).toordinal()
            # Nothing goes on after midnight, when the pairing may be over.
            length = min(int(minutes), DAY_MINUTES - begins)
            meetings.setdefault(pairing_id, []).append(Meeting(id, day, begins, at, length, kind))
        lives: list[Life] = []
        starts: dict[str, list[int]] = {}
        for row, pairing in zip(made.tables.rows["pairings"], made.pairings, strict=True):
            ends = pairing.ends if pairing.ends <= made.period.last else 0
            mentor, mentee = made.appeal.mentors[pairing.mentor], pairing.goal.person
            own = sorted(meetings.get(row[0], ()), key=lambda each: (each.day, each.begins))
            stalled = pairing.stalled if pairing.stalled <= made.period.last else 0
            life = Life(row[0], pairing, mentor, mentee, own, pairing.starts, ends, row[8] == "paused", stalled=stalled)
            lives.append(life)
            for id in life.people:
                starts.setdefault(id, []).append(life.begins)
        for days in starts.values():
            days.sort()
        away = Spans()
        absences: list[tuple[str, int, int, str]] = []
        for person in made.people.values():
            for since, until in person.absences:
                if not person.left or since < person.left:
                    until = min(until, person.left or until)
                    away.add(person.id, since, until)
                    absences.append((person.id, since, until, "told"))
        coordinators = [person.id for person in made.people.values() if person.role == "coordinator"]
        coordinating: dict[str, list[str]] = {}
        for person_id, programme_id, role, *_ in made.tables.rows["memberships"]:
            if role == "coordinator":
                coordinating.setdefault(programme_id, []).append(person_id)
        return cls(made, Tables(COLUMNS_2), lives, away, absences, starts, coordinators, coordinating)

    @property
    def last(self) -> int:
        """The last day."""
        return self.made.period.last

    def draws(self, name: str) -> Draws:
        """A stream of draws of version 2."""
        return Draws(self.made.seed, f"2/{name}")

    def begins_within(self, person: str, since: int, until: int) -> bool:
        """Whether a person begins a pairing in a half-open span of days."""
        own = self.starts.get(person, ())
        return bisect_left(own, since) < bisect_left(own, until)

    def put_away(self, person: str, since: int, until: int, cause: str) -> None:
        """Notes that a person is away."""
        self.away.add(person, since, until)
        self.absences.append((person, since, until, cause))

    def coordinator(self, draws: Draws, programme: Programme | None) -> str:
        """Somebody who coordinates a programme, or anybody who coordinates."""
        return draws.pick(self.coordinating[programme.id] if programme else self.coordinators)

    def alive(self, person: str, until: int) -> str:
        """A last day as a cell, but not after the person left; empty for 0 and whoever stays."""
        left = self.made.people[person].left
        day = min(until, left) if until and left else until or left
        return iso(day) if day else ""


def copied(history: History, names: Iterable[str]) -> None:
    """Takes files over as version 1 tells them."""
    for name in names:
        history.tables.rows[name] = list(history.made.tables.rows[name])
