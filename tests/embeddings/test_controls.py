"""Negative controls: a model that was taught nonsense is seen in its figures, and the gate refuses it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mentorgraph.embeddings import tasks, training
from mentorgraph.embeddings.evaluation import LINEAR, NETWORK, PLAIN, RULES, SERVED, Judged, judge
from mentorgraph.embeddings.evidence import Evidence, evidence
from mentorgraph.embeddings.gate import Decision, decide
from mentorgraph.embeddings.metrics import ndcg
from mentorgraph.embeddings.precedents import Precedents
from mentorgraph.embeddings.tasks import FULL, Task, windows
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.embeddings.training import train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.world.community import generate

from .conftest import NOW, UNTIL, columns_of

pytestmark = pytest.mark.journey

POLICY = load_policy()
RECIPE = Recipe(fewest_asks=20, most_asks=120, epochs=2, seeds=1, rate=3e-3)

SAID = ("person_skills", "unit_membership")
"""What people say of themselves."""

Outcome = tuple[dict[str, Judged], Decision]


def outcome(columns: Columns, task: Task) -> Outcome:
    model = train(columns, task.now, FULL, POLICY, RECIPE)
    judged = judge(model, model.knowledge(columns, task.now, POLICY), task)
    return judged, decide(judged, task)


def figure(found: Outcome, name: str) -> float:
    return float(ndcg(found[0][name].places, 10).mean())


@pytest.fixture(scope="module")
def truth(columns: Columns, task: Task) -> Outcome:
    return outcome(columns, task)


def test_what_was_learned_from_the_facts_passes(truth: Outcome) -> None:
    assert truth[1].ranking in (SERVED, PLAIN)
    assert figure(truth, NETWORK) > 2 * figure(truth, "popularity")


def shuffled_labels(columns: Columns, now: Any, starts: Any) -> list[Task]:
    """The windows with the choices of each given to other goals."""
    chance = np.random.default_rng(1)
    found = windows(columns, now, starts)
    return [
        replace(each, relevant=other.relevant, worth=other.worth)
        for each in found
        for other in [each.only(chance.permutation(len(each)))]
    ]


def test_shuffled_labels_are_refused(
    truth: Outcome, columns: Columns, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "windows", shuffled_labels)
    found = outcome(columns, task)
    assert found[1].ranking == ""
    for name in (SERVED, PLAIN, NETWORK, LINEAR):
        assert figure(found, name) < 0.5 * figure(truth, name)


def shuffled_edges(of: Callable[..., Precedents]) -> Callable[..., Precedents]:
    """Past pairings whose mentors were exchanged: who mentored in what tells nothing any more."""

    def changed(*arguments: Any) -> Precedents:
        found = of(*arguments)
        order = np.random.default_rng(2).permutation(len(found.pairing_mentor))
        return replace(found, pairing_mentor=found.pairing_mentor[order])

    return changed


def test_shuffled_message_edges_are_refused() -> None:
    """Where nobody says what they offer, past pairings are all that tells of mentors."""
    told = {name: rows for name, rows in generate(people=600, months=18, seed=3).rows.items() if name not in SAID}
    columns = columns_of(told)
    task = tasks.task(columns, NOW, UNTIL)
    truth = outcome(columns, task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Precedents, "of", staticmethod(shuffled_edges(Precedents.of)))
        found = outcome(columns_of(told), task)
    assert found[1].ranking != SERVED
    assert figure(found, NETWORK) < 0.75 * figure(truth, NETWORK)


def shuffled_features(gather: Callable[..., Evidence]) -> Callable[..., Evidence]:
    """Evidence that belongs to other people, other precedents and other goals."""

    def changed(*arguments: Any, **options: Any) -> Evidence:
        found = gather(*arguments, **options)
        chance = np.random.default_rng(len(found.people) + len(found.precedents))
        names = ("pairs", "edges", "text", "wishes")
        mixed: dict[str, Any] = {name: chance.permutation(getattr(found, name)) for name in names}
        return replace(found, **mixed)

    return changed


def test_shuffled_features_are_refused(
    truth: Outcome, columns: Columns, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights found by chance may order few signals well, as here, but the odds that they state are wrong."""
    monkeypatch.setattr(training, "evidence", shuffled_features(evidence))
    found = outcome(columns, task)
    assert found[1].ranking == ""
    for name in (SERVED, NETWORK, LINEAR):
        assert figure(found, name) < 0.9 * figure(truth, name)
    assert figure(found, RULES) == figure(truth, RULES)
    assert [each.name for each in found[1].conditions[PLAIN] if not each.holds] == ["states truer odds"]


def test_a_leak_of_the_future_lifts_only_what_was_taught_with_it(
    truth: Outcome, columns: Columns, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ranking that is shown each choice while it is fitted relies on it, and fails where it has to do without."""

    def leaking(*arguments: Any, always: Any = None, **options: Any) -> Evidence:
        found = evidence(*arguments, always=always, **options)
        pairs = found.pairs.copy()
        pairs[:, 0] = np.isin(found.people, always)
        return replace(found, pairs=pairs)

    monkeypatch.setattr(training, "evidence", leaking)
    found = outcome(columns, task)
    assert found[1].ranking != SERVED
    assert figure(found, LINEAR) < 0.7 * figure(truth, LINEAR)
