"""The life of requests and pairings: asked for, answered, agreed to, moved on and ended, each move kept as a fact.

A request is a fact of its own. Only the one that is accepted becomes a pairing, so nobody's past holds, and no model
learns from, what never took place. Where a request or pairing stands is the state of its last move; the state is
written beside it, since everything asks for it. Decisions are taken inside the transaction that writes, after the lock
on the change counter: of fifty who want the last place, one gets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Record, Row, uid_of
from mentorgraph.graph.facts.outcomes import settled
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.states import CLOCK, COORDINATOR, MENTEE, MENTOR, PAIRING, REQUEST, Moved
from mentorgraph.graph.pairings.milestones import refuse_open_milestones
from mentorgraph.graph.people.eligibility import read_pairs, refuse_mentee, seeker_of
from mentorgraph.graph.people.programmes import refuse_anything_new
from mentorgraph.graph.people.recording import SOURCE, key_of
from mentorgraph.graph.people.seeing import may_hear_of
from mentorgraph.graph.rules.evaluator import OF_THE_TIME_BEING, judge
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.store.pairing_reads import Matter
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import OPEN_STATES

ANSWER_WITHIN_DAYS = 14
"""How long a request waits for its answer where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Released:
    """A request that waits no longer, for no fault of whoever asked.

    Attributes:
        request: Its uid.
        mentee: uid of whoever asked, who is to be offered others.
        goal: uid of the goal; empty for none.
        programme: uid of the programme in which they asked; empty for none.
    """

    request: str
    mentee: str
    goal: str
    programme: str


