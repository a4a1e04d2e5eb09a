"""The hidden truth: frozen, and shaped as it is described."""

import hashlib
import inspect
from itertools import pairwise
from pathlib import Path
from typing import Any

from mentorgraph.graph.world import truth
from mentorgraph.graph.world.choices import HIGHEST, LOWEST

FROZEN = "709553761188b47101a8caa27d7eb0e59fd2adf0973c41f816f114bfbaf6df4f"
"""SHA-256 of `truth.py`, version 1. All figures reported on generated worlds rest on it: write a version 2 instead."""

GOOD: dict[str, Any] = {
    "topic": "second",
    "coverages": (2, 2, 1),
    "time": 2,
    "pace_gap": 1,
    "quality": 0,
    "motivation": 2,
    "held_permille": 700,
    "noise": 0,
    "stalled": False,
    "left": False,
}


def digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


def test_the_truth_is_the_one_that_was_frozen() -> None:
    assert digest(Path(truth.__file__).read_bytes()) == FROZEN


def test_a_changed_weight_would_not_be_the_frozen_truth() -> None:
    source = Path(truth.__file__).read_bytes()
    changed = source.replace(b"UNIT_BIAS = 150", b"UNIT_BIAS = 151")
    assert changed != source
    assert digest(changed) != FROZEN


def test_each_signal_of_the_outcome_raises_it_and_a_stall_or_a_leaving_mentor_lowers_it() -> None:
    usual = truth.outcome(**GOOD)
    better = {
        "topic": "main",
        "coverages": (3, 2, 1),
        "time": 3,
        "pace_gap": 0,
        "quality": 1,
        "motivation": 3,
        "held_permille": 800,
        "noise": 10,
    }
    for name, value in better.items():
        assert truth.outcome(**{**GOOD, name: value}) > usual, name
    for name in ("stalled", "left"):
        assert truth.outcome(**{**GOOD, name: True}) < usual, name


def test_neither_fame_nor_the_unit_is_part_of_the_outcome() -> None:
    assert set(inspect.signature(truth.outcome).parameters) == set(GOOD)


def test_an_outcome_stays_between_nothing_and_everything() -> None:
    assert truth.outcome(**{**GOOD, "noise": -5_000}) == 0
    assert truth.outcome(**{**GOOD, "noise": 5_000}) == 1_000


def test_more_common_time_and_nearer_skills_are_never_worth_less() -> None:
    levels = [truth.time_level(minutes) for minutes in range(0, 600, 30)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, 4)
    for row in (truth.TIME_APPEAL, truth.TIME_OUTCOME, truth.SKILL_APPEAL, truth.SKILL_OUTCOME, truth.FAME_APPEAL):
        assert all(a < b for a, b in pairwise(row))
    assert [truth.known_level(4, steps) for steps in range(3)] == [4, 2, 1]
    assert [truth.coverage(known, 4) for known in range(6)] == [0, 0, 1, 2, 3, 3]


def test_a_mentor_who_knows_nothing_of_a_skill_covers_none_of_it() -> None:
    assert truth.coverage(0, 1) == 0


def test_the_table_of_odds_reaches_as_far_as_any_appeal() -> None:
    most_needs, most_fame = 6, 10
    fame = [weight * most_fame for weight in truth.FAME_APPEAL]
    lowest = (
        min(truth.TOPIC_APPEAL.values())
        + min(truth.TIME_APPEAL)
        + min(truth.PACE_APPEAL)
        + min(truth.SKILL_APPEAL)
        + min(fame)
    )
    highest = (
        max(truth.TOPIC_APPEAL.values())
        + max(truth.TIME_APPEAL)
        + max(truth.PACE_APPEAL)
        + max(truth.SKILL_APPEAL) * most_needs
        + max(fame)
        + truth.UNIT_BIAS
    )
    assert LOWEST <= lowest < highest <= HIGHEST
