"""Co-mentors: who shares a pairing with its mentor, and takes over a part of the place that it takes up.

A place is shared, never doubled: what the co-mentors take over, the mentor has left, and all of it counts in the rule
about places.
"""

from dataclasses import replace
from datetime import datetime

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.course import Course
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.pairings.pairing import refuse
from mentorgraph.graph.people.eligibility import read_pairs, seeker_of
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.rules.evaluator import OF_THE_TIME_BEING, SHARE_ERROR, judge
from mentorgraph.graph.rules.policy import Policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import OPEN_STATES


async def add_co_mentor(
    store: Store,
    viewer: Viewer,
    pairing: str,
    person: str,
    share: float,
    policy: Policy,
    *,
    clock: Clock = present,
) -> None:
    """Has somebody share a pairing with its mentor; telling the same again changes nothing.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        pairing: uid of the pairing.
        person: uid of the co-mentor.
        share: Which part of the mentor's place they take over: above 0, and with all others below 1.
        policy: The policy of the whole organisation.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`, `FORBIDDEN_MOVE` where the pairing is over, `CONFLICT` where they share
            it already in another part, `NOT_ALLOWED` or `NO_CAPACITY` where a rule forbids it.
        InvalidFact: The share cannot be taken, or the person is one of the two.
    """
    _refuse_others(viewer)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        course = await _open_course(known, pairing)
        row = {"pairing_id": pairing, "person_id": person, "share": share, "since": now}
        [told] = facts_of("co_mentors", row, SOURCE)
        if person in course.people:
            side = "mentor" if person == course.people[0] else "mentee"
            raise InvalidFact([Problem("person_id", "", f"is the {side} of the pairing", "choose somebody else")])
        helpers = course.helpers_at(now)
        for each in helpers:
            if each.links["person"] == person:
                if each.properties["share"] == told.properties["share"]:
                    return [], None
                raise DomainError(
                    "this person shares the pairing already; end that first", code="CONFLICT", field="personId"
                )
        left = 1 - sum(float(str(each.properties["share"])) for each in helpers)
        if share >= left - SHARE_ERROR:
            raise InvalidFact([Problem("share", f"{share:g}", "leaves the mentor nothing", f"stay below {left:g}")])
        links = course.pairing.links
        asker = await known.read_asker(course.people[1], links.get("goal"), now, links.get("programme"))
        assert asker is not None  # noqa: S101 - the pairing is theirs
        seeker = seeker_of(asker, now, policy)
        pair = (await read_pairs(known, seeker, [person], now, wanted=share)).get(person)
        if pair is None:
            raise DomainError("no person has this id", code="NOT_FOUND", field="personId")
        found = judge(pair, seeker.frame.policy.rules).refusals
        passed_over = OF_THE_TIME_BEING | {"MENTEE_FULL"}  # who shares a pairing is no further mentor of the mentee
        refuse([each for each in found if each.rule not in passed_over], viewer, field="personId")
        return [told], None

    await store.decide_and_write(decide)


async def end_co_mentor(store: Store, viewer: Viewer, pairing: str, person: str, *, clock: Clock = present) -> None:
    """Ends that somebody shares a pairing; the part that they had goes back to the mentor.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        pairing: uid of the pairing.
        person: uid of the co-mentor.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`; `NOT_FOUND`, also where they do not share it.
    """
    _refuse_others(viewer)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        course = (await known.read_courses([pairing])).get(pairing)
        if course is None:
            raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
        ended = [_ended(each, now) for each in course.helpers_at(now) if each.links["person"] == person]
        if not ended:
            raise DomainError("this person does not share the pairing", code="NOT_FOUND", field="personId")
        return ended, None

    await store.decide_and_write(decide)


def _refuse_others(viewer: Viewer) -> None:
    if not viewer.coordinates:
        raise DomainError("only coordinators say who shares a pairing", code="FORBIDDEN", field="personId")


async def _open_course(known: Store, pairing: str) -> Course:
    course = (await known.read_courses([pairing])).get(pairing)
    if course is None:
        raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
    if course.status not in OPEN_STATES:
        raise DomainError("this pairing is over", code="FORBIDDEN_MOVE", field="pairingId")
    return course


def _ended(record: Record, now: datetime) -> Record:
    return replace(record, properties={**record.properties, "until": now})
