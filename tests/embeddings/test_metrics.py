"""Figures of ranking quality against a slow definition."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.embeddings.metrics import (
    coverage,
    first,
    gini,
    hit,
    ndcg,
    places,
    popularity_shown,
    recall,
    reciprocal_rank,
)

Query = tuple[list[int], set[int]]


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Scores with many equals, and at least one relevant position."""
    scores = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
    relevant = draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))
    return scores, relevant


def ranking(scores: list[int]) -> list[int]:
    return sorted(range(len(scores)), key=lambda position: (-scores[position], position))


def slow_ndcg(query: Query, k: int) -> float:
    scores, relevant = query
    gained = sum(1 / log2(place + 1) for place, who in enumerate(ranking(scores)[:k], start=1) if who in relevant)
    possible = sum(1 / log2(place + 1) for place in range(1, min(k, len(relevant)) + 1))
    return gained / possible


def slow_reciprocal_rank(query: Query) -> float:
    scores, relevant = query
    return next(1 / place for place, who in enumerate(ranking(scores), start=1) if who in relevant)


def slow_recall(query: Query, k: int) -> float:
    scores, relevant = query
    return len(relevant & set(ranking(scores)[:k])) / len(relevant)


@given(st.lists(queries(), min_size=1, max_size=5), st.integers(1, 35))
def test_each_figure_equals_its_definition_for_each_query(asked: list[Query], k: int) -> None:
    found = [places(np.array(scores), sorted(relevant)) for scores, relevant in asked]
    assert ndcg(found, k) == pytest.approx([slow_ndcg(query, k) for query in asked])
    assert reciprocal_rank(found) == pytest.approx([slow_reciprocal_rank(query) for query in asked])
    assert recall(found, k) == pytest.approx([slow_recall(query, k) for query in asked])
    assert hit(found, k) == pytest.approx([float(slow_recall(query, k) > 0) for query in asked])


@given(queries())
def test_an_order_of_relevant_positions_does_not_matter(query: Query) -> None:
    scores, relevant = query
    one, other = (places(np.array(scores), sorted(relevant, reverse=way)) for way in (False, True))
    assert one.tolist() == other.tolist() == sorted(one.tolist())


def test_figures_of_a_ranking_worked_out_by_hand() -> None:
    found = [places(np.array([0.1, 0.9, 0.5, 0.7]), [2, 0])]
    assert found[0].tolist() == [3, 4]
    assert ndcg(found, 3) == pytest.approx([0.5 / (1 + 1 / log2(3))])
    assert reciprocal_rank(found) == pytest.approx([1 / 3])
    assert (hit(found, 2)[0], hit(found, 3)[0]) == (0, 1)
    assert recall(found, 3) == pytest.approx([0.5])


def test_a_worse_order_gives_a_lower_figure() -> None:
    good, bad = ([places(np.array(scores), [0])] for scores in ([3, 2, 1], [1, 2, 3]))
    assert ndcg(bad, 10)[0] < ndcg(good, 10)[0] == 1


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        places(np.array([0.5, np.nan]), [0])


def test_a_query_without_a_relevant_candidate_is_refused() -> None:
    with pytest.raises(ValueError, match="leave it out"):
        ndcg([places(np.array([1.0]), [])], 10)


def test_a_list_of_no_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        hit([places(np.array([1.0]), [0])], 0)


@given(queries(), st.integers(1, 35))
def test_the_first_of_a_list_are_those_that_places_puts_first(query: Query, k: int) -> None:
    scores, _ = query
    found = first(np.array(scores), k).tolist()
    assert found == ranking(scores)[:k]
    assert [places(np.array(scores), [each])[0] for each in found] == list(range(1, len(found) + 1))


@given(st.integers(0, 1_000), st.integers(1, 4_000), st.integers(1, 12), st.sampled_from([2, 50, 10_000]))
def test_the_first_of_a_long_list_are_the_same(seed: int, candidates: int, k: int, different: int) -> None:
    """With many equals and with few, where the list has whole blocks and where it has not."""
    scores = np.random.default_rng(seed).integers(0, different, candidates).astype(np.float32)
    assert first(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()


def test_what_is_shown_worked_out_by_hand() -> None:
    """Two lists of two from four mentors: one stands in both, two in one, one in none."""
    shown, popularity = np.array([2, 1, 1, 0]), np.array([8, 2, 0, 2])
    assert coverage(shown) == 0.75
    assert popularity_shown(shown, popularity) == pytest.approx(((8 + 8 + 2 + 0) / 4) / (12 / 4))
    assert gini(shown) == pytest.approx(0.375)
    assert popularity_shown(np.array([0, 0, 4, 0]), popularity) == 0  # only those whom nobody had asked before
    assert popularity_shown(np.ones(4, np.int64), popularity) == 1
    assert (coverage(np.zeros(3, np.int64)), popularity_shown(np.zeros(4, np.int64), popularity)) == (0, 0)
