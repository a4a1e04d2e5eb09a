"""What happened in a pairing: its moves, what its people said of it, who helped, and by which charters it was lived.

Pure. What surveys and outcomes say is computed from the set of these facts alone, never from the order in which they
became known, so that late and doubled news end in the same graph.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from mentorgraph.graph.facts.dated import holds, since_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.values import instant

INSTANT = timedelta(milliseconds=1)
"""The least time between two facts."""


@dataclass(frozen=True, slots=True)
class Course:
    """One pairing with what is known of it.

    Attributes:
        pairing: The fact itself.
        moves: What moved it, in the order of time.
        answers: What was said of it, in the order of time.
        helpers: Its co-mentors, present and past.
        charters: The charters of its programme, in the order of time; none where it has no programme.
    """

    pairing: Record
    moves: tuple[Record, ...] = ()
    answers: tuple[Record, ...] = ()
    helpers: tuple[Record, ...] = ()
    charters: tuple[Record, ...] = ()

    @property
    def people(self) -> tuple[str, str]:
        """Uids of mentor and mentee."""
        return self.pairing.links["mentor"], self.pairing.links["mentee"]

    @property
    def status(self) -> str:
        """Where it stands."""
        return str(self.pairing.properties["status"])

    @property
    def began(self) -> datetime | None:
        """When the two began to work together; None where they never did.

        That is the first move to active. Where no move is known, as in many imports, it is the start of the pairing.
        """
        active = [since_of(each) for each in self.moves if each.properties["state"] == "active"]
        if active:
            return min(active)
        is_only_accepted = self.status == "accepted" or any(
            each.properties["state"] == "accepted" for each in self.moves
        )
        return None if is_only_accepted else since_of(self.pairing)

    @property
    def ended(self) -> datetime | None:
        """When it was over; None while it goes on."""
        until: Any = self.pairing.properties.get("until")
        return until if isinstance(until, datetime) else None

    def after(self, now: datetime) -> datetime:
        """When the next move takes place: now, or right after the last one, however two clocks differ."""
        return instant(max([now, *(since_of(each) + INSTANT for each in self.moves[-1:])]))

    def pauses(self) -> list[tuple[datetime, datetime | None]]:
        """The breaks that the two made, in order; the end of one that goes on is None."""
        return [
            (since_of(move), next(map(since_of, self.moves[place:]), None))
            for place, move in enumerate(self.moves, 1)
            if move.properties["state"] == "paused"
        ]

    def charter_at(self, at: datetime) -> Record | None:
        """The charter in force at an instant, the one that began last; None where none was."""
        return next((each for each in reversed(self.charters) if holds(each, at)), None)

    def helpers_at(self, at: datetime) -> list[Record]:
        """The co-mentors at an instant."""
        return [each for each in self.helpers if holds(each, at)]

    def told(self, records: Iterable[Record]) -> "Course":
        """The course once some facts of it are known as well; the same fact twice counts once."""
        course = self
        for record in records:
            if record.kind == "pairings":
                course = replace(course, pairing=record)
            elif record.kind == "moves":
                course = replace(course, moves=_with(course.moves, record))
            elif record.kind == "feedback":
                course = replace(course, answers=_with(course.answers, record))
            elif record.kind == "co_mentors":
                course = replace(course, helpers=_with(course.helpers, record))
        return course


def _with(known: tuple[Record, ...], record: Record) -> tuple[Record, ...]:
    return in_order([*(each for each in known if each.uid != record.uid), record])


def in_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """Facts in the order in which they began; those that began at once in the order of their uids."""
    return tuple(sorted(records, key=lambda each: (since_of(each), each.uid)))
