"""Signals on small worlds in memory: each value from its formula, each drop from taking the edge away."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge, open_pairings, question
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import SIGNALS, load_policy
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.signals.signal import Signal

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
POLICY = load_policy()
FACT = tuple[str, dict[str, object]]
SKILLS = ("sql", "postgres", "databases", "python")


def named(file: str, key: str, **row: object) -> FACT:
    return file, {"id": key, "name": key} | row


BASE: tuple[FACT, ...] = (
    ("units", {"id": "u", "name": "Water"}),
    *(named("skills", each) for each in SKILLS),
    ("broader", {"skill_id": "sql", "broader_id": "databases", "since": "2020-01-01"}),
    ("broader", {"skill_id": "postgres", "broader_id": "databases", "since": "2020-01-01"}),
    *(named("people", each, joined_on="2020-01-01") for each in ("mentee", "mentor", "other")),
    ("goals", {"id": "g", "person_id": "mentee", "title": "water", "unit_id": "u", "created_on": "2025-01-01"}),
)


def need(skill: str, level: int = 4) -> FACT:
    return "goal_skills", {"goal_id": "g", "skill_id": skill, "level": level, "since": "2025-01-01"}


def offer(skill: str, level: int = 4, since: str = "2021-01-01") -> FACT:
    row = {"person_id": "mentor", "skill_id": skill, "stance": "offers", "level": level, "since": since}
    return "person_skills", row


def pairing(key: str, **row: object) -> FACT:
    told = {"id": key, "mentor_id": "mentor", "mentee_id": "other", "started_on": "2022-03-04", "status": "ended"}
    return "pairings", told | {"ended_on": "2023-03-04"} | row


def signals(facts: Iterable[FACT], now: datetime = NOW) -> dict[str, tuple[Signal, float, list[Any]]]:
    """By name: the signal, the mentor's value, and the evidence for it."""
    columns = Columns()
    for file, row in (*BASE, *facts):
        for record in facts_of(file, row, "test"):
            columns.put(record)
    people = {uid: number for number, uid in enumerate(columns.people.uids)}
    mentee, mentor = (people[facts_of("people", BASE[place][1], "test")[0].uid] for place in (7, 8))
    goal = columns.goals.find(facts_of("goals", BASE[10][1], "test")[0].uid)
    found = all_signals(columns, question(columns, mentee, goal, now, POLICY.signals), POLICY)
    assert tuple(each.name for each in found) == SIGNALS
    return {each.name: (each, float(each.values[mentor]), each.explain(mentor)) for each in found}


def value(name: str, *facts: FACT) -> float:
    return signals(facts)[name][1]


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        ([need("sql"), offer("sql")], 1),
        ([need("sql"), offer("sql", 5)], 1),
        ([need("sql"), offer("sql", 1)], 1 / 4),
        ([need("sql"), offer("databases")], 1 / 2),
        ([need("databases"), offer("sql")], 1 / 2),
        ([need("sql"), offer("postgres")], 1 / 4),
        ([need("sql"), offer("postgres"), offer("sql", 1)], 1 / 4),
        ([need("sql"), need("python"), offer("sql")], 1 / 2),
        ([need("sql"), offer("python")], 0),
        ([need("sql"), offer("sql", since="2026-03-05")], 0),
        ([offer("sql")], 0),
    ],
)
def test_skills_are_the_mean_credit_over_the_wishes(facts: list[FACT], right: float) -> None:
    assert value("skills", *facts) == pytest.approx(right, abs=1e-12)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SKILLS), st.integers(1, 5)), min_size=1, unique_by=lambda each: each[0]),
    st.lists(st.tuples(st.sampled_from(SKILLS), st.integers(1, 5)), min_size=1, unique_by=lambda each: each[0]),
)
def test_the_drop_of_an_offer_is_what_the_value_loses_without_it(
    needs: list[tuple[str, int]], offers: list[tuple[str, int]]
) -> None:
    wished, offered = [need(*each) for each in needs], [offer(*each) for each in offers]
    _, whole, evidence = signals([*wished, *offered])["skills"]
    drops = {each.edges[-1]: each.drop for each in evidence}
    assert len(drops) == len(evidence)
    for left_out in offered:
        rest = value("skills", *wished, *(each for each in offered if each != left_out))
        edge = Edge("OFFERS", facts_of(*left_out, "test")[0].uid)
        assert drops.get(edge, 0.0) == pytest.approx(whole - rest, abs=1e-12)


def test_an_offer_that_serves_two_wishes_weighs_what_both_lose() -> None:
    _, whole, [evidence] = signals([need("sql"), need("databases"), offer("sql")])["skills"]
    assert (whole, evidence.drop, evidence.metapath) == (0.75, 0.75, "goal_needs_skill")


def test_the_unit_is_the_mentors_own_or_one_where_they_mentored() -> None:
    member: FACT = ("unit_membership", {"person_id": "mentor", "unit_id": "u", "since": "2021-01-01"})
    mentored = pairing("m", unit_id="u")
    assert value("unit") == 0
    assert value("unit", mentored) == 0.25
    _, whole, evidence = signals([member, mentored])["unit"]
    assert (whole, [each.drop for each in evidence]) == (1.0, [0.75, 0.0])


