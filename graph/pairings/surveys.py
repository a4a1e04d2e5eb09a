"""Surveys: short answers of a pair by cadence, one per person and round, and who is to answer now.

Round k is due once the pair has worked together for k times the days that the programme's charter says; breaks do not
count, and what the charter says is read as of the instant in question. When the pairing ends, one closing survey
remains. Which round an answer belongs to follows from when it was given, not from when it was told.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.course import INSTANT, Course
from mentorgraph.graph.facts.dated import since_of
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row, uid_of
from mentorgraph.graph.facts.outcomes import SCALES, SCALES_OF_OTHERS, settled
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.paging import check_first
from mentorgraph.graph.people.recording import SOURCE, key_of
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer
from mentorgraph.graph.vocabulary import OPEN_STATES

DEFAULT_SURVEY_DAYS = 30
"""Days between two surveys where no charter says so."""
CLOSING_TIME = timedelta(days=30)
"""How long the survey at the end may be answered."""
MOST_ROUNDS = 998
"""Rounds of a pairing at most, so that the closing one still has a number."""


# --- rounds -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """The round of a pairing that can be answered at an instant.

    Attributes:
        round: Its number.
        due: Since when it is asked for; None where the first is not due yet, and may be answered all the same.
        closes: From when on it cannot be answered any more; None where only the next one takes its place.
        is_closing: Whether it is the one at the end.
    """

    round: int
    due: datetime | None
    closes: datetime | None = None
    is_closing: bool = False


def survey_at(course: Course, at: datetime) -> Survey | None:
    """The round that can be answered at an instant: the one that was due last, or the first before that.

    Returns:
        None before the two began, where they never did, and once the closing survey is closed.
    """
    if course.began is None or at < course.began:
        return None
    if course.ended is not None and course.ended <= at:
        closes = course.ended + CLOSING_TIME
        if at >= closes:
            return None
        # One number stays free for whoever answered the next round before it was due.
        return Survey(len(due_instants(course, at)) + 2, course.ended, closes, is_closing=True)
    due = due_instants(course, at)
    return Survey(max(len(due), 1), due[-1] if due else None)


def due_instants(course: Course, by: datetime) -> list[datetime]:
    """When the rounds of a pairing fell due, up to an instant and before its end."""
    found: list[datetime] = []
    worked = timedelta()
    for start, end in _spans(course, by):
        charter = course.charter_at(start)
        told = charter.properties.get("survey_days") if charter else None
        every = timedelta(days=told if isinstance(told, int) else DEFAULT_SURVEY_DAYS)
        while (due := start + max(every - worked, timedelta())) < end and len(found) < MOST_ROUNDS:
            found.append(due)
            start, worked = due, timedelta()
        worked += end - start
    return found


def _spans(course: Course, by: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The half-open spans up to an instant, itself included, in which the two worked together under one charter."""
    if course.began is None:
        return
    last = by + INSTANT if course.ended is None else min(by + INSTANT, course.ended)
    cuts = {course.began, last}
    for charter in course.charters:
        edges_of_charter = (charter.properties["since"], charter.properties.get("until"))
        cuts |= {each for each in edges_of_charter if isinstance(each, datetime)}
    pauses = [(start, last if end is None else end) for start, end in course.pauses()]
    cuts |= {edge for pause in pauses for edge in pause}
    edges = sorted(edge for edge in cuts if course.began <= edge <= last)
    for start, end in pairwise(edges):
        if not any(begin <= start < stop for begin, stop in pauses):
            yield start, end


# --- answering --------------------------------------------------------------------------------------------------------


