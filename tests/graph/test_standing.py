"""What it costs a mentor not to have told something is what telling it brings."""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import FILES, facts_of
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.ranking.standing import NEWEST_GOALS, SIGNALS_OF, costs_on_rank
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.world.community import generate

NOW = datetime(2026, 6, 24, 12, tzinfo=UTC)
SCORER = RulesScorer(load_policy())
TOLD = ("pace", "communication", "coaching_style", "formats", "experience_years")
ROWS = generate(people=800, months=18, seed=5, version=2).rows


@pytest.fixture(scope="module")
def columns() -> Columns:
    found = Columns()
    for name in FILES:
        for row in ROWS.get(name, ()):
            put(found, name, row)
    return found


def put(columns: Columns, name: str, row: Mapping[str, str]) -> None:
    for record in facts_of(name, row, "test"):
        columns.put(record)


def mean_rank(columns: Columns, mentor: str) -> float:
    """Place among all mentors in the mean over the newest open goals of others, counted one by one."""
    goals, roles, number = columns.tables["goals"], columns.tables["roles"], columns.people.find(mentor)
    held = roles.valid(NOW.timestamp()) & columns.mentor_roles()
    mentors = set(roles.numbers("person")[held].tolist())
    is_open = np.flatnonzero(goals.valid(NOW.timestamp())).tolist()
    newest = sorted(is_open, key=lambda goal: -goals.reals("since")[goal])[:NEWEST_GOALS]
    places = []
    for goal in newest:
        mentee = int(goals.numbers("person")[goal])
        if mentee != number:
            total = SCORER.score(columns, question(columns, mentee, goal, NOW, SCORER.policy.signals)).total
            places.append(1 + sum(total[other] > total[number] for other in mentors - {mentee}))
    return float(np.mean(places))


def costs(columns: Columns, mentor: str, *fields: str) -> dict[str, float]:
    return asyncio.run(costs_on_rank(columns, SCORER, {mentor: fields}, NOW))[mentor]


def profiles_of_mentors() -> list[dict[str, str]]:
    """Profiles of mentors that hold now and tell several of the things that signals read."""
    mentors = {row["person_id"] for row in ROWS["roles"] if row["role_id"] == "mentor" and holds(row)}
    return [row for row in ROWS["profiles"] if row["person_id"] in mentors and holds(row) and len(told(row)) > 2]


def holds(row: Mapping[str, str]) -> bool:
    return not row["until"] and row["since"] < NOW.date().isoformat()


def told(row: Mapping[str, str]) -> list[str]:
    return [field for field in TOLD if row[field]]


def test_telling_what_costs_most_moves_a_mentor_as_was_said(columns: Columns, count: Callable[[int, int], int]) -> None:
    profiles = profiles_of_mentors()
    draws = random.Random(3)  # noqa: S311
    tried = right = 0
    moved, said = [], []
    for row in draws.sample(profiles, min(len(profiles), count(30, 200))):
        mentor = uid_of("test", "people", row["person_id"])
        put(columns, "profiles", row | dict.fromkeys(TOLD, ""))
        found = costs(columns, mentor, *told(row), "about")
        assert set(found) == set(told(row))
        field = max(found, key=lambda each: found[each])
        before = mean_rank(columns, mentor)
        put(columns, "profiles", row | dict.fromkeys(TOLD, "") | {field: row[field]})
        rise = before - mean_rank(columns, mentor)
        tried += 1
        right += np.sign(rise) == np.sign(found[field])
        moved.append(rise)
        said.append(found[field])
        put(columns, "profiles", row)
    assert tried == 30 or len(profiles) == tried > 100
    assert right >= 0.8 * tried, (right, tried)
    assert np.mean(said) == pytest.approx(np.mean(moved), rel=0.5)


def test_what_no_signal_reads_costs_nothing_that_is_told(columns: Columns) -> None:
    mentor = uid_of("test", "people", profiles_of_mentors()[0]["person_id"])
    assert costs(columns, mentor, "about", "zone", "job_title", "matching_consent") == {}
    before = mean_rank(columns, mentor)
    put(columns, "profiles", profiles_of_mentors()[0] | {"about": "", "job_title": ""})
    assert mean_rank(columns, mentor) == before
    put(columns, "profiles", profiles_of_mentors()[0])


def test_of_those_who_are_no_mentors_nothing_is_said(columns: Columns) -> None:
    mentors = {row["person_id"] for row in ROWS["roles"] if row["role_id"] == "mentor"}
    other = next(row["id"] for row in ROWS["people"] if row["id"] not in mentors)
    assert costs(columns, uid_of("test", "people", other), *SIGNALS_OF) == {}
    assert costs(columns, "unknown", *SIGNALS_OF) == {}


def test_where_no_goal_is_open_nothing_is_said() -> None:
    empty = Columns()
    row = profiles_of_mentors()[0]
    for name, key in (("people", "id"), ("roles", "person_id")):
        for each in ROWS[name]:
            if each[key] == row["person_id"]:
                put(empty, name, each)
    assert costs(empty, uid_of("test", "people", row["person_id"]), *TOLD) == {}
