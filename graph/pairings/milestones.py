"""Milestones of a pairing: what the two want to have reached by when, what they have, and what is overdue.

Whoever takes part plans and closes them. A milestone is reached, with what shows it, or dropped; what it said stays. A
pairing is not completed while one is planned, unless a reason is given, so that nobody loses sight of a promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row, uid_of
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.rows import facts_of, row_of, without_gaps
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.people.recording import SOURCE, key_of
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import MILESTONE_STATES, OPEN_STATES

PLANNED, REACHED, DROPPED = MILESTONE_STATES

_NAMED = 3
"""Titles that a refusal names."""


@dataclass(frozen=True, slots=True)
class OverdueMilestone:
    """A milestone that should have been reached.

    Attributes:
        milestone: Its uid.
        pairing: uid of its pairing.
        due: By when.
        days: Whole days since then.
    """

    milestone: str
    pairing: str
    due: datetime
    days: int


async def plan_milestone(
    store: Store,
    viewer: Viewer,
    pairing: str,
    milestone: Row,
    *,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Plans a milestone of a pairing that goes on.

    Args:
        store: The graph.
        viewer: On whose behalf: one of the people of the pairing, a co-mentor of it, or a coordinator.
        pairing: uid of the pairing.
        milestone: `title`, `due_on`, and where known `expected`.
        source: System that `external_id` belongs to.
        external_id: The milestone's key there; telling the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the milestone.

    Raises:
        InvalidFact: A value cannot be taken, or it is due before the present.
        DomainError: `NOT_FOUND`, also for whoever has no part in it; `FORBIDDEN_MOVE`, the pairing is over.
    """

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        found = await known.read_time_of_pairing(pairing)
        people = [found["mentor"], found["mentee"], *found["helpers"]] if found else []
        if found is None or not (viewer.coordinates or viewer.person in people):
            raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
        key = key_of(external_id, now)
        uid = uid_of(source, "milestones", key)
        if external_id and await known.read_milestone(uid, now):
            return [], uid
        if found["status"] not in OPEN_STATES:
            raise DomainError("this pairing is over", code="FORBIDDEN_MOVE", field="pairingId")
        row = {**without_gaps(milestone), "id": key, "pairing_id": pairing, "planned_on": now, "state": PLANNED}
        due = row.get("due_on")
        if isinstance(due, datetime) and instant(due) < instant(now):
            raise InvalidFact([Problem("due_on", plain(due), "lies in the past", "give a later day")])
        return facts_of("milestones", row, source), uid

    return await store.decide_and_write(decide)


async def close_milestone(
    store: Store, viewer: Viewer, milestone: str, state: str, *, evidence: str = "", clock: Clock = present
) -> str:
    """Says that a milestone was reached, or that nobody goes for it any more; saying so again changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf: one of the people of the pairing, a co-mentor of it, or a coordinator.
        milestone: uid of the milestone.
        state: `reached` or `dropped`.
        evidence: What shows that it was reached.
        clock: The present instant.

    Returns:
        uid of the milestone.

    Raises:
        InvalidFact: The evidence cannot be taken.
        DomainError: `NOT_FOUND`, also for whoever has no part in it; `FORBIDDEN_MOVE`, it is closed otherwise, or its
            pairing is over.
    """

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        found = await known.read_milestone(milestone, now)
        if found is None or not (viewer.coordinates or viewer.person in found.people):
            raise DomainError("no milestone has this id", code="NOT_FOUND", field="milestoneId")
        record = found.record
        if not is_planned(record):
            if state == record.properties["state"] and evidence.strip() in ("", record.properties.get("evidence")):
                return [], milestone
            raise DomainError(
                f"this milestone is {record.properties['state']} already", code="FORBIDDEN_MOVE", field="state"
            )
        if state == PLANNED:
            raise DomainError("this milestone is planned already", code="FORBIDDEN_MOVE", field="state")
        if found.status not in OPEN_STATES:
            raise DomainError("this pairing is over", code="FORBIDDEN_MOVE", field="milestoneId")
        at = max(instant(now), instant(record.properties["since"]))
        told = {"state": state, "closed_on": at, **({"evidence": evidence} if evidence else {})}
        closed = record_of(KINDS["milestones"], {**row_of(record), **told}, str(record.properties["source"]))
        return [replace(closed, links=record.links)], milestone

    return await store.decide_and_write(decide)


async def list_overdue_milestones(
    store: Store, viewer: Viewer, programme: str | None = None, *, first: int = 50, clock: Clock = present
) -> list[OverdueMilestone]:
    """The milestones that should have been reached, the longest overdue first; for coordinators.

    Only pairings that go on have overdue milestones.

    Args:
        store: The graph.
        viewer: On whose behalf.
        programme: uid of a programme, which those who facilitate it may name; all if none is given.
        first: At most so many.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.oversees(programme or ""):
        raise DomainError("only coordinators see what is overdue", code="FORBIDDEN")
    now = clock()
    rows = await store.read_overdue_milestones(programme, now, first)
    return [OverdueMilestone(**row, days=(now - row["due"]).days) for row in rows]


def is_planned(milestone: Record) -> bool:
    """Whether a milestone is neither reached nor dropped."""
    return milestone.properties["state"] == PLANNED


def is_overdue(state: object, due: datetime, now: datetime) -> bool:
    """Whether a milestone in a state should have been reached."""
    return state == PLANNED and due < now


def refuse_open_milestones(milestones: Sequence[Record]) -> None:
    """Refuses that a pairing is completed without a reason while milestones of it are planned.

    Raises:
        DomainError: `REASON_REQUIRED`.
    """
    titles = [str(each.properties["title"]) for each in milestones if is_planned(each)]
    if titles:
        named = ", ".join(f"'{each}'" for each in titles[:_NAMED]) + (", …" if len(titles) > _NAMED else "")
        one = "a milestone is" if len(titles) == 1 else f"{len(titles)} milestones are"
        told = f"{one} planned still ({named}); say whether it was reached or dropped, or give a reason"
        raise DomainError(told, code="REASON_REQUIRED", field="reason")
