"""A generated world is as hard as it is meant to be."""

from dataclasses import replace
from datetime import date

import pytest

from mentorgraph.embeddings.bands import Difficulty, Task, difficulty_of, task_of
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.tables import World


@pytest.fixture(scope="module")
def world() -> World:
    return generate(people=10_000, seed=0)


@pytest.fixture(scope="module")
def task(world: World) -> Task:
    return task_of(world)


def test_a_world_of_10_000_people_lies_in_all_three_bands(world: World) -> None:
    found = difficulty_of(world)
    assert found.within(), found
    assert found.mentors == 1_200
    assert found.queries > 1_000


def test_a_truth_about_other_goals_would_leave_the_bands(world: World) -> None:
    goals = world.truth["goals"]
    others = Draws(1, "shuffle").some(goals, len(goals))
    swapped = [{**other, "id": goal["id"]} for goal, other in zip(goals, others, strict=True)]
    found = difficulty_of(replace(world, truth={**world.truth, "goals": swapped}))
    assert found.oracle < 0.03
    assert not found.within()


@pytest.mark.parametrize(
    "figures", [(0.14, 0.5, 0.1), (0.26, 0.5, 0.1), (0.2, 0.44, 0.1), (0.2, 0.61, 0.1), (0.2, 0.5, 0.21)]
)
def test_one_figure_outside_its_band_is_enough_to_fail(figures: tuple[float, float, float]) -> None:
    assert Difficulty(1_000, 1_200, 0.2, 0.5, 0.1).within()
    assert not Difficulty(1_000, 1_200, *figures).within()


def test_the_task_asks_about_later_goals_and_knows_earlier_pairings_only(world: World, task: Task) -> None:
    created = {row["id"]: row["created_on"] for row in world.rows["goals"]}
    assert min(created[goal] for goal in task.goals) >= "2026-03-01"
    begin = date(2026, 3, 1)
    early = [row for row in world.rows["pairings"] if row["started_on"] < begin.isoformat()]
    assert len(early) == len(task.past.mentors) == task.past.wants.shape[0]
    assert task.past.ages_days.min() >= 1


def test_the_task_ranks_every_mentor_for_every_goal_that_found_one(world: World, task: Task) -> None:
    assert len(task.mentors) == len(set(task.mentors)) == task.past.candidates == 1_200
    created = {row["id"]: row["created_on"] for row in world.rows["goals"]}
    found: dict[str, set[str]] = {}
    for row in world.rows["pairings"]:
        if created[row["goal_id"]] >= "2026-03-01":
            found.setdefault(row["goal_id"], set()).add(row["mentor_id"])
    relevant = [{task.mentors[position] for position in each} for each in task.relevant]
    assert dict(zip(task.goals, relevant, strict=True)) == found
