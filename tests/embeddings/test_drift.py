"""Drift: seen where something was moved, and not where nothing was."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.embeddings.drift import FEWEST, changed_since, drift, moved, shift
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

BEGIN, MIDDLE, END = (datetime(*day, tzinfo=UTC) for day in ((2025, 9, 1), (2026, 2, 1), (2026, 7, 1)))
DRAWS = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("now", "has_moved"),
    [
        (DRAWS.normal(0, 1, 400), False),
        (DRAWS.normal(0.6, 1, 400), True),
        (DRAWS.normal(0, 2.5, 400), True),
        (DRAWS.normal(3, 1, FEWEST - 1), False),
    ],
)
def test_a_number_that_moved_is_seen(now: np.ndarray, has_moved: bool) -> None:
    assert shift("features", "x", DRAWS.normal(0, 1, 400), now).has_moved == has_moved


def test_luck_is_not_drift() -> None:
    """Two samples of sixty from one distribution differ by an index above the bound as often as not."""
    draws = np.random.default_rng(2)
    found = [shift("features", "x", draws.normal(size=60), draws.normal(size=60)) for _ in range(300)]
    assert sum(each.index > 0.2 for each in found) > 100
    assert sum(each.has_moved for each in found) < 12


def test_a_yes_or_no_is_compared_by_its_share() -> None:
    then, now = np.arange(400) % 10 == 0, np.arange(400) % 2 == 0
    assert shift("features", "x", then.astype(float), now.astype(float)).has_moved
    assert not shift("features", "x", then.astype(float), then.astype(float)).has_moved


def found_in(columns: Columns, model: Model) -> list[str]:
    scorer = LearnedScorer("", load_policy(), model, with_network=False)
    return [each.split(":")[0] for each in moved(drift(columns, scorer, BEGIN, MIDDLE, END))]


def test_a_community_that_changes_is_told_by_what_changed(
    model: Model, columns: Columns, new_community: Callable[[], Columns]
) -> None:
    steady = found_in(columns, model)
    changed = new_community()
    table = changed.tables["pairings"]
    for row in np.flatnonzero(table.reals("until") >= MIDDLE.timestamp()):
        if table.strings("outcome")[row] is not None:
            table.strings("outcome")[row] = 0.1
    table._arrays.clear()
    goals = changed.tables["goals"]
    for row in np.flatnonzero(goals.reals("since") >= MIDDLE.timestamp()):
        goals.strings("description")[row] = "short"
    assert "outcome of a pairing" not in steady
    assert "words of a goal" not in steady
    assert {"outcome of a pairing", "words of a goal"} <= set(found_in(changed, model))


def test_what_has_changed_is_counted(columns: Columns, new_community: Callable[[], Columns]) -> None:
    before = changed_since(columns, MIDDLE)
    changed, people = new_community(), columns.people.uids
    rows = [
        {"id": "new", "started_on": "2026-06-01", "status": "active"},
        {"id": "old", "started_on": "2025-06-01", "ended_on": "2026-06-01", "status": "completed", "outcome": "0.5"},
        {"id": "older", "started_on": "2025-06-01", "ended_on": "2026-01-01", "status": "completed", "outcome": "0.5"},
    ]
    for row in rows:
        for record in facts_of("pairings", {**row, "mentor_id": people[0], "mentee_id": people[1]}, "test"):
            changed.put(record)
    assert changed_since(changed, MIDDLE) == before + 2
