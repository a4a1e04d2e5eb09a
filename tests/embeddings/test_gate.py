"""The gate: what it lets through, and that what was not learned does not pass."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from mentorgraph.embeddings.baselines import BASELINES
from mentorgraph.embeddings.evaluation import LINEAR, NETWORK, PLAIN, RULES, SERVED, Judged, groups
from mentorgraph.embeddings.gate import decide
from mentorgraph.embeddings.tasks import Task

ASKS = 400
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def task(newcomers: float = 0.5) -> Task:
    numbers = np.arange(ASKS)
    relevant = tuple(np.array([0]) for _ in range(ASKS))
    return Task(NOW, NOW, numbers, numbers, numbers, relevant, numbers < newcomers * ASKS)


def ranking(name: str, hits: float, kind: str = "baseline", seed: int = 0) -> Judged:
    """A ranking that puts the one relevant candidate first in a share of the asks, and 50th in the others."""
    draws = np.random.default_rng(seed).random(ASKS)
    places = [np.array([1 if draw < hits else 50]) for draw in draws]
    return Judged(name, kind, places, 0.0, np.where(draws < hits, -1.0, -4.0))


def judged(served: float, plain: float, linear: float, simple: float, seed: int = 0) -> dict[str, Judged]:
    found = [ranking(SERVED, served, "model", seed), ranking(PLAIN, plain, "model", seed)]
    found += [ranking(NETWORK, served, "model", seed), ranking(LINEAR, linear)]
    found += [ranking(name, simple) for name in (RULES, *BASELINES)]
    return {each.name: each for each in found}


def test_a_network_that_adds_beyond_doubt_may_serve() -> None:
    decision = decide(judged(0.6, 0.5, 0.5, 0.3), task())
    assert decision.ranking == SERVED
    assert all(each.holds for each in decision.conditions[SERVED])
    assert len(decision.conditions[SERVED]) == len(BASELINES) + 7  # two of them for groups


def test_where_the_network_adds_too_little_the_same_ranking_without_it_may_serve() -> None:
    found = judged(0.503, 0.5, 0.5, 0.3)
    decision = decide(found, task())
    assert decision.ranking == PLAIN
    failed = [each.name for each in decision.conditions[SERVED] if not each.holds]
    assert failed == ["beats linear fusion", "network adds"]
    assert "the network adds too little" in decision.sentence


def test_nothing_may_serve_that_a_simple_ranking_beats() -> None:
    decision = decide(judged(0.4, 0.4, 0.3, 0.5), task())
    assert decision.ranking == ""
    assert decision.sentence.startswith("Nothing may serve: against rules -0.")


def test_nothing_may_serve_that_the_rules_beat() -> None:
    """They serve where no model does, so a model that is worse than they are would be a loss."""
    found = judged(0.4, 0.4, 0.3, 0.3)
    found[RULES] = ranking(RULES, 0.45)
    decision = decide(found, task())
    assert decision.ranking == ""
    failed = [each.name for each in decision.conditions[PLAIN] if not each.holds]
    assert failed == ["beats rules", "states truer odds", "no loss for newcomers", "no loss for rest"]


def test_a_good_order_by_luck_is_known_by_the_odds_that_it_states() -> None:
    found = judged(0.4, 0.4, 0.3, 0.3)
    found[PLAIN] = found[SERVED] = replace(found[PLAIN], likelihood=np.full(ASKS, -3.5))
    decision = decide(found, task())
    assert decision.ranking == ""
    assert [each.name for each in decision.conditions[PLAIN] if not each.holds] == ["states truer odds"]
    assert decision.sentence.startswith("Nothing may serve: ln likelihood of a choice against rules")


def test_newcomers_must_not_pay_for_the_rest() -> None:
    found = judged(0.5, 0.5, 0.5, 0.3)
    places = [np.array([50]) if number < ASKS // 2 else np.array([1]) for number in range(ASKS)]
    found[SERVED] = replace(found[SERVED], places=places)
    found[PLAIN] = found[LINEAR] = ranking(LINEAR, 0.3)
    decision = decide(found, task())
    failed = [each.name for each in decision.conditions[SERVED] if not each.holds]
    assert failed == ["no loss for newcomers", "network does not harm newcomers"]


def test_a_new_version_may_not_be_worse_than_the_present_one() -> None:
    found = judged(0.6, 0.5, 0.5, 0.3)
    assert decide(found, task(), found[SERVED]).ranking == SERVED
    better = ranking("served", 0.7, "model")
    decision = decide(found, task(), better)
    assert decision.ranking == ""
    failed = [each.name for each in decision.conditions[SERVED] if not each.holds]
    assert failed == ["no loss", "no loss for newcomers", "no loss for rest"]
    slightly = ranking("served", 0.604, "model")
    assert decide(found, task(), slightly).ranking in (SERVED, "")


LABELS = tuple(
    frozenset({f"unit {number % 5}"} | ({"format cohort"} if number < 25 else set())) for number in range(ASKS)
)


def worse_for(whole: Judged, label: str) -> Judged:
    """The same ranking, but that asks of one label never find their mentor."""
    places = [np.array([50]) if label in own else found for own, found in zip(LABELS, whole.places, strict=True)]
    return replace(whole, places=places)


def test_the_largest_units_and_all_formats_with_enough_goals_are_groups() -> None:
    """Of twelve units of 30 to 36 goals the ten largest, and of two formats the one that has enough."""
    labels = [{f"unit {number}"} for number in range(12) for _ in range(30 + number // 2)]
    labels = [own | {"format micro" if place < 29 else "format peer"} for place, own in enumerate(labels)]
    labels += [set()] * (ASKS - len(labels))
    asked = replace(task(), labels=tuple(map(frozenset, labels)))
    found = groups(asked)
    assert list(found)[:3] == ["all", "newcomers", "rest"]
    assert [name for name in found if name.startswith("format")] == ["format peer"]
    assert sum(name.startswith("unit") for name in found) == 10
    assert not {"unit 0", "unit 1"} & {*found}
    assert all(mask.sum() >= 30 for name, mask in found.items() if name != "rest")


def test_no_unit_may_pay_for_the_others() -> None:
    """Better than everything in the mean, and without use for one unit in five."""
    asked = replace(task(), labels=LABELS)
    found = judged(0.7, 0.6, 0.6, 0.3)
    assert decide(found, asked).ranking == SERVED
    found[SERVED], found[PLAIN] = (worse_for(found[name], "unit 3") for name in (SERVED, PLAIN))
    found[LINEAR] = ranking(LINEAR, 0.3)
    decision = decide(found, asked)
    assert decision.ranking == ""
    for name in (SERVED, PLAIN):
        assert [each.name for each in decision.conditions[name] if not each.holds] == ["no loss for unit 3"]
    assert decision.sentence.startswith("Nothing may serve: for unit 3 (80 goals) against rules -0.")


def test_no_group_may_lose_what_the_present_version_gives_it() -> None:
    asked = replace(task(), labels=LABELS)
    found = judged(0.7, 0.6, 0.6, 0.3)
    assert decide(found, asked, found[SERVED]).ranking == SERVED
    present = ranking(SERVED, 0.55, "model")
    assert decide(found, asked, present).ranking == SERVED
    decision = decide({**found, SERVED: worse_for(found[SERVED], "unit 1")}, asked, present)
    failed = {each.name: each.told for each in decision.conditions[SERVED] if not each.holds}
    assert failed["no loss for unit 1"].startswith("for unit 1 (80 goals) against the present version -0.")
    assert "no loss for unit 2" not in failed
    few = replace(asked, labels=tuple(own & {"format cohort"} for own in LABELS))  # 25 goals tell nothing
    names = [each.name for each in decide(found, few, present).conditions[SERVED]]
    assert "no loss for newcomers" in names
    assert "no loss for format cohort" not in names


@pytest.mark.parametrize("seed", range(10))
def test_luck_in_small_groups_stops_no_equal_version(seed: int) -> None:
    """As many groups as there can be, each of 40 goals, and a version that is as good as the present one in all."""
    labels = tuple(frozenset({f"unit {number // 40}"}) for number in range(ASKS))
    found, present = judged(0.5, 0.5, 0.4, 0.3), ranking(SERVED, 0.5, "model", seed + 1)
    conditions = decide(found, replace(task(), labels=labels), present).conditions[PLAIN]
    of_groups = [each for each in conditions if each.name.startswith("no loss for ")]
    assert len(of_groups) == 12
    assert [each.told for each in of_groups if not each.holds] == []


@pytest.mark.parametrize("seed", range(20))
def test_a_ranking_by_chance_is_refused(seed: int) -> None:
    """As a model is whose labels were shuffled: it puts the right ones first no more often than chance."""
    assert decide(judged(0.02, 0.02, 0.3, 0.2, seed), task()).ranking == ""
