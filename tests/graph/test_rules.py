"""The hard rules: each blocks for its own reason only, and a pair that breaks several is told all of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.rules import PairFacts, refusals

DAY = datetime(2026, 3, 4, tzinfo=UTC)
ALLOWED = PairFacts(
    same_person=False,
    is_mentor=True,
    left_on=None,
    consented=True,
    places=3.0,
    taken=2,
    paired=False,
    blocked=False,
    away_until=None,
    shared_minutes=30,
    least_shared_minutes=30.0,
)
BREAKING: dict[str, dict[str, Any]] = {
    "SELF": {"same_person": True},
    "NOT_A_MENTOR": {"is_mentor": False},
    "LEFT": {"left_on": DAY},
    "NO_CONSENT": {"consented": False},
    "NOT_ONBOARDED": {"missing_steps": ("Read the charter",)},
    "BLOCKED": {"blocked": True},
    "ALREADY_PAIRED": {"paired": True},
    "NO_CAPACITY": {"taken": 3},
    "AWAY": {"away_until": DAY},
    "NO_SHARED_TIME": {"shared_minutes": 29},
}


def test_a_pair_that_breaks_no_rule_is_allowed() -> None:
    assert refusals(ALLOWED) == []


@pytest.mark.parametrize("rule", BREAKING)
def test_each_rule_blocks_for_its_own_reason_alone(rule: str) -> None:
    [refusal] = refusals(replace(ALLOWED, **BREAKING[rule]))
    assert refusal.rule == rule
    assert refusal.fact


@given(st.sets(st.sampled_from(sorted(BREAKING))))
def test_every_broken_rule_is_told_in_one_order(broken: set[str]) -> None:
    pair = ALLOWED
    for rule in broken:
        pair = replace(pair, **BREAKING[rule])
    assert [refusal.rule for refusal in refusals(pair)] == [rule for rule in BREAKING if rule in broken]


@pytest.mark.parametrize(("minutes", "blocked"), [(None, False), (0, True), (29, True), (30, False), (31, False)])
def test_shared_time_counts_only_where_both_have_said_when_they_are_free(minutes: int | None, blocked: bool) -> None:
    assert bool(refusals(replace(ALLOWED, shared_minutes=minutes))) == blocked


def test_a_mentor_without_places_has_no_capacity() -> None:
    [refusal] = refusals(replace(ALLOWED, places=0.0, taken=0))
    assert refusal.fact == "0 of 0 places are taken"


@pytest.mark.parametrize(("places", "taken", "full"), [(None, 9, False), (2, 1, False), (2, 2, True), (0, 0, True)])
def test_the_places_of_a_programme_count_beside_those_of_all(places: int | None, taken: int, full: bool) -> None:
    found = refusals(replace(ALLOWED, places_in_programme=places, taken_in_programme=taken))
    assert [each.rule for each in found] == ["NO_CAPACITY"] * full
    [both] = refusals(replace(ALLOWED, taken=3, places_in_programme=places, taken_in_programme=taken))
    assert both.fact == "3 of 3 places are taken"


def test_missing_steps_are_named() -> None:
    [refusal] = refusals(replace(ALLOWED, missing_steps=("Read the charter", "Say who you are")))
    assert refusal.fact == "has not taken these steps of onboarding: Read the charter, Say who you are"
