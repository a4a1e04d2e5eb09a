"""Replaying: what was recorded comes out again to 1e-9, and whatever was recorded wrongly is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.decisions.decision import Decision, Recommended
from mentorgraph.graph.decisions.keys import Keys
from mentorgraph.graph.decisions.log import KEYS
from mentorgraph.graph.decisions.reading import Records
from mentorgraph.graph.decisions.replay import replay
from mentorgraph.graph.ranking.listing import Slate

from .conftest import POLICY

POLICIES = {POLICY.version: POLICY.content}


@pytest.fixture
def decision(keep: Callable[..., list[Slate]], folder: Path) -> Decision:
    """A kept decision."""
    keep(1)
    [found] = Records(folder, Keys(folder / KEYS)).all()
    assert isinstance(found, Decision)
    return found


def with_first(decision: Decision, **changes: Any) -> Decision:
    first = decision.recommended[0]
    return replace(
        decision,
        recommended=(
            replace(first, recommendation=replace(first.recommendation, **changes)),
            *decision.recommended[1:],
        ),
    )


def test_every_kept_answer_replays(
    keep: Callable[..., list[Slate]], folder: Path, count: Callable[[int, int], int]
) -> None:
    total = count(20, 500)
    keep(*range(total))
    records = Records(folder, Keys(folder / KEYS))
    policies = records.policies()
    assert policies == POLICIES
    differences = [replay(each, policies) for each in records.all()]
    assert differences == [[]] * total


def test_an_erased_answer_replays_too(keep: Callable[..., list[Slate]], folder: Path) -> None:
    [slate] = keep(1)
    Keys(folder / KEYS).destroy(slate.asked.mentee)
    [found] = Records(folder, Keys(folder / KEYS)).all()
    assert isinstance(found, Decision)
    assert found.is_redacted
    assert replay(found, POLICIES) == []


def test_each_wrong_number_is_named(decision: Decision) -> None:
    found = decision.recommended[0].recommendation
    signal = next(each for each in found.signals if each.value)
    others = tuple(each for each in found.signals if each is not signal)
    heavier = replace(signal, weight=(signal.weight or 0) + 1e-6)
    more = replace(signal, contribution=signal.contribution + 1e-6)
    for changed, expected in (
        (with_first(decision, score=found.score + 2e-9), "the score is"),
        (with_first(decision, rank=2), "the rank is 1, recorded 2"),
        (with_first(decision, mentor=decision.mentee), "its id is not that of this mentor"),
        (with_first(decision, signals=(heavier, *others)), f"{signal.name} has the weight"),
        (with_first(decision, signals=(more, *others)), f"{signal.name} contributes"),
        (replace(decision, base=1.0), "the base is 1.0, in the policy 0.0"),
        (replace(decision, policy_version="other@00000000"), "the policy other@00000000 is not in the log"),
    ):
        differences = replay(changed, POLICIES)
        assert [each.what for each in differences if each.what.startswith(expected)], (expected, differences)
    close_enough = with_first(decision, score=found.score + 1e-10)
    assert replay(close_enough, POLICIES) == []
    changed_policy = [0.0, {**POLICY.content[1], signal.name: 7.0}, *POLICY.content[2:]]
    said = [each.what for each in replay(decision, {POLICY.version: changed_policy})]
    assert said[0].startswith(f"the policy recorded as {POLICY.version} is default@")


def test_a_learned_ranker_is_replayed_by_the_contributions_that_were_recorded(decision: Decision) -> None:
    """Without a weight there is nothing to multiply: the sum and the order are what can be checked."""

    def learned(each: Recommended) -> Recommended:
        signals = tuple(replace(signal, weight=None) for signal in each.recommendation.signals)
        return replace(each, recommendation=replace(each.recommendation, signals=signals))

    model = replace(decision, model_version="net@1", recommended=tuple(map(learned, decision.recommended)))
    assert replay(model, POLICIES) == []
    first = model.recommended[0].recommendation
    changed = replace(first.signals[0], contribution=first.signals[0].contribution + 1e-6)
    [difference] = replay(with_first(model, signals=(changed, *first.signals[1:])), POLICIES)
    assert difference.what.startswith("the score is")
    assert difference.recommendation == first.uid
