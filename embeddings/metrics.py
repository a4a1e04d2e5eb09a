"""Figures of ranking quality over a full ranking: every candidate is ranked, none is sampled.

Sampled candidates change which of two methods looks better (Krichene and Rendle 2020, "On sampled metrics for item
recommendation"). All figures come from *places*: where the relevant candidates of each query stand, 1 for the first.
They are returned per query, so that two methods can be compared in pairs.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Figures = npt.NDArray[np.float64]

BLOCK = 64


def places(scores: npt.NDArray[np.floating | np.integer], relevant: npt.ArrayLike) -> Places:
    """Where the relevant candidates of one query stand, in ascending order.

    Args:
        scores: One number per candidate, higher is better, none NaN; of equals the one that comes first ranks higher.
        relevant: Positions of the relevant candidates, each once.
    """
    positions = np.asarray(relevant, np.int64)
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise ValueError("a score is not a number, so nothing can be ranked by it")
    own = scores[positions, None]
    earlier = np.arange(len(scores)) < positions[:, None]
    found: Places = 1 + ((scores > own) | ((scores == own) & earlier)).sum(axis=1)
    return np.sort(found)


def first(scores: npt.NDArray[np.floating | np.integer], k: int) -> npt.NDArray[np.int64]:
    """Positions of the first k candidates, best first, equals in the order of `places`: `int64[≤ k]`.

    The k-th largest of the maxima of blocks is no more than the k-th largest score, so whoever is below it is not among
    the first k; what is left is few, and the long list is read through twice only.
    """
    k = min(k, len(scores))
    if not k:
        return np.zeros(0, np.int64)
    whole = len(scores) // BLOCK * BLOCK
    maxima = scores[:whole].reshape(-1, BLOCK).max(axis=1) if whole >= k * BLOCK else scores
    best = np.flatnonzero(scores >= np.partition(maxima, -k)[-k])
    found: npt.NDArray[np.int64] = best[np.argsort(-scores[best], kind="stable")][:k]
    return found


def coverage(shown: npt.NDArray[np.int64]) -> float:
    """Share of the candidates that are shown at least once, by how often each is: `int64[candidates]`.

    Source: Ge, Delgado-Battenfeld and Jannach 2010, "Beyond accuracy: evaluating recommender systems by coverage and
    serendipity" (catalogue coverage).
    """
    return float((shown > 0).mean()) if len(shown) else 0.0


def gini(counts: npt.NDArray[np.int64]) -> float:
    """How unequally something is spread: 0 for alike, towards 1 for all on one (Gini 1912)."""
    if not counts.sum():
        return 0.0
    ranks = np.arange(1, len(counts) + 1)
    return float(2 * (ranks * np.sort(counts)).sum() / (len(counts) * counts.sum()) - (len(counts) + 1) / len(counts))


def popularity_shown(shown: npt.NDArray[np.int64], popularity: npt.NDArray[np.int64]) -> float:
    """Mean popularity of a place in a list over the mean popularity of a candidate; 1 where lists are by chance.

    Source: average recommendation popularity, Yin et al. 2012, "Challenging the long tail recommendation", as a ratio.

    Args:
        shown: How often each candidate is shown: `int64[candidates]`.
        popularity: How often each was chosen before: `int64[candidates]`.
    """
    if not shown.sum() or not popularity.sum():
        return 0.0
    return float((shown @ popularity) / shown.sum() / popularity.mean())


def ndcg(found: Sequence[Places], k: int) -> Figures:
    """Normalised discounted cumulative gain of the first k, with relevance 0 or 1; one figure per query.

    NDCG@k = Σ_{places p ≤ k} 1 / log2(1 + p) over the same sum for the best possible order.
    Source: Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with the discount of
    Burges et al. 2005.
    """
    _check(found, k)
    gains = 1 / np.log2(np.arange(2, k + 2))
    best = np.cumsum(gains)
    return np.array([gains[p[p <= k] - 1].sum() / best[min(k, len(p)) - 1] for p in found])


def reciprocal_rank(found: Sequence[Places]) -> Figures:
    """One over the first relevant place; one figure per query, their mean is MRR.

    Source: Voorhees 1999, "The TREC-8 question answering track report".
    """
    _check(found, 1)
    return np.array([1 / p[0] for p in found])


def hit(found: Sequence[Places], k: int) -> Figures:
    """1 where a relevant candidate is among the first k, else 0; one figure per query, their mean is HR@k.

    Source: Deshpande and Karypis 2004, "Item-based top-N recommendation algorithms".
    """
    _check(found, k)
    return np.array([float(p[0] <= k) for p in found])


def recall(found: Sequence[Places], k: int) -> Figures:
    """Share of the relevant candidates that are among the first k; one figure per query.

    Source: Manning, Raghavan and Schütze 2008, "Introduction to information retrieval", section 8.3.
    """
    _check(found, k)
    return np.array([float((p <= k).mean()) for p in found])


def _check(found: Sequence[Places], k: int) -> None:
    if k < 1:
        raise ValueError("k is at least 1")
    if any(len(p) == 0 for p in found):
        raise ValueError("a query without a relevant candidate has no figure; leave it out")