def test_success_counts_by_outcome_and_age_and_adds_up_to_less_than_one() -> None:
    like: FACT = (
        "goals",
        {"id": "h", "person_id": "other", "title": "boats", "created_on": "2022-01-01", "skills": "sql"},
    )
    first, second = pairing("m", goal_id="h", outcome=0.8), pairing("n", goal_id="h", outcome=0.4)
    assert value("similar_goals", need("sql"), like, first) == pytest.approx(0.8 / 4)
    assert value("similar_goals", need("sql"), like, pairing("m", goal_id="h")) == pytest.approx(0.5 / 4)
    _, whole, evidence = signals([need("sql"), like, first, second])["similar_goals"]
    assert whole == pytest.approx(1 - 0.8 * 0.9)
    assert [each.drop for each in evidence] == pytest.approx([whole - 0.1, whole - 0.2])
    other: FACT = ("goals", {"id": "h", "person_id": "other", "title": "boats", "created_on": "2022-01-01"})
    assert value("similar_goals", need("sql"), other, first) == 0


def test_a_need_that_ended_with_its_goal_counts_and_one_that_ended_before_does_not() -> None:
    like: FACT = (
        "goals",
        {"id": "h", "person_id": "other", "title": "boats", "created_on": "2022-01-01", "closed_on": "2023-03-04"},
    )

    def needed(until: str) -> FACT:
        return "goal_skills", {"goal_id": "h", "skill_id": "sql", "since": "2022-01-01", "until": until}

    past = pairing("m", goal_id="h", outcome=0.8)
    assert value("similar_goals", need("sql"), like, needed("2023-03-04"), past) == pytest.approx(0.2)
    assert value("similar_goals", need("sql"), like, needed("2022-06-01"), past) == 0


def test_words_are_those_of_the_closest_goal_and_only_its_lead_is_lost() -> None:
    near: FACT = ("goals", {"id": "h", "person_id": "other", "title": "water", "created_on": "2022-01-01"})
    far: FACT = ("goals", {"id": "i", "person_id": "other", "title": "water boats", "created_on": "2022-01-01"})
    _, whole, evidence = signals([near, far, pairing("m", goal_id="h"), pairing("n", goal_id="i")])["goal_text"]
    water, boats = math.log(4 / 4) + 1, math.log(4 / 2) + 1
    second = water / math.hypot(water, boats)
    assert whole == pytest.approx(1)
    assert [each.drop for each in evidence] == pytest.approx([1 - second, 0])
    assert [each.strength for each in evidence] == pytest.approx([1, second])


def test_sessions_count_up_to_what_is_enough() -> None:
    held: list[FACT] = [
        ("sessions", {"id": str(each), "pairing_id": "m", "started_at": "2022-04-01", "minutes": 60})
        for each in range(25)
    ]
    assert value("sessions", pairing("m"), *held[:5]) == 0.25
    _, whole, [evidence] = signals([pairing("m"), *held])["sessions"]
    assert (whole, evidence.drop, evidence.count) == (1.0, 1.0, 25)


def test_load_is_the_share_of_a_mentors_places_that_open_pairings_take() -> None:
    open_now = {"ended_on": None, "status": "active"}
    mentor: FACT = ("roles", {"person_id": "mentor", "role_id": "mentor", "since": "2021-01-01", "max_mentees": 2})
    mentee: FACT = ("roles", {"person_id": "mentor", "role_id": "mentee", "since": "2021-01-01", "max_mentees": 1})
    assert value("load", pairing("m")) == 0
    assert value("load", pairing("m", **open_now)) == pytest.approx(1 / 3)
    assert value("load", mentor, mentee, pairing("m", **open_now)) == 0.5
    assert value("load", mentor, pairing("m", ended_on=None, status="completed")) == 0
    assert value("load", mentor, pairing("m", goal_id="g", **open_now)) == 0.5


def test_what_is_unknown_contributes_nothing_and_nothing_is_minus_nought() -> None:
    found = signals([])
    assert math.isnan(found["time_overlap"][1])
    counted = {"skills", "goal_text", "similar_goals", "unit", "sessions", "load", "shared_history"}
    assert {name: str(found[name][1]) for name in SIGNALS} == {
        name: "0.0" if name in counted else "nan" for name in SIGNALS
    }
    assert all(found[name][2] == [] for name in SIGNALS)


def test_a_pairing_that_ended_since_was_open_on_a_day_before() -> None:
    columns = Columns()
    for file, row in (*BASE, pairing("m")):
        for record in facts_of(file, row, "test"):
            columns.put(record)
    days = ("2022-03-04", "2022-03-05", "2023-03-04", "2023-03-05")
    instants = [datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() for day in days]
    assert [open_pairings(columns, each).tolist() for each in instants] == [[False], [True], [True], [False]]
    assert not np.any(open_pairings(columns, 0.0))
