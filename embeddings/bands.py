"""Whether a generated world is as hard as it is meant to be: what an oracle and two simple rankings reach in it.

The task: for each goal written down in the last `EVALUATED_MONTHS` months that found a mentor by the last day, rank all
mentors of the world, seeing only what was known on the day before those months. Relevant are the mentors of the goal's
pairings.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mentorgraph.embeddings.baselines import PastPairings, metapath_neighbours, popularity
from mentorgraph.embeddings.metrics import ndcg, places
from mentorgraph.graph.world.appeal import Appeal, goal_from
from mentorgraph.graph.world.clocks import first_day_of
from mentorgraph.graph.world.goals import LONGEST_WAIT_DAYS
from mentorgraph.graph.world.tables import World

EVALUATED_MONTHS = 4
FIRST = 10

ORACLE_BAND = (0.15, 0.25)
METAPATH_BAND = (0.45, 0.60)
POPULARITY_BAND = (0.0, 0.20)


@dataclass(frozen=True)
class Difficulty:
    """NDCG@10 in one world: of the oracle, and of two rankings as shares of the oracle's."""

    queries: int
    mentors: int
    oracle: float
    metapath_share: float
    popularity_share: float

    def within(self) -> bool:
        """Whether all three figures lie in their bands."""
        figures = (self.oracle, self.metapath_share, self.popularity_share)
        bands = (ORACLE_BAND, METAPATH_BAND, POPULARITY_BAND)
        return all(low <= figure <= high for figure, (low, high) in zip(figures, bands, strict=True))


@dataclass(frozen=True)
class Task:
    """What is asked in a world, and what was known before.

    Attributes:
        goals: Ids of the goals asked for.
        asked: Skills that their mentees wanted by then; goals × skills.
        relevant: Positions of the mentors that each goal found.
        mentors: Ids of all mentors, in the order of positions.
        past: The pairings that began before the evaluated months.
    """

    goals: list[str]
    asked: sparse.csr_array
    relevant: list[npt.NDArray[np.int64]]
    mentors: list[str]
    past: PastPairings


def task_of(world: World) -> Task:
    """The ranking task of a world."""
    begin = first_day_of(world.last_day, EVALUATED_MONTHS)
    start = begin.isoformat()
    rows = world.rows
    mentors = [row["person_id"] for row in rows["roles"] if row["role_id"] == "mentor"]
    position = {mentor: number for number, mentor in enumerate(mentors)}
    skills = {row["id"]: number for number, row in enumerate(rows["skills"])}
    wants: dict[str, list[tuple[str, int]]] = {}
    for row in rows["person_skills"]:
        if row["stance"] == "wants":
            wants.setdefault(row["person_id"], []).append((row["since"], skills[row["skill_id"]]))
    goals = {row["id"]: row for row in rows["goals"]}
    found: dict[str, list[int]] = {}
    past = []
    for row in rows["pairings"]:
        if goals[row["goal_id"]]["created_on"] >= start:
            found.setdefault(row["goal_id"], []).append(position[row["mentor_id"]])
        elif row["started_on"] < start:
            past.append(row)

    def wanted(people_and_days: list[tuple[str, str]]) -> sparse.csr_array:
        columns = [
            sorted({skill for since, skill in wants.get(person, []) if since <= day}) for person, day in people_and_days
        ]
        ends = np.cumsum([0, *map(len, columns)])
        flat = np.array([skill for each in columns for skill in each], np.int64)
        return sparse.csr_array((np.ones(len(flat)), flat, ends), shape=(len(columns), len(skills)))

    asking = sorted(found)
    return Task(
        asking,
        wanted([(goals[goal]["person_id"], goals[goal]["created_on"]) for goal in asking]),
        [np.array(found[goal], np.int64) for goal in asking],
        mentors,
        PastPairings(
            np.array([position[row["mentor_id"]] for row in past], np.int64),
            wanted([(row["mentee_id"], row["started_on"]) for row in past]),
            np.array([(begin - date.fromisoformat(row["started_on"])).days for row in past], np.float64),
            len(mentors),
        ),
    )


def difficulty_of(world: World) -> Difficulty:
    """Measures a world."""
    task = task_of(world)
    appeal = Appeal.from_truth(world.truth)
    order = {mentor.id: number for number, mentor in enumerate(appeal.mentors)}
    ours = np.array([order[mentor] for mentor in task.mentors])
    told = {goal["id"]: goal for goal in world.truth["goals"]}
    since = np.array([mentor.since for mentor in appeal.mentors])
    until = np.array([mentor.until or 9_999_999 for mentor in appeal.mentors])
    by_metapath = metapath_neighbours(task.asked, task.past)
    by_popularity = popularity(task.past)
    placed: dict[str, list[npt.NDArray[np.int64]]] = {"oracle": [], "metapath": [], "popularity": []}
    for number, (goal_id, relevant) in enumerate(zip(task.goals, task.relevant, strict=True)):
        goal = goal_from(told[goal_id])
        there = (since <= goal.asked + LONGEST_WAIT_DAYS) & (until > goal.asked)
        appeals = np.where(there, appeal.of(goal).astype(np.int64), -10_000)[ours]
        placed["oracle"].append(places(appeals, relevant))
        placed["metapath"].append(places(by_metapath[number], relevant))
        placed["popularity"].append(places(by_popularity, relevant))
    means = {name: float(ndcg(each, FIRST).mean()) for name, each in placed.items()}
    oracle = means["oracle"]
    return Difficulty(
        len(task.goals), len(task.mentors), oracle, means["metapath"] / oracle, means["popularity"] / oracle
    )
