"""Training repeats, learns, and says what is missing where there is too little."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.embeddings.baselines import BASELINES
from mentorgraph.embeddings.evaluation import (
    KIND_OF,
    LINEAR,
    PLAIN,
    RULES,
    SCALES,
    SERVED,
    ablation,
    bootstrap,
    gain,
    groups,
    judge,
    ratio,
    rows,
)
from mentorgraph.embeddings.evidence import evidence
from mentorgraph.embeddings.fusion import FUSED, OF_RULES, Fusion
from mentorgraph.embeddings.metrics import ndcg
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.embeddings.training import train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.scoring import PRECEDENTS
from mentorgraph.graph.rules.policy import load_policy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = load_policy()
QUICK = Recipe(fewest_asks=20, most_asks=60, epochs=1, seeds=2)


def test_the_same_seed_repeats_the_model_and_another_does_not(columns: Columns, model: Model) -> None:
    again = train(columns, NOW, FULL, POLICY, QUICK)
    other = train(columns, NOW, FULL, POLICY, QUICK, seed=5)
    arrays, repeated = model.arrays(), again.arrays()
    assert arrays.keys() == repeated.keys()
    assert all(np.array_equal(array, repeated[name]) for name, array in arrays.items())
    assert not np.array_equal(arrays["network.0.first.weight"], other.arrays()["network.0.first.weight"])
    assert not np.array_equal(arrays["network.0.first.weight"], arrays["network.1.first.weight"])


def test_the_loss_falls_from_pass_to_pass(columns: Columns) -> None:
    told: list[str] = []
    recipe = Recipe(fewest_asks=20, most_asks=60, epochs=3, seeds=0, rate=3e-3)
    train(columns, NOW, FULL, POLICY, recipe, progress=told.append)
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in told if "loss" in line]
    assert len(losses) == 3
    assert losses[0] > losses[1] > losses[2]


def test_too_little_data_is_said_with_what_is_missing() -> None:
    with pytest.raises(DomainError, match="0 goals found a mentor who had mentored before, 100 over several months"):
        train(Columns(), NOW, FULL, POLICY)


def test_every_ranking_gets_a_row_for_every_group(columns: Columns, task: Task, model: Model) -> None:
    asked = task.only(np.arange(40))
    judged = judge(model, model.knowledge(columns, task.now, POLICY), asked)
    assert set(judged) == {*KIND_OF, *BASELINES}
    table = rows(judged, asked, "full")
    present = [name for name, mask in groups(asked).items() if mask.any()]
    assert [(row["name"], row["group"]) for row in table] == [(name, group) for name in judged for group in present]
    for row in table:
        assert row["low"] <= row["ndcg@10"] <= row["high"]
        assert row["ndcg@10"] <= row["ndcg@20"] + 1e-9
        own = judged[row["name"]].shown[groups(asked)[row["group"]]]
        assert row["goals"] == len(own)
        assert row["coverage@10"] == pytest.approx(len({*own.ravel().tolist()}) / len(asked.candidates))
        slots = asked.popularity[own.ravel()]
        assert row["popularity@10"] == pytest.approx(slots.mean() / asked.popularity.mean())
    for name, each in judged.items():  # whoever is shown is who stands first
        for shown, relevant, found in zip(each.shown, asked.relevant, each.places, strict=True):
            assert np.flatnonzero(np.isin(shown, relevant)).tolist() == (found[found <= 10] - 1).tolist(), name
    spread = {row["name"]: row for row in table if row["group"] == "all"}
    assert spread["popularity"]["coverage@10"] == pytest.approx(10 / len(asked.candidates))
    assert spread["popularity"]["popularity@10"] > 1.5 > spread["skills overlap"]["popularity@10"]
    assert spread["popularity"]["gini@10"] == max(row["gini@10"] for row in spread.values())
    everybody = groups(asked)["all"]
    assert gain(judged[SERVED], judged[SERVED], everybody).high == 0
    popular = ndcg(judged["popularity"].places, 10).mean()
    assert ndcg(judged[LINEAR].places, 10).mean() > 2 * popular


def test_what_a_part_adds_is_the_loss_without_it(columns: Columns, task: Task, model: Model) -> None:
    """By the slow way: a sum whose weight is 0. A part that all candidates have alike adds nothing."""
    asked = task.only(np.arange(12))
    known = model.knowledge(columns, task.now, POLICY)
    model = replace(model, plain=Fusion(np.where(OF_RULES, model.plain.weights, model.linear.weights), 0.0))
    judged = judge(model, known, asked, baselines={})
    parts = {each["part"]: each for each in ablation(judged, asked) if (each["name"], each["group"]) == (PLAIN, "all")}
    of_rules = {name.removeprefix("signal ") for name in np.array(FUSED)[OF_RULES & (model.plain.weights != 0)]}
    assert set(parts) == {*of_rules, PRECEDENTS}
    for part, gone in (("skills", np.array(FUSED) == "signal skills"), (PRECEDENTS, ~OF_RULES)):
        fewer = replace(model, plain=Fusion(np.where(gone, 0, model.plain.weights), 0.0))
        left = judge(fewer, known, asked, baselines={})
        assert parts[part]["adds"] == pytest.approx(gain(judged[PLAIN], left[PLAIN], np.ones(12, bool)).mean)
        assert parts[part]["low"] <= parts[part]["adds"] <= parts[part]["high"]
    assert "network" in {each["part"] for each in ablation(judged, asked) if each["name"] == SERVED}


def test_a_ratio_of_two_rankings_is_resampled_in_pairs() -> None:
    figures = np.random.default_rng(1).uniform(size=200)
    twice = ratio(2 * figures, figures)
    assert (twice.mean, twice.low, twice.high) == pytest.approx((2, 2, 2))
    apart = ratio(2 * figures, figures[::-1])
    assert apart.mean == pytest.approx(2)
    assert 1.5 < apart.low < 1.95 < 2.05 < apart.high < 2.6
    nothing = np.zeros(200)
    assert [each.mean for each in (ratio(nothing, nothing), ratio(figures, nothing))] == [1, np.inf]


def test_the_interval_of_a_mean_covers_what_theory_says() -> None:
    figures = np.random.default_rng(0).normal(size=400)
    found = bootstrap(figures)
    half = 1.96 * figures.std() / 20
    assert found.low == pytest.approx(figures.mean() - half, abs=0.02)
    assert found.high == pytest.approx(figures.mean() + half, abs=0.02)


def test_the_likelihood_of_a_choice_is_that_of_its_shares(columns: Columns, task: Task, model: Model) -> None:
    """By the slow definition; the rules get the scale that suits them best."""
    asked = task.only(np.arange(12))
    known = model.knowledge(columns, task.now, POLICY)
    judged, by_rules = judge(model, known, asked, baselines={}), Fusion.of_rules(POLICY)
    slow: list[float] = []
    rules: dict[float, list[float]] = {scale: [] for scale in SCALES}
    for question, chosen in zip(questions(columns, asked, FULL, POLICY.signals), asked.relevant, strict=True):
        found = evidence(known, question, task.candidates)
        odds = np.exp(model.plain.scores(found, None))
        slow.append(float(np.log(odds[chosen] / odds.sum()).mean()))
        for scale, likelihoods in rules.items():
            odds = np.exp(scale * by_rules.scores(found, None))
            likelihoods.append(float(np.log(odds[chosen] / odds.sum()).mean()))
    assert judged[PLAIN].likelihood == pytest.approx(np.array(slow))
    assert judged[RULES].likelihood.mean() == pytest.approx(max(np.mean(each) for each in rules.values()))
