"""What is measured on generated communities: the truth ranks best, and later outcomes are later."""

import numpy as np
import pytest

from mentorgraph.embeddings import tasks
from mentorgraph.embeddings.communities import community, read_of, told
from mentorgraph.embeddings.evaluation import Judged, rows
from mentorgraph.embeddings.generated import calibration, newcomers, oracle
from mentorgraph.embeddings.metrics import ndcg
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.graph.world.community import generate

from .conftest import NOW, POLICY, UNTIL

QUICK = Recipe(fewest_asks=20, most_asks=60, epochs=1, seeds=1)


def figure(found: Judged) -> float:
    return float(ndcg(found.places, 10).mean())


def test_a_community_that_another_process_wrote_is_the_same() -> None:
    (columns, end), (same, same_end) = read_of(300, 3), community(300, 3)
    assert end == same_end
    for name, table in same.tables.items():
        assert [table.record(row) for row in range(len(table))] == [
            columns.tables[name].record(row) for row in range(len(columns.tables[name]))
        ]


def test_the_oracle_knows_and_one_that_knows_of_other_goals_does_not() -> None:
    world = generate(people=600, months=18, seed=3)
    columns, _ = told(world)
    asked = tasks.task(columns, NOW, UNTIL)
    knows = oracle(world, columns, asked)
    assert [len(each) for each in knows.places] == [len(each) for each in asked.relevant]
    goals = list(world.truth["goals"])
    shuffled = np.random.default_rng(0).permutation(len(goals))
    swapped = [{**goals[other], "id": own["id"]} for own, other in zip(goals, shuffled, strict=True)]
    truth = {**world.truth, "goals": swapped}
    mistaken = oracle(type(world)(**{**vars(world), "truth": truth}), columns, asked)
    assert figure(knows) > 3 * figure(mistaken)
    [row, *_] = rows({"oracle": knows}, asked, "full")
    assert row["ndcg@10"] == pytest.approx(figure(knows))


@pytest.mark.slow
def test_newcomers_are_measured_beside_the_oracle() -> None:
    told_of = newcomers(1_000, 3, POLICY, lambda _step: None, QUICK)
    found = {row["name"]: row for row in told_of["rows"]}
    assert {row["group"] for row in found.values()} == {"newcomers"}
    assert found["oracle"]["ndcg@10"] > found["served without the network"]["ndcg@10"] > found["popularity"]["ndcg@10"]
    assert told_of["taught_s"] > 0


@pytest.mark.slow
def test_chances_are_checked_on_pairings_that_began_after_those_that_they_were_fitted_to() -> None:
    found = calibration(2_000, 3, POLICY, False, lambda _step: None, Recipe(fewest_asks=20, seeds=0, epochs=1))
    names = {row["name"] for row in found["rows"]}
    assert names == {"served without the network, in its window", "served without the network, later"}
    assert 0.9 < found["known_later"] <= 1
    for row in found["rows"]:
        assert 0 <= row["ece"] < 0.5
        assert row["outcomes"] > 0
