"""Sessions: what was held in a pairing, how much of somebody's month it took, and who has not met for too long."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row
from mentorgraph.graph.facts.outcomes import settled
from mentorgraph.graph.facts.rows import facts_of, without_gaps
from mentorgraph.graph.facts.states import COORDINATOR, MENTEE, MENTOR, PAIRING
from mentorgraph.graph.pairings.milestones import is_planned
from mentorgraph.graph.pairings.notes import noted
from mentorgraph.graph.pairings.pairing import move_of, moved_to
from mentorgraph.graph.people.recording import SOURCE, key_of
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import OPEN_STATES

BEGUN_STATES = (*OPEN_STATES, "completed", "ended")
"""States of a pairing in which sessions can have been held."""
CHECKED_STATES = ("accepted", "active", "stalled")
"""States of a pairing whose people are to meet again; one that is paused is not waited for."""
DEFAULT_CADENCE_DAYS = 30
"""Days within which people are to meet again where neither pairing nor programme says so."""
PLANNED_AHEAD = timedelta(days=366)


# --- recording --------------------------------------------------------------------------------------------------------


async def record_session(
    store: Store,
    viewer: Viewer,
    session: Row,
    *,
    source: str = SOURCE,
    external_id: str = "",
    note: Row | None = None,
    now: datetime | None = None,
) -> str:
    """Records a session of a pairing, or corrects it where the source told it before.

    A pairing that has stalled becomes active again by a session held since, and one of a programme for short questions
    (`micro`) is completed by its first.

    Args:
        store: The graph.
        viewer: On whose behalf: one of the pairing's people, a co-mentor of it, or a coordinator.
        session: `pairing_id`, `kind`, `started_at`, `minutes`, and for a recorded one `link`.
        source: System that `external_id` belongs to.
        external_id: The session's key there; recording the same key again changes nothing.
        note: What the viewer notes on it, see `pairings.notes`; not for coordinators who have no part in it.
        now: The present instant.

    Returns:
        uid of the session.

    Raises:
        InvalidFact: A value cannot be taken, or the session lies outside the time of its pairing.
        DomainError: `NOT_FOUND`; `FORBIDDEN`, a note of somebody who has no part in the pairing; `CONSENT_REQUIRED`,
            not both had agreed to be recorded; or `CONFLICT`: one of the two has another live session at that time.
    """
    now = now or present()
    pairing = str(session["pairing_id"])
    [told] = facts_of("sessions", {**without_gaps(session), "id": key_of(external_id, now), "source": source}, source)
    kind = told.properties.get("kind")
    if kind is None:
        raise InvalidFact([Problem("kind", "", "is missing", "fill it in")])
    if kind == "recorded" and "link" not in told.properties:
        raise InvalidFact([Problem("link", "", "is missing", "say where the recording is")])
    held = _Held(told)
    _refuse_future(held, kind == "live", now)

    async def decide(known: Store) -> tuple[list[Record], str]:
        found = await known.read_time_of_pairing(pairing)
        people = [found["mentor"], found["mentee"]] if found else []
        if found is None or not (viewer.coordinates or viewer.person in [*people, *found["helpers"]]):
            raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
        _refuse_outside(held, found)
        if kind == "recorded":
            for person in people:
                await _refuse_unagreed(known, person, held.since)
        if kind == "live":
            for times in (await known.read_times_of(people, held.since, held.until)).values():
                for other in times.sessions:
                    if other["uid"] != told.uid and _meets(held, other):
                        raise DomainError(
                            "one of the two has another live session at that time; correct the time or the kind",
                            code="CONFLICT",
                            field="startedAt",
                        )
        notes: list[Record] = []
        if note:
            if viewer.person not in [*people, *found["helpers"]]:
                words = "notes are written by the people of the pairing; leave them out"
                raise DomainError(words, code="FORBIDDEN", field=next(iter(note)))
            before = await known.read_notes([told.uid], viewer.person, now)
            notes = noted(before.get(told.uid, ()), viewer, told.uid, note, source, now)
        return [told, *notes, *await _moved_by(known, viewer, pairing, found, held, now)], told.uid

    return await store.decide_and_write(decide)


async def _moved_by(
    known: Store, viewer: Viewer, pairing: str, found: Mapping[str, Any], held: "_Held", now: datetime
) -> list[Record]:
    """The move that a session makes: back to active for who had stalled, to completion where one session is all.

    Where a milestone is planned, one session is not all.
    """
    is_short = found.get("format") == "micro" and found["status"] == "active"
    if held.since > now or not (found["status"] == "stalled" or (is_short and held.until <= now)):
        return []
    if is_short and any(map(is_planned, (await known.read_milestones_of([pairing]))[pairing])):
        return []
    matter = await known.read_pairing(pairing)
    if matter is None or (not is_short and matter.moved is not None and held.since < matter.moved):
        return []
    # A co-mentor stands in for the mentor.
    mover = MENTEE if viewer.person == found["mentee"] else COORDINATOR if viewer.coordinates else MENTOR
    to = "completed" if is_short else "active"
    PAIRING.check(found["status"], to, mover, "")
    at = matter.after(now)
    moved = moved_to(matter.record, PAIRING, to, at)
    if is_short:
        moved = settled((await known.read_courses([pairing]))[pairing].told([moved]))
    return [moved, move_of("pairing", pairing, to, at, viewer)]


class _Held:
    """When a session takes place."""

    def __init__(self, record: Record) -> None:
        properties: dict[str, Any] = dict(record.properties)
        self.since: datetime = properties["since"]
        self.until = self.since + timedelta(minutes=properties["minutes"])


def _meets(held: _Held, other: Mapping[str, Any]) -> bool:
    since: datetime = other["since"]
    return held.since < since + timedelta(minutes=other["minutes"]) and since < held.until


def _refuse_future(held: _Held, is_live: bool, now: datetime) -> None:
    """A live session may be planned; anything else is recorded once it has been."""
    if held.since > now + PLANNED_AHEAD or (held.since > now and not is_live):
        raise InvalidFact([_at(held, "lies in the future", "record it once it has been held")])


def _refuse_outside(held: _Held, pairing: Mapping[str, Any]) -> None:
    if pairing["status"] not in BEGUN_STATES or held.since < pairing["since"]:
        raise InvalidFact([_at(held, "lies before the pairing began", "correct the time or the pairing")])
    if "until" in pairing and held.until > pairing["until"]:
        raise InvalidFact([_at(held, "lies after the pairing ended", "correct the time or the pairing")])


async def _refuse_unagreed(known: Store, person: str, at: datetime) -> None:
    """Refuses a recording of somebody who had not agreed to be recorded when it was made."""
    for each in await known.read_open_facts_of(person, at):
        since = each.properties["since"]
        agrees = each.kind == "consents" and each.properties["purpose"] == "recording"
        if agrees and isinstance(since, datetime) and since <= at:
            return
    raise DomainError(
        "both have to agree to be recorded before a session is; record their consent first",
        code="CONSENT_REQUIRED",
        field="kind",
    )


def _at(held: _Held, reason: str, remedy: str) -> Problem:
    return Problem("started_at", held.since.isoformat(), reason, remedy)


# --- minutes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Minutes:
    """What a month took and what it may take.

    Attributes:
        used: Role → minutes of sessions that begin in the month, in UTC, over all programmes.
        given: Role → minutes that the role gives a month; a role without a budget is absent.
    """

    used: Mapping[str, int]
    given: Mapping[str, int]

    def used_as(self, role: str | None) -> int:
        """Minutes used in a role, or in all."""
        return sum(self.used.values()) if role is None else self.used.get(role, 0)

    def left_as(self, role: str) -> int | None:
        """Minutes left in a role, below 0 where it was overdrawn; None where it has no budget."""
        return self.given[role] - self.used.get(role, 0) if role in self.given else None


def month_of(text: str) -> tuple[datetime, datetime]:
    """The instants with which a month such as `2026-03` begins and the next one does, in UTC.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    match = re.fullmatch(r"(\d{4})-(\d{2})", text, re.ASCII)
    year, month = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (1900 <= year <= 2199 and 1 <= month <= 12):
        raise DomainError("month is not a month such as 2026-03", code="BAD_USER_INPUT", field="month")
    return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


