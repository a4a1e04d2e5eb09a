"""When a model is taught again, and that what the gate has refused is not taught again and again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import main
from mentorgraph.api.commands.watching import EVER, judged
from mentorgraph.embeddings.drift import Found, Shift

STILL = Shift("scores", "best score for a goal", 2.0, 2.1, 80, 0.05, 0.4)
MOVED = Shift("outcomes", "outcome of a pairing", 0.7, 0.5, 90, 0.4, 0.001)
FOUND = Found("20260101-0123456789ab", datetime(2026, 1, 1, tzinfo=UTC), 99, (STILL,))


def test_enough_changes_or_drift_are_worth_it_and_else_nothing_is() -> None:
    seen = judged(FOUND, 100, None)
    assert (seen.is_worth_it, seen.told) == (
        False,
        "99 pairings began or became known how they went since 2026-01-01, fewer than 100, and nothing has moved; "
        "20260101-0123456789ab goes on.",
    )
    assert judged(FOUND, 99, None).is_worth_it
    seen = judged(replace(FOUND, shifts=(STILL, MOVED)), 100, None)
    assert seen.is_worth_it
    assert seen.told == "Moved: outcome of a pairing: the median went from 0.7 to 0.5 (index 0.40)."


def test_what_the_gate_refused_is_worth_it_again_only_when_more_has_happened() -> None:
    tried = replace(FOUND, changed=150, shifts=(STILL, MOVED))
    assert judged(tried, 100, None).is_worth_it
    assert not judged(tried, 100, tried).is_worth_it
    assert not judged(replace(tried, changed=249), 100, tried).is_worth_it
    assert judged(replace(tried, changed=250), 100, tried).is_worth_it
    also = replace(STILL, index=0.5, probability=1e-5)
    assert judged(replace(tried, shifts=(also, MOVED)), 100, tried).told.startswith("Moved: best score for a goal")


def test_where_no_model_serves_one_is_taught_once_and_again_when_enough_has_changed() -> None:
    found = Found("rules", EVER, 400, ())
    assert judged(found, 100, None).told == "No model serves, so one is taught."
    assert not judged(found, 100, found).is_worth_it
    assert judged(replace(found, changed=500), 100, found).is_worth_it


@pytest.mark.parametrize("option", [("--snapshot", "20260101-0123456789ab"), ("--force", "why not")])
def test_a_loop_looks_at_new_facts_and_through_the_gate(option: tuple[str, str]) -> None:
    result = CliRunner().invoke(main, ["train", "--watch", "5", *option])
    assert (result.exit_code, "leave --snapshot and --force away" in result.output) == (2, True)
