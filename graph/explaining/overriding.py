"""Overrides: what coordinators decide about a recommendation, with a reason, beside the answer of the model.

Each is a dated fact of its own. Nothing that was answered is changed, no score ever is: a pin puts somebody first in
the list of a mentee, as far as the rules allow it, and a ban keeps two apart, each until a day. Accepting and swapping
ask the mentor in the way in which every request is made. Whoever thinks better of it ends the fact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.dated import ended, holds
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant, plain
from mentorgraph.graph.pairings.pairing import ended_as, requested, withdrawn
from mentorgraph.graph.people.recording import SOURCE, key_of
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

LASTING = ("pin", "forbid")
"""What holds until a day and changes later lists; anything else is done once."""

TOLD = ("action", "reason", "note", "until")
"""Properties that tell whether the same is decided again."""


@dataclass(frozen=True, slots=True)
class Override:
    """What a coordinator wants.

    Attributes:
        action: One of `vocabulary.OVERRIDES`.
        reason: One of `vocabulary.OVERRIDE_REASONS`.
        note: The reason in words.
        mentor: uid of the mentor in place of the recommended one; empty for that one.
        until: Until when a pin or a ban holds.
        for_all_goals: Whether a pin holds for all goals of the mentee and not only for the one that was asked about.
        is_proposal: Whether the mentee is to agree before the mentor is asked.
    """

    action: str
    reason: str
    note: str
    mentor: str = ""
    until: datetime | None = None
    for_all_goals: bool = False
    is_proposal: bool = False


async def override_match(
    store: Store,
    viewer: Viewer,
    decision: Decision,
    recommendation: str,
    wanted: Override,
    policy: Policy,
    *,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Records what a coordinator decides about a recommendation, and does it; deciding the same again changes nothing.

    `accept` asks the recommended mentor, `swap` another one, taking back what an earlier decision about the same
    recommendation asked for. `end` takes back what is asked of whoever was chosen, and ends their pairing. `pin` and
    `forbid` touch later lists only.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        decision: The kept answer.
        recommendation: uid of the recommendation, one of that answer.
        wanted: What is decided.
        policy: The policy of the whole organisation.
        source: System that `external_id` belongs to.
        external_id: The override's key there.
        clock: The present instant.

    Returns:
        uid of the override.

    Raises:
        DomainError: `FORBIDDEN`; `REASON_REQUIRED`; `NOT_FOUND`; `CONFLICT` where something else was decided that
            holds; `FORBIDDEN_MOVE` where there is nothing to end; as `pairing.request_mentor`.
        InvalidFact: Something of it cannot be taken.
    """
    _refuse_others(viewer)
    _refuse_without_reason(wanted)
    found = decision.find(recommendation)
    if found is None:
        raise DomainError("no recommendation has this id", code="NOT_FOUND", field="recommendationId")
    proposed = found.recommendation.mentor
    row: Row = {
        "action": wanted.action,
        "reason": wanted.reason,
        "note": wanted.note,
        "recommendation": recommendation,
        "until": wanted.until,
        "mentee_id": decision.mentee,
        "mentor_id": wanted.mentor,
        "proposed_id": proposed,
        "goal_id": "" if wanted.action == "forbid" or wanted.for_all_goals else decision.goal,
        "person_id": viewer.person,
    }

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = instant(clock())
        before = await known.read_overrides_of(decision.mentee)
        told = {name: value for name, value in row.items() if value}
        told |= {"id": key_of(external_id, now), "since": now}
        if not wanted.mentor:
            told["mentor_id"] = _chosen(before, recommendation, now) if wanted.action == "end" else proposed
            told["mentor_id"] = told["mentor_id"] or proposed
        [own] = facts_of("overrides", told, source)
        _refuse_times(own, wanted, now)
        if external_id and any(each.uid == own.uid for each in before):
            return [], own.uid
        before = [each for each in before if holds(each, now)]
        if (same := _same(own, before)) is not None:
            return [], same
        if (await known.find_existing([own.links["mentor"]])).get(own.links["mentor"]) != "Person":
            raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
        written: list[Record] = []
        if wanted.action not in LASTING:
            for each in before:
                if each.properties.get("recommendation") == recommendation and each.properties["action"] not in LASTING:
                    written += [ended(each, now), *await _taken_back(known, viewer, each, clock)]
        if wanted.action == "end":
            written += await _parted(known, viewer, own, written, clock)
        if wanted.action in ("accept", "swap"):
            asked: Row = {name: told[name] for name in ("mentee_id", "mentor_id", "goal_id") if name in told}
            records, request = await requested(
                known, viewer, asked, policy, now, is_proposal=wanted.is_proposal, key=f"of override {own.uid}"
            )
            written += records
            [own] = facts_of("overrides", {**told, "request_id": request}, source)
        return [*written, own], own.uid

    return await store.decide_and_write(decide)


