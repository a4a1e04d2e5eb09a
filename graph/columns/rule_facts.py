"""What the hard rules ask for, told by the columns: the same rows as the statements of the store give.

Columns are brought up to date before every answer, so what they tell is as fresh as what the graph would, without a
round trip for each block of mentors. What is written in a transaction is judged by the store, within it.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum, inf
from typing import Any

from mentorgraph.graph.calendar.availability import monday_of, month_of
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import NONE, Table
from mentorgraph.graph.facts.model import role_uid
from mentorgraph.graph.rules.tiers import Standing, Tier
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.vocabulary import OPEN_STATES

MANAGERS_UP = 5
"""Levels of managers that are looked at, as in the statements of the store."""

AT_ONCE = 100
"""Mentors that are told of before others get a turn."""

MENTOR = role_uid("mentor")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """Answers as the store does what concerns the hard rules; see `Store.read_askers` and `Store.read_candidates_of`.

    Attributes:
        columns: The facts, just brought up to date.
        store: Asked for what columns do not hold: the tiers of programmes.
    """

    columns: Columns
    store: Store

    async def read_askers(
        self,
        asked: Iterable[tuple[str, str | None]],
        now: datetime,
        programme: str | None = None,
        pinned_at: datetime | None = None,
    ) -> list[Row]:
        """Whoever asks and the goals asked about, without a round trip."""
        seen = _Seen(self.columns, now)
        found = (seen.asker(mentee, goal, programme, (pinned_at or now).timestamp()) for mentee, goal in asked)
        return [row for row in found if row is not None]

    async def read_candidates_of(
        self, asked: Iterable[tuple[Sequence[str], Sequence[str], str]], now: datetime
    ) -> list[Row]:
        """What the rules need to know of each of some mentors with each of some mentees, without a round trip."""
        seen = _Seen(self.columns, now)
        found = []
        for mentees, mentors, programme in asked:
            others = [(uid, self.columns.people.find(uid)) for uid in mentees]
            managers = {mentee: seen.managers_of(number) for mentee, number in others}
            for place, uid in enumerate(mentors, 1):
                if place % AT_ONCE == 0:
                    await asyncio.sleep(0)  # others are answered in between
                person = seen.person(uid)
                if person == NONE:
                    continue
                own, above = seen.mentor(person, programme), seen.managers_of(person)
                for mentee, number in others:
                    manages = [managers[mentee][person]] if person in managers[mentee] else []
                    reports = [above[number]] if number in above else []
                    pair = {"uid": uid, "mentee": mentee, "manages": manages, "reports": reports}
                    found.append({**own, **pair, **seen.pair(person, number)})
        return found

    async def read_standings(
        self, asked: Iterable[tuple[str, str, str]], now: datetime
    ) -> dict[tuple[str, str, str], tuple[Standing, list[Tier]]]:
        """Where people stand in the tiers of programmes, in one round trip."""
        return await self.store.read_standings(asked, now)


class _Seen:
    """The columns as of one instant.

    A fact holds in the sense of `Table.holds`, but for what people take part in, which holds from its first instant on
    and no longer at its end; so the statements of the store have it.
    """

    def __init__(self, columns: Columns, now: datetime) -> None:
        self.columns, self.tables, self.now = columns, columns.tables, now.timestamp()
        self.week = monday_of(now).timestamp()
        self.next_week = self.week + timedelta(days=7).total_seconds()
        self.month = month_of(now).timestamp()

    def person(self, uid: str) -> int:
        """Number of somebody of whom there is a fact, or `NONE`."""
        number = self.columns.people.find(uid)
        return number if number < len(self.tables["people"]) else NONE

    def _held(self, kind: str, link: str, number: int | str) -> Iterator[tuple[Table, int]]:
        table, now = self.tables[kind], self.now
        for row in table.rows_of(link, number):
            if table.holds(row, now):
                yield table, row

    # --- of one person ------------------------------------------------------------------------------------------------

    def _of_person(self, person: int) -> Row:
        people = self.tables["people"]
        return {
            "left_on": _milliseconds(until) if (until := people.strings("until")[person]) != inf else None,
            "zone": people.strings("zone")[person],
            "profiles": self._profiles(person),
            "consented": any(
                table.strings("purpose")[row] == "matching" for table, row in self._held("consents", "person", person)
            ),
            "windows": [
                [table.strings(name)[row] for name in ("weekday", "start", "end", "zone")]
                for table, row in self._held("availability", "person", person)
            ],
            "absences": self._spans("absences", person, self.now),
            "busy": self._spans("busy_times", person, self.next_week),
        }

    def _profiles(self, person: int) -> list[Row]:
        """The profile that holds, the latest where there are several."""
        held = list(self._held("profiles", "person", person))
        if not held:
            return []
        table, row = min(held, key=lambda each: (-each[0].strings("since")[each[1]], each[0].rows.uids[each[1]]))
        names = ("grade", "languages", "formats", "communication")
        return [{name: table.strings(name)[row] for name in names}]

    def _spans(self, kind: str, person: int, before: float) -> list[list[Any]]:
        """From when to when somebody is away or busy, of what meets the present week and began before an instant."""
        table = self.tables[kind]
        since, until = table.strings("since"), table.strings("until")
        rows = table.rows_of("person", person)
        met = (row for row in rows if since[row] < before and since[row] < self.next_week and until[row] > self.week)
        return [[_milliseconds(since[row]), _milliseconds(until[row])] for row in met]

    def _programmes(self, person: int) -> list[str]:
        """Uids of the running programmes in which somebody takes part."""
        members = self.tables["memberships"]
        uids = members.strings("programme")
        rows = members.rows_of("person", person)
        return list(
            dict.fromkeys(uids[row] for row in rows if self._runs(members, row) and self._is_running(uids[row]))
        )

    def _runs(self, table: Table, row: int) -> bool:
        """Whether something has begun and is not over, its first instant counted and its last not."""
        runs: bool = table.strings("since")[row] <= self.now < table.strings("until")[row]
        return runs

    def _is_running(self, programme: str) -> bool:
        row = self.tables["programmes"].rows.find(programme)
        return row != NONE and self._runs(self.tables["programmes"], row)

    def _memberships(self, person: int, role: str) -> Iterator[tuple[Table, int]]:
        """The enrolments of somebody that hold, as a mentor or a mentee; one that names no role is as both."""
        for table, row in self._held("memberships", "person", person):
            if table.strings("role")[row] in (None, role):
                yield table, row

    def _missing_steps(self, person: int, role: str) -> list[str]:
        """Mandatory steps of onboarding that somebody has not taken, by name, in their order."""
        steps = self.tables["onboarding_steps"]
        programmes: set[str] | None = None
        done: set[str] | None = None
        found = []
        for row in self._mandatory_steps():
            if steps.strings("role")[row] not in (None, role):
                continue
            if (programme := steps.strings("programme")[row]) is not None:
                if programmes is None:
                    programmes = {table.strings("programme")[each] for table, each in self._memberships(person, role)}
                if programme not in programmes:
                    continue
            if done is None:
                held = self._held("steps_done", "person", person)
                done = {table.strings("step")[each] for table, each in held}
            if steps.rows.uids[row] not in done:
                found.append(steps.strings("name")[row])
        return found

    def _mandatory_steps(self) -> list[int]:
        """Rows of the steps of onboarding that are mandatory and hold, in their order."""
        steps = self.tables["onboarding_steps"]

        def build() -> list[int]:
            position, name, necessity = (steps.strings(each) for each in ("position", "name", "necessity"))
            rows = (row for row in range(len(steps)) if necessity[row] == "mandatory" and steps.holds(row, self.now))
            return sorted(rows, key=lambda row: (position[row], name[row], steps.rows.uids[row]))

        return self.columns.remember("mandatory steps", steps.state(self.now), build)

    def managers_of(self, person: int) -> dict[int, int]:
        """Whoever manages somebody, directly or through others → over how many levels at least."""
        found: dict[int, int] = {}
        level = [person]
        for levels in range(1, MANAGERS_UP + 1):
            managers = (
                table.strings("manager")[row]
                for each in level
                for table, row in self._held("reporting_lines", "person", each)
            )
            level = [each for each in dict.fromkeys(managers) if each not in found]
            found |= dict.fromkeys(level, levels)
        return found

    # --- of a mentor --------------------------------------------------------------------------------------------------

    def mentor(self, person: int, programme: str) -> Row:
        """What concerns a mentor alone, in a programme; empty for none."""
        roles = [each for each in self._held("roles", "person", person) if each[0].strings("role")[each[1]] == MENTOR]
        enrolled = [
            (table, row)
            for table, row in (self._memberships(person, "mentor") if programme else ())
            if table.strings("programme")[row] == programme
        ]
        places = [table.strings("max_mentees")[row] for table, row in enrolled]
        own = self._of_person(person)
        return {
            **own,
            "hours": [
                [hours, self._minutes_this_month(person)]
                for table, row in roles
                if (hours := table.strings("hours_per_month")[row]) is not None
            ],
            "enrolments": [_number(table.strings("hours_per_month")[row]) for table, row in enrolled],
            "programmes": self._programmes(person),
            "places": [_number(table.strings("max_mentees")[row]) for table, row in roles],
            "taken": self._taken(person),
            "places_in_programme": [each for each in places if each is not None],
            "taken_in_programme": sum(
                self.tables["pairings"].strings("programme")[row] == programme
                for row in (self.tables["pairings"].rows_of("mentor", person) if programme else ())
                if self._is_open(row)
            ),
            "missing_steps": self._missing_steps(person, "mentor"),
            "away_until": [
                _milliseconds(table.strings("until")[row]) for table, row in self._held("absences", "person", person)
            ],
        }

    def _minutes_this_month(self, person: int) -> int:
        """Minutes of this month's sessions of somebody as a mentor."""
        sessions = self.tables["sessions"]
        since, minutes = sessions.strings("since"), sessions.strings("minutes")
        return sum(
            minutes[row]
            for pairing in self.tables["pairings"].rows_of("mentor", person)
            for row in sessions.rows_of("pairing", pairing)
            if self.month <= since[row] < self.now
        )

    def _is_open(self, pairing: int) -> bool:
        """Whether a pairing is open; one that has ended since was open then, whatever its state is now."""
        table = self.tables["pairings"]
        since, until = table.strings("since")[pairing], table.strings("until")[pairing]
        is_open: bool = since < self.now and (
            table.strings("status")[pairing] in OPEN_STATES if until == inf else until >= self.now
        )
        return is_open

    def _takes_a_place(self, pairing: int) -> bool:
        """Whether a pairing is open, and not of a programme of short questions."""
        if not self._is_open(pairing):
            return False
        programmes, programme = self.tables["programmes"], self.tables["pairings"].strings("programme")[pairing]
        row = programmes.rows.find(programme) if programme else NONE
        return row == NONE or bool(programmes.strings("format")[row] != "micro")

    def _taken(self, person: int) -> float:
        """How many places of a mentor are taken; what co-mentors take over counts for them."""
        shares = []
        for pairing in self.tables["pairings"].rows_of("mentor", person):
            if self._takes_a_place(pairing):
                helps = self._held("co_mentors", "pairing", pairing)
                shares += [1.0, *(-table.strings("share")[row] for table, row in helps)]
        for table, row in self._held("co_mentors", "person", person):
            if self._takes_a_place(table.strings("pairing")[row]):
                shares.append(table.strings("share")[row])
        return fsum(shares)

    # --- of a pair ----------------------------------------------------------------------------------------------------

    def pair(self, mentor: int, mentee: int) -> Row:
        """What concerns a mentor and a mentee; the mentee may be `NONE`."""
        return {
            "declined": self._declined(mentor, mentee),
            "paired": self._are_paired(mentor, mentee),
            "blocked": self._blocks(mentor, mentee) or self._blocks(mentee, mentor),
            "forbidden": self._forbidden(mentor, mentee),
        }

    def _declined(self, mentor: int, mentee: int) -> list[list[Any]]:
        table = self.tables["requests"]
        mentors, status, until, goals = (table.strings(name) for name in ("mentor", "status", "until", "goal"))
        return [
            [_milliseconds(until[row]), [self.columns.goals.uids[goals[row]]] if goals[row] != NONE else []]
            for row in table.rows_of("mentee", mentee)
            if mentors[row] == mentor and status[row] == "declined" and until[row] <= self.now
        ]

    def _are_paired(self, mentor: int, mentee: int) -> bool:
        pairings = self.tables["pairings"]
        return any(
            self._is_open(row)
            and (
                pairings.strings("mentor")[row] == mentor
                or any(
                    table.strings("person")[each] == mentor for table, each in self._held("co_mentors", "pairing", row)
                )
            )
            for row in pairings.rows_of("mentee", mentee)
        )

    def _blocks(self, one: int, other: int) -> bool:
        return any(table.strings("blocked")[row] == other for table, row in self._held("blocks", "person", one))

    def _forbidden(self, mentor: int, mentee: int) -> list[list[Any]]:
        found = [
            [table.strings("until")[row], table.strings("reason")[row]]
            for table, row in self._held("overrides", "mentee", mentee)
            if table.strings("action")[row] == "forbid"
            and table.strings("mentor")[row] == mentor
            and table.strings("until")[row] != inf
        ]
        found.sort(key=lambda each: -each[0])
        return [[_milliseconds(until), reason] for until, reason in found]

    # --- of whoever asks ----------------------------------------------------------------------------------------------

    def asker(self, uid: str, goal: str | None, programme: str | None, pinned_at: float) -> Row | None:
        """Whoever asks and the goal asked about, in a programme; None where there is no such person."""
        person = self.person(uid)
        if person == NONE:
            return None
        number, goals = self._goal(person, goal), self.tables["goals"]
        return {
            **self._of_person(person),
            "mentee": uid,
            "name": self.tables["people"].strings("name")[person],
            "goal": goals.rows.uids[number] if number != NONE else None,
            "title": goals.strings("title")[number] if number != NONE else None,
            "programmes": self._meant(person, programme),
            "takes_part": self._programmes(person),
            "mentors": sum(map(self._is_open, self.tables["pairings"].rows_of("mentee", person))),
            "missing_steps": self._missing_steps(person, "mentee"),
            "pins": self._pins(person, number, pinned_at),
        }

    def _goal(self, person: int, uid: str | None) -> int:
        """One of somebody's goals, or else the latest that is open; `NONE` where there is none."""
        goals = self.tables["goals"]
        own = goals.rows_of("person", person)
        if uid is not None:
            number = self.columns.goals.find(uid)
            return number if number in own else NONE
        since, uids = goals.strings("since"), goals.rows.uids
        found = (row for row in own if goals.holds(row, self.now))
        return min(found, key=lambda row: (-since[row], uids[row]), default=NONE)

    def _meant(self, person: int, programme: str | None) -> list[Mapping[str, Any]]:
        """The programme that is meant, or else the only running one in which somebody is a mentee."""
        if programme is None:
            enrolled = {table.strings("programme")[row] for table, row in self._memberships(person, "mentee")}
            running = [uid for uid in enrolled if self._is_running(uid)]
            if len(running) != 1:
                return []
            [programme] = running
        table, policies = self.tables["programmes"], self.tables["policies"]
        row = table.rows.find(programme)
        if row == NONE:
            return []
        since, uids = policies.strings("since"), policies.rows.uids
        drafts = sorted(
            (each for each in policies.rows_of("programme", programme) if self._runs(policies, each)),
            key=lambda each: (-since[each], uids[each]),
        )
        contents = [policies.strings("content")[each] for each in drafts[:1]]
        return [{"uid": programme, "format": table.strings("format")[row], "drafts": contents}]

    def _pins(self, person: int, goal: int, at: float) -> list[list[str]]:
        """The mentors whom coordinators have put first for somebody and a goal, with the overrides that say so."""
        table, people = self.tables["overrides"], self.columns.people.uids
        found = []
        for row in table.rows_of("mentee", person):
            until, about = table.strings("until")[row], table.strings("goal")[row]
            holds = table.strings("since")[row] < at <= until < inf
            if table.strings("action")[row] == "pin" and holds and about in (NONE, goal):
                found.append([people[table.strings("mentor")[row]], table.rows.uids[row]])
        return sorted(found, key=lambda each: each[1])


def _number(value: float | None) -> float:
    """A limit as the statements of the store tell it: below 0 for none."""
    return -1 if value is None else value


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)
