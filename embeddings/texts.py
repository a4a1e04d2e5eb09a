"""Texts of goals as vectors: words, titles, parts of words, and a dense projection learned from earlier texts.

Statistics are those of the goals known at an instant. Only the projection is fitted once, for a whole model, on texts
that are earlier than everything it is used for; coordinates that are learned from must stay what they are.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import NONE, Mask, Numbers
from mentorgraph.graph.columns.text import TermCounts, frequencies, row_numbers, smooth_idf, tfidf

Floats = NDArray[np.float32]

K1, B = 1.2, 0.75
"""Saturation and length normalisation of BM25: the values of Robertson and Zaragoza 2009, section 3.4."""

DIMENSIONS = 128
FEWEST_GOALS = 2
"""A word that fewer goals use has no place in the projection."""

_PART = re.compile(r"[^\W_]+")


def word_parts(text: str, sizes: Sequence[int] = (3, 4)) -> Counter[str]:
    """Runs of so many letters within words, whose ends count as a letter."""
    found: Counter[str] = Counter()
    for word in _PART.findall(text.casefold()):
        padded = f"<{word}>"
        for size in sizes:
            found.update(padded[start : start + size] for start in range(len(padded) - size + 1))
    return found


def word_runs(text: str) -> Counter[str]:
    """Runs of five letters within words: what kindred words have in common."""
    return word_parts(text, (5,))


def rare_first(counts: sparse.csr_array, known: Mask) -> sparse.csr_array:
    """Vectors like TF-IDF with the square of IDF, so that rare terms decide: `float32[texts, terms]`.

    Args:
        counts: `float32[texts, terms]`.
        known: Texts in which frequencies are counted: `bool[texts]`.
    """
    idf = smooth_idf(frequencies(counts, known), int(known.sum())).astype(np.float32)
    return tfidf(counts, idf * idf)


def without_name(text: str, name: str) -> str:
    """A text without the words of a name, written apart or together."""
    parts = _PART.findall(name.casefold())
    hidden = {part for part in parts if len(part) > 1} | {"".join(parts)}
    return _PART.sub(lambda match: " " if match[0].casefold() in hidden else match[0], text)


def bm25(counts: sparse.csr_array, frequency: NDArray[np.int64], known: Mask) -> sparse.csr_array:
    """What each term of a text adds to its score for a query with that term: `float32[texts, terms]`.

    Source: Robertson and Zaragoza 2009, "The probabilistic relevance framework", with the never negative IDF
    ln(1 + (n − df + ½) / (df + ½)).
    """
    lengths = np.bincount(row_numbers(counts), counts.data, minlength=counts.shape[0])
    mean = lengths[known].mean() if known.any() else 1.0
    idf = np.log(1 + (known.sum() - frequency + 0.5) / (frequency + 0.5))
    saturation = K1 * (1 - B + B * lengths / max(mean, 1e-9))
    data = idf[counts.indices] * counts.data * (K1 + 1) / (counts.data + saturation[row_numbers(counts)])
    return sparse.csr_array((data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


@dataclass(frozen=True, eq=False)
class Projection:
    """A linear map from words to few dimensions: latent semantic analysis (Deerwester et al. 1990).

    Attributes:
        terms: The words that it knows.
        idf: `float32[terms]`.
        components: `float32[terms, dimensions]`.
    """

    terms: tuple[str, ...]
    idf: Floats
    components: Floats

    @classmethod
    def fit(cls, counts: TermCounts, known: Mask, seed: int = 0, dimensions: int = DIMENSIONS) -> "Projection":
        """Fits the map on the known texts.

        The singular vectors are found by subspace iteration from a random start (Halko, Martinsson and Tropp 2011).
        """
        matrix = counts.counts()
        frequency = frequencies(matrix, known)
        kept = np.flatnonzero(frequency >= FEWEST_GOALS)
        kept = kept[np.lexsort((kept, -frequency[kept]))][:20_000]
        idf = smooth_idf(frequency[kept], int(known.sum())).astype(np.float32)
        vectors = tfidf(sparse.csr_array(matrix[np.flatnonzero(known)][:, kept]), idf)
        width = max(1, min(dimensions, len(kept) - 1, int(known.sum()) - 1))
        basis = np.random.default_rng(seed).standard_normal((len(kept), width + 16)).astype(np.float32)
        for _ in range(4):
            basis = np.linalg.qr(vectors.T @ (vectors @ basis))[0]
        _, _, right = np.linalg.svd(vectors @ basis, full_matrices=False)
        components = np.zeros((len(kept), dimensions), np.float32)
        components[:, :width] = (basis @ right.T)[:, :width]
        names = np.array(list(counts.terms), object)
        return cls(tuple(str(name) for name in names[kept]), idf, components)

    def of(self, counts: TermCounts) -> Floats:
        """All texts in few dimensions, each of length 1 or zero: `float32[texts, dimensions]`."""
        place = {term: number for number, term in enumerate(self.terms)}
        column = np.array([place.get(term, NONE) for term in counts.terms] or [NONE], np.int64)
        matrix = counts.counts()
        kept = column[matrix.indices] != NONE
        ends = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
        known = sparse.csr_array(
            (matrix.data[kept], column[matrix.indices[kept]], ends), shape=(matrix.shape[0], max(1, len(self.terms)))
        )
        dense: Floats = tfidf(known, self.idf) @ self.components
        dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-9)
        return dense


def written(columns: Columns, unit_names: bool, goals: Numbers | None = None) -> tuple[list[str], list[str]]:
    """Titles and descriptions of some goals, or of all, with or without the name of each goal's unit."""
    table = columns.tables["goals"]
    rows: Sequence[int] = range(len(table)) if goals is None else goals.tolist()
    kept = [table.strings(name) for name in ("title", "description")]
    titles, bodies = ([each[row] or "" for row in rows] for each in kept)
    if not unit_names:
        names, units = columns.tables["units"].strings("name"), table.numbers("unit")
        own = [names[units[row]] or "" if 0 <= units[row] < len(names) else "" for row in rows]
        titles = [without_name(text, name) for text, name in zip(titles, own, strict=True)]
        bodies = [without_name(text, name) for text, name in zip(bodies, own, strict=True)]
    return titles, bodies


class GoalTexts:
    """The terms of all goals' texts.

    Attributes:
        full: Words of title, title again and description.
        title: Words of the title.
        parts: Parts of the words of the title.
        runs: Runs of letters in title, title again and description.
    """

    def __init__(self, full: TermCounts) -> None:
        self.full, self.title, self.parts, self.runs = (
            full,
            TermCounts(),
            TermCounts(word_parts),
            TermCounts(word_runs),
        )

    @classmethod
    def of(cls, columns: Columns, unit_names: bool) -> "GoalTexts":
        """The texts of the columns, with or without the name of each goal's unit; kept up to date at little cost."""
        name = f"goal texts, {'with' if unit_names else 'without'} unit names"
        texts = columns.remember(f"{name}: counts", 0, lambda: cls(columns.goal_words if unit_names else TermCounts()))
        key = (columns.tables["goals"].version, columns.tables["units"].version)
        return columns.remember(name, key, lambda: texts._update(columns, unit_names))

    def _update(self, columns: Columns, unit_names: bool) -> "GoalTexts":
        titles, bodies = written(columns, unit_names)
        if not unit_names:
            self.full.update([f"{title} {title} {body}" for title, body in zip(titles, bodies, strict=True)])
        self.runs.update(self.full.texts)
        self.title.update(titles)
        self.parts.update(titles)
        return self