async def end_override(store: Store, viewer: Viewer, override: str, note: str, *, clock: Clock = present) -> None:
    """Ends what a coordinator decided, and takes back the request that it led to where that is open still.

    A pairing that it became stays; ending an override again changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        override: uid of the override.
        note: Why, in words.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `REASON_REQUIRED`, `NOT_FOUND`.
        InvalidFact: The words cannot be taken.
    """
    _refuse_others(viewer)
    if not note.strip():
        raise DomainError("say in words why this ends", code="REASON_REQUIRED", field="note")

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        node = (await known.read_nodes([override], now)).get(override)
        if node is None or node.kind != "Override":
            raise DomainError("no override has this id", code="NOT_FOUND", field="overrideId")
        [own] = [each for each in await known.read_overrides_of(node.parties["mentee"]) if each.uid == override]
        if not holds(own, now):
            return [], None
        last = ended(own, now)
        told = {"ended_by": viewer.person, "end_note": note} if viewer.person else {"end_note": note}
        links = {f"{name}_id": uid for name, uid in own.links.items()}
        row: Row = {**last.properties, **told, **links, "id": own.uid}
        [over] = facts_of("overrides", row, SOURCE)
        return [over, *await _taken_back(known, viewer, own, clock)], None

    await store.decide_and_write(decide)


def _refuse_others(viewer: Viewer) -> None:
    if not viewer.coordinates:
        raise DomainError("only coordinators decide about recommendations", code="FORBIDDEN", field="recommendationId")


def _refuse_without_reason(wanted: Override) -> None:
    if not wanted.reason:
        raise DomainError("choose a reason; nobody decides without one", code="REASON_REQUIRED", field="reason")
    if not wanted.note.strip():
        raise DomainError("say the reason in words, too", code="REASON_REQUIRED", field="note")


def _refuse_times(own: Record, wanted: Override, now: datetime) -> None:
    until = own.properties.get("until")
    if wanted.action not in LASTING and until is not None:
        raise InvalidFact([Problem("until", plain(until), "is for a pin or a ban", "leave it out")])
    if isinstance(until, datetime) and until <= now:
        raise InvalidFact([Problem("until", plain(until), "is over", "give a later day")])


def _same(own: Record, before: Sequence[Record]) -> str | None:
    """The uid of what says the same already.

    Raises:
        DomainError: `CONFLICT`, what holds already contradicts it.
    """
    action = own.properties["action"]
    for each in before:
        if action in LASTING:
            is_alike = each.links["mentor"] == own.links["mentor"] and each.properties["action"] in LASTING
            other_goal = each.links.get("goal") != own.links.get("goal") and each.properties["action"] == action
            if not is_alike or other_goal:
                continue
        elif (each.properties.get("recommendation"), each.properties["action"], each.links["mentor"]) != (
            own.properties["recommendation"],
            action,
            own.links["mentor"],
        ):
            continue
        if all(each.properties.get(name) == own.properties.get(name) for name in TOLD):
            return each.uid
        done = {"pin": "pinned", "forbid": "forbidden"}.get(str(each.properties["action"]), "decided so")
        raise DomainError(
            f"this is {done} already, with another reason or until another day; end that first",
            code="CONFLICT",
            field="action",
        )
    return None


def _chosen(before: Sequence[Record], recommendation: str, now: datetime) -> str:
    """The mentor whom the last decision that holds about a recommendation chose; empty for none."""
    chosen = [
        each.links["mentor"]
        for each in before
        if holds(each, now)
        and each.properties.get("recommendation") == recommendation
        and each.properties["action"] not in LASTING
    ]
    return chosen[-1] if chosen else ""


async def _taken_back(known: Store, viewer: Viewer, override: Record, clock: Clock) -> list[Record]:
    """What takes back the request that an override led to, where it is open still."""
    request = override.links.get("request")
    open_requests = {each["uid"] for each in await known.read_open_requests_to(override.links["mentor"])}
    return await withdrawn(known, viewer, request, clock) if request in open_requests and request else []


async def _parted(
    known: Store, viewer: Viewer, own: Record, taken_back: Sequence[Record], clock: Clock
) -> list[Record]:
    """What ends whatever is open between the two beside what is taken back already: a request, and a pairing.

    Raises:
        DomainError: `FORBIDDEN_MOVE`, nothing is.
    """
    mentor, mentee = own.links["mentor"], own.links["mentee"]
    done = {each.uid for each in taken_back if each.kind == "requests"}
    written: list[Record] = []
    for each in await known.read_open_requests_to(mentor):
        if each["mentee"] == mentee and each["uid"] not in done:
            written += await withdrawn(known, viewer, each["uid"], clock)
    theirs, others = await known.read_matters_of(mentor), await known.read_matters_of(mentee)
    for pairing in sorted(set(theirs.pairings) & set(others.pairings)):
        records, was = await ended_as(known, viewer, pairing, "other", clock)
        if (was.links["mentor"], was.links["mentee"]) == (mentor, mentee):
            written += records
    if not written and not done:
        raise DomainError("nothing is open between the two", code="FORBIDDEN_MOVE", field="action")
    return written
