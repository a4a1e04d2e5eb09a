"""Enrolments: in which programmes a person takes part, in which roles, and how much of their time each may take.

An enrolment is a fact of its own for each programme and role. What changes ends it and begins another, so what held on
a past day stays answerable. Enrolling somebody in a role gives them that role in the organisation where they lack it,
so it is for coordinators; whoever has the role may enrol themselves.
"""

from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, holds, since_of, until_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row, role_uid
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.people.participants import Participant, participant
from mentorgraph.graph.people.recording import SOURCE, may_speak_for
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

LIMITS = ("max_mentees", "hours_per_month")
"""What an enrolment may limit, below what the role in the organisation limits over all programmes."""


async def enrol(
    store: Store,
    viewer: Viewer,
    person: str,
    programme: str,
    role: str,
    *,
    limits: Row | None = None,
    since: datetime | None = None,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Enrols a person in a programme; who is enrolled there in that role with these limits stays so.

    Args:
        store: The graph.
        viewer: On whose behalf: a coordinator, or the person for a role that they have.
        person: uid of the person.
        programme: uid of the programme.
        role: One of `vocabulary.ROLES`.
        limits: Some of `LIMITS`.
        since: From when on; now if not given.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `ARCHIVED`, `CONFLICT` where they are enrolled with other limits.
        InvalidFact: A limit cannot be taken, or the day lies before person or programme began or after they ended.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        begin = instant(since or now)
        own = await participant(known, person, now)
        frame = await _programme(known, programme, now)
        row = {"person_id": person, "programme_id": programme, "role": role, "since": begin, "source": source}
        [told] = facts_of("memberships", {**row, **_told(limits)}, source)
        _refuse_outside(begin, own.person, "the person joined", "the person left")
        _refuse_outside(begin, frame, "the programme began", "the programme ended")
        for each in _enrolments(own, programme, str(told.properties["role"])):
            if _ends_after(each, begin):
                if any(told.properties.get(name) not in (None, each.properties.get(name)) for name in LIMITS):
                    raise DomainError(
                        "this person is enrolled in this role already; change the enrolment instead",
                        code="CONFLICT",
                        field="programmeId",
                    )
                return [], None
        return [told, *_role(own, viewer, role, begin, source)], None

    await store.decide_and_write(decide)


async def change_enrolment(
    store: Store,
    viewer: Viewer,
    person: str,
    programme: str,
    role: str,
    limits: Row,
    *,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Changes what an enrolment limits, from now on; what is not told stays, and None takes a limit away.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        programme: uid of the programme.
        role: The role in which they are enrolled there.
        limits: Some of `LIMITS`.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND` where they are not enrolled there in this role now.
        InvalidFact: A limit cannot be taken.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        before = _held(await participant(known, person, now), programme, role)
        kept = {name: before.properties[name] for name in LIMITS if name in before.properties}
        row = {**kept, **{name: limits[name] for name in LIMITS if name in limits}, "source": source}
        where = {"person_id": person, "programme_id": programme, "role": role, "since": now}
        [after] = facts_of("memberships", {**row, **where}, source)
        if all(after.properties.get(name) == before.properties.get(name) for name in LIMITS):
            return [], None
        if before.properties["since"] == now:
            properties = {**after.properties, "uid": before.uid, "source": before.properties["source"]}
            return [Record("memberships", before.uid, properties, before.links)], None
        return [ended(before, now), after], None

    await store.decide_and_write(decide)


async def leave_programme(
    store: Store, viewer: Viewer, person: str, programme: str, role: str, *, clock: Clock = present
) -> None:
    """Ends an enrolment now; the role in the organisation stays, and so do pairings, which people close.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        programme: uid of the programme.
        role: The role in which they are enrolled there.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`; `NOT_FOUND` where they never were enrolled there in this role.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        own = await participant(known, person, now)
        ever = _enrolments(own, programme, role)
        if not ever:
            raise _not_enrolled()
        return [ended(each, now) for each in ever if _ends_after(each, now)], None

    await store.decide_and_write(decide)


def _role(own: Participant, viewer: Viewer, role: str, begin: datetime, source: str) -> list[Record]:
    """The role in the organisation that an enrolment gives, where the person lacks it."""
    if any(holds(each, begin) for each in own.all_of("roles") if each.links["role"] == role_uid(role)):
        return []
    if not viewer.coordinates:
        raise DomainError(
            "only coordinators enrol somebody in a role that they do not have", code="FORBIDDEN", field="role"
        )
    return facts_of("roles", {"person_id": own.person.uid, "role_id": role, "since": begin, "source": source}, source)


def _enrolments(own: Participant, programme: str, role: str) -> list[Record]:
    return [
        each
        for each in own.all_of("memberships")
        if each.links["programme"] == programme and each.properties.get("role") == role
    ]


def _held(own: Participant, programme: str, role: str) -> Record:
    for each in _enrolments(own, programme, role):
        if holds(each, own.now):
            return each
    raise _not_enrolled()


def _not_enrolled() -> DomainError:
    return DomainError("this person is not enrolled there in this role", code="NOT_FOUND", field="programmeId")


async def _programme(known: Store, programme: str, now: datetime) -> Record:
    node = (await known.read_nodes([programme], now)).get(programme)
    if node is None or node.kind != "Programme":
        raise DomainError("no programme has this id", code="NOT_FOUND", field="programmeId")
    found = Record("programmes", programme, node.properties)
    if not _ends_after(found, now):
        raise DomainError("this programme has ended", code="ARCHIVED", field="programmeId")
    return found


def _ends_after(record: Record, instant: datetime) -> bool:
    until = until_of(record)
    return until is None or instant < until


def _refuse_outside(begin: datetime, frame: Record, began: str, over: str) -> None:
    """Refuses a beginning before something was there, or after it was there no more."""
    if begin < since_of(frame):
        raise InvalidFact([Problem("since", plain(begin), f"lies before {began}", "correct the day")])
    if not _ends_after(frame, begin):
        raise InvalidFact([Problem("since", plain(begin), f"lies after {over}", "correct the day")])


def _told(limits: Row | None) -> Row:
    return {name: value for name, value in (limits or {}).items() if name in LIMITS and value is not None}