async def answer_survey(
    store: Store,
    viewer: Viewer,
    answer: Row,
    *,
    source: str = SOURCE,
    external_id: str = "",
    clock: Clock = present,
) -> str:
    """Records what somebody of a pairing answers to a survey; the outcome of one that is over follows at once.

    Args:
        store: The graph.
        viewer: On whose behalf: one of the pair or a co-mentor; or a coordinator, for one of these, or as a closing
            note of their own.
        answer: `pairing_id`, `rating`, and where wanted `skill`, `confidence`, `delivery`, `comment`, `round`; for
            coordinators also `person_id` and `given_on`.
        source: System that `external_id` belongs to.
        external_id: The answer's key there; telling the same again changes nothing.
        clock: The present instant.

    Returns:
        uid of the pairing.

    Raises:
        DomainError: `NOT_FOUND`, also for whoever has no part in it; `FORBIDDEN`; `NOT_ALLOWED` where the two never
            began or had not yet; `EXPIRED`; `CONFLICT` where the person has answered this round already.
        InvalidFact: A value cannot be taken.
    """
    row = {name: value for name, value in answer.items() if value not in (None, "")}
    pairing, person = str(row["pairing_id"]), str(row.get("person_id") or viewer.person)

    async def decide(known: Store) -> tuple[list[Record], str]:
        now = instant(clock())
        course = (await known.read_courses([pairing])).get(pairing)
        if course is None or not (viewer.coordinates or _may_answer(course, viewer.person)):
            raise DomainError("no pairing has this id", code="NOT_FOUND", field="pairingId")
        if not person:
            raise DomainError("say whose answer it is", code="BAD_USER_INPUT", field="personId")
        if not viewer.coordinates and (person != viewer.person or "given_on" in row):
            field = "personId" if person != viewer.person else "givenOn"
            raise DomainError("only coordinators tell answers of others or of the past", code="FORBIDDEN", field=field)
        is_note = not _may_answer(course, person)
        if is_note and person != viewer.person:
            raise DomainError("this person has no part in the pairing", code="NOT_FOUND", field="personId")
        key = key_of(external_id, now)
        before = next((each for each in course.answers if each.uid == uid_of(source, "feedback", key)), None)
        given = instant(row.get("given_on", since_of(before) if before else now))
        if given > now:
            raise InvalidFact([Problem("given_on", given.isoformat(), "lies in the future", "correct it")])
        survey = survey_at(course, given) if before is None else None
        told_round = row.get("round") or (before.properties.get("round") if before else survey and survey.round)
        full = {**row, "id": key, "person_id": person, "given_on": given, "round": told_round, "source": source}
        [told] = facts_of("feedback", full, source)
        if before is not None:
            if dict(told.properties) != dict(before.properties) or told.links != before.links:
                raise DomainError(
                    "this answer was told before with other words or numbers; an answer is given once",
                    code="CONFLICT",
                    field="externalId",
                )
            return [], pairing
        _refuse_unasked(course, survey, told, is_note)
        written = [told]
        after = settled(course.told(written))
        return [*written, *([after] if after != course.pairing else [])], pairing

    return await store.decide_and_write(decide)


def _may_answer(course: Course, person: str) -> bool:
    return bool(person) and person in (*course.people, *(each.links["person"] for each in course.helpers))


def _refuse_unasked(course: Course, survey: Survey | None, told: Record, is_note: bool) -> None:
    """Refuses an answer that nobody asked for, or that was given already."""
    if survey is None:
        given = since_of(told)
        if course.began is None or given < course.began:
            message, code = "the two had not begun to work together, so there is nothing to answer", "NOT_ALLOWED"
        else:
            message, code = "this pairing is over, and its last survey is closed", "EXPIRED"
        raise DomainError(message, code=code, field="pairingId")
    if is_note and not survey.is_closing:
        raise DomainError(
            "coordinators say something for a pairing when it is over", code="NOT_ALLOWED", field="pairingId"
        )
    if is_note:
        problems = [
            Problem(scale, "", "is for the people of the pairing to say", "leave it out")
            for scale in SCALES
            if scale not in SCALES_OF_OTHERS and scale in told.properties
        ]
        if problems:
            raise InvalidFact(problems)
    number = told.properties["round"]
    early = () if survey.is_closing or survey.due is None else (survey.round + 1,)
    if number not in (survey.round, *early):
        ways = " or ".join(map(str, (survey.round, *early)))
        raise InvalidFact([Problem("round", str(number), "cannot be answered now", f"use {ways}, or leave it out")])
    if any(
        each.links["person"] == told.links["person"] and each.properties.get("round") == number
        for each in course.answers
    ):
        raise DomainError(
            f"round {number} is answered already; one answer counts, and the next round follows",
            code="CONFLICT",
            field="round",
        )