async def request_mentor(
    store: Store,
    viewer: Viewer,
    request: Row,
    policy: Policy,
    *,
    is_proposal: bool = False,
    note: str = "",
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Asks a mentor on behalf of a mentee, or proposes a mentor to a mentee.

    Args:
        store: The graph.
        viewer: On whose behalf: the mentee, or a coordinator.
        request: `mentee_id`, `mentor_id`, and where wanted `goal_id`, `programme_id`, `answer_within_days`.
        policy: The policy of the whole organisation.
        is_proposal: Whether the mentee is to agree first; coordinators only.
        note: What the mentor should know.
        source: System that `external_id` belongs to.
        external_id: The request's key there; telling the same key again changes nothing.
        clock: The present instant.

    Returns:
        uid of the request.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `CONSENT_REQUIRED`, `NOT_ONBOARDED`, `NOT_ALLOWED` where a rule forbids
            the pair, `CONFLICT` where the same is asked already, `ARCHIVED` where the programme has ended.
    """
    mentee = str(request.get("mentee_id") or "")
    if not (viewer.coordinates or (viewer.person == mentee and not is_proposal)):
        told = "propose mentors" if is_proposal else "ask for others"
        raise DomainError(f"only coordinators {told}", code="FORBIDDEN", field="menteeId")

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = clock()
        key = key_of(external_id, now)
        uid = uid_of(source, "requests", key)
        if external_id and await known.read_request(uid, now):
            return [], uid
        return await requested(
            known, viewer, request, policy, now, is_proposal=is_proposal, note=note, source=source, key=key
        )

    return await store.decide_and_write(decide)


async def requested(
    known: Store,
    viewer: Viewer,
    request: Row,
    policy: Policy,
    now: datetime,
    *,
    key: str,
    is_proposal: bool = False,
    note: str = "",
    source: str = SOURCE,
    places: float = 1.0,
) -> tuple[list[Record], str]:
    """What asks a mentor on behalf of a mentee, and the uid of the request; see `request_mentor`.

    Args:
        known: The graph, inside the transaction that will write.
        viewer: On whose behalf.
        request: As of `request_mentor`.
        policy: The policy of the whole organisation.
        now: The present instant.
        key: The request's key in its source.
        is_proposal: Whether the mentee is to agree first.
        note: What the mentor should know.
        source: System that the key belongs to.
        places: How many places the mentor needs to have left, where more is asked of them at once.

    Raises:
        DomainError: As `request_mentor`, but for `FORBIDDEN`.
    """
    mentee, mentor, goal, programme = (
        str(request.get(name) or "") for name in ("mentee_id", "mentor_id", "goal_id", "programme_id")
    )
    state = "proposed" if is_proposal else "requested"
    if programme:
        await refuse_anything_new(known, programme, now)
    asker = await known.read_asker(mentee, goal or None, now, programme or None)
    if asker is None:
        raise DomainError("no person has this id", code="NOT_FOUND", field="menteeId")
    if goal and asker["goal"] is None:
        raise DomainError("this person has no goal with this id", code="NOT_FOUND", field="goalId")
    refuse_mentee(asker)
    seeker = seeker_of(asker, now, policy)
    pair = (await read_pairs(known, seeker, [mentor], now, wanted=places)).get(mentor)
    if pair is None or not (viewer.coordinates or may_hear_of(viewer, mentor, pair)):
        raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
    refuse(judge(pair, seeker.frame.policy.rules).refusals, viewer)
    waiting = await known.read_open_requests_to(mentor)
    if any(each["mentee"] == mentee for each in waiting):
        raise DomainError("this mentor is asked already and has not answered", code="CONFLICT", field="mentorId")
    told = {**_told(request), **({"programme_id": seeker.frame.programme} if seeker.frame.programme else {})}
    row = {"answer_within_days": ANSWER_WITHIN_DAYS, **told, "id": key, "asked_on": now, "status": state}
    [own] = facts_of("requests", row, source)
    return [own, move_of("request", own.uid, state, now, viewer, note=note)], own.uid


async def move_request(
    store: Store,
    viewer: Viewer,
    request: str,
    to: str,
    policy: Policy,
    *,
    reason: str = "",
    note: str = "",
    clock: Clock = present,
) -> str:
    """Answers a request, asks for more, takes it back; accepting it makes the pairing.

    Args:
        store: The graph.
        viewer: On whose behalf: the mentor, the mentee or a coordinator.
        request: uid of the request.
        to: One of `vocabulary.REQUEST_STATES`.
        policy: The policy of the whole organisation.
        reason: One of `vocabulary.REASONS`; needed to decline.
        note: A word to the other side.
        clock: The present instant.

    Returns:
        uid of the request.

    Raises:
        DomainError: As `states.Moved.check`; `NOT_FOUND`, also for whoever has no part in it; `EXPIRED`; `NOT_ALLOWED`
            where a rule forbids the pair by now.
    """

    async def decide(known: Store) -> tuple[list[Record], str]:
        matter = await known.read_request(request, clock())
        mover = _mover(matter, viewer)
        if matter is None or not mover:
            raise DomainError("no request has this id", code="NOT_FOUND", field="requestId")
        record = matter.record
        state, now = str(record.properties["status"]), matter.after(clock())
        REQUEST.check(state, to, mover, reason)
        if _deadline(record) <= now:
            ended = _deadline(record).date().isoformat()
            raise DomainError(f"this request expired on {ended}; ask again", code="EXPIRED", field="requestId")
        written = [
            moved_to(record, REQUEST, to, now),
            move_of("request", request, to, now, viewer, reason=reason, note=note),
        ]
        if to == "accepted":
            written += await _accepted(known, viewer, matter, now, policy)
        return written, request

    return await store.decide_and_write(decide)


async def _accepted(known: Store, viewer: Viewer, matter: Matter, now: datetime, policy: Policy) -> Sequence[Record]:
    """The pairing that an accepted request becomes, if no rule forbids it by now."""
    links = matter.record.links
    mentor, mentee = links["mentor"], links["mentee"]
    asker = await known.read_asker(mentee, links.get("goal"), now, links.get("programme"))
    assert asker is not None  # noqa: S101 - the request is theirs
    seeker = seeker_of(asker, now, policy)
    pair = (await read_pairs(known, seeker, [mentor], now))[mentor]
    # As of now, and not of the instant before: who was accepted in this very moment has a place.
    pair = replace(pair, taken=matter.taken, taken_in_programme=matter.taken_in_programme)
    found = judge(pair, seeker.frame.policy.rules).refusals
    refuse([each for each in found if each.rule not in OF_THE_TIME_BEING], viewer)
    pairing = pairing_of(matter.record.uid)
    parties = {f"{name}_id": uid for name, uid in links.items()}
    told: Row = {**parties, "id": pairing, "started_on": now, "status": "accepted"}
    return [*facts_of("pairings", told, SOURCE), move_of("pairing", pairing, "accepted", now, viewer)]


def pairing_of(request: str) -> str:
    """The uid of the pairing that a request becomes when it is accepted."""
    return uid_of("mentorgraph", "pairings", f"of request {request}")


async def sign_agreement(
    store: Store, viewer: Viewer, pairing: str, text_version: str, *, clock: Clock = present
) -> None:
    """Records that one of a pair agrees to how they work together; nobody signs for somebody else.

    Args:
        store: The graph.
        viewer: On whose behalf: the mentor or the mentee.
        pairing: uid of the pairing.
        text_version: Version of the text that they agree to; signing the same one again changes nothing.
        clock: The present instant.

    Raises:
        DomainError: `NOT_FOUND`, `FORBIDDEN`, `FORBIDDEN_MOVE` where the pairing is over.
        InvalidFact: The version is no text.
    """

    async def decide(known: Store) -> tuple[list[Record], None]:
        matter = await known.read_pairing(pairing)
        mover = _mover(matter, viewer)
        if matter is None or not mover:
            raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
        if viewer.person not in (matter.record.links["mentor"], matter.record.links["mentee"]):
            raise DomainError("only the two people of a pairing sign for it", code="FORBIDDEN", field="pairingId")
        if matter.record.properties["status"] not in OPEN_STATES:
            raise DomainError("this pairing is over", code="FORBIDDEN_MOVE", field="pairingId")
        row = {"pairing_id": pairing, "person_id": viewer.person, "text_version": text_version}
        [signed] = facts_of("signatures", {**row, "signed_on": clock()}, SOURCE)
        is_known = (viewer.person, signed.properties["text_version"]) in matter.signatures
        return [] if is_known else [signed], None

    await store.decide_and_write(decide)


async def move_pairing(
    store: Store,
    viewer: Viewer,
    pairing: str,
    to: str,
    *,
    reason: str = "",
    note: str = "",
    clock: Clock = present,
) -> None:
    """Begins, pauses, resumes, completes or ends a pairing.

    Args:
        store: The graph.
        viewer: On whose behalf: the mentor, the mentee or a coordinator.
        pairing: uid of the pairing.
        to: One of `vocabulary.PAIRING_STATES`.
        reason: One of `vocabulary.REASONS`; needed to end it, and to complete it while a milestone is planned.
        note: A word to the other side.
        clock: The present instant.

    Raises:
        DomainError: As `states.Moved.check`; `NOT_FOUND`, also for whoever has no part in it; `NOT_SIGNED` where both
            have not signed the same agreement.
    """

    async def decide(known: Store) -> tuple[list[Record], None]:
        matter = await known.read_pairing(pairing)
        mover = _mover(matter, viewer)
        if matter is None or not mover:
            raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
        record = matter.record
        state, now = str(record.properties["status"]), matter.after(clock())
        PAIRING.check(state, to, mover, reason)
        if to not in OPEN_STATES and not reason:
            refuse_open_milestones((await known.read_milestones_of([pairing]))[pairing])
        if state == "accepted" and to == "active":
            _refuse_unsigned(matter)
        moved = moved_to(record, PAIRING, to, now)
        if "until" in moved.properties:
            moved = settled((await known.read_courses([pairing]))[pairing].told([moved]))
        return [moved, move_of("pairing", pairing, to, now, viewer, reason=reason, note=note)], None

    await store.decide_and_write(decide)


async def released_from(known: Store, mentor: str, clock: Clock) -> tuple[list[Record], list[Released]]:
    """What releases the requests that wait for a mentor, who is not there to answer them.

    Args:
        known: The graph, inside the transaction that will write.
        mentor: uid of the mentor.
        clock: The present instant.

    Returns:
        What is to be written, and what is released, so that each mentee can be offered others.
    """
    written: list[Record] = []
    released = []
    for each in await known.read_open_requests_to(mentor):
        written += await _timed_out(known, each["uid"], "released", clock)
        released.append(Released(each["uid"], each["mentee"], each["goal"] or "", each["programme"] or ""))
    return written, released


async def withdrawn(known: Store, viewer: Viewer, request: str, clock: Clock) -> list[Record]:
    """What takes back a request of somebody who is not there any more, on behalf of a coordinator."""
    matter = await known.read_request(request, clock())
    assert matter is not None  # noqa: S101 - it was read in this transaction
    now = matter.after(clock())
    REQUEST.check(str(matter.record.properties["status"]), "withdrawn", COORDINATOR, "")
    return [moved_to(matter.record, REQUEST, "withdrawn", now), move_of("request", request, "withdrawn", now, viewer)]


async def ended_as(
    known: Store, viewer: Viewer, pairing: str, reason: str, clock: Clock
) -> tuple[list[Record], Record]:
    """What ends a pairing for a reason, on behalf of a coordinator; and the pairing as it was."""
    matter = await known.read_pairing(pairing)
    assert matter is not None  # noqa: S101 - it was read in this transaction
    now = matter.after(clock())
    PAIRING.check(str(matter.record.properties["status"]), "ended", COORDINATOR, reason)
    moved = moved_to(matter.record, PAIRING, "ended", now)
    moved = settled((await known.read_courses([pairing]))[pairing].told([moved]))
    return [moved, move_of("pairing", pairing, "ended", now, viewer, reason=reason)], matter.record


async def expire_requests(store: Store, *, clock: Clock = present) -> list[Released]:
    """Ends the requests that nobody answered in time.

    Returns:
        What has expired, so that each mentee can be offered others.
    """

    async def decide(known: Store) -> tuple[list[Record], list[Released]]:
        written: list[Record] = []
        expired = []
        for each in await known.read_open_requests():
            if each["asked_on"] + timedelta(days=each["days"]) <= clock():
                written += await _timed_out(known, each["uid"], "expired", clock)
                expired.append(Released(each["uid"], each["mentee"], each["goal"] or "", each["programme"] or ""))
        return written, expired

    return await store.decide_and_write(decide)


async def _timed_out(known: Store, request: str, to: str, clock: Clock) -> list[Record]:
    """A request that waits no longer, for reasons that are nobody's."""
    matter = await known.read_request(request, clock())
    assert matter is not None  # noqa: S101 - it was read in this transaction
    now = matter.after(clock())
    REQUEST.check(str(matter.record.properties["status"]), to, CLOCK, "")
    return [moved_to(matter.record, REQUEST, to, now), move_of("request", request, to, now, Viewer())]


def moved_to(record: Record, by: Moved, to: str, now: datetime) -> Record:
    """A request or pairing where it stands after a move; what cannot go on from there has ended."""
    ended = {} if to in by.open_states else {"until": now}
    return replace(record, properties={**record.properties, "status": to, **ended})


def move_of(of: str, uid: str, state: str, now: datetime, viewer: Viewer, **told: str) -> Record:
    """The fact that something was moved.

    Args:
        of: `request` or `pairing`.
        uid: Which one.
        state: Where to.
        now: When.
        viewer: On whose behalf; nobody in particular where they are no person.
        **told: `reason`, `note` and `cause`, where there is one.
    """
    row = {**told, f"{of}_id": uid, "moved_on": now, "state": state, "person_id": viewer.person}
    [move] = facts_of("moves", row, SOURCE)
    return move


def _mover(matter: Matter | None, viewer: Viewer) -> str:
    """As what a viewer moves something; empty for whoever has no part in it."""
    links = matter.record.links if matter is not None else {}
    if viewer.person and viewer.person == links.get("mentor"):
        return MENTOR
    if viewer.person and viewer.person == links.get("mentee"):
        return MENTEE
    return COORDINATOR if viewer.coordinates else ""


def _deadline(request: Record) -> datetime:
    asked, days = request.properties["since"], request.properties["answer_within_days"]
    assert isinstance(asked, datetime)  # noqa: S101
    assert isinstance(days, int)  # noqa: S101
    return asked + timedelta(days=days)


def refuse(found: Sequence[Refusal], viewer: Viewer, field: str = "mentorId") -> None:
    """Refuses a pair that rules forbid; participants are not told what is the case with somebody else.

    Raises:
        DomainError: `NO_CAPACITY` or `NOT_ALLOWED`.
    """
    if not found:
        return
    if not viewer.coordinates:
        full = any(each.rule == "NO_CAPACITY" for each in found)
        told = "no place is left" if full else "this pair cannot be made now; ask your coordinator"
        raise DomainError(told, code="NO_CAPACITY" if full else "NOT_ALLOWED", field=field)
    told = "; ".join(f"{each.fact} ({each.remedy})" if each.remedy else each.fact for each in found)
    code = "NO_CAPACITY" if [each.rule for each in found] == ["NO_CAPACITY"] else "NOT_ALLOWED"
    raise DomainError(f"a rule forbids this pair: {told}", code=code, field=field)


def _refuse_unsigned(matter: Matter) -> None:
    both = [
        {version for person, version in matter.signatures if person == matter.record.links[side]}
        for side in ("mentor", "mentee")
    ]
    if not both[0] & both[1]:
        waits = " and ".join(f"the {side}" for side, own in zip(("mentor", "mentee"), both, strict=True) if not own)
        told = f"{waits} has not signed" if waits else "the two have signed different versions of"
        raise DomainError(f"{told} the agreement", code="NOT_SIGNED", field="pairingId")


def _told(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in (None, "")}