async def read_minutes(store: Store, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Minutes]:
    """The minutes of some people and months.

    Args:
        store: The graph.
        wanted: uid of a person, and a month such as `2026-03`.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    months = {(person, month_of(month)[0]): (person, month) for person, month in wanted}
    rows = await store.read_minutes((person, *month_of(month)) for person, month in months.values())
    return {
        months[row["person"], row["since"]]: Minutes(
            dict(row["used"]), {role: round(hours * 60) for role, hours in row["hours"]}
        )
        for row in rows
    }


# --- check-ins --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A pairing whose people are to meet again and again.

    Attributes:
        pairing: Its uid.
        mentor: uid of the mentor.
        mentee: uid of the mentee.
        since: When it began.
        last: When its last session began; None where there was none.
        cadence_days: Days within which they are to meet again; None where nobody said so.
    """

    pairing: str
    mentor: str
    mentee: str
    since: datetime
    last: datetime | None
    cadence_days: int | None


@dataclass(frozen=True, slots=True)
class OverdueCheckIn:
    """A pairing in which nobody has met for too long.

    Attributes:
        check_in: The pairing.
        due: By when they were to meet.
        days: Whole days since then.
    """

    check_in: CheckIn
    due: datetime
    days: int


def overdue(
    check_ins: Iterable[CheckIn], now: datetime, default_days: int = DEFAULT_CADENCE_DAYS
) -> list[OverdueCheckIn]:
    """The check-ins that are overdue, the longest overdue first.

    The days count from the last session, or from the beginning of the pairing where there was none.
    """
    found = []
    for each in check_ins:
        due = max(each.since, each.last or each.since) + timedelta(days=each.cadence_days or default_days)
        if due < now:
            found.append(OverdueCheckIn(each, due, (now - due).days))
    return sorted(found, key=lambda each: (each.due, each.check_in.pairing))


async def list_overdue(
    store: Store, viewer: Viewer, programme: str | None = None, *, first: int = 50, now: datetime | None = None
) -> list[OverdueCheckIn]:
    """The check-ins that are overdue, for coordinators.

    Args:
        store: The graph.
        viewer: On whose behalf.
        programme: uid of a programme; all if none is given.
        first: At most so many.
        now: The present instant.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.oversees(programme or ""):
        raise DomainError("only coordinators see who has not met", code="FORBIDDEN")
    now = now or present()
    rows = await store.read_check_ins(CHECKED_STATES, programme, now)
    return overdue((CheckIn(**row) for row in rows), now)[:first]
