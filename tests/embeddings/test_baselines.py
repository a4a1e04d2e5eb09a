"""The untrained rankings against slow definitions."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mentorgraph.embeddings.baselines import BASELINES, UNTUNED, PastPairings, metapath_neighbours, popularity
from mentorgraph.embeddings.evaluation import judge, tune
from mentorgraph.embeddings.metrics import ndcg, places
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import questions
from mentorgraph.embeddings.training import last_window
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.rules.policy import load_policy

from .conftest import NOW, QUICK

POLICY = load_policy()

SKILLS, MENTORS = 6, 4
Wants = list[set[int]]

wants = st.lists(st.sets(st.integers(0, SKILLS - 1), max_size=4), min_size=1, max_size=12)


def matrix(rows: Wants) -> sparse.csr_array:
    dense = np.zeros((len(rows), SKILLS))
    for number, row in enumerate(rows):
        dense[number, sorted(row)] = 1
    return sparse.csr_array(dense)


def past_of(rows: Wants) -> PastPairings:
    mentors = np.array([(5 * number + 2) % MENTORS for number in range(len(rows))])
    return PastPairings(mentors, matrix(rows), 90.0 * np.arange(len(rows), dtype=np.float64), MENTORS)


def slow_metapath(asked: Wants, rows: Wants, neighbours: int) -> list[list[float]]:
    past = past_of(rows)
    idf = [log((1 + len(rows)) / (1 + sum(skill in row for row in rows))) + 1 for skill in range(SKILLS)]

    def alike(one: set[int], other: set[int]) -> float:
        lengths = [sqrt(sum(idf[skill] ** 2 for skill in each)) for each in (one, other)]
        return sum(idf[skill] ** 2 for skill in one & other) / (lengths[0] * lengths[1]) if all(lengths) else 0

    result = []
    for query in asked:
        votes = [alike(query, row) for row in rows]
        limit = sorted(votes, reverse=True)[min(neighbours, len(votes)) - 1]
        scores = [0.0] * MENTORS
        for vote, mentor in zip(votes, past.mentors, strict=True):
            if vote >= limit - 1e-12:
                scores[mentor] += vote
        result.append(scores)
    return result


@given(wants, wants)
def test_the_metapath_sums_what_its_definition_sums(asked: Wants, rows: Wants) -> None:
    found = metapath_neighbours(matrix(asked), past_of(rows))
    assert found == pytest.approx(np.array(slow_metapath(asked, rows, 20)))


def test_only_the_nearest_past_pairings_vote() -> None:
    asked, rows = [{0, 1}], [{0, 1}, {0, 2}, {1, 2, 3}, {4}]
    for neighbours in (1, 2, 3):
        found = metapath_neighbours(matrix(asked), past_of(rows), neighbours)
        assert found == pytest.approx(np.array(slow_metapath(asked, rows, neighbours)))
    assert np.count_nonzero(metapath_neighbours(matrix(asked), past_of(rows), 1)) == 1


def test_one_past_pairing_in_65_votes_by_default() -> None:
    rows: Wants = [{0}] + [{0, 1}] * 30 + [{0, 1, 2}] * 65 * 29
    assert len(rows) // 65 == 29
    found = metapath_neighbours(matrix([{0}]), past_of(rows))
    assert found == pytest.approx(np.array(slow_metapath([{0}], rows, 29)))
    assert found.sum() < metapath_neighbours(matrix([{0}]), past_of(rows), 32).sum()


def test_who_wants_nothing_that_others_wanted_gets_no_votes() -> None:
    assert not metapath_neighbours(matrix([set(), {5}]), past_of([{0}, {1}])).any()


def test_a_pairing_counts_half_after_each_half_life() -> None:
    past = PastPairings(np.array([0, 0, 2]), matrix([{0}] * 3), np.array([0.0, 180.0, 360.0]), MENTORS)
    assert popularity(past).tolist() == [1.5, 0, 0.25, 0]
    assert popularity(past, half_life_days=360).tolist() != popularity(past).tolist()


def test_the_number_of_a_baseline_is_the_one_that_did_best_in_an_earlier_window(columns: Columns, model: Model) -> None:
    earlier = last_window(columns, NOW, QUICK)
    assert earlier.until <= NOW
    known = model.knowledge(columns, earlier.now, POLICY)

    def figure(name: str, number: float) -> float:
        judged = judge(model, known, earlier, baselines={name: number})[name]
        return float(ndcg(judged.places, 10).mean())

    tuned = tune(known, earlier)
    assert set(tuned) == set(BASELINES)
    for name, each in BASELINES.items():
        figures = {number: figure(name, number) for number in each.values}
        assert figures[tuned[name]] == max(figures.values())
    assert tuned != UNTUNED


def test_with_a_roster_as_much_is_known_and_others_are_only_left_out(columns: Columns, model: Model) -> None:
    task = last_window(columns, NOW, QUICK)
    roster, known = task.of_roster(), model.knowledge(columns, task.now, POLICY)
    asked = questions(columns, task, known.setting, POLICY.signals)
    few = judge(model, known, roster, baselines=UNTUNED)
    own = np.searchsorted(task.candidates, roster.candidates)
    assert len(own) < len(task.candidates)
    for name, number in UNTUNED.items():
        scores = BASELINES[name].rank(known, asked, task.candidates, number)[:, own]
        expected = [places(row, relevant) for row, relevant in zip(scores, roster.relevant, strict=True)]
        assert ndcg(few[name].places, 10).tolist() == ndcg(expected, 10).tolist(), name
