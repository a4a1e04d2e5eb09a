"""Which goals are asked about, who can be chosen, and what a teaching window may know."""

from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.embeddings.tasks import FULL, NO_UNIT, Task, allowed, questions, task, window_starts, windows
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

NOW, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
PAIRINGS = [
    ("a", "x", "g1", "2023-05-01"),
    ("b", "y", "g2", "2023-06-01"),
    ("a", "y", "g3", "2024-02-01"),
    ("b", "y", "g3", "2024-03-01"),
    ("c", "z", "g4", "2024-02-01"),
    ("b", "z", "g5", "2024-06-01"),
    ("c", "z", "g5", "2024-06-01"),
]
SET_ON = {"g1": "2023-04-01", "g2": "2023-05-01", "g3": "2024-01-01", "g4": "2024-01-05", "g5": "2024-05-01"}


@pytest.fixture
def small() -> Columns:
    columns = Columns()
    owner = {goal: mentee for _, mentee, goal, _ in PAIRINGS}
    rows = [("people", {"id": each, "name": each, "joined_on": "2020-01-01"}) for each in "abcxyz"]
    rows += [
        ("goals", {"id": goal, "person_id": owner[goal], "title": goal, "created_on": day})
        for goal, day in SET_ON.items()
    ]
    for number, (mentor, mentee, goal, day) in enumerate(PAIRINGS):
        people = {"mentor_id": mentor, "mentee_id": mentee, "goal_id": goal}
        rows.append(("pairings", {"id": f"p{number}", "started_on": day, "status": "active"} | people))
    for file, row in rows:
        for record in facts_of(file, row, "test"):
            columns.put(record)
    return columns


def names(columns: Columns, asked: Task) -> list[str]:
    return [str(columns.tables["goals"].strings("title")[goal]) for goal in asked.goals]


def test_only_goals_with_a_mentor_of_experience_are_asked_and_only_such_mentors_can_be_chosen(small: Columns) -> None:
    asked = task(small, NOW, UNTIL)
    assert [small.tables["people"].strings("name")[person] for person in asked.candidates] == ["a", "b"]
    assert names(small, asked) == ["g3", "g5"]  # g4 found c alone, who had never mentored
    assert [relevant.tolist() for relevant in asked.relevant] == [[0, 1], [1]]
    assert asked.newcomers.tolist() == [False, True]


def test_goals_are_judged_by_unit_and_by_the_formats_in_which_they_found_mentors(small: Columns) -> None:
    told = [("units", {"id": "maps", "name": "Maps"})]
    told += [
        ("programmes", {"id": each, "name": each, "format": each, "since": "2023-01-01"})
        for each in ("cohort", "micro")
    ]
    told += [("goals", {"id": "g5", "person_id": "z", "title": "g5", "created_on": "2024-05-01", "unit_id": "maps"})]
    for number, programme in ((2, "cohort"), (3, "micro"), (5, "micro"), (6, "cohort")):
        mentor, mentee, goal, day = PAIRINGS[number]
        row = {"id": f"p{number}", "mentor_id": mentor, "mentee_id": mentee, "goal_id": goal, "programme_id": programme}
        told.append(("pairings", {**row, "started_on": day, "status": "active"}))
    assert task(small, NOW, UNTIL).labels == (frozenset(), frozenset())
    for file, row in told:
        for record in facts_of(file, row, "test"):
            small.put(record)
    asked = task(small, NOW, UNTIL)
    assert names(small, asked) == ["g3", "g5"]
    # The cohort of g5 is that of c, who had never mentored and cannot be found.
    assert asked.labels == (frozenset({"format cohort", "format micro"}), frozenset({"unit Maps", "format micro"}))
    assert asked.popularity.tolist() == [1, 1]
    assert asked.only(np.array([1])).labels == asked.labels[1:]


def test_a_teaching_window_is_not_told_of_what_began_after_the_teaching(small: Columns) -> None:
    asked = task(small, NOW, UNTIL, told=datetime(2024, 2, 15, tzinfo=UTC))
    assert names(small, asked) == ["g3"]
    assert [relevant.tolist() for relevant in asked.relevant] == [[0]]


def test_windows_follow_each_other_and_end_where_the_teaching_ends(columns: Columns) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    starts = window_starts(columns, now, fewest_asks=20)
    found = windows(columns, now, starts)
    assert [each.now for each in found] == starts
    assert [each.until for each in found] == [*starts[1:], now]
    since = columns.tables["pairings"].reals("since")
    mentor, goal = (columns.tables["pairings"].numbers(name) for name in ("mentor", "goal"))
    for each in found:
        for asking, relevant in zip(each.goals, each.relevant, strict=True):
            rows = np.isin(mentor, each.candidates[relevant]) & (goal == asking)
            assert since[rows].min() < now.timestamp()


def test_without_units_a_question_has_neither_units_nor_the_tags_of_its_goal(columns: Columns, task: Task) -> None:
    asked = questions(columns, task, FULL, load_policy().signals)
    metapaths = {wish.metapath for each in asked for wish in each.wishes}
    assert metapaths == {"goal_needs", "mentee_wants"}
    for each in asked:
        less = allowed(each, NO_UNIT)
        assert less.units == frozenset()
        assert {wish.metapath for wish in less.wishes} <= {"mentee_wants"}
    assert any(each.units for each in asked)


def test_a_known_roster_ranks_those_who_mentor_and_nobody_else(task: Task) -> None:
    known = task.of_roster()
    serving = {int(task.candidates[place]) for each in task.relevant for place in each}
    assert {int(each) for each in known.candidates} == serving
    assert len(known.candidates) < len(task.candidates)
    for before, after in zip(task.relevant, known.relevant, strict=True):
        assert [*task.candidates[before]] == [*known.candidates[after]]
    assert [*known.popularity] == [*task.popularity[np.isin(task.candidates, known.candidates)]]
