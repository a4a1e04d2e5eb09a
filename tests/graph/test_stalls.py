"""Stalls: found by what the charter says, explained by facts, marked once, and over when the two meet again."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.pairings import pairing, sessions, stalls
from mentorgraph.graph.pairings.stalls import Stall, StallFacts, causes_of
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer
from mentorgraph.graph.vocabulary import STALL_CAUSES

SOURCE = "test"
START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
NOW = START + 60 * DAY
PAIR = uid_of(SOURCE, "pairings", "p")
ADA, BO, CY, EVE = (Viewer(person=uid_of(SOURCE, "people", name)) for name in ("ada", "bo", "cy", "eve"))

WELL = StallFacts("active", (), START, None, None, 120, 60, {"mentor": 0.9, "mentee": 0.8})
SHOWN: dict[str, tuple[dict[str, Any], str]] = {
    "not_signed": (
        {"status": "accepted", "unsigned": ("mentor", "mentee")},
        "The agreement waits for the mentor and the mentee.",
    ),
    "never_met": ({"last_met": None}, "The two have never met."),
    "mentor_away": ({"mentor_away_until": NOW}, "The mentor is away until 2026-05-01."),
    "mentee_away": ({"mentee_away_until": NOW}, "The mentee is away until 2026-05-01."),
    "no_shared_time": ({"shared_minutes": 0}, "Both are never free at the same time in the coming week."),
    "hours_spent": ({"minutes_left": -30}, "The mentor's hours of this month are spent, 30 minutes beyond."),
    "poor_feedback": ({"ratings": {"mentor": 0.9, "mentee": 0.2}}, "The mentee rated it 0.2 of 1."),
    "stopped_meeting": ({}, "The last session was on 2026-03-02."),
}


@pytest.mark.parametrize("cause", STALL_CAUSES)
def test_each_cause_is_shown_by_its_fact_alone(cause: str) -> None:
    told, sentence = SHOWN[cause]
    found = causes_of(replace(WELL, **told))
    assert next(iter(found.items())) == (cause, sentence)
    assert set(found) <= {cause, "stopped_meeting"}
    assert stalls.REMEDIES[cause]


def test_of_several_causes_the_one_that_explains_most_is_told_first() -> None:
    told: dict[str, Any] = {}
    for cause in reversed(STALL_CAUSES):
        told |= SHOWN[cause][0]
        assert next(iter(causes_of(replace(WELL, **told)))) == cause
    assert tuple(causes_of(replace(WELL, **told))) == STALL_CAUSES[:-1]  # who never met did not stop


def test_that_two_never_met_is_told_only_where_it_would_help_to_propose_a_time_to_them() -> None:
    never = replace(WELL, last_met=None)
    assert tuple(causes_of(never)) == ("never_met",)
    for cause in ("mentor_away", "mentee_away", "no_shared_time", "hours_spent"):
        assert tuple(causes_of(replace(never, **SHOWN[cause][0]))) == (cause, "never_met")
    assert tuple(causes_of(replace(never, **SHOWN["poor_feedback"][0]))) == ("never_met", "poor_feedback")


def test_what_is_not_known_explains_nothing() -> None:
    unknown = StallFacts("active", ("mentor",), START)
    assert tuple(causes_of(unknown)) == ("stopped_meeting",)
    assert tuple(causes_of(replace(unknown, shared_minutes=5, minutes_left=1, ratings={"mentee": 0.4}))) == (
        "stopped_meeting",
    )


# --- on the graph -----------------------------------------------------------------------------------------------------


async def fill(store: Store, *rows: tuple[str, dict[str, str]], **own: str) -> None:
    """Ada and Bo since 2 March, who are free at the same time; Cy and Eve are mentors too."""
    joined = {"joined_on": "2025-01-01"}
    told: dict[str, list[dict[str, str]]] = {
        "units": [],
        "skills": [],
        "programmes": [{"id": "pr", "name": "Pr", "since": "2025-01-01"}],
        "people": [{"id": name, "name": name.title(), **joined} for name in ("ada", "bo", "cy", "eve")],
        "roles": [
            {"person_id": name, "role_id": "mentor", "since": "2025-01-01", "hours_per_month": "2", "max_mentees": "3"}
            for name in ("ada", "cy", "eve")
        ],
        "consents": [
            {"person_id": name, "purpose": "matching", "text_version": "1", "since": "2025-01-01"}
            for name in ("ada", "bo", "cy", "eve")
        ],
        "goals": [{"id": "g", "person_id": "bo", "title": "Learn", "created_on": "2026-01-01"}],
        "pairings": [
            {
                "id": "p", "mentor_id": "ada", "mentee_id": "bo", "goal_id": "g", "programme_id": "pr",
                "started_on": "2026-03-02", "status": "active", **own,
            }
        ],
    }  # fmt: skip
    for file, row in rows:
        told.setdefault(file, []).append(row)
    result = await import_bundle(store, bundle_of(told), source=SOURCE)
    assert set(result.total) == {"created"}


def held(day: int, minutes: int = 60) -> tuple[str, dict[str, str]]:
    at = (START + day * DAY).isoformat()
    return "sessions", {"id": f"s{day}", "pairing_id": "p", "started_at": at, "minutes": str(minutes)}


async def found(store: Store, now: datetime = NOW) -> list[Stall]:
    return await stalls.list_stalled(store, COORDINATOR, now=now)


async def code_of(work: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as caught:
        await work
    return caught.value.code


def window(person: str, weekday: int) -> tuple[str, dict[str, str]]:
    row = {"person_id": person, "weekday": str(weekday), "start": "09:00", "end": "10:00", "zone": "UTC"}
    return "availability", {**row, "since": "2026-01-01"}


AWAY = {"since": (NOW - DAY).isoformat(), "until": (NOW + 10 * DAY).isoformat()}
FREE = [window("ada", 1), window("bo", 1)]


def rated(rating: str) -> tuple[str, dict[str, str]]:
    return "feedback", {"id": "f", "pairing_id": "p", "given_on": "2026-03-20", "person_id": "bo", "rating": rating}


AWAY_BEFORE_THEY_MET = "mentor_away before they met"
CASES: dict[str, list[tuple[str, dict[str, str]]]] = {
    "never_met": [],
    AWAY_BEFORE_THEY_MET: [*FREE, ("absences", {"person_id": "ada", **AWAY})],
    "mentor_away": [held(1), ("absences", {"person_id": "ada", **AWAY})],
    "mentee_away": [held(1), ("absences", {"person_id": "bo", **AWAY})],
    "no_shared_time": [held(1), window("ada", 1), window("bo", 2)],
    "poor_feedback": [held(1), *FREE, rated("0.1")],
    "stopped_meeting": [held(1), *FREE, rated("0.9")],
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES)
async def test_the_cause_follows_from_the_facts_of_the_graph(store: Store, case: str) -> None:
    await fill(store, *CASES[case])
    [stall] = await found(store)
    cause = case.split()[0]
    assert ("never_met" in stall.further) == (case == AWAY_BEFORE_THEY_MET)
    quiet = START + (1 * DAY if cause != "never_met" and case != AWAY_BEFORE_THEY_MET else 0 * DAY)
    assert (stall.cause, stall.status, stall.since) == (cause, "active", quiet + 45 * DAY)
    assert (stall.pairing, stall.mentor, stall.mentee) == (PAIR, ADA.person, BO.person)
    assert stall.remedy == stalls.REMEDIES[cause]


@pytest.mark.anyio
async def test_hours_that_are_spent_and_an_agreement_that_waits_are_causes(store: Store) -> None:
    other = {"id": "q", "mentor_id": "ada", "mentee_id": "cy", "started_on": "2026-03-02", "status": "accepted"}
    spent = {"id": "s", "pairing_id": "q", "started_at": "2026-05-01T00:00:00Z", "minutes": "120"}
    late = {"id": "r", "mentor_id": "eve", "mentee_id": "cy", "started_on": "2026-03-02", "status": "accepted"}
    signed = {"pairing_id": "r", "person_id": "eve", "signed_on": "2026-03-03", "text_version": "1"}
    await fill(store, held(1), ("pairings", other), ("sessions", spent), ("pairings", late), ("signatures", signed))
    told = {each.pairing: (each.cause, each.sentence) for each in await found(store, datetime(2026, 5, 20, tzinfo=UTC))}
    assert told == {
        PAIR: ("hours_spent", "The mentor's hours of this month are spent."),
        uid_of(SOURCE, "pairings", "r"): ("not_signed", "The agreement waits for the mentee."),
    }


@pytest.mark.anyio
async def test_what_moves_has_not_stalled(store: Store) -> None:
    await fill(store, held(1))
    assert await found(store, START + 46 * DAY - DAY) == []
    assert [each.cause for each in await found(store, START + 46 * DAY)] == ["stopped_meeting"]
    await store.write(facts_of("sessions", {**held(55)[1]}, SOURCE))
    assert await found(store) == []
    assert await code_of(stalls.list_stalled(store, ADA, now=NOW)) == "FORBIDDEN"
    assert (
        await stalls.list_stalled(store, COORDINATOR, uid_of(SOURCE, "programmes", "other"), now=START + 200 * DAY)
        == []
    )


@pytest.mark.anyio
async def test_a_break_is_no_stall_and_the_charter_says_how_long_is_too_long(store: Store) -> None:
    charter = {"programme_id": "pr", "why": "w", "for_whom": "f", "how_measured": "h", "since": "2025-01-01"}
    await fill(store, held(1), ("charters", {**charter, "stall_days": "10"}))
    assert await found(store, START + 10 * DAY) == []
    assert len(await found(store, START + 11 * DAY)) == 1
    await pairing.move_pairing(store, ADA, PAIR, "paused", clock=lambda: START + 12 * DAY)
    assert await found(store) == []
    await pairing.move_pairing(store, ADA, PAIR, "active", clock=lambda: NOW - 5 * DAY)
    assert await found(store) == []
    assert [each.since for each in await found(store, NOW + 6 * DAY)] == [NOW + 5 * DAY]


@pytest.mark.anyio
async def test_marking_moves_what_is_active_by_the_clock_and_only_once(store: Store) -> None:
    late = {"id": "r", "mentor_id": "eve", "mentee_id": "cy", "started_on": "2026-03-02", "status": "accepted"}
    await fill(store, held(1), ("pairings", late))
    assert {each.cause for each in await found(store)} == {"stopped_meeting", "not_signed"}
    assert await code_of(stalls.mark_stalled(store, ADA)) == "FORBIDDEN"
    [marked] = await stalls.mark_stalled(store, COORDINATOR, clock=lambda: NOW)
    assert (marked.pairing, marked.cause) == (PAIR, "stopped_meeting")
    before = await graph_hash(store)
    assert await stalls.mark_stalled(store, COORDINATOR, clock=lambda: NOW + DAY) == []
    assert await graph_hash(store) == before
    [move] = (await store.read_moves([PAIR]))[PAIR]
    assert (move.state, move.at, move.cause, move.person) == ("stalled", NOW, "stopped_meeting", "")
    assert {each.status for each in await found(store)} == {"stalled", "accepted"}
    assert await check(store) == []


async def record(store: Store, viewer: Viewer, at: datetime, now: datetime, **more: Any) -> None:
    row = {"pairing_id": PAIR, "kind": "live", "started_at": at, "minutes": 30}
    await sessions.record_session(store, viewer, row, now=now, **more)


@pytest.mark.anyio
async def test_a_session_held_since_makes_a_stalled_pairing_active_again(store: Store) -> None:
    await fill(store)
    await stalls.mark_stalled(store, COORDINATOR, clock=lambda: NOW)
    later = NOW + 10 * DAY

    async def state() -> object:
        [own] = [each.record async for each in store.facts(KINDS["pairings"])]
        return own.properties["status"]

    await record(store, BO, NOW - 2 * DAY, later)  # held before, told late
    assert await state() == "stalled"
    await record(store, BO, later + DAY, later)  # planned
    assert await state() == "stalled"
    for _ in range(2):
        await record(store, BO, NOW + 2 * DAY, later, external_id="s")
    assert await state() == "active"
    told = (await store.read_moves([PAIR]))[PAIR]
    assert [(each.state, each.person) for each in told] == [("stalled", ""), ("active", BO.person)]
    assert await check(store) == []


@pytest.mark.anyio
async def test_alternatives_never_include_who_is_in_the_pairing(store: Store) -> None:
    await fill(store, ("co_mentors", {"person_id": "eve", "pairing_id": "p", "share": "0.5", "since": "2026-03-10"}))
    recommender = Recommender(store, RulesScorer(load_policy()), clock=lambda: NOW)

    async def offered() -> set[str]:
        slate = await recommender.recommend(COORDINATOR, BO.person, uid_of(SOURCE, "goals", "g"))
        return {each.mentor for each in slate.recommendations}

    assert await offered() == {CY.person}
    await pairing.move_pairing(store, COORDINATOR, PAIR, "ended", reason="other", clock=lambda: NOW - DAY)
    assert await offered() == {ADA.person, CY.person, EVE.person}  # nobody else keeps them out