# --- who is to answer -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DueSurvey:
    """That somebody is to answer.

    Attributes:
        pairing: uid of the pairing.
        person: uid of who is to answer.
        survey: The round.
        due: Since when.
        days: Whole days since then.
    """

    pairing: str
    person: str
    survey: Survey
    due: datetime
    days: int


def due_surveys(courses: Iterable[Course], now: datetime) -> list[DueSurvey]:
    """Who is to answer which survey, the longest due first; nobody is asked during a break, nor for a round missed."""
    found = []
    for course in courses:
        survey = survey_at(course, now)
        if survey is None or survey.due is None or any(_is_on(pause, now) for pause in course.pauses()):
            continue
        for person in course.people:
            rounds = [each.properties.get("round") for each in course.answers if each.links["person"] == person]
            if not any(isinstance(each, int) and each >= survey.round for each in rounds):
                found.append(
                    DueSurvey(course.pairing.uid, person, survey, survey.due, (now - survey.due) // timedelta(days=1))
                )
    return sorted(found, key=_place)


def _is_on(pause: tuple[datetime, datetime | None], now: datetime) -> bool:
    start, end = pause
    return start <= now and (end is None or end > now)


def _place(each: DueSurvey) -> tuple[datetime, str, str]:
    return each.due, each.pairing, each.person


async def list_due(store: Store, viewer: Viewer, person: str, *, now: datetime | None = None) -> list[DueSurvey]:
    """The surveys that one person is to answer.

    Args:
        store: The graph.
        viewer: On whose behalf: the person or a coordinator.
        person: uid of the person.
        now: The present instant.

    Raises:
        DomainError: `FORBIDDEN`.
    """
    if not viewer.coordinates and viewer.person != person:
        raise DomainError("you may see your own surveys only", code="FORBIDDEN", field="personId")
    now = now or present()
    courses = await store.read_courses(await store.find_surveyed_of(person, now - CLOSING_TIME))
    return [each for each in due_surveys(courses.values(), now) if each.person == person]


async def list_overdue(
    store: Store,
    viewer: Viewer,
    programme: str | None = None,
    *,
    first: int = 50,
    after: str | None = None,
    now: datetime | None = None,
) -> tuple[list[DueSurvey], bool]:
    """The surveys that are due and not answered, for coordinators, the longest due first.

    Args:
        store: The graph.
        viewer: On whose behalf.
        programme: uid of a programme; all if none is given.
        first: Length of the page.
        after: Cursor of an earlier page, see `cursor_of`.
        now: The present instant.

    Returns:
        The page, and whether more follow.

    Raises:
        DomainError: `FORBIDDEN`, `BAD_USER_INPUT`.
    """
    if not viewer.oversees(programme or ""):
        raise DomainError("only coordinators see who has not answered", code="FORBIDDEN")
    check_first(first)
    now = now or present()
    uids = await store.find_surveyed(OPEN_STATES, now - CLOSING_TIME, programme)
    courses = await store.read_courses(uids)
    found = due_surveys(courses.values(), now)
    if after is not None:
        start = _read_cursor(after)
        found = [each for each in found if _cursor(each) > start]
    return found[:first], len(found) > first


def cursor_of(due: DueSurvey) -> str:
    """Where a list goes on after an entry."""
    return base64.urlsafe_b64encode(orjson.dumps(_cursor(due))).decode().rstrip("=")


def _cursor(due: DueSurvey) -> list[object]:
    return [due.due.isoformat(), due.pairing, due.person]


def _read_cursor(text: str) -> list[object]:
    try:
        place = orjson.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        place = None
    if not (isinstance(place, list) and len(place) == 3 and all(isinstance(each, str) for each in place)):
        raise DomainError("after is no cursor of this list", code="BAD_USER_INPUT", field="after")
    return place


# --- who may read what ------------------------------------------------------------------------------------------------


def shown_to(viewer: Viewer, answers: Sequence[Record]) -> list[Mapping[str, Any]]:
    """The answers as a viewer may read them: participants their own; words are for coordinators and who wrote them."""
    shown: list[Mapping[str, Any]] = []
    for each in answers:
        is_own = bool(viewer.person) and each.links["person"] == viewer.person
        if is_own or viewer.sees_everybody:
            values = {**each.properties, "person": each.links["person"]}
            if not (is_own or viewer.coordinates):
                values.pop("comment", None)
            shown.append(values)
    return shown
