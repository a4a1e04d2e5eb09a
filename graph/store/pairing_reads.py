"""What the domain asks of the database about requests and pairings; a part of the store, which lends it its reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import fsum
from typing import Any

from mentorgraph.graph.facts.course import Course, in_order
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.paging import Found, Part, found_in
from mentorgraph.graph.store.transported import instant_of, properties_of
from mentorgraph.graph.vocabulary import MILESTONE_STATES, OPEN_REQUEST_STATES, OPEN_STATES


@dataclass(frozen=True, slots=True)
class Move:
    """A step in the life of a request or pairing.

    Attributes:
        state: Where it went.
        at: When.
        reason: Why; empty where none was given.
        note: A word to the other side; empty for none.
        person: uid of whoever moved it; empty for nobody in particular.
        cause: Why it stalled; empty where it did not.
    """

    state: str
    at: datetime
    reason: str
    note: str
    person: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """A request or a pairing, with what decides whether it may be moved.

    Attributes:
        record: The fact.
        moved: When it was moved last; None where no move is recorded.
        taken: For a request, how many places of its mentor are taken in this moment.
        taken_in_programme: For a request in a programme, how many of these are taken there.
        signatures: For a pairing, who signed which version of the agreement.
    """

    record: Record
    moved: datetime | None
    taken: float = 0.0
    taken_in_programme: int = 0
    signatures: frozenset[tuple[str, str]] = frozenset()

    def after(self, now: datetime) -> datetime:
        """When the next move takes place: now, or right after the last one, however two clocks differ."""
        earliest = now if self.moved is None else max(now, self.moved + timedelta(milliseconds=1))
        return instant(earliest)


@dataclass(frozen=True, slots=True)
class MilestoneOf:
    """A milestone, with what decides whether it may be closed.

    Attributes:
        record: The fact.
        status: Where its pairing stands.
        people: uids of the people of the pairing, co-mentors among them.
    """

    record: Record
    status: str
    people: frozenset[str]


class PairingReads:
    """Reads of requests, pairings and their moves."""

    async def _read(self, name: str, /, *, budget_s: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def read_request(self, request: str, now: datetime) -> Matter | None:
        """A request, or None where there is none with this uid."""
        rows = await self._read("read_request", uid=request, open=list(OPEN_STATES), now=now)
        return _matter("requests", rows[0]) if rows else None

    async def read_pairing(self, pairing: str) -> Matter | None:
        """A pairing, or None where there is none with this uid."""
        rows = await self._read("read_pairing", uid=pairing)
        return _matter("pairings", rows[0]) if rows else None

    async def read_pairing_changes(self, pairings: Iterable[str], people: Iterable[str]) -> dict[str, dict[str, int]]:
        """How far some pairings, and those of some people, have come.

        Returns:
            uid that was asked for → uid of a pairing → number of its last change, or of the last one of its moves,
            signatures, milestones, sessions and co-mentors.
        """
        found: dict[str, dict[str, int]] = {}
        rows = await self._read("read_pairing_changes", pairings=sorted(set(pairings)), people=sorted(set(people)))
        for row in rows:
            found.setdefault(row["asked"], {})[row["pairing"]] = max(row["changes"])
        return found

    async def read_open_requests(self) -> list[dict[str, Any]]:
        """All requests that wait for an answer: uid, mentee, goal, and when they were asked for how many days."""
        rows = await self._read("read_open_requests", open=list(OPEN_REQUEST_STATES))
        return [{**row, "asked_on": instant_of(row["asked_on"])} for row in rows]

    async def read_open_requests_to(self, mentor: str) -> list[dict[str, Any]]:
        """The requests to one mentor that wait for an answer: uid, mentee and goal."""
        return await self._read("read_open_requests_to", mentor=mentor, open=list(OPEN_REQUEST_STATES))

    async def read_moves(self, uids: Iterable[str]) -> dict[str, list[Move]]:
        """The moves of some requests and pairings, in their order."""
        found: dict[str, list[Move]] = {}
        for row in await self._read("read_moves", uids=sorted(set(uids))):
            at = instant_of(row["at"])
            found.setdefault(row["uid"], []).append(
                Move(row["state"], at, row["reason"] or "", row["note"] or "", row["person"] or "", row["cause"] or "")
            )
        return found

    async def read_milestones_of(self, pairings: Iterable[str]) -> dict[str, list[Record]]:
        """The milestones of some pairings, by when they are due; pairings that do not exist are absent."""
        rows = await self._read("read_milestones_of", pairings=sorted(set(pairings)))
        return {row["uid"]: [_milestone(each, row["uid"]) for each in row["milestones"]] for row in rows}

    async def read_milestone(self, milestone: str, now: datetime) -> MilestoneOf | None:
        """A milestone, or None where there is none with this uid."""
        for row in await self._read("read_milestone", uid=milestone, now=now):
            people = frozenset((row["mentor"], row["mentee"], *row["helpers"]))
            return MilestoneOf(_milestone(row["properties"], row["pairing"]), row["status"], people)
        return None

    async def read_overdue_milestones(self, programme: str | None, now: datetime, limit: int) -> list[dict[str, Any]]:
        """The milestones of open pairings that were due before an instant: milestone, pairing and due."""
        planned, *_ = MILESTONE_STATES
        states = list(OPEN_STATES)
        rows = await self._read(
            "read_overdue_milestones", planned=planned, states=states, programme=programme, now=now, limit=limit
        )
        return [{**row, "due": instant_of(row["due"])} for row in rows]

    async def read_mentors_of(self, person: str, now: datetime) -> list[str]:
        """Uids of all who mentor or have mentored a person."""
        return [row["uid"] for row in await self._read("read_mentors_of", person=person, now=now)]

    async def read_courses(self, uids: Iterable[str]) -> dict[str, Course]:
        """Some pairings with what happened in them; what does not exist is absent."""
        rows = await self._read("read_courses", uids=sorted(set(uids)))
        return {row["properties"]["uid"]: _course(row) for row in rows}

    async def find_surveyed(self, states: Iterable[str], ended_after: datetime, programme: str | None) -> list[str]:
        """Uids of the pairings that are in some states or ended after an instant."""
        rows = await self._read("find_surveyed", states=list(states), ended_after=ended_after, programme=programme)
        return [row["uid"] for row in rows]

    async def find_surveyed_of(self, person: str, ended_after: datetime) -> list[str]:
        """Uids of the pairings of a person that go on or ended after an instant."""
        rows = await self._read("find_surveyed_of", person=person, ended_after=ended_after)
        return [row["uid"] for row in rows]

    async def read_quiet_pairings(
        self, states: Iterable[str], programme: str | None, now: datetime, soon: datetime, default_days: int
    ) -> list[dict[str, Any]]:
        """The pairings in some states in which nobody has met for too long, with what may explain it."""
        return await self._read(
            "read_quiet_pairings",
            states=list(states),
            programme=programme,
            now=now,
            soon=soon,
            default_days=default_days,
        )

    async def page_requests_of(self, person: str, states: Sequence[str], part: Part) -> Found:
        """Uids of the requests that a person made or got."""
        return found_in(await self._read("page_requests_of", person=person, states=list(states), **part.bounds))


def _matter(kind: str, row: Mapping[str, Any]) -> Matter:
    properties = properties_of(row["properties"])
    properties.pop("changed")
    links = {name: uid for name, uid in row["links"].items() if uid is not None}
    moved = [instant_of(each) for each in row["moved"]]
    return Matter(
        Record(kind, properties["uid"], properties, links),
        moved[0] if moved else None,
        fsum(row.get("taken", ())),
        row.get("taken_in_programme", 0),
        frozenset((person, version) for person, version in row.get("signatures", ())),
    )


def _milestone(row: Mapping[str, Any], pairing: str) -> Record:
    properties = properties_of(row)
    properties.pop("changed")
    return Record("milestones", properties["uid"], properties, {"pairing": pairing})


def _course(row: Mapping[str, Any]) -> Course:
    pairing = _matter("pairings", {**row, "moved": ()}).record

    def facts(name: str, kind: str) -> tuple[Record, ...]:
        found = []
        for raw in row[name]:
            properties = properties_of(raw)
            properties.pop("changed", None)
            person = properties.pop("person", None)
            links = {"pairing": pairing.uid} | ({"person": person} if person else {})
            found.append(Record(kind, properties["uid"], properties, links))
        return in_order(found)

    return Course(
        pairing,
        facts("moves", "moves"),
        facts("answers", "feedback"),
        facts("helpers", "co_mentors"),
        in_order(replace(each, links={}) for each in facts("charters", "charters")),
    )
