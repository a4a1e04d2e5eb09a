"""News from other systems: sessions, answers, moves, consents, absences and ratings, late, doubled and in any order.

An event is a row of the bundle with the key of its source and its own instant. It is told once: what is known already
changes nothing, and what says something else under the same key is not taken. Where a pairing stands, when it ended and
what came of it is computed anew from the set of its moves and answers, never from their order of arrival. The guards of
`graph.states` are for people who move something now; a source vouches for moves that have been made.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.course import Course
from mentorgraph.graph.facts.dated import since_of
from mentorgraph.graph.facts.model import Record, Row
from mentorgraph.graph.facts.outcomes import settled
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import OPEN_STATES

EVENT_FILES = ("sessions", "feedback", "moves", "signatures", "consents", "absences", "skill_ratings")
"""Files of a bundle whose rows may come as events."""
BATCH = 500
"""Events that are taken in one transaction."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        file: One of `EVENT_FILES`.
        row: Column → value, as in a bundle; its `source` is that of the event.
    """

    file: str
    row: Row


async def take_events(store: Store, viewer: Viewer, events: Sequence[Event], source: str) -> list[str]:
    """Records events of a source, at most `BATCH` of them in one transaction.

    Args:
        store: The graph.
        viewer: On whose behalf; coordinators only.
        events: What happened, in any order.
        source: Where they come from, where a row does not say.

    Returns:
        What became of each: `new`; `known`; `early` where what it refers to is not known yet, so that it is to be told
        again; `other` where something else is known in its place, which stays.

    Raises:
        DomainError: `FORBIDDEN`; `BAD_USER_INPUT` for a row of another file.
        InvalidFact: A row cannot be taken; batches before its own have been.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators tell what happened to others", code="FORBIDDEN")
    told = [_record_of(each, source) for each in events]
    found: list[str] = []
    for start in range(0, len(told), BATCH):
        found += await _take(store, told[start : start + BATCH])
    return found


def _record_of(event: Event, source: str) -> Record:
    if event.file not in EVENT_FILES:
        raise DomainError(
            f"{event.file} are no events; tell {', '.join(EVENT_FILES)}", code="BAD_USER_INPUT", field="file"
        )
    [record] = facts_of(event.file, event.row, source)
    if "request" in record.links:
        raise DomainError(
            "requests are moved by their people; tell moves of pairings", code="BAD_USER_INPUT", field="request_id"
        )
    return record


async def _take(store: Store, told: Sequence[Record]) -> list[str]:
    """Records one batch."""

    async def decide(known: Store) -> tuple[list[Record], list[str]]:
        wanted: dict[str, Record] = {}
        for each in told:
            # An end says more than a beginning, whichever came first.
            if each.uid not in wanted or ("until" in each.properties and "until" not in wanted[each.uid].properties):
                wanted[each.uid] = each
        targets = {uid for each in wanted.values() for uid in each.links.values()}
        existing = await known.find_existing(targets)
        early = {each.uid for each in wanted.values() if not existing.keys() >= set(each.links.values())}
        statuses = await known.compare(wanted.values()) if wanted else {}
        fresh = [each for uid, each in wanted.items() if statuses[uid] in ("created", "ended") and uid not in early]
        touched = {each.links["pairing"] for each in fresh if each.kind in ("moves", "feedback")}
        courses = await known.read_courses(touched) if touched else {}
        twice = _told_twice(courses, fresh)
        fresh = [each for each in fresh if each.uid not in twice]
        of_pairing: dict[str, list[Record]] = {}
        for each in fresh:
            of_pairing.setdefault(each.links.get("pairing", ""), []).append(each)
        moved = [
            after
            for uid, course in courses.items()
            if (after := standing(course.told(of_pairing.get(uid, ())))) != course.pairing
        ]
        unsaid = {each.uid for each in fresh}
        found = []
        for each in told:
            best, status = wanted[each.uid], statuses[each.uid]
            if each.uid in early:
                found.append("early")
            elif each.uid in unsaid and each == best:
                unsaid.discard(each.uid)
                found.append("new")
            else:
                is_told = status in ("created", "ended", "same") and each.uid not in twice
                is_known = is_told and each.properties.items() <= best.properties.items()
                found.append("known" if is_known or _only_began(each, status) else "other")
        return [*fresh, *moved], found

    return await store.decide_and_write(decide)


def _only_began(event: Record, status: str) -> bool:
    """Whether an event tells the beginning of a consent of which the end is known already."""
    return event.kind == "consents" and status == "changed" and "until" not in event.properties


def _told_twice(courses: Mapping[str, Course], fresh: Iterable[Record]) -> set[str]:
    """Answers to a round that their person has answered already."""
    found = set()
    answered = {
        (course.pairing.uid, each.links["person"], each.properties["round"])
        for course in courses.values()
        for each in course.answers
        if "round" in each.properties
    }
    for each in fresh:
        if each.kind == "feedback" and "round" in each.properties:
            place = each.links["pairing"], each.links["person"], each.properties["round"]
            if place in answered:
                found.add(each.uid)
            answered.add(place)
    return found


def standing(course: Course) -> Record:
    """The pairing as its moves and answers say: where the last move led, when it ended, and what came of it.

    Where no move is known, it stands where it stood.
    """
    pairing = course.pairing
    if course.moves:
        last = course.moves[-1]
        properties = {**pairing.properties, "status": last.properties["state"]}
        if last.properties["state"] in OPEN_STATES:
            properties.pop("until", None)
            properties.pop("outcome", None)
        else:
            properties["until"] = since_of(last)
        pairing = replace(pairing, properties=properties)
    return settled(replace(course, pairing=pairing))
