"""Who takes part in a programme at which tier: tiers and the trainings they ask for as data, and who is eligible.

Tiers and trainings are dated facts like charters: a revision ends one and begins another. What is written here is
checked and refused as in `graph.programmes`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, since_of, until_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row, uid_of
from mentorgraph.graph.facts.rows import facts_of, without_gaps
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.people.participants import Participant
from mentorgraph.graph.people.programmes import (
    configuration_of,
    refuse_ended,
    refuse_outside,
    refuse_participants,
    said,
    says_the_same,
)
from mentorgraph.graph.people.recording import SOURCE, key_of, may_speak_for
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.rules.tiers import Ending, Tier, ending, unmet
from mentorgraph.graph.store.programme_reads import Configuration
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import PROGRAMME_ROLES


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether somebody may stand in a tier.

    Attributes:
        tier: The tier.
        unmet: What keeps them from it; nothing where they are eligible.
        ending: That they will lose it soon; None where that is not known.
    """

    tier: Tier
    unmet: tuple[Refusal, ...]
    ending: Ending | None = None


async def eligibility(
    store: Store, viewer: Viewer, person: str, programme: str, role: str, *, now: datetime | None = None
) -> list[Eligibility]:
    """For each tier of a role, the lowest first, whether a person may stand in it and what keeps them from it.

    Args:
        store: The graph.
        viewer: On whose behalf: the person, or a coordinator.
        person: uid of the person.
        programme: uid of the programme.
        role: One of `vocabulary.PROGRAMME_ROLES`.
        now: The instant as of which facts count; now if not given.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `BAD_USER_INPUT`.
    """
    may_speak_for(viewer, person)
    if role not in PROGRAMME_ROLES:
        choices = " or ".join(PROGRAMME_ROLES)
        raise DomainError(f"tiers are for {choices}; choose one of them", code="BAD_USER_INPUT", field="role")
    now = now or present()
    found = await store.read_standing(person, programme, role, now)
    if found is None:
        is_known = (await store.find_existing([person])).get(person) == "Person"
        what, field = ("programme", "programmeId") if is_known else ("person", "personId")
        raise DomainError(f"no {what} has this id", code="NOT_FOUND", field=field)
    standing, tiers = found
    return [Eligibility(tier, tuple(unmet(tier, standing, now)), ending(tier, standing, now)) for tier in tiers]


async def list_endings(store: Store, known: Iterable[Participant], now: datetime) -> dict[str, list[Ending]]:
    """The tiers that people hold where they are enrolled and will lose soon, unless they take a training again.

    Args:
        store: The graph.
        known: The people. An enrolment that names no role counts for every role that there are tiers for.
        now: The instant as of which facts count.

    Returns:
        uid → what ends, the most urgent first; empty for who loses nothing.
    """
    people = {each.person.uid: each for each in known}
    asked = {
        (uid, each.links["programme"], role)
        for uid, own in people.items()
        for each in own.holding("memberships")
        for role in PROGRAMME_ROLES
        if each.properties.get("role", role) == role
    }
    found: dict[str, list[Ending]] = {uid: [] for uid in people}
    for (person, _, _), (standing, tiers) in (await store.read_standings(sorted(asked), now) if asked else {}).items():
        found[person] += filter(None, (ending(tier, standing, now) for tier in tiers))
    return {uid: sorted(each, key=lambda one: (one.until, one.tier.uid)) for uid, each in found.items()}


async def set_tier(
    store: Store,
    viewer: Viewer,
    programme: str,
    row: Row,
    trainings: Sequence[str],
    *,
    since: datetime | None = None,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Records a tier of a programme and the trainings that it asks for.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        programme: uid of the programme.
        row: `name`, `role`, `rank`, and where wanted the other columns of a tier.
        trainings: uids of trainings.
        since: From when on; now if not given, or when the programme begins where that is later.
        source: System that `external_id` belongs to.
        external_id: The tier's key there; telling the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the tier.

    Raises:
        DomainError: `CONFLICT`, another tier of the role has that rank.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        key = key_of(external_id, now)
        uid = uid_of(source, "tiers", key)
        around = await configuration_of(known, programme)
        if any(each.uid == uid for each in around.tiers):
            return [], uid
        begin = instant(since or max(now, since_of(around.programme)))
        [tier] = facts_of("tiers", {**without_gaps(row), "id": key, "programme_id": programme, "since": begin}, source)
        refuse_ended(around, now)
        refuse_outside(around, begin)
        _refuse_taken_rank(around, tier)
        return [tier, *await _demands(known, tier, trainings, source)], uid

    return await store.decide_and_write(decide)


async def revise_tier(
    store: Store,
    viewer: Viewer,
    tier: str,
    changes: Row,
    trainings: Sequence[str] | None = None,
    *,
    since: datetime | None = None,
    source: str = SOURCE,
    clock: Clock = present,
) -> str:
    """Ends a tier and begins another one in its place; saying what it says already changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        tier: uid of the tier.
        changes: Columns that are to be otherwise, None for what is to be asked for no longer; the others stay.
        trainings: uids of all trainings that are asked for from then on; as before if not given.
        since: From when on; now if not given.
        source: Where this is known from.
        clock: The present instant.

    Returns:
        uid of the tier that holds from then on.

    Raises:
        DomainError: `CONFLICT`, it has ended, or another tier has the rank; `BAD_USER_INPUT`, it begins later itself.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        begin = instant(since or now)
        around, old = await _tier_of(known, tier)
        asked = _asked_by(around, tier)
        wanted = asked if trainings is None else list(dict.fromkeys(trainings))
        uid = uid_of("mentorgraph", "tiers", f"{tier} from {plain(begin)}")
        links = {"programme_id": around.programme.uid}
        [new] = facts_of("tiers", {**said(old), **changes, **links, "id": uid, "since": begin}, source)
        if any(each.uid == uid and says_the_same(each, new) for each in around.tiers) and (
            trainings is None or sorted(wanted) == sorted(_asked_by(around, uid))
        ):
            return [], uid
        if until_of(old) is None and says_the_same(old, new) and sorted(asked) == sorted(wanted):
            return [], tier
        refuse_ended(around, now)
        if until_of(old) is not None:
            message = f"this tier ends on {plain(until_of(old))}; revise the one that follows it, or set a new one"
            raise DomainError(message, code="CONFLICT", field="tierId")
        if begin <= since_of(old):
            early = f"since does not lie after {plain(since_of(old))}, when this tier began; give a later instant"
            raise DomainError(early, code="BAD_USER_INPUT", field="since")
        refuse_outside(around, begin)
        _refuse_taken_rank(around, new, besides=tier)
        return [*_end(around, old, begin), new, *await _demands(known, new, wanted, source)], uid

    return await store.decide_and_write(decide)


async def end_tier(
    store: Store, viewer: Viewer, tier: str, *, until: datetime | None = None, clock: Clock = present
) -> None:
    """Ends a tier; ending it again changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        tier: uid of the tier.
        until: The first instant at which it holds no longer; now if not given.
        clock: The present instant.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], None]:
        at = instant(until or clock())
        around, old = await _tier_of(known, tier)
        if _is_over(old, at):
            return [], None
        _refuse_end_before(old, at)
        return _end(around, old, at), None

    await store.decide_and_write(decide)


