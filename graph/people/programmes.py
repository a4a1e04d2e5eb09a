"""Programmes as configuration that can be read as of any day: charters in versions, clones, and an end that is clean.

A programme is measured by its charter. Revising it ends the version that holds and begins a new one, so what a pairing
was judged by stays known. Everything is written as dated facts, in one transaction, with everybody else waiting. All
raise `InvalidFact` for values that cannot be taken, and `DomainError` where the viewer may not say it (`FORBIDDEN`),
what it refers to does not exist (`NOT_FOUND`), or the programme has ended (`ARCHIVED`).
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, holds, since_of, until_of
from mentorgraph.graph.facts.model import Record, Row, uid_of
from mentorgraph.graph.facts.rows import facts_of, row_of, without_gaps
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.people.recording import SOURCE, facts_at, key_of
from mentorgraph.graph.store.programme_reads import Configuration, Engagements
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

IDENTITY = frozenset({"id", "uid", "external_id", "source", "since", "until"})
"""What tells two versions apart that say the same."""

_A_MOMENT = timedelta(milliseconds=1)


async def create_programme(
    store: Store,
    viewer: Viewer,
    programme: Row,
    charter: Row,
    *,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Records a programme together with its first charter.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: `name`, and where known `format`, `since`, `until`, `check_in_days`.
        charter: `why`, `for_whom`, `how_measured`, and where known the other columns of a charter.
        source: System that `external_id` belongs to.
        external_id: The programme's key there; telling the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the programme.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        key = key_of(external_id, now)
        uid = uid_of(source, "programmes", key)
        if uid in await known.find_existing([uid]):
            return [], uid
        [own] = facts_of("programmes", {"since": now, **without_gaps(programme), "id": key}, source)
        row = {**without_gaps(charter), "programme_id": uid, "since": since_of(own)}
        [first] = facts_at("charter", "charters", row, source)
        await _refuse_unknown_owner(known, first, "charter.ownerId")
        return [own, first], uid

    return await store.decide_and_write(decide)


async def revise_charter(
    store: Store,
    viewer: Viewer,
    programme: str,
    changes: Row,
    *,
    since: datetime | None = None,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Ends the version of a charter that holds and begins another one; saying what it says already changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme.
        changes: Columns of a charter that are to be otherwise, None for what is to be said no longer; the others stay.
        since: When the new version begins; now if not given.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `BAD_USER_INPUT`, it would begin before the latest version or outside the programme; `CONFLICT`,
            another version begins at that very instant.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = clock()
        begin = instant(since or now)
        known_as = await configuration_of(known, programme)
        last = known_as.charters[-1] if known_as.charters else None
        rival = next((each for each in known_as.charters if since_of(each) == begin), None)
        told_before = rival or last
        base = said(told_before) if told_before is not None else {}
        row = {**base, **changes, "programme_id": programme, "since": begin}
        [version] = facts_of("charters", row, source)
        if told_before is not None and since_of(told_before) <= begin and says_the_same(told_before, version):
            return [], None
        refuse_version(known_as, known_as.charters, begin, now)
        await _refuse_unknown_owner(known, version, "ownerId")
        is_open = last is not None and (until_of(last) or begin) >= begin
        return [*([ended(last, begin)] if last is not None and is_open else []), version], None

    await store.decide_and_write(decide)


async def clone_programme(
    store: Store,
    viewer: Viewer,
    programme: str,
    row: Row,
    *,
    owner: str | None = None,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Records a new programme that is laid down like another one: charter, policy, tiers, trainings, onboarding.

    Nobody is taken over: no members, no pairings, and no owner.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme to be like: as it is, or as it was when it ended.
        row: `name`, and where wanted `since` and `until`.
        owner: uid of who answers for the new one.
        source: System that `external_id` belongs to.
        external_id: Key of the new one there; telling the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the new programme.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        key = key_of(external_id, now)
        uid = uid_of(source, "programmes", key)
        pattern = await configuration_of(known, programme)
        if uid in await known.find_existing([uid]):
            return [], uid
        [own] = facts_of(
            "programmes", {"since": now, **said(pattern.programme), **without_gaps(row), "id": key}, source
        )
        begin, at = since_of(own), _when_it_is_itself(pattern, now)
        new: dict[str, object] = {"programme_id": uid, "since": begin}
        written = [own]
        charter = pattern.latest_charter(at)
        if charter is not None:
            written += facts_of("charters", {**said(charter), "owner_id": owner, **new}, source)
            await _refuse_unknown_owner(known, written[-1], "ownerId")
        successors = {}
        if (policy := pattern.policy_at(at)) is not None:
            written += facts_of("policies", {**said(policy), **new}, source)
        for each in (*pattern.tiers, *pattern.steps):
            if holds(each, at):
                successors[each.uid] = successor = uid_of("mentorgraph", each.kind, f"{each.uid} in {uid}")
                written += facts_of(each.kind, {**said(each), **new, "id": successor}, source)
        demands = [each for each in pattern.demands if holds(each, at) and each.links["tier"] in successors]
        trainings = await known.read_nodes((each.links["training"] for each in demands), now)
        for each in demands:
            over = trainings[each.links["training"]].properties.get("until")
            if over is None or over > begin:
                asked = {"tier_id": successors[each.links["tier"]], "training_id": each.links["training"]}
                written += facts_of("tier_trainings", {**asked, "since": begin}, source)
        return written, uid

    return await store.decide_and_write(decide)


async def archive_programme(store: Store, viewer: Viewer, programme: str, *, clock: Clock = present) -> None:
    """Ends a programme with its charter, policy, tiers, onboarding and memberships; all of it stays readable.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme.
        clock: The present instant.

    Raises:
        DomainError: `IN_USE`, pairings or requests of it are open; `CONFLICT`, it is archived already.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        known_as = await configuration_of(known, programme)
        going_on = await known.read_engagements(programme, now)
        open_ones = [each for each in _facts_of(known_as, going_on.memberships) if not _is_over(each, now)]
        if not open_ones:
            over = plain(until_of(known_as.programme))
            message = f"this programme is archived since {over}; there is nothing left to end"
            raise DomainError(message, code="CONFLICT", field="programmeId")
        _refuse_open(going_on)
        return [ended(each, now) for each in open_ones], None

    await store.decide_and_write(decide)


