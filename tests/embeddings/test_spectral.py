"""Graph filters against their definitions, worked out with dense matrices."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.integrate import solve_ivp

from mentorgraph.embeddings.spectral import Spread, sharpened


@pytest.fixture(scope="module")
def chosen() -> NDArray[np.float64]:
    draws = np.random.default_rng(4)
    matrix = (draws.random((40, 25)) < 0.2).astype(np.float64)
    matrix[3], matrix[:, 7] = 0, 0  # somebody who chose nothing, and what nobody chose
    return matrix


def normal(chosen: NDArray[np.float64]) -> NDArray[np.float64]:
    by_user, by_item = (np.sqrt(np.maximum(chosen.sum(axis=axis), 1)) for axis in (1, 0))
    found: NDArray[np.float64] = chosen / by_user[:, None] / by_item
    return found


@pytest.fixture(scope="module")
def spread(chosen: NDArray[np.float64]) -> Spread:
    return Spread.of(sparse.csr_array(chosen.astype(np.float32)), rank=6)


def test_hops_are_powers_of_the_normalised_matrix(chosen: NDArray[np.float64], spread: Spread) -> None:
    along = normal(chosen).T @ normal(chosen)
    expected = chosen
    for found in spread.hops(np.array([0, 3, 17])):
        expected = expected @ along
        np.testing.assert_allclose(found.T, expected[[0, 3, 17]], atol=1e-5)


def test_the_low_pass_part_is_that_of_the_first_singular_vectors(chosen: NDArray[np.float64], spread: Spread) -> None:
    _, _, vectors = np.linalg.svd(normal(chosen), full_matrices=False)
    roots = np.sqrt(np.maximum(chosen.sum(axis=0), 1))
    along = normal(chosen).T @ normal(chosen)
    first, second = spread.low_pass(4, hops=2)
    expected = chosen / roots @ vectors[:4].T @ vectors[:4] * roots @ along @ along
    np.testing.assert_allclose(chosen @ first @ second.T, expected, atol=2e-3)
    other = chosen / roots @ vectors[2:6].T @ vectors[2:6] * roots @ along @ along  # the control: other vectors
    assert np.abs(chosen @ first @ second.T - other).max() > 0.1


@pytest.mark.parametrize("span", [0.0, 0.5, 2.5])
def test_sharpening_is_one_step_of_runge_and_kutta(chosen: NDArray[np.float64], span: float) -> None:
    along = normal(chosen).T @ normal(chosen)
    start = chosen @ along
    slopes: list[NDArray[np.float64]] = []
    for weight in (0, 0.5, 0.5, 1):
        last = slopes[-1] if slopes else 0 * start
        slopes.append(-(start + weight * span * last) @ along)
    expected = start + span / 6 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3])
    found, hop = 0 * start, chosen
    for coefficient in sharpened(span):
        hop = hop @ along
        found = found + coefficient * hop
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_short_span_solves_the_equation_that_it_stands_for(chosen: NDArray[np.float64]) -> None:
    along = normal(chosen).T @ normal(chosen)
    start = chosen[0] @ along
    peer = solve_ivp(lambda _time, values: -values @ along, (0, 0.3), start, rtol=1e-9, atol=1e-12).y[:, -1]
    found, hop = 0 * start, chosen[0]
    for coefficient in sharpened(0.3):
        hop = hop @ along
        found = found + coefficient * hop
    np.testing.assert_allclose(found, peer, atol=1e-4)
