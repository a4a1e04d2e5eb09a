"""Graph filters over a history of choices, in closed form: what a convolution network over it would converge to.

A matrix R of who chose what, normalised to R̃ = D_u^−½ R D_i^−½, spreads choices along P = R̃ᵀR̃. A filter is a polynomial
of P applied to the rows of R, and a low-pass part of its first singular vectors. Sources: GF-CF (Shen et al. 2021, "How
powerful is graph convolution for recommendation?"), BSPM (Choi et al. 2023, "Blurring-sharpening process models for
collaborative filtering"), whose sharpening by one step of Runge and Kutta is such a polynomial.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

Dense = NDArray[np.float32]

HOPS = 5
"""Highest power of P."""


@dataclass(frozen=True, eq=False)
class Spread:
    """A history of choices, normalised, with its first singular vectors.

    Attributes:
        chosen: `float32[users, items]`, 1 where somebody chose something.
        normal: R̃: `float32[users, items]`; `back` is its transpose.
        roots: Square roots of how often each item was chosen, 1 at least: `float32[items]`.
        vectors: First right singular vectors of R̃: `float32[items, rank]`.
    """

    chosen: sparse.csr_array
    normal: sparse.csr_array
    back: sparse.csr_array
    roots: Dense
    vectors: Dense

    @classmethod
    def of(cls, chosen: sparse.csr_array, rank: int, seed: int = 0) -> "Spread":
        """Normalises a history, and finds its first singular vectors.

        Args:
            chosen: `float32[users, items]`.
            rank: How many vectors; fewer where there are fewer.
            seed: Of the random beginning of ARPACK.
        """
        by_user, by_item = (
            np.sqrt(np.maximum(np.bincount(each, minlength=size), 1)).astype(np.float32)
            for each, size in zip(chosen.tocoo().coords, chosen.shape, strict=True)
        )
        normal = sparse.csr_array(sparse.diags_array(1 / by_user) @ chosen @ sparse.diags_array(1 / by_item))
        normal = normal.astype(np.float32)
        back = sparse.csr_array(normal.T)
        _, values, found = svds(normal, k=min(rank, min(normal.shape) - 1), random_state=seed)
        vectors = np.ascontiguousarray(found[np.argsort(-values)].T, dtype=np.float32)
        return cls(chosen, normal, back, by_item, vectors)

    def hops(self, users: NDArray[np.int64], hops: int = HOPS) -> list[Dense]:
        """R P, R P², … of some users: `float32[items, users]` each."""
        found, last = [], np.ascontiguousarray(self.chosen[users].toarray().T, dtype=np.float32)
        for _ in range(hops):
            last = self.back @ (self.normal @ last)
            found.append(last)
        return found

    def low_pass(self, rank: int, hops: int = 0) -> tuple[Dense, Dense]:
        """Two factors whose product, with R before it, is R D_i^−½ V Vᵀ D_i^½ Pʰ.

        Returns:
            `float32[items, rank]` and `float32[items, rank]`; scores are R · first · secondᵀ.
        """
        vectors = self.vectors[:, :rank]
        first = vectors / self.roots[:, None]
        second = vectors * self.roots[:, None]
        for _ in range(hops):
            second = self.back @ (self.normal @ second)
        return first, second


def sharpened(span: float, hops: int = HOPS) -> NDArray[np.float64]:
    """Coefficients of R P, R P², … where choices are spread once, then sharpened for a span of time.

    One Runge-Kutta step of fourth order solves dS/dt = −S P up to t⁴: S · Σ (−t P)ⁿ / n!, where t is the span.
    """
    found = np.zeros(hops)
    found[0] = 1
    for power in range(1, min(hops, 5)):
        found[power] = found[power - 1] * -span / power
    return found
