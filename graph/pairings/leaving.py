"""Leaving the organisation: what a person was and did ends, and whoever they leave behind is offered others."""

from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, until_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record
from mentorgraph.graph.facts.rows import facts_of, row_of
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.pairings.pairing import Released, ended_as, released_from, withdrawn
from mentorgraph.graph.people.participants import participant
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

ENDING = (
    "roles",
    "unit_membership",
    "reporting_lines",
    "memberships",
    "profiles",
    "offers",
    "wants",
    "availability",
    "blocks",
    "goals",
    "co_mentors",
)
"""What ends when a person leaves. A consent is theirs alone to withdraw."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A mentee whom somebody who left had taken.

    Attributes:
        pairing: uid of the pairing that ended.
        mentee: uid of the mentee, who is to be offered others.
        goal: uid of the goal; empty for none.
        programme: uid of its programme; empty for none.
    """

    pairing: str
    mentee: str
    goal: str
    programme: str


@dataclass(frozen=True, slots=True)
class Left:
    """What it led to that somebody left.

    Attributes:
        released: Requests that waited for them.
        left_behind: Mentees whose pairing with them ended.
        taken_back: uids of the requests that they had made.
        ended: uids of all pairings that ended, in whichever role they were in them.
    """

    released: tuple[Released, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    taken_back: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What it led to, in words; empty for nothing."""
        parts = (
            (len(self.ended), "pairing", "ended"),
            (len(self.released), "request", "released"),
            (len(self.taken_back), "request", "taken back"),
        )
        return ", ".join(f"{n} {noun if n == 1 else noun + 's'} {what}" for n, noun, what in parts if n)


async def record_leaving(store: Store, viewer: Viewer, person: str, on: datetime, *, clock: Clock = present) -> Left:
    """Records that a person has left: all of `ENDING` ends on that day, pairings and requests end now.

    Pairings end with the reason `left`, in whichever role the person was in them; requests that wait for the person are
    released, and those that the person made are taken back. Recording the same day again changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        person: uid of the person.
        on: The day, now or earlier.
        clock: The present instant.

    Returns:
        Who is to be offered others.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `CONFLICT` where another day is recorded.
        InvalidFact: The day lies in the future or before the person joined.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators record that somebody left", code="FORBIDDEN")
    on = instant(on)

    async def decide(known: Store) -> tuple[list[Record], Left]:
        now = instant(clock())
        if on > now:
            raise InvalidFact([Problem("left_on", plain(on), "lies in the future", "record it on that day")])
        own = await participant(known, person, now)
        before = own.person.properties.get("until")
        if before is not None and before != on:
            raise DomainError(f"this person is known to have left on {plain(before)}", code="CONFLICT", field="leftAt")
        [left] = facts_of("people", row_of(own.person) | {"left_on": on}, SOURCE)
        written = [left, *(ended(each, on) for kind in ENDING for each in own.all_of(kind) if _outlasts(each, on))]
        moved, found = await _closed(known, viewer, person, clock)
        return [*written, *moved], found

    return await store.decide_and_write(decide)


async def close_matters(
    store: Store, viewer: Viewer, person: str, *, dry_run: bool = False, clock: Clock = present
) -> Left:
    """Ends the pairings of a person who leaves, and the requests that wait for them or that they made.

    For those who record by themselves that what the person was and did has ended, as a roster does. Doing it again
    changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        person: uid of the person.
        dry_run: Tell what would end and write nothing.
        clock: The present instant.

    Returns:
        Who is to be offered others.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators record that somebody left", code="FORBIDDEN")
    if dry_run:
        return (await _closed(store, viewer, person, clock))[1]

    async def decide(known: Store) -> tuple[list[Record], Left]:
        return await _closed(known, viewer, person, clock)

    return await store.decide_and_write(decide)


async def _closed(known: Store, viewer: Viewer, person: str, clock: Clock) -> tuple[list[Record], Left]:
    """What has to be written so that nothing goes on with a person, and what that leads to."""
    matters = await known.read_matters_of(person)
    written, released = await released_from(known, person, clock)
    written = list(written)
    for request in matters.asking:
        written += await withdrawn(known, viewer, request, clock)
    left_behind = []
    for pairing in matters.pairings:
        moved, was = await ended_as(known, viewer, pairing, "left", clock)
        written += moved
        if was.links["mentor"] == person:
            left_behind.append(
                LeftBehind(pairing, *(was.links.get(each, "") for each in ("mentee", "goal", "programme")))
            )
    return written, Left(tuple(released), tuple(left_behind), matters.asking, matters.pairings)


def _outlasts(record: Record, on: datetime) -> bool:
    until = until_of(record)
    return until is None or on < until
