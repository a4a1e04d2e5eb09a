"""Onboarding and trainings: what people go through before they take part, and what they refresh from time to time.

Nobody is recommended who has not taken the mandatory steps that are for them; `graph.rules` keeps that for mentors and
`graph.eligibility` for mentees. A training that expires has to be taken again: each time is a fact of its own, and a
later one ends the one before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, since_of, until_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row
from mentorgraph.graph.facts.rows import facts_of, without_gaps
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.people.participants import participant
from mentorgraph.graph.people.recording import SOURCE, key_of, may_speak_for
from mentorgraph.graph.rules.tiers import WARN_BEFORE
from mentorgraph.graph.store.store import NodeRecord, Store
from mentorgraph.graph.viewer import Viewer

WARN_DAYS = WARN_BEFORE.days
"""How many days before a training expires coordinators see who has to take it again."""

# --- steps ------------------------------------------------------------------------------------------------------------


async def define_step(
    store: Store,
    viewer: Viewer,
    step: Row,
    *,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Defines a step of onboarding, for everybody or for a role, in all programmes or in one.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        step: `name`, `necessity`, `position`, and where wanted `description`, `role`, `programme_id`, `since`.
        source: System that `external_id` belongs to.
        external_id: The step's key there; defining the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the step.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `ARCHIVED`.
        InvalidFact: A value cannot be taken, or the step begins before its programme.
    """
    _coordinators_only(viewer, "define steps of onboarding")

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = instant(clock())
        row = {"since": now, **without_gaps(step), "id": key_of(external_id, now), "source": source}
        [told] = facts_of("onboarding_steps", row, source)
        if (await known.find_existing([told.uid])).get(told.uid):
            return [], told.uid
        if programme := told.links.get("programme"):
            frame = (await known.read_nodes([programme], now)).get(programme)
            if frame is None or frame.kind != "Programme":
                raise DomainError("no programme has this id", code="NOT_FOUND", field="programmeId")
            if "until" in frame.properties and frame.properties["until"] <= now:
                raise DomainError("this programme has ended", code="ARCHIVED", field="programmeId")
            if since_of(told) < frame.properties["since"]:
                raise InvalidFact([_at("since", since_of(told), "lies before the programme began", "correct the day")])
        return [told], told.uid

    return await store.decide_and_write(decide)


async def end_step(store: Store, viewer: Viewer, step: str, *, clock: Clock = present) -> None:
    """Ends a step from now on: nobody has to take it any more; one that has ended stays so.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
    """
    _coordinators_only(viewer, "end steps of onboarding")

    async def decide(known: Store) -> tuple[list[Record], None]:
        found = await _step(known, step)
        return [] if "until" in found.properties else [ended(found, instant(clock()))], None

    await store.decide_and_write(decide)


