"""What people tell the graph about themselves: registration, goals, availability and consent.

Every function makes rows of the bundle and has them checked and written like any other row, so a fact is the same
whether it was told here or imported. All raise `InvalidFact` for values that cannot be taken, and `DomainError` where
the viewer may not say it or what it refers to does not exist.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row, is_uid, new_uid, uid_of
from mentorgraph.graph.facts.rows import facts_of, without_gaps
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

SOURCE = "api"
"""Source of facts for which the caller names none."""


async def register_person(
    store: Store,
    viewer: Viewer,
    person: Row,
    *,
    offers: Sequence[Row] = (),
    wants: Sequence[Row] = (),
    consents: Sequence[str] = (),
    text_version: str = "",
    source: str = SOURCE,
    external_id: str = "",
    now: datetime | None = None,
) -> str:
    """Records a person with their roles, skills and consents, all in one transaction.

    Args:
        store: The graph.
        viewer: On whose behalf.
        person: `name`, `roles` (joined by `|`), and where known `joined_on` and `zone`.
        offers: Skills offered: `skill_id`, `level`.
        wants: Skills wanted: likewise.
        consents: Purposes that the person agrees to from now on.
        text_version: Version of the text that they agreed to.
        source: System that `external_id` belongs to.
        external_id: The person's key there; registering the same key again changes nothing.
        now: The present instant.

    Returns:
        uid of the person.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators register people", code="FORBIDDEN")
    now = now or present()
    told = _Told("people", key_of(external_id, now), without_gaps(person), source)

    async def decide(known: Store) -> tuple[list[Record], str]:
        own, *further = await told.facts(known, now)
        joined = own.properties["since"]
        for stance, skills in (("offers", offers), ("wants", wants)):
            for place, skill in enumerate(skills):
                row = {"person_id": own.uid, "stance": stance, "since": joined, **without_gaps(skill)}
                further += facts_at(f"{stance}.{place}", "person_skills", row, source)
        # Whoever is registered late has not agreed before: a consent begins now, whenever the person joined.
        given = await known.read_open_facts_of(own.uid, now)
        agreed = {_agreement(each) for each in given if each.kind == "consents" and "until" not in each.properties}
        for purpose in consents:
            row = {"person_id": own.uid, "purpose": purpose, "text_version": text_version, "since": now}
            further += [each for each in facts_of("consents", row, source) if _agreement(each) not in agreed]
        return [own, *await _new(known, further)], own.uid

    return await store.decide_and_write(decide)


async def create_goal(
    store: Store,
    viewer: Viewer,
    goal: Row,
    *,
    needs: Sequence[Row] = (),
    source: str = SOURCE,
    external_id: str = "",
    now: datetime | None = None,
) -> str:
    """Records a goal of a person and the skills that it needs.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        goal: `person_id`, `title`, and where known `description`, `unit_id`, `created_on`.
        needs: Skills needed: `skill_id`, `level`.
        source: System that `external_id` belongs to.
        external_id: The goal's key there.
        now: The present instant.

    Returns:
        uid of the goal.
    """
    may_speak_for(viewer, goal.get("person_id"))
    now = now or present()
    told = _Told("goals", key_of(external_id, now), without_gaps(goal), source)

    async def decide(known: Store) -> tuple[list[Record], str]:
        own, *further = await told.facts(known, now)
        for place, need in enumerate(needs):
            row = {"goal_id": own.uid, "since": own.properties["since"], **without_gaps(need)}
            further += facts_at(f"needs.{place}", "goal_skills", row, source)
        return [own, *await _new(known, further)], own.uid

    return await store.decide_and_write(decide)


async def set_availability(
    store: Store,
    viewer: Viewer,
    person: str,
    windows: Sequence[Row],
    *,
    source: str = SOURCE,
    since: datetime | None = None,
) -> None:
    """Replaces the weekly windows of a person: those not told again end, new ones begin.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        windows: `weekday`, `start`, `end`, `zone`; none for no availability.
        source: Where this is known from.
        since: From when on; now if not given.
    """
    may_speak_for(viewer, person)
    since = since or present()
    told = [
        record
        for place, window in enumerate(windows)
        for record in facts_at(
            f"windows.{place}",
            "availability",
            {**window, "person_id": person, "since": since, "source": source},
            source,
        )
    ]
    _refuse_overlaps(told)
    wanted = {_window(each): each for each in told}

    async def decide(known: Store) -> tuple[list[Record], None]:
        await refuse_unknown_person(known, person)
        given = [each for each in await known.read_open_facts_of(person, since) if each.kind == "availability"]
        kept = {_window(each) for each in given if "until" not in each.properties}
        begun = [each for window, each in wanted.items() if window not in kept]
        over = [ended(each, since) for each in given if _window(each) not in wanted]
        return [*begun, *over], None

    await store.decide_and_write(decide)


