"""The final ranking adds up, and its weights are those that the choices were made by."""

import numpy as np
import pytest

from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.fusion import FUSED, Choice, Fusion, blend, fit_listwise, joined
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy

POLICY = load_policy()
TRUE = np.array([1.5, -1.0, 0.0])


def choices(number: int, people: int = 20, seed: int = 0) -> list[Choice]:
    """Choices made by chance with odds exp(values · TRUE)."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        values = chance.normal(size=(people, len(TRUE))).astype(np.float32)
        odds = np.exp(values @ TRUE)
        chosen = chance.choice(people, p=odds / odds.sum())
        made.append(Choice(values, np.array([chosen]), np.ones(1), np.zeros(people, np.float32)))
    return made


def test_contributions_add_up_to_the_score(columns: Columns, task: Task, model: Model) -> None:
    known = model.knowledge(columns, task.now, POLICY)
    for asked in questions(columns, task, FULL, POLICY.signals)[:10]:
        found = evidence(known, asked, task.candidates)
        learned = model.network_scores(known, found)
        parts = model.fusion.contributions(found, learned)
        assert parts.shape == (len(task.candidates), len(FUSED) + 1)
        assert parts.sum(axis=1) == pytest.approx(model.scores(known, found), abs=1e-9)
        assert parts[:, -1] == pytest.approx(model.fusion.network * learned, abs=1e-6)


def test_the_rules_that_are_a_baseline_are_those_that_serve_without_a_model(
    columns: Columns, task: Task, model: Model
) -> None:
    known, ranking = model.knowledge(columns, task.now, POLICY), Fusion.of_rules(POLICY)
    for asked in questions(columns, task, FULL, POLICY.signals)[:10]:
        scores = ranking.scores(evidence(known, asked, task.candidates), None)
        served = RulesScorer(POLICY).score(columns, asked).total[task.candidates]
        assert scores == pytest.approx(served, abs=1e-5)
        assert scores.std() > 0.01


def test_the_weights_by_which_choices_were_made_are_found() -> None:
    assert fit_listwise(choices(4_000), ridge=0) == pytest.approx(TRUE, abs=0.1)


def test_a_corrected_sample_gives_the_weights_of_the_whole() -> None:
    """A third of the people are always there, of the others only some, and whoever was chosen."""
    chance, sampled = np.random.default_rng(5), []
    for each in choices(4_000, people=60, seed=1):
        order = np.argsort(-each.values[:, 0])
        sure, rest = order[:20], order[20:]
        drawn = chance.choice(np.setdiff1d(rest, each.relevant), 10, replace=False)
        kept = np.union1d(np.union1d(sure, drawn), each.relevant)
        of_rest = np.isin(kept, rest)
        correction = np.where(of_rest, np.log(40 / of_rest.sum()), 0).astype(np.float32)
        sampled.append(Choice(each.values[kept], np.searchsorted(kept, each.relevant), np.ones(1), correction))
    assert fit_listwise(sampled, ridge=0) == pytest.approx(TRUE, abs=0.1)
    uncorrected = [Choice(each.values, each.relevant, each.worth, 0 * each.correction) for each in sampled]
    assert fit_listwise(uncorrected, ridge=0) != pytest.approx(TRUE, abs=0.1)


def test_shorter_lists_keep_who_was_chosen_and_give_the_weights_of_the_whole() -> None:
    chance, made = np.random.default_rng(6), choices(4_000, people=60, seed=2)
    shorter = [each.narrowed(15, chance) for each in made]
    for each, whole in zip(shorter, made, strict=True):
        assert len(each.values) == 16
        assert (each.values[each.relevant] == whole.values[whole.relevant]).all()
    assert fit_listwise(shorter, ridge=0) == pytest.approx(TRUE, abs=0.1)
    foremost = [
        Choice(each.values[kept], np.searchsorted(kept, each.relevant), each.worth, each.correction[kept])
        for each in made
        for kept in [np.union1d(each.relevant, np.argsort(-(each.values @ TRUE))[:15])]
    ]
    assert fit_listwise(foremost, ridge=0) != pytest.approx(TRUE, abs=0.1)


def test_a_signal_that_never_differs_gets_no_weight() -> None:
    made = [
        Choice(np.pad(each.values, ((0, 0), (0, 1))), each.relevant, each.worth, each.correction)
        for each in choices(50)
    ]
    assert fit_listwise(made)[-1] == 0


def test_a_network_that_says_nothing_gets_no_weight_and_one_that_knows_gets_all_of_it() -> None:
    made, chance = choices(500), np.random.default_rng(3)
    noise = [chance.normal(size=len(each.values)) for each in made]
    of_signals, of_noise = blend([TRUE], made, noise)
    assert of_signals == pytest.approx(1, abs=0.15)
    assert of_noise < 0.1
    wrong = np.array([0.0, 0.0, 1.0])
    of_wrong, of_knowing = blend([wrong], made, [each.values @ TRUE for each in made])
    assert of_wrong < 0.15
    assert of_knowing == pytest.approx(1, abs=0.15)
    halves = [np.array([1.5, 0.0, 0.0]), wrong, np.array([0.0, -1.0, 0.0])]
    assert blend(halves, made) == pytest.approx([1, 0, 1], abs=0.15)


def test_a_sum_of_all_signals_joins_where_later_choices_are_likelier_beyond_doubt() -> None:
    few, many, made = np.array([1.5, 0.0, 0.0]), TRUE, choices(300, seed=5)
    wrong = np.array([1.0, 0.0, 0.5])  # as few choices teach: a part that is there is missed, one that is not is seen
    best, counts = joined(few, [wrong, many], made)
    assert best == 1
    assert counts[0] * few + counts[1] * many == pytest.approx(TRUE, abs=0.2)
    assert joined(few, [wrong], made)[1].tolist() == [1, 0]
    assert joined(few, [many], made[:3])[1].tolist() == [1, 0]
    assert joined(TRUE, [many], made)[1].tolist() == [1, 0]
