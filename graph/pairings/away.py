"""Being away: told, or found out from silence; what waits is released, and whoever gives a sign of life is back.

A mentor counts as silent when nothing was heard of them for some time though somebody waits for them: a request that
they let expire, or a pairing in which they do not meet. Whom nobody waits for is not silent. The absence has a far end,
since every absence has one, and ends early with the first thing that the person tells.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, holds, since_of, until_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.pairings.pairing import Released, released_from
from mentorgraph.graph.pairings.sessions import CHECKED_STATES
from mentorgraph.graph.people.participants import Participant, participant, participants
from mentorgraph.graph.people.recording import SOURCE, may_speak_for
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

SILENT_DAYS = 60
"""Days without a sign of life after which a mentor counts as silent, where nothing else is said."""
HORIZON = timedelta(days=366)
"""How long the absence of somebody silent lasts, if nothing is heard of them at all."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A mentor of whom nothing was heard.

    Attributes:
        person: uid of the person.
        last: When something was heard of them last.
        released: Requests that waited for them.
    """

    person: str
    last: datetime
    released: tuple[Released, ...]


async def set_away(
    store: Store, viewer: Viewer, person: str, since: datetime, until: datetime, *, clock: Clock = present
) -> list[Released]:
    """Records that a person is away, and releases the requests that wait for them where that is so by now.

    Telling the same absence again changes nothing. One that was made of silence ends where the told one begins.

    Args:
        store: The graph.
        viewer: On whose behalf: the person, or a coordinator.
        person: uid of the person.
        since: First instant.
        until: The instant from which they are back.
        clock: The present instant.

    Returns:
        What was released, so that each mentee can be offered others.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `CONFLICT` where it overlaps an absence that was told before.
        InvalidFact: The end lies before the beginning.
    """
    may_speak_for(viewer, person)
    row = {"person_id": person, "since": since, "until": until, "cause": "told"}
    [told] = facts_of("absences", row, SOURCE)
    since, until = instant(since), instant(until)

    async def decide(known: Store) -> tuple[list[Record], list[Released]]:
        now = instant(clock())
        own = await participant(known, person, now)
        silences = [ended(each, max(now, since_of(each))) for each in _silences(own)]
        same = False
        for each in own.all_of("absences"):
            begin, end = since_of(each), until_of(each) or now
            if each.properties.get("cause") != "told":
                continue
            if (begin, end) == (since, until):
                same = True
            elif begin < until and since < end:
                raise DomainError(
                    f"overlaps their absence from {plain(begin)} to {plain(end)}; end that one with comeBack, or "
                    "correct the time",
                    code="CONFLICT",
                    field="since",
                )
        written = [*silences, *([] if same else [told])]
        released: list[Released] = []
        if since <= now < until:
            moved, released = await released_from(known, person, clock)
            written += moved
        return written, released

    return await store.decide_and_write(decide)


async def come_back(store: Store, viewer: Viewer, person: str, *, clock: Clock = present) -> bool:
    """Ends the absences of a person that hold now, told or made of silence; those that are still to come stay.

    Returns:
        Whether they were away.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], bool]:
        now = instant(clock())
        own = await participant(known, person, now)
        back = [ended(each, now) for each in own.holding("absences")]
        return back, bool(back)

    return await store.decide_and_write(decide)


async def sign_of_life(store: Store, viewer: Viewer, *, clock: Clock = present) -> bool:
    """Ends the silence of whoever has just told something themselves.

    Args:
        store: The graph.
        viewer: On whose behalf something was told.
        clock: The present instant.

    Returns:
        Whether they counted as away for their silence.
    """
    if not viewer.person:
        return False
    own = (await participants(store, [viewer.person], instant(clock()))).get(viewer.person)
    if own is None or not _silences(own):
        return False

    async def decide(known: Store) -> tuple[list[Record], bool]:
        now = instant(clock())
        found = _silences(await participant(known, viewer.person, now))
        return [ended(each, now) for each in found], bool(found)

    return await store.decide_and_write(decide)


async def find_silent(store: Store, days: int = SILENT_DAYS, *, now: datetime | None = None) -> list[Silent]:
    """The mentors of whom nothing was heard for some days though somebody waits for them, and who are not away.

    Args:
        store: The graph.
        days: How many, 1 to 366.
        now: The present instant.

    Raises:
        InvalidFact: So many days cannot be taken.
    """
    if not 1 <= days <= 366:
        raise InvalidFact([Problem("days", str(days), "is out of range", "give a number from 1 to 366")])
    now = instant(now or present())
    rows = await store.read_silent(CHECKED_STATES, now - timedelta(days=days), now)
    return [Silent(row["person"], row["last"], ()) for row in rows]


async def set_silent_away(store: Store, days: int = SILENT_DAYS, *, clock: Clock = present) -> list[Silent]:
    """Sets those away of whom nothing was heard, and releases the requests that wait for them.

    Running it again does nothing more.

    Returns:
        Whom it set away, each with what was released.

    Raises:
        InvalidFact: So many days cannot be taken.
    """

    async def decide(known: Store) -> tuple[list[Record], list[Silent]]:
        now = instant(clock())
        written: list[Record] = []
        found = []
        for each in await find_silent(known, days, now=now):
            row = {"person_id": each.person, "since": now, "until": now + HORIZON, "cause": "silent"}
            moved, released = await released_from(known, each.person, clock)
            written += [*facts_of("absences", row, SOURCE), *moved]
            found.append(Silent(each.person, each.last, tuple(released)))
        return written, found

    return await store.decide_and_write(decide)


def _silences(own: Participant) -> list[Record]:
    """The absences of a person that hold and are made of silence."""
    return [
        each for each in own.all_of("absences") if each.properties.get("cause") == "silent" and holds(each, own.now)
    ]
