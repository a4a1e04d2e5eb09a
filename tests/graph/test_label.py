"""The label of a pairing by the weights of a charter."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.facts.label import SUCCESS_THRESHOLD, Weights, is_success, outcome

parts = st.none() | st.floats(0, 1)
weights = st.builds(Weights, *[st.floats(0, 1)] * 4)


def test_weights_are_those_of_the_charter_and_a_missing_one_counts_nothing() -> None:
    charter = {"skill_weight": 0.5, "delivery_weight": 0.25, "success_threshold": 0.7, "why": "More people lead."}
    assert Weights.of(charter) == Weights(0.5, 0.0, 0.25, 0.7)
    assert Weights.of({"confidence_weight": 1}) == Weights(0.0, 1.0, 0.0, SUCCESS_THRESHOLD)
    assert Weights.of({}) == Weights(1.0, 1.0, 1.0, SUCCESS_THRESHOLD) == Weights()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((1.0, 0.5, 0.0), 0.65),
        ((1.0, 0.5, None), 0.8125),
        ((None, 0.5, 0.0), 0.3),
        ((None, None, 0.4), 0.4),
        ((0.0, 0.0, 0.0), 0.0),
        ((None, None, None), None),
    ],
)
def test_what_is_known_makes_up_for_what_is_not(
    known: tuple[float | None, float | None, float | None], expected: float | None
) -> None:
    found = outcome(Weights(0.5, 0.3, 0.2), *known)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-15))


def test_what_counts_nothing_alone_gives_no_outcome() -> None:
    assert outcome(Weights(0.5, 0.5, 0.0), None, None, 1.0) is None
    assert outcome(Weights(0.0, 0.0, 0.0), 1.0, 1.0, 1.0) is None


def test_a_success_begins_at_the_threshold() -> None:
    charter = Weights(success_threshold=0.6)
    assert [is_success(charter, each) for each in (0.5999, 0.6, 1.0, None)] == [False, True, True, None]


@given(weights, parts, parts, parts)
def test_the_outcome_is_the_exact_weighted_mean_of_what_is_known(
    given_weights: Weights, skill: float | None, confidence: float | None, delivery: float | None
) -> None:
    found = outcome(given_weights, skill, confidence, delivery)
    three = (given_weights.skill, given_weights.confidence, given_weights.delivery)
    pairs = zip(three, (skill, confidence, delivery), strict=True)
    known = [(Fraction(weight), Fraction(value)) for weight, value in pairs if value is not None and weight > 0]
    if not known:
        assert found is None
        return
    exact = sum(weight * value for weight, value in known) / sum(weight for weight, _ in known)
    assert found == pytest.approx(float(exact), abs=1e-12)
    assert min(value for _, value in known) <= Fraction(found or 0.0) <= max(value for _, value in known)


@given(weights, st.floats(0, 1), parts, parts, st.floats(0, 1))
def test_more_of_a_part_never_makes_less(
    given_weights: Weights, skill: float, confidence: float | None, delivery: float | None, other: float
) -> None:
    low, high = sorted((skill, other))
    less, more = (outcome(given_weights, each, confidence, delivery) for each in (low, high))
    assert (less is None) == (more is None)
    assert less is None or more is None or less <= more + 1e-12


@given(st.tuples(*[st.sampled_from((0.0, 0.1, 0.3, 1.0))] * 3), parts, parts, parts, st.floats(0.001, 1))
def test_weights_count_by_their_proportion(
    three: tuple[float, float, float],
    skill: float | None,
    confidence: float | None,
    delivery: float | None,
    scale: float,
) -> None:
    before = outcome(Weights(*three), skill, confidence, delivery)
    after = outcome(Weights(*(each * scale for each in three)), skill, confidence, delivery)
    assert after == (None if before is None else pytest.approx(before, abs=1e-9))