async def record_consent(
    store: Store,
    viewer: Viewer,
    person: str,
    purpose: str,
    granted: bool,
    text_version: str,
    *,
    source: str = SOURCE,
    since: datetime | None = None,
) -> None:
    """Records that a person agrees to a purpose, or does so no longer.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        purpose: One of `vocabulary.PURPOSES`.
        granted: Whether they agree.
        text_version: Version of the text that they were shown.
        source: Where this is known from.
        since: From when on; now if not given.
    """
    may_speak_for(viewer, person)
    since = since or present()
    row = {"person_id": person, "purpose": purpose, "text_version": text_version, "since": since, "source": source}
    [told] = facts_of("consents", row, source)
    agreement = _agreement(told)

    async def decide(known: Store) -> tuple[list[Record], None]:
        await refuse_unknown_person(known, person)
        given = [
            each
            for each in await known.read_open_facts_of(person, since)
            if each.kind == "consents" and each.properties["purpose"] == told.properties["purpose"]
        ]
        if not granted:
            return [ended(each, since) for each in given], None
        is_given = any(_agreement(each) == agreement and "until" not in each.properties for each in given)
        return [] if is_given else [told], None

    await store.decide_and_write(decide)


@dataclass(frozen=True, slots=True)
class _Told:
    """A fact that somebody tells under the key of a source, perhaps not for the first time."""

    file: str
    key: str
    row: Row
    source: str

    async def facts(self, known: Store, now: datetime) -> list[Record]:
        """The facts of the row, its own first; what the graph knows of that one stays where nothing else is told."""
        kind = KINDS[self.file]
        uid = uid_of(self.source, self.file, self.key)
        node = (await known.read_nodes([uid], now)).get(uid)
        stored = dict(node.properties) if node is not None and node.kind == kind.label else {}
        stored.pop("changed", None)
        begins = next(each.column for each in kind.fields if each.name == "since")
        row = {begins: stored.get("since", now), **self.row, "id": self.key, "source": self.source}
        own, *further = facts_of(self.file, row, self.source)
        return [replace(own, properties={**stored, **own.properties}), *further]


async def _new(known: Store, records: Sequence[Record]) -> list[Record]:
    """Those of some facts that the graph does not know, unless they name a skill that is to be named no longer."""
    new = await _unknown(known, records)
    named = [each.links["skill"] for each in new if "skill" in each.links]
    for name in (await known.read_deprecated_skills(named)).values() if named else ():
        raise DomainError(f"the skill {name} is deprecated; name another one", code="CONFLICT", field="skillId")
    return new


async def _unknown(known: Store, records: Sequence[Record]) -> list[Record]:
    """Those of some facts that the graph does not know; a fact that it knows is not told anew, only a new one."""
    statuses = await known.compare(records) if records else {}
    return [each for each in records if statuses[each.uid] not in ("same", "changed", "ended")]


def may_speak_for(viewer: Viewer, person: object) -> None:
    """Refuses whoever is neither the person nor a coordinator.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.coordinates and viewer.person != person:
        raise DomainError("you may speak for yourself only", code="FORBIDDEN", field="personId")


def key_of(external_id: str, now: datetime) -> str:
    """The key by which a fact is told: that of its source, or a new one of ours."""
    if is_uid(external_id):
        raise InvalidFact([Problem("external_id", external_id, "has the form of our own ids", "use the source's key")])
    return external_id or new_uid(now, os.urandom(10))


def _window(record: Record) -> tuple[object, ...]:
    return tuple(record.properties[name] for name in ("weekday", "start", "end", "zone"))


def _agreement(record: Record) -> tuple[object, ...]:
    return record.properties["purpose"], record.properties["text_version"]


def facts_at(place: str, file: str, row: Row, source: str) -> list[Record]:
    """As `facts_of`; problems name the entry of a list that they are about, as in `windows.0.weekday`."""
    try:
        return facts_of(file, row, source)
    except InvalidFact as error:
        raise InvalidFact([replace(each, column=f"{place}.{each.column}") for each in error.problems]) from None


def _refuse_overlaps(windows: Sequence[Record]) -> None:
    """Refuses windows of one zone that share time; times of day are written so that they sort as text."""
    for place, each in enumerate(windows):
        weekday, start, end, zone = map(str, _window(each))
        for other in windows[:place]:
            other_weekday, other_start, other_end, other_zone = map(str, _window(other))
            if (weekday, zone) == (other_weekday, other_zone) and start < other_end and other_start < end:
                about = f"overlaps the window from {other_start} to {other_end} of the same day"
                raise InvalidFact([Problem(f"windows.{place}", f"{start} to {end}", about, "make one window of both")])


async def refuse_unknown_person(store: Store, person: str) -> None:
    """Refuses an id that is nobody's.

    Raises:
        DomainError: `NOT_FOUND`.
    """
    if (await store.find_existing([person])).get(person) != "Person":
        raise DomainError("no person has this id", code="NOT_FOUND", field="personId")
