"""Nothing that begins after an instant changes a score as of that instant."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, MASKED, NO_UNIT, Setting, Task, questions
from mentorgraph.embeddings.texts import GoalTexts, Projection
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import Reals
from mentorgraph.graph.columns.text import goal_text
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

POLICY = load_policy()
LATER = "2026-05-20"
ASKS = 25

Row = dict[str, str]


def scores_of(model: Model, columns: Columns, task: Task) -> list[Reals]:
    known = model.knowledge(columns, task.now, POLICY)
    asked = questions(columns, task, FULL, POLICY.signals)[:ASKS]
    found = [evidence(known, each, task.candidates) for each in asked]
    return [
        np.stack([model.scores(known, each), model.linear.scores(each, None), model.network_scores(known, each)])
        for each in found
    ]


def planted(columns: Columns, task: Task) -> dict[str, tuple[str, Row]]:
    """One later fact of each kind, about people and goals that the questions are about."""
    people, goals = columns.people.uids, columns.goals.uids
    wish = questions(columns, task, FULL, POLICY.signals)[0].wishes[0]
    skill = columns.skills.uids[wish.skill]
    units = columns.numberings["units"].uids
    asked, mentor = int(task.goals[0]), people[int(task.candidates[0])]
    pairing = columns.numberings["pairings"].uids[0]
    text = str(columns.tables["goals"].strings("description")[asked])
    own = {"mentor_id": mentor, "mentee_id": people[int(task.mentees[0])], "goal_id": goals[asked]}
    return {
        "pairing": ("pairings", {"id": "later", "started_on": LATER, "status": "active"} | own),
        "need": ("goal_skills", {"goal_id": goals[asked], "skill_id": skill, "level": "5", "since": LATER}),
        "offer": (
            "person_skills",
            {"person_id": mentor, "skill_id": skill, "stance": "offers", "level": "5", "since": LATER},
        ),
        "want": (
            "person_skills",
            {"person_id": people[int(task.mentees[0])], "skill_id": skill, "stance": "wants", "since": LATER},
        ),
        "unit": ("unit_membership", {"person_id": mentor, "unit_id": units[0], "since": LATER}),
        "role": ("roles", {"person_id": mentor, "role_id": "mentor", "max_mentees": "9", "since": LATER}),
        "session": (
            "sessions",
            {
                "id": "later",
                "pairing_id": pairing,
                "started_at": f"{LATER}T10:00:00Z",
                "minutes": "60",
                "kind": "live",
            },
        ),
        "text": (
            "goals",
            {"id": "later", "person_id": mentor, "title": text, "description": text * 5, "created_on": LATER},
        ),
        "profile": ("profiles", {"person_id": mentor, "pace": "steady", "experience_years": "9", "since": LATER}),
        "answer": (
            "requests",
            {
                "id": "later",
                "mentor_id": mentor,
                "mentee_id": people[int(task.mentees[0])],
                "asked_on": "2026-01-20",
                "answered_on": LATER,
                "answer_within_days": "200",
                "status": "declined",
            },
        ),
    }


KINDS = ("pairing", "need", "offer", "want", "unit", "role", "session", "text", "profile", "answer")


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_fact_changes_no_score(
    kind: str, model: Model, columns: Columns, task: Task, new_community: Callable[[], Columns]
) -> None:
    changed = new_community()
    file, row = planted(columns, task)[kind]
    for record in facts_of(file, row, "test"):
        changed.put(record)
    for before, after in zip(scores_of(model, columns, task), scores_of(model, changed, task), strict=True):
        assert np.abs(before - after).max() < 1e-5


def test_an_outcome_that_comes_later_changes_no_score(
    model: Model, columns: Columns, task: Task, new_community: Callable[[], Columns]
) -> None:
    changed, table = new_community(), columns.tables["pairings"]
    ends_later = (table.reals("until") > task.now.timestamp()) & (table.reals("until") < np.inf)
    row = int(np.flatnonzero(ends_later & table.begun(task.now.timestamp()))[0])
    changed.tables["pairings"].strings("outcome")[row] = 0.0
    changed.tables["pairings"]._arrays.clear()
    for before, after in zip(scores_of(model, columns, task), scores_of(model, changed, task), strict=True):
        assert np.array_equal(before, after)


def test_the_same_facts_told_earlier_do_change_scores(
    model: Model, columns: Columns, task: Task, new_community: Callable[[], Columns]
) -> None:
    """Else the tests above would pass on a model that looks at nothing."""
    before = scores_of(model, columns, task)
    for kind in ("pairing", "offer", "unit", "session", "text", "answer"):
        changed = new_community()
        file, row = planted(columns, task)[kind]
        row |= {name: value.replace(LATER, "2026-02-01") for name, value in row.items()}
        for record in facts_of(file, row, "test"):
            changed.put(record)
        after = scores_of(model, changed, task)
        assert max(np.abs(one - other).max() for one, other in zip(before, after, strict=True)) > 1e-6, kind


def test_a_goal_set_after_the_question_is_no_precedent_of_itself(model: Model, columns: Columns, task: Task) -> None:
    later = datetime(2026, 7, 1, tzinfo=UTC)
    known = model.knowledge(columns, later, POLICY)
    asked = questions(columns, task, FULL, POLICY.signals)[0]
    found = evidence(known, asked, task.candidates)
    assert asked.goal in known.precedents.goal
    assert asked.goal not in known.precedents.goal[found.precedents]


def features_of(columns: Columns, task: Task, setting: Setting, projection: Projection) -> list[Reals]:
    known = Knowledge.of(columns, task.now, setting, POLICY, projection)
    asked = questions(columns, task, setting, POLICY.signals)[:10]
    found = [evidence(known, each, task.candidates) for each in asked]
    return [part.astype(np.float64) for each in found for part in (each.edges, each.pairs, each.text)]


def test_masked_texts_tell_nothing_of_the_name_of_a_unit(
    columns: Columns, task: Task, new_community: Callable[[], Columns]
) -> None:
    projection = Projection.fit(GoalTexts.of(columns, False).full, columns.tables["goals"].begun(task.now.timestamp()))
    renamed = new_community()
    goals, names = renamed.tables["goals"], renamed.tables["units"].strings("name")
    for row in range(len(goals)):
        told = f"{goals.strings('description')[row]} {names[goals.numbers('unit')[row]]}"
        goals.strings("description")[row] = told
        renamed.goal_words.put(row, goal_text({"title": goals.strings("title")[row], "description": told}))
    goals.version += 1
    before, after = (features_of(each, task, MASKED, projection) for each in (columns, renamed))
    assert all(np.allclose(one, other, atol=1e-6) for one, other in zip(before, after, strict=True))
    before, after = (features_of(each, task, NO_UNIT, projection) for each in (columns, renamed))
    assert not all(
        one.shape == other.shape and np.allclose(one, other) for one, other in zip(before, after, strict=True)
    )