async def refuse_anything_new(known: Store, programme: str, now: datetime) -> None:
    """Refuses what would begin something new in a programme that is unknown or has ended.

    Raises:
        DomainError: `NOT_FOUND` or `ARCHIVED`.
    """
    refuse_ended(await configuration_of(known, programme), now)


def config_hash(configuration: Configuration, now: datetime) -> str:
    """A hash of how a programme is laid down as of an instant, or as of when it ended: equal for what is run alike.

    It covers format, check-in days, charter, policy, tiers with the trainings they ask for, and onboarding; it leaves
    out the name, all dates, ids and people.
    """
    at = _when_it_is_itself(configuration, now)
    charter = configuration.latest_charter(at)
    holding = {each.uid: each for each in configuration.tiers if holds(each, at)}
    asked: dict[str, list[str]] = {uid: [] for uid in holding}
    for each in configuration.demands:
        if holds(each, at) and each.links["tier"] in asked:
            asked[each.links["tier"]].append(each.links["training"])
    laid_down = {
        "programme": _wording(configuration.programme, besides="name"),
        "charter": _wording(charter) if charter is not None else None,
        "tiers": sorted([_wording(each), sorted(asked[uid])] for uid, each in holding.items()),
        **({"policy": policy.properties["content"]} if (policy := configuration.policy_at(at)) is not None else {}),
        "steps": sorted(_wording(each) for each in configuration.steps if holds(each, at)),
    }
    return hashlib.sha256(json.dumps(laid_down, sort_keys=True).encode()).hexdigest()


async def configuration_of(known: Store, programme: str) -> Configuration:
    """A programme as it was laid down.

    Raises:
        DomainError: `NOT_FOUND`.
    """
    found = await known.read_programmes([programme])
    if programme not in found:
        raise DomainError("no programme has this id", code="NOT_FOUND", field="programmeId")
    return found[programme]


