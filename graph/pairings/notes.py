"""Notes on sessions: what two people agreed and what comes next, for nobody's eyes but theirs and their co-mentors'.

Each of them has one note on a session, which they write anew as they like; what it said before is not kept, so what
somebody takes back is gone. Whoever wants none of theirs to be left has all of them erased; other people's stay. No
coordinator reads a note, nor does anything that ranks, learns or counts: notes are no part of columns, snapshots or the
decision log. A bundle holds them, since it is all that the graph holds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record, Row
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.store import erasing
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

TOLD = ("agreed", "next_step")
"""What a note tells."""


async def write_note(
    store: Store, viewer: Viewer, session: str, told: Row, *, source: str = SOURCE, now: datetime | None = None
) -> str:
    """Writes a viewer's own note on a session, or writes it anew.

    Args:
        store: The graph.
        viewer: On whose behalf: one of the two of the pairing, or who is a co-mentor of it.
        session: uid of the session.
        told: Some of `TOLD`; what is left out stays, and None or nothing takes it back.
        source: Where this is known from.
        now: The present instant.

    Returns:
        uid of the session.

    Raises:
        InvalidFact: A value cannot be taken.
        DomainError: `NOT_FOUND`, also for whoever has no part in the session.
    """
    now = now or present()

    async def decide(known: Store) -> tuple[list[Record], str]:
        found = await known.read_notes([session], viewer.person, now)
        if session not in found:
            raise DomainError("no session has this id", code="NOT_FOUND", field="sessionId")
        return noted(found[session], viewer, session, told, source, now), session

    return await store.decide_and_write(decide)


async def erase_notes(store: Store, viewer: Viewer, person: str) -> int:
    """Erases every note on a session that somebody wrote, on whichever pairing, for good.

    Args:
        store: The graph.
        viewer: On whose behalf: the person, or a coordinator whom they asked, who reads none of it.
        person: uid of the person.

    Returns:
        How many there were; nothing is left of them, not even that they were.

    Raises:
        DomainError: `FORBIDDEN` or `NOT_FOUND`.
    """
    if not (viewer.coordinates or viewer.person == person):
        raise DomainError("you may erase your own notes only", code="FORBIDDEN", field="personId")
    if (await store.find_existing([person])).get(person) != "Person":
        raise DomainError("no person has this id", code="NOT_FOUND", field="personId")
    return await erasing.erase_notes(store.database, person)


def noted(
    known: Sequence[Mapping[str, Any]], viewer: Viewer, session: str, told: Row, source: str, now: datetime
) -> list[Record]:
    """The note of a viewer on a session as it is from now on; nothing where it says what it said.

    Args:
        known: The notes on the session so far.
        viewer: Whose note it is.
        session: uid of the session.
        told: Some of `TOLD`.
        source: Where this is known from.
        now: The present instant.

    Raises:
        InvalidFact: A value cannot be taken.
    """
    own = next((each for each in known if each["person"] == viewer.person), {})
    before = {name: own[name] for name in TOLD if name in own}
    row = {**before, **{name: value for name, value in told.items() if name in TOLD}}
    ends = {"session_id": session, "person_id": viewer.person, "written_on": now}
    [note] = facts_of("notes", {**row, **ends, **({"uid": own["uid"]} if own else {})}, own.get("source", source))
    return [note] if {name: note.properties[name] for name in TOLD if name in note.properties} != before else []