async def define_training(
    store: Store,
    viewer: Viewer,
    row: Row,
    *,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Records a training that people can take.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        row: `name`, and where known `description`, `minutes`, `valid_days`, `link`, `since`, `until`.
        source: System that `external_id` belongs to.
        external_id: The training's key there; telling the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the training.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        key = key_of(external_id, now)
        uid = uid_of(source, "trainings", key)
        if uid in await known.find_existing([uid]):
            return [], uid
        return facts_of("trainings", {"since": now, **without_gaps(row), "id": key}, source), uid

    return await store.decide_and_write(decide)


async def end_training(
    store: Store, viewer: Viewer, training: str, *, until: datetime | None = None, clock: Clock = present
) -> None:
    """Ends a training, which no tier asks for from then on; ending it again changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        training: uid of the training.
        until: The first instant at which it is taken no longer; now if not given.
        clock: The present instant.
    """
    refuse_participants(viewer)

    async def decide(known: Store) -> tuple[list[Record], None]:
        at = instant(until or clock())
        found = await known.read_training(training, at)
        if found is None:
            raise DomainError("no training has this id", code="NOT_FOUND", field="trainingId")
        own, demands = found
        if _is_over(own, at):
            return [], None
        _refuse_end_before(own, at)
        return [ended(each, at) for each in (own, *demands)], None

    await store.decide_and_write(decide)


async def _tier_of(known: Store, tier: str) -> tuple[Configuration, Record]:
    """A tier, and the programme that it belongs to."""
    programme = await known.find_programme_of_tier(tier)
    if programme is None:
        raise DomainError("no tier has this id", code="NOT_FOUND", field="tierId")
    around = await configuration_of(known, programme)
    return around, next(each for each in around.tiers if each.uid == tier)


def _asked_by(around: Configuration, tier: str) -> list[str]:
    """The trainings that a tier asks for, and will go on to."""
    return [each.links["training"] for each in around.demands if each.links["tier"] == tier and until_of(each) is None]


def _is_over(record: Record, at: datetime) -> bool:
    until = until_of(record)
    return until is not None and until <= at


def _end(around: Configuration, tier: Record, at: datetime) -> list[Record]:
    """A tier that ends, with what it asks for."""
    demands = [each for each in around.demands if each.links["tier"] == tier.uid and (until_of(each) or at) >= at]
    return [ended(each, at) for each in (tier, *demands)]


async def _demands(known: Store, tier: Record, trainings: Sequence[str], source: str) -> list[Record]:
    """That a tier asks for some trainings, which are to be open when it begins."""
    wanted = list(dict.fromkeys(trainings))
    nodes = await known.read_nodes(wanted, since_of(tier))
    written = []
    for place, uid in enumerate(wanted):
        node = nodes.get(uid)
        if node is None or node.kind != "Training":
            raise DomainError("no training has this id", code="NOT_FOUND", field=f"trainingIds.{place}")
        over = node.properties.get("until")
        if over is not None and over <= since_of(tier):
            message = f"'{node.properties['name']}' ended on {plain(over)}; ask for another training"
            raise DomainError(message, code="CONFLICT", field=f"trainingIds.{place}")
        row = {"tier_id": tier.uid, "training_id": uid, "since": since_of(tier)}
        written += facts_of("tier_trainings", row, source)
    return written


def _refuse_taken_rank(around: Configuration, tier: Record, besides: str = "") -> None:
    """Refuses a rank that another tier of the same role has at any time from the beginning of this one on."""
    for each in around.tiers:
        until = until_of(each)
        same = all(each.properties[name] == tier.properties[name] for name in ("role", "rank"))
        if same and each.uid != besides and (until is None or until > since_of(tier)):
            role, rank, name = (tier.properties["role"], tier.properties["rank"], each.properties["name"])
            message = f"rank {rank} for a {role} is that of '{name}'; choose another rank, or end that tier"
            raise DomainError(message, code="CONFLICT", field="rank")


def _refuse_end_before(record: Record, at: datetime) -> None:
    if at < since_of(record):
        raise InvalidFact(
            [Problem("until", plain(at), f"lies before {plain(since_of(record))}", "give a later instant")]
        )
