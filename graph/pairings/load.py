"""How much mentors have taken on: over all programmes and in each, a shared pairing by shares."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import fsum

from mentorgraph.graph.rules.evaluator import SHARE_ERROR
from mentorgraph.graph.store.store import Store


@dataclass(frozen=True, slots=True)
class ProgrammeLoad:
    """What a mentor has taken on in one programme.

    Attributes:
        programme: uid of the programme; empty for pairings outside of any.
        taken: Places taken, a shared pairing by shares.
        places: Places that they have there; None where their enrolment does not say.
    """

    programme: str
    taken: float
    places: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """What a mentor has taken on.

    Attributes:
        taken: Places taken over all programmes, a shared pairing by shares.
        places: Places that they have.
        programmes: The same by programme, in the order of their uids.
    """

    taken: float
    places: float
    programmes: tuple[ProgrammeLoad, ...]

    @property
    def left(self) -> float:
        """Places left, below 0 where more were taken than there are."""
        return self.places - self.taken

    @property
    def is_near_limit(self) -> bool:
        """Whether something is taken and at most one more pairing goes, over all or in some programme."""
        frames = [(self.taken, self.places), *((each.taken, each.places) for each in self.programmes)]
        return any(places is not None and taken > 0 and places - taken < 2 - SHARE_ERROR for taken, places in frames)


async def loads(store: Store, people: Iterable[str], now: datetime, max_mentees: float) -> dict[str, Load]:
    """What some people have taken on as mentors.

    Args:
        store: The graph.
        people: Their uids.
        now: The instant as of which facts count.
        max_mentees: Places of who has not said how many, as the policy has it.

    Returns:
        uid → load; who is no mentor is absent.
    """
    found = {}
    for row in await store.read_loads(people, now):
        if not row["places"]:
            continue
        stated = [places for places in row["places"] if places >= 0]
        limits = dict(row["limits"])
        parts: dict[str, list[float]] = {programme: [] for programme in limits}
        for programme, part in row["parts"]:
            parts.setdefault(programme or "", []).append(part)
        found[row["uid"]] = Load(
            fsum(part for _, part in row["parts"]),
            max(stated, default=max_mentees),
            tuple(ProgrammeLoad(each, fsum(parts[each]), limits.get(each)) for each in sorted(parts)),
        )
    return found
