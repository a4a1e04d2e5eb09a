"""Scores: the sum of weighted signals, and one order for equal ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.ranking.scoring import Scores, Term

NUMBERS = st.floats(-3, 3)


def term(values: list[float], weight: float = 1.0) -> Term:
    array = np.array(values)
    return Term("skills", "unit", weight, array, array * weight, lambda _person: [])


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=8), NUMBERS)
def test_a_score_is_the_base_and_the_sum_of_its_terms(rows: list[tuple[float, float, float]], base: float) -> None:
    scores = Scores.of(base, tuple(term([row[column] for row in rows]) for column in range(3)))
    assert scores.total == pytest.approx([base + sum(row) for row in rows], abs=1e-6)


@given(st.lists(st.sampled_from([0.0, 1.0, 1.0 + 1e-12, 2.0]), min_size=1, max_size=10))
def test_equal_scores_stand_in_the_order_in_which_they_came(values: list[float]) -> None:
    scores = Scores.of(0.0, (term(values),))
    by_uid = np.arange(len(values))[::-1]
    assert scores.order(by_uid).tolist() == sorted(by_uid.tolist(), key=lambda each: -round(values[each], 9))


def test_no_score_is_minus_nought() -> None:
    assert [str(each) for each in Scores.of(0.0, (term([-1e-13, -0.0]),)).total] == ["0.0", "0.0"]
