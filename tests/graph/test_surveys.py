"""Surveys: when each round is due, that nobody answers one twice, and what comes of a pairing by what was answered."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.course import Course
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Record, uid_of
from mentorgraph.graph.facts.outcomes import outcome_of, settled
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings import pairing, surveys
from mentorgraph.graph.pairings.surveys import Survey, due_instants, due_surveys, shown_to, survey_at
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

SOURCE = "test"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


def fact(file: str, **row: object) -> Record:
    [record] = facts_of(file, row, SOURCE)
    return record


def day(number: float) -> datetime:
    return START + number * DAY


def course(
    *moves: tuple[float, str], charters: tuple[tuple[float, int], ...] = (), until: float | None = None, **told: Any
) -> Course:
    """Ada and Bo, moved on some days, under charters that each begin on a day and ask every so many days."""
    status = told.pop("status", moves[-1][1] if moves else "active")
    row = {"id": "p", "mentor_id": "ada", "mentee_id": "bo", "started_on": START, "status": status, **told}
    own = fact("pairings", **row, **({} if until is None else {"ended_on": day(until)}))
    words = {"why": "w", "for_whom": "f", "how_measured": "h", "programme_id": "pr"}
    ends = [*(day(since) for since, _ in charters[1:]), None][: len(charters)]
    return Course(
        own,
        moves=tuple(fact("moves", pairing_id="p", moved_on=day(at), state=state) for at, state in moves),
        charters=tuple(
            fact("charters", **words, since=day(since), until=end, survey_days=days)
            for (since, days), end in zip(charters, ends, strict=True)
        ),
    )


def answer(person: str, at: float, number: int | None = None, **told: Any) -> Record:
    row = {"id": f"{person} {at}", "pairing_id": "p", "person_id": person, "given_on": day(at), "rating": 0.5}
    return fact("feedback", **row, round=number, **told)


def due(of: Course, by: float) -> list[float]:
    return [(each - START) / DAY for each in due_instants(of, day(by))]


# --- when a round is due ----------------------------------------------------------------------------------------------


def test_a_round_is_due_every_thirty_days_where_no_charter_says_otherwise() -> None:
    assert due(course((0, "active")), 100) == [30, 60, 90]
    assert due(course((0, "active")), 30) == [30]
    assert due(course((0, "active")), 29.99) == []


def test_days_count_from_when_the_two_began_and_not_from_when_they_were_accepted() -> None:
    assert due(course((0, "accepted"), (5, "active")), 70) == [35, 65]
    assert due(course((0, "accepted")), 70) == []
    assert due(course(), 70) == [30, 60]  # an import that tells no moves


def test_a_break_does_not_count() -> None:
    assert due(course((0, "active"), (10, "paused"), (25, "active")), 80) == [45, 75]
    assert due(course((0, "active"), (10, "paused")), 200) == []
    assert due(course((0, "active"), (30, "paused"), (40, "active")), 80) == [40, 70]


def test_a_charter_counts_as_of_the_day_in_question() -> None:
    assert due(course((0, "active"), charters=((0, 10),)), 35) == [10, 20, 30]
    assert due(course((0, "active"), charters=((0, 60), (40, 20))), 90) == [40, 60, 80]
    assert due(course((0, "active"), charters=((0, 20), (50, 45))), 140) == [20, 40, 85, 130]


@given(st.integers(1, 60), st.integers(0, 400), st.integers(0, 50), st.integers(0, 50))
def test_round_k_is_due_after_k_times_the_days_worked(days: int, by: int, pause: int, rest: int) -> None:
    begun = pause + 0.5  # never the very moment at which a round is due
    of = course((0, "active"), (begun, "paused"), (begun + rest, "active"), charters=((0, days),))
    worked = by if by < begun else max(begun, by - rest)
    assert [each if each < begun else each - rest for each in due(of, by)] == [
        days * (k + 1) for k in range(int(worked // days))
    ]


def test_a_pairing_that_is_over_is_asked_once_more_and_for_thirty_days() -> None:
    over = course((0, "active"), (70, "completed"), until=70)
    assert due(over, 500) == [30, 60]
    assert survey_at(over, day(69)) == Survey(2, day(60))
    assert survey_at(over, day(70)) == Survey(4, day(70), day(100), is_closing=True)
    assert survey_at(over, day(99.9)) == Survey(4, day(70), day(100), is_closing=True)
    assert survey_at(over, day(100)) is None
    assert survey_at(course((0, "accepted"), (10, "ended"), until=10), day(11)) is None
    assert survey_at(over, START - DAY) is None


def test_who_is_to_answer_now() -> None:
    of = course((0, "active"))

    def asked(known: Course, at: float) -> list[tuple[str, int]]:
        names = {uid("people", name): name for name in ("ada", "bo")}
        return sorted((names[each.person], each.survey.round) for each in due_surveys([known], day(at)))

    assert asked(of, 29) == []
    assert asked(of, 30) == [("ada", 1), ("bo", 1)]
    assert asked(of.told([answer("bo", 31, 1)]), 32) == [("ada", 1)]
    assert asked(of.told([answer("bo", 31, 1)]), 60) == [("ada", 2), ("bo", 2)]
    assert asked(of.told([answer("bo", 10, 1)]), 30) == [("ada", 1)]  # answered before it was due
    assert asked(of.told([answer("bo", 10)]), 30) == [("ada", 1), ("bo", 1)]  # feedback that answers no survey
    assert asked(course((0, "active"), (40, "paused")), 50) == []
    over = course((0, "active"), (40, "ended"), until=40)
    assert asked(over, 41) == [("ada", 3), ("bo", 3)]
    assert asked(over, 70) == []


# --- what comes of it -------------------------------------------------------------------------------------------------


def test_the_latest_answer_of_each_person_counts_and_the_mean_over_people() -> None:
    over = course((0, "active"), (70, "completed"), until=70)
    told = [
        answer("ada", 30, 1, skill=0.1, confidence=0.5),
        answer("ada", 60, 2, skill=0.6),
        answer("bo", 71, 4, skill=0.8, confidence=0.7),
    ]
    known = over.told(told)
    # skill: (0.6 + 0.8) / 2; confidence: (0.5 + 0.7) / 2; delivery unknown; all count alike.
    assert outcome_of(known) == pytest.approx((0.7 + 0.6) / 2)
    assert settled(known).properties["outcome"] == outcome_of(known)
    assert outcome_of(course((0, "active")).told(told)) is None  # it goes on
    assert outcome_of(over) is None
    assert settled(over) == over.pairing


def test_a_coordinator_says_what_was_delivered_and_no_more() -> None:
    over = course((0, "active"), (70, "completed"), until=70)
    note = answer("cor", 71, 4, skill=0.0, delivery=0.4)
    assert outcome_of(over.told([note])) == pytest.approx(0.4)
    assert outcome_of(over.told([note, answer("bo", 71, 4, delivery=0.8)])) == pytest.approx(0.6)


def test_the_charter_in_force_at_the_end_says_how_scales_weigh() -> None:
    words = {"why": "w", "for_whom": "f", "how_measured": "h", "programme_id": "pr"}
    over = course((0, "active"), (70, "completed"), until=70)
    charters = (
        fact("charters", **words, since=START, until=day(70), skill_weight=1),
        fact("charters", **words, since=day(70), delivery_weight=1),
    )
    known = Course(over.pairing, over.moves, (answer("bo", 71, 4, skill=0.2, delivery=0.9),), (), charters)
    assert outcome_of(known) == pytest.approx(0.9)


@given(st.randoms(), st.lists(st.tuples(st.sampled_from("ada bo cor".split()), st.integers(1, 90)), unique=True))
def test_the_order_in_which_answers_become_known_does_not_matter(
    chance: random.Random, given_on: list[tuple[str, int]]
) -> None:
    over = course((0, "active"), (70, "completed"), until=70)
    told = [answer(name, at, skill=at / 90, delivery=0.5) for name, at in given_on]
    doubled = [*told, *told]
    chance.shuffle(doubled)
    assert over.told(told) == over.told(doubled)
    assert settled(over.told(told)) == settled(over.told(doubled))


def test_an_outcome_that_an_import_states_stays_where_nobody_answered_on_a_scale() -> None:
    over = course((0, "active"), (70, "completed"), until=70, outcome=0.25)
    assert settled(over.told([answer("bo", 71, 4)])) == over.pairing
    assert settled(over.told([answer("bo", 71, 4, skill=1)])).properties["outcome"] == 1


def test_words_are_for_coordinators_and_who_wrote_them() -> None:
    told = [answer("ada", 30, 1, comment="from Ada"), answer("bo", 30, 1, comment="from Bo")]

    def words(viewer: Viewer) -> list[object]:
        return [each.get("comment") for each in shown_to(viewer, told)]

    assert words(COORDINATOR) == ["from Ada", "from Bo"]
    assert words(Viewer(person=uid("people", "bo"))) == ["from Bo"]
    assert words(Viewer(roles=frozenset({"auditor"}))) == [None, None]
    assert words(Viewer()) == []


# --- on the graph -----------------------------------------------------------------------------------------------------

ADA, BO, EVE = (Viewer(person=uid("people", name)) for name in ("ada", "bo", "eve"))
COR = Viewer(person=uid("people", "cor"), roles=frozenset({"coordinator"}))
PAIR = uid("pairings", "p")


async def fill(store: Store, **pairing: str) -> None:
    """Ada and Bo, who began on 1 January in a programme whose charter asks every 20 days."""
    names = ("ada", "bo", "eve", "cor")
    own = {"id": "p", "mentor_id": "ada", "mentee_id": "bo", "programme_id": "pr", "started_on": "2026-01-01"}
    words = {"programme_id": "pr", "why": "w", "for_whom": "f", "how_measured": "h"}
    rows: dict[str, list[dict[str, str]]] = {
        "units": [],
        "skills": [],
        "goals": [],
        "consents": [],
        "programmes": [{"id": "pr", "name": "Pr", "since": "2025-01-01"}],
        "charters": [
            {**words, "since": "2025-01-01", "survey_days": "20", "skill_weight": "1", "delivery_weight": "1"}
        ],
        "people": [{"id": name, "name": name.title(), "joined_on": "2025-01-01"} for name in names],
        "pairings": [{**own, "status": "active", **pairing}],
    }
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) == {"created"}


def at(number: float) -> Callable[[], datetime]:
    return lambda: day(number)


async def say(store: Store, viewer: Viewer, on: float, **told: Any) -> str:
    options = {name: told.pop(name) for name in ("external_id", "source") if name in told}
    row = {"pairing_id": PAIR, "rating": 0.5, **told}
    return await surveys.answer_survey(store, viewer, row, clock=at(on), **options)


async def code_of(work: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await work
    return caught.value.code


async def column_of(work: Awaitable[object]) -> str:
    with pytest.raises(InvalidFact) as caught:
        await work
    return caught.value.problems[0].column


async def outcome(store: Store) -> object:
    [found] = [each.record async for each in store.facts(KINDS["pairings"])]
    return found.properties.get("outcome")


async def rounds(store: Store) -> list[object]:
    return [each.record.properties.get("round") async for each in store.facts(KINDS["feedback"])]


@pytest.mark.anyio
async def test_one_answer_a_person_and_round(store: Store) -> None:
    await fill(store)
    await say(store, BO, 5)
    assert await code_of(say(store, BO, 6)) == "CONFLICT"
    await say(store, ADA, 21)
    await say(store, BO, 41)
    await say(store, BO, 42, round=3)  # early
    assert await rounds(store) == [1, 1, 2, 3]
    before = await graph_hash(store)
    assert await code_of(say(store, BO, 43)) == "CONFLICT"
    assert await code_of(say(store, BO, 61)) == "CONFLICT"
    assert await column_of(say(store, BO, 43, round=4)) == "round"
    assert await column_of(say(store, BO, 43, round=1)) == "round"
    assert await graph_hash(store) == before
    assert await check(store) == []


@pytest.mark.anyio
async def test_the_same_answer_told_again_changes_nothing_and_another_one_under_its_key_is_refused(
    store: Store,
) -> None:
    await fill(store)
    for on in (21, 25, 300):
        assert await say(store, BO, on, external_id="a1", skill=0.5, comment="Fine") == PAIR
    assert await rounds(store) == [1]
    assert await code_of(say(store, BO, 22, external_id="a1", skill=0.75, comment="Fine")) == "CONFLICT"
    assert await code_of(say(store, ADA, 22, external_id="a1", skill=0.5, comment="Fine")) == "CONFLICT"


@pytest.mark.anyio
async def test_bad_answers_are_refused_and_nothing_is_written(store: Store) -> None:
    await fill(store)
    before = await graph_hash(store)
    assert await column_of(say(store, BO, 21, rating=1.5)) == "rating"
    assert await column_of(say(store, BO, 21, skill=-0.1)) == "skill"
    assert await column_of(say(store, BO, 21, confidence="high")) == "confidence"
    assert await column_of(say(store, COR, 21, person_id=uid("people", "bo"), given_on=day(22))) == "given_on"
    assert await code_of(say(store, EVE, 21)) == "NOT_FOUND"
    assert await code_of(say(store, Viewer(), 21)) == "NOT_FOUND"
    assert await code_of(say(store, BO, 21, person_id=uid("people", "ada"))) == "FORBIDDEN"
    assert await code_of(say(store, BO, 21, given_on=day(20))) == "FORBIDDEN"
    assert await code_of(say(store, COR, 21, person_id=uid("people", "eve"))) == "NOT_FOUND"
    assert await code_of(say(store, COR, 21)) == "NOT_ALLOWED"  # no closing note while it goes on
    assert await code_of(say(store, COORDINATOR, 21)) == "BAD_USER_INPUT"
    assert await code_of(say(store, BO, -1)) == "NOT_ALLOWED"
    missing = {"pairing_id": uid("pairings", "none"), "rating": 1}
    assert await code_of(surveys.answer_survey(store, BO, missing)) == "NOT_FOUND"
    assert await graph_hash(store) == before


@pytest.mark.anyio
async def test_a_pairing_that_never_began_is_not_asked_about(store: Store) -> None:
    await fill(store, status="accepted")
    await store.write([fact("moves", pairing_id="p", moved_on=START, state="accepted")])
    assert await code_of(say(store, BO, 21)) == "NOT_ALLOWED"
    assert await surveys.list_due(store, BO, BO.person, now=day(100)) == []
    await pairing.move_pairing(store, COORDINATOR, PAIR, "ended", reason="other", clock=at(30))
    assert await code_of(say(store, BO, 31)) == "NOT_ALLOWED"


@pytest.mark.anyio
async def test_a_pairing_that_completes_gets_the_outcome_that_its_answers_say_and_late_answers_change_it(
    store: Store,
) -> None:
    await fill(store)
    await say(store, BO, 21, skill=0.4)
    assert await outcome(store) is None
    await pairing.move_pairing(store, BO, PAIR, "completed", clock=at(30))
    assert await outcome(store) == pytest.approx(0.4)
    await say(store, BO, 31, skill=0.8, delivery=0.6)
    assert await outcome(store) == pytest.approx((0.8 + 0.6) / 2)
    await say(store, COR, 40, delivery=1)  # a closing note
    assert await outcome(store) == pytest.approx((0.8 + 0.8) / 2)
    assert await column_of(say(store, COR, 40, external_id="n", skill=1)) == "skill"
    # Ada's answer of the second week was on paper.
    await say(store, COORDINATOR, 50, person_id=ADA.person, given_on=day(15), skill=0.0)
    assert await outcome(store) == pytest.approx((0.4 + 0.8) / 2)
    assert await code_of(say(store, ADA, 60)) == "EXPIRED"
    assert await rounds(store) == [1, 3, 3, 1]
    assert await check(store) == []


@pytest.mark.anyio
async def test_the_check_counts_outcomes_that_differ_from_the_answers_and_rounds_answered_twice(store: Store) -> None:
    await fill(store, status="completed", ended_on="2026-02-01", outcome="0.3")
    assert await check(store) == []  # nobody answered on a scale
    row = {"pairing_id": "p", "person_id": "bo", "given_on": "2026-01-22", "rating": "1", "round": "1"}
    await store.write([fact("feedback", id="f1", **row)])
    assert await check(store) == []
    await store.write([fact("feedback", id="f2", **row, skill="0.9")])
    found = {(each.kind, each.rule): each.count for each in await check(store)}
    assert found == {
        ("pairings", "has another outcome than its answers say"): 1,
        ("pairings", "is answered more than once by a person in a round"): 1,
    }


@pytest.mark.anyio
async def test_when_the_clock_moves_the_surveys_that_are_due_are_listed_and_paged(store: Store) -> None:
    await fill(store)
    assert await surveys.list_due(store, BO, BO.person, now=day(19)) == []
    [due] = await surveys.list_due(store, BO, BO.person, now=day(25))
    assert (due.person, due.survey, due.due, due.days) == (BO.person, Survey(1, day(20)), day(20), 5)
    assert await code_of(surveys.list_due(store, ADA, BO.person, now=day(25))) == "FORBIDDEN"
    assert await code_of(surveys.list_overdue(store, BO, now=day(25))) == "FORBIDDEN"
    everybody, _ = await surveys.list_overdue(store, COR, now=day(25))
    assert {each.person for each in everybody} == {ADA.person, BO.person}
    first, has_next = await surveys.list_overdue(store, COR, uid("programmes", "pr"), first=1, now=day(25))
    assert has_next
    after = surveys.cursor_of(first[0])
    second, has_next = await surveys.list_overdue(store, COR, first=1, after=after, now=day(25))
    assert [*first, *second] == everybody
    assert not has_next
    assert await surveys.list_overdue(store, COR, uid("programmes", "other"), now=day(25)) == ([], False)
    assert await code_of(surveys.list_overdue(store, COR, after="?", now=day(25))) == "BAD_USER_INPUT"
    await say(store, BO, 25)
    assert await surveys.list_due(store, BO, BO.person, now=day(26)) == []
    await pairing.move_pairing(store, BO, PAIR, "completed", clock=at(30))
    [closing] = await surveys.list_due(store, BO, BO.person, now=day(31))
    assert closing.survey.is_closing
    assert await surveys.list_due(store, BO, BO.person, now=day(61)) == []
