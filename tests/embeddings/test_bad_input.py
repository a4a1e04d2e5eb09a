"""Communities that there is little or nothing to learn from, and oddities in those that there is."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from mentorgraph.embeddings import tasks
from mentorgraph.embeddings.evaluation import SERVED, judge
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.embeddings.training import train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question, question
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

from .conftest import NOW, QUICK, UNTIL

POLICY = load_policy()


def put(columns: Columns, file: str, **row: object) -> None:
    for record in facts_of(file, row, "odd"):
        columns.put(record)


def community_of_one_mentor() -> Columns:
    """Everybody has the same mentor."""
    columns = Columns()
    put(columns, "skills", id="s", name="SQL")
    put(columns, "people", id="m", name="M", joined_on="2024-01-01", roles="mentor")
    for number in range(95):
        day = datetime(2024, 6, 1) + timedelta(days=8 * number)
        put(columns, "people", id=f"p{number}", name="P", joined_on="2024-01-01", roles="mentee")
        goal: dict[str, Any] = {"id": f"g{number}", "person_id": f"p{number}", "title": f"Goal {number} of many"}
        put(columns, "goals", **goal, skills="s", created_on=f"{day:%Y-%m-%d}")
        pairing: dict[str, Any] = {"id": f"x{number}", "mentor_id": "m", "mentee_id": f"p{number}"}
        pairing |= {"goal_id": f"g{number}", "status": "active", "started_on": f"{day + timedelta(days=2):%Y-%m-%d}"}
        put(columns, "pairings", **pairing)
    return columns


def test_one_mentor_is_ranked_first() -> None:
    columns = community_of_one_mentor()
    model = train(columns, NOW, FULL, POLICY, QUICK)
    asked = tasks.task(columns, NOW, UNTIL)
    assert len(asked) >= 1
    judged = judge(model, model.knowledge(columns, NOW, POLICY), asked)
    assert all(places.tolist() == [1] for places in judged[SERVED].places)


def test_nothing_is_learned_where_nobody_was_paired(columns: Columns) -> None:
    for empty in (Columns(), columns):
        early = datetime(2020, 1, 1, tzinfo=NOW.tzinfo)
        with pytest.raises(DomainError, match="too little to learn from: 0 goals"):
            train(empty, early, FULL, POLICY, Recipe())


@pytest.fixture
def odd(new_community: Callable[[], Columns]) -> Columns:
    """The community with somebody whom nothing connects to it, and skills that nobody has."""
    columns = new_community()
    put(columns, "skills", id="new", name="A skill nobody has")
    put(columns, "people", id="alone", name="Alone", joined_on="2025-01-01", roles="mentor|mentee")
    put(columns, "people", id="empty", name="Empty", joined_on="2025-01-01", roles="mentee")
    put(columns, "goals", id="odd", person_id="alone", title="🦕 " * 50, created_on="2025-02-01", skills="new")
    return columns


def scored(model: Model, columns: Columns, asked: Question) -> None:
    for with_network in (True, False):
        scores = LearnedScorer("v", POLICY, model, with_network).score(columns, asked)
        assert np.isfinite(scores.total).all()
        for term in scores.terms:
            for person in range(0, len(columns.people), 97):
                term.explain(person)


def test_whom_nothing_connects_is_scored_all_the_same(model: Model, odd: Columns) -> None:
    alone = odd.people.find(uid_of("odd", "people", "alone"))
    goal = odd.goals.find(uid_of("odd", "goals", "odd"))
    scored(model, odd, question(odd, alone, goal, NOW, POLICY.signals))
    scored(model, odd, question(odd, alone, NONE, NOW, POLICY.signals))
    scored(model, odd, question(odd, alone + 1, NONE, NOW, POLICY.signals))


def test_a_model_scores_a_graph_without_a_single_pairing(model: Model, task: Task, columns: Columns) -> None:
    fresh = Columns()
    put(fresh, "people", id="a", name="A", joined_on="2025-01-01", roles="mentee")
    put(fresh, "people", id="b", name="B", joined_on="2025-01-01", roles="mentor")
    put(fresh, "goals", id="g", person_id="a", title="Learn", created_on="2025-02-01")
    scored(model, fresh, question(fresh, 0, 0, NOW, POLICY.signals))
    scored(model, columns, questions(columns, task, FULL, POLICY.signals)[0])


def test_a_number_that_is_not_finite_cannot_enter(columns: Columns) -> None:
    for value in ("nan", "inf", "-inf"):
        with pytest.raises(ValueError, match=r"is out of range|is not a number"):
            facts_of("pairings", {"id": "x", "mentor_id": "a", "mentee_id": "b", "started_on": "2025-01-01",
                                  "ended_on": "2025-02-01", "status": "ended", "outcome": value}, "test")  # fmt: skip
