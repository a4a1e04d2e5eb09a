"""Bad outcomes of a pattern lower its rank after retraining, and it is the pattern's outcomes that do it.

Three worlds of one seed have the same people, choices and sessions. In the first the pairings of a pattern go badly,
in the second they go like any other, in the third as many pairings drawn by chance go badly. A model is taught in each,
and the pattern's mentors are ranked for its later goals: how far down they stand is the mean of their places.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.embeddings import tasks
from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, OUTCOME_UNKNOWN, Task, questions
from mentorgraph.embeddings.training import Recipe, train
from mentorgraph.graph.columns import Columns
from mentorgraph.graph.model import uid_of
from mentorgraph.graph.policy import load_policy
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.pattern import OUTCOMES, Pattern
from mentorgraph.graph.world.tables import World

from .conftest import columns_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = datetime(2026, 7, 1, tzinfo=UTC)
POLICY = load_policy()
RECIPE = Recipe(fewest_asks=50)
SEEDS = (1, 2)
MARGIN = 1.2
"""So many places lower, of about 62, the pattern's mentors have to stand in the mean of `SEEDS` where it goes badly."""


def world_of(seed: int, outcomes: str) -> World:
    return generate(people=600, seed=seed, version=2, pattern=Pattern(outcomes=outcomes))


def asked_in(columns: Columns, world: World) -> Task:
    """The goals of the pattern that were set after `NOW`, whether or not they found a mentor."""
    pattern = world.truth["pattern"]
    own = {
        uid_of("test", "goals", goal["id"]) for goal in world.truth["goals"] if goal["topic"] in set(pattern["topics"])
    }
    table = columns.tables["goals"]
    since = table.reals("since")
    goals = np.array(
        [
            number
            for number, uid in enumerate(columns.goals.uids)
            if uid in own and NOW.timestamp() <= since[number] < UNTIL.timestamp()
        ]
    )
    return replace(tasks.task(columns, NOW, UNTIL), goals=goals, mentees=table.numbers("person")[goals])


def mean_place(columns: Columns, model: Model, world: World) -> float:
    """The mean place, 1 for the first, of the pattern's mentors for its goals, in what serves with the network."""
    asked, known = asked_in(columns, world), model.knowledge(columns, NOW, POLICY)
    mentors = {uid_of("test", "people", id) for id in world.truth["pattern"]["mentors"]}
    own = np.array([columns.people.uids[person] in mentors for person in asked.candidates])
    places = []
    for question in questions(columns, asked, FULL, POLICY.signals):
        scores = model.scores(known, evidence(known, question, asked.candidates))
        order = np.argsort(-scores, kind="stable")
        place = np.empty(len(order))
        place[order] = np.arange(1, len(order) + 1)
        places.append(place[own].mean())
    assert len(places) > 10
    assert 10 < own.sum() < len(own) / 2
    return float(np.mean(places))


def lower_by(places: Mapping[str, float]) -> dict[str, float]:
    """How many places lower the pattern stands than where its pairings go like any other."""
    return {outcomes: places[outcomes] - places["usual"] for outcomes in ("bad", "shuffled")}


@pytest.mark.slow
def test_bad_outcomes_of_a_pattern_lower_its_rank_after_retraining() -> None:
    found = []
    for seed in SEEDS:
        places = {}
        for outcomes in OUTCOMES:
            world = world_of(seed, outcomes)
            columns = columns_of(world.rows)
            places[outcomes] = mean_place(columns, train(columns, NOW, FULL, POLICY, RECIPE), world)
        found.append(lower_by(places))
    means = {outcomes: float(np.mean([each[outcomes] for each in found])) for outcomes in ("bad", "shuffled")}
    assert all(each["bad"] > each["shuffled"] for each in found), found
    assert means["bad"] >= MARGIN, found
    assert abs(means["shuffled"]) < 0.5 * means["bad"], found


@pytest.mark.slow
def test_a_training_that_does_not_look_at_outcomes_would_not_lower_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the weights by outcome, what is left is what the signals themselves know of past outcomes."""
    windows = tasks.windows

    def unweighted(*arguments: object) -> list[Task]:
        found = windows(*arguments)  # type: ignore[arg-type]
        return [replace(each, worth=tuple(np.full(len(own), OUTCOME_UNKNOWN) for own in each.worth)) for each in found]

    monkeypatch.setattr("mentorgraph.embeddings.training.windows", unweighted)
    lower = []
    for seed in SEEDS:
        places = {}
        for outcomes in ("bad", "usual"):
            world = world_of(seed, outcomes)
            columns = columns_of(world.rows)
            places[outcomes] = mean_place(columns, train(columns, NOW, FULL, POLICY, RECIPE), world)
        lower.append(places["bad"] - places["usual"])
    assert np.mean(lower) < 0.5 * MARGIN, lower


def test_where_no_outcome_is_known_every_choice_counts_alike() -> None:
    """As in Google Summer of Code, whose projects have no outcomes: nothing that is said of them weighs otherwise."""
    rows = dict(world_of(1, "bad").rows)
    for row in rows["pairings"]:
        row["outcome"] = ""
    columns = columns_of(rows)
    found = tasks.windows(columns, NOW, tasks.window_starts(columns, NOW, RECIPE.windows, RECIPE.fewest_asks))
    assert {float(worth) for each in found for own in each.worth for worth in own} == {OUTCOME_UNKNOWN}