def refuse_participants(viewer: Viewer) -> None:
    """Refuses whoever does not coordinate.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators lay down how programmes are run", code="FORBIDDEN")


def refuse_version(around: Configuration, versions: Sequence[Record], begin: datetime, now: datetime) -> None:
    """Raises `DomainError` where no further version of something can begin at an instant.

    Args:
        around: The programme.
        versions: Those that there are, oldest first.
        begin: The instant.
        now: The present one.
    """
    refuse_ended(around, now)
    if any(since_of(each) == begin for each in versions):
        told_twice = f"another version begins on {plain(begin)}; give a later instant"
        raise DomainError(told_twice, code="CONFLICT", field="since")
    if versions and begin < since_of(versions[-1]):
        early = (
            f"since lies before {plain(since_of(versions[-1]))}, when the latest version began; give a later instant"
        )
        raise DomainError(early, code="BAD_USER_INPUT", field="since")
    refuse_outside(around, begin)


def refuse_ended(configuration: Configuration, now: datetime) -> None:
    """Refuses what would change or begin something in a programme that has ended.

    Raises:
        DomainError: `ARCHIVED`.
    """
    over = configuration.ended(now)
    if over is not None:
        message = f"this programme ended on {plain(over)}; clone it to go on"
        raise DomainError(message, code="ARCHIVED", field="programmeId")


def refuse_outside(configuration: Configuration, begin: datetime) -> None:
    """Refuses a beginning outside the time of a programme.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    first, over = since_of(configuration.programme), until_of(configuration.programme)
    if begin < first or (over is not None and begin >= over):
        span = f"from {plain(first)}" + (f" to {plain(over)}" if over is not None else " on")
        raise DomainError(
            f"since lies outside the programme, which runs {span}; correct it", code="BAD_USER_INPUT", field="since"
        )


def says_the_same(one: Record, other: Record) -> bool:
    """Whether two versions differ in nothing but their time and where they are known from."""
    return _content(one) == _content(other)


def said(record: Record) -> dict[str, object]:
    """The row of a fact without its identity and time."""
    return {name: value for name, value in row_of(record).items() if name not in IDENTITY}


def _wording(record: Record, besides: str = "") -> list[list[str]]:
    """What a fact says, in text, without its identity, time and links."""
    left_out = IDENTITY | {besides}
    return sorted([name, plain(value)] for name, value in record.properties.items() if name not in left_out)


def _content(record: Record) -> tuple[object, object]:
    return {name: value for name, value in record.properties.items() if name not in IDENTITY}, dict(record.links)


def _facts_of(configuration: Configuration, memberships: Sequence[Record]) -> Iterator[Record]:
    """Everything that ends with a programme."""
    yield configuration.programme
    yield from configuration.charters
    yield from configuration.policies
    yield from configuration.tiers
    yield from configuration.demands
    yield from configuration.steps
    yield from memberships


def _is_over(record: Record, now: datetime) -> bool:
    until = until_of(record)
    return until is not None and until <= max(now, since_of(record))


def _refuse_open(going_on: Engagements) -> None:
    waits = []
    if going_on.pairings:
        waits.append(f"open pairings: {going_on.pairings} (complete or end them)")
    if going_on.requests:
        waits.append(f"open requests: {going_on.requests} (have them answered or withdrawn)")
    if waits:
        raise DomainError(
            f"this programme cannot be archived yet; {', '.join(waits)}", code="IN_USE", field="programmeId"
        )


def _when_it_is_itself(configuration: Configuration, now: datetime) -> datetime:
    """The instant as of which a programme is to be copied: now, or the nearest one at which it runs."""
    over = configuration.ended(now)
    return max(since_of(configuration.programme), now if over is None else over - _A_MOMENT)


async def _refuse_unknown_owner(known: Store, charter: Record, field: str) -> None:
    owner = charter.links.get("owner")
    if owner is not None and (await known.find_existing([owner])).get(owner) != "Person":
        raise DomainError("no person has this id", code="NOT_FOUND", field=field)