async def mark_done(
    store: Store,
    viewer: Viewer,
    person: str,
    step: str,
    *,
    at: datetime | None = None,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Records that a person has taken a step of onboarding; once taken it stays so, however often it is told.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        step: uid of the step.
        at: When; now if not given.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
        InvalidFact: The time lies in the future, or outside that of the person or the step.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        when = instant(at or now)
        own = await participant(known, person, now)
        found = await _step(known, step)
        if any(each.links["step"] == step for each in own.holding("steps_done")):
            return [], None
        _refuse_outside("at", when, now, own.person, found)
        row = {"person_id": person, "step_id": step, "since": when, "source": source}
        return facts_of("steps_done", row, source), None

    await store.decide_and_write(decide)


async def _step(known: Store, step: str) -> Record:
    for each in await known.read_onboarding():
        if each.uid == step:
            return each
    raise DomainError("no step of onboarding has this id", code="NOT_FOUND", field="stepId")


# --- trainings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expiring:
    """A training that somebody has to take again.

    Attributes:
        person: uid of the person.
        training: uid of the training.
        taken: When they took it last.
        expires: Until when that holds, or held.
        days: Whole days that are left, below 0 where it has expired.
    """

    person: str
    training: str
    taken: datetime
    expires: datetime
    days: int


async def record_completion(
    store: Store,
    viewer: Viewer,
    person: str,
    training: str,
    *,
    at: datetime | None = None,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Records that a person has taken a training; it holds as long as the training says, or until they take it again.

    In whatever order the times are told, the same facts come out.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        training: uid of the training.
        at: When; now if not given.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
        InvalidFact: The time lies in the future, or outside that of the person or the training.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        when = instant(at or now)
        own = await participant(known, person, now)
        node = (await known.read_nodes([training], now)).get(training)
        if node is None or node.kind != "Training":
            raise DomainError("no training has this id", code="NOT_FOUND", field="trainingId")
        _refuse_outside("at", when, now, own.person, _record_of(node))
        ever = [each for each in own.all_of("completions") if each.links["training"] == training]
        if any(since_of(each) == when for each in ever):
            return [], None
        row = {"person_id": person, "training_id": training, "since": when, "source": source}
        [told] = facts_of("completions", row, source)
        return _renewed(ever, told, node.properties.get("valid_days")), None

    await store.decide_and_write(decide)


def _renewed(ever: Iterable[Record], told: Record, valid_days: int | None) -> list[Record]:
    """A completion among those before and after it, none of which outlasts the next; what has to be written of them."""
    when = since_of(told)
    ends = [since_of(each) for each in ever if since_of(each) > when]
    if valid_days is not None:
        ends.append(when + timedelta(days=valid_days))
    written = [replace(told, properties={**told.properties, "until": min(ends)}) if ends else told]
    before = [each for each in ever if since_of(each) < when]
    if before:
        last = max(before, key=since_of)
        until = until_of(last)
        if until is None or until > when:
            written.append(ended(last, when))
    return written


async def list_expiring(
    store: Store, viewer: Viewer, within_days: int = WARN_DAYS, *, first: int = 50, now: datetime | None = None
) -> list[Expiring]:
    """Who has to take a training again within some days, or should have; the most urgent first.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        within_days: Days from now, 0 to 366; 0 for what has expired.
        first: At most so many.
        now: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `BAD_USER_INPUT`.
    """
    if not viewer.sees_everybody:
        raise DomainError("only coordinators see whose trainings expire", code="FORBIDDEN")
    if not 0 <= within_days <= 366:
        raise DomainError("withinDays is not from 0 to 366", code="BAD_USER_INPUT", field="withinDays")
    now = instant(now or present())
    rows = await store.read_expiring(now + timedelta(days=within_days), now)
    return [
        Expiring(row["person"], row["training"], row["since"], row["until"], (row["until"] - now).days) for row in rows
    ][:first]


# --- both -------------------------------------------------------------------------------------------------------------


def _coordinators_only(viewer: Viewer, what: str) -> None:
    if not viewer.coordinates:
        raise DomainError(f"only coordinators {what}", code="FORBIDDEN")


def _refuse_outside(column: str, when: datetime, now: datetime, *frames: Record) -> None:
    """Refuses a time that lies in the future, or outside that of a person, a step or a training."""
    if when > now:
        raise InvalidFact([_at(column, when, "lies in the future", "record it once it is done")])
    names = {"people": "the person", "onboarding_steps": "the step", "trainings": "the training"}
    for each in frames:
        until = until_of(each)
        if when < since_of(each):
            raise InvalidFact([_at(column, when, f"lies before {names[each.kind]} was there", "correct the time")])
        if until is not None and when >= until:
            raise InvalidFact([_at(column, when, f"lies after {names[each.kind]} was there", "correct the time")])


def _at(column: str, when: datetime, reason: str, remedy: str) -> Problem:
    return Problem(column, plain(when), reason, remedy)


def _record_of(training: NodeRecord) -> Record:
    return Record("trainings", training.uid, training.properties)
