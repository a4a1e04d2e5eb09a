"""Texts of goals as vectors: words, titles, parts of words, and a dense projection learned from earlier texts.

Statistics are those of the goals known at an instant. Only the projection is fitted once, for a whole model, on texts
that are earlier than everything it is used for; coordinates that are learned from must stay what they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.graph.columns import NONE, Columns, Mask
from mentorgraph.graph.text import words

Floats = NDArray[np.float32]

K1, B = 1.2, 0.75
"""Saturation and length normalisation of BM25: the values of Robertson and Zaragoza 2009, section 3.4."""

DIMENSIONS = 128
FEWEST_GOALS = 2
"""A word that fewer goals use has no place in the projection."""

_PART = re.compile(r"[^\W_]+")


def word_parts(text: str) -> Counter[str]:
    """Runs of three and four letters within words, whose ends count as a letter."""
    found: Counter[str] = Counter()
    for word in _PART.findall(text.casefold()):
        padded = f"<{word}>"
        for size in (3, 4):
            found.update(padded[start : start + size] for start in range(len(padded) - size + 1))
    return found


def without_name(text: str, name: str) -> str:
    """A text without the words of a name, written apart or together."""
    parts = _PART.findall(name.casefold())
    hidden = {part for part in parts if len(part) > 1} | {"".join(parts)}
    return _PART.sub(lambda match: " " if match[0].casefold() in hidden else match[0], text)


class TermCounts:
    """How often each term stands in each of many texts, one text a row; rows are added or replaced, never removed.

    Args:
        terms_of: The terms of a text with their number.
    """

    def __init__(self, terms_of: Callable[[str], Counter[str]]) -> None:
        self._terms_of = terms_of
        self.terms: dict[str, int] = {}
        self._texts: list[str] = []
        self._rows: list[tuple[NDArray[np.int32], Floats]] = []
        self._matrix: sparse.csr_array | None = None

    def update(self, texts: Sequence[str]) -> None:
        """Takes in all texts, counting again only those that are new or have changed."""
        for row, text in enumerate(texts):
            if row < len(self._texts) and self._texts[row] == text:
                continue
            counts = self._terms_of(text)
            ids = np.array([self.terms.setdefault(term, len(self.terms)) for term in counts], np.int32)
            order = np.argsort(ids, kind="stable")
            entry = (ids[order], np.array(list(counts.values()), np.float32)[order])
            if row == len(self._texts):
                self._texts.append(text)
                self._rows.append(entry)
            else:
                self._texts[row], self._rows[row] = text, entry
            self._matrix = None

    def counts(self) -> sparse.csr_array:
        """`float32[texts, terms]`."""
        if self._matrix is None:
            ends = np.cumsum([0, *(len(ids) for ids, _ in self._rows)])
            ids = np.concatenate([ids for ids, _ in self._rows] or [np.zeros(0, np.int32)])
            values = np.concatenate([values for _, values in self._rows] or [np.zeros(0, np.float32)])
            self._matrix = sparse.csr_array(
                (values, ids, ends.astype(np.int32)), shape=(len(self._rows), max(1, len(self.terms)))
            )
        return self._matrix


def row_numbers(matrix: sparse.csr_array) -> NDArray[np.int64]:
    """The row of each entry: `int64[entries]`."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def frequencies(counts: sparse.csr_array, known: Mask) -> NDArray[np.int64]:
    """In how many of the known texts each term stands: `int64[terms]`."""
    seen = counts.indices[np.repeat(known, np.diff(counts.indptr))]
    return np.bincount(seen, minlength=counts.shape[1])


def unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows scaled to length 1; empty ones stay empty."""
    rows = row_numbers(matrix)
    lengths = np.sqrt(np.bincount(rows, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0]))
    scaled = matrix.data / np.maximum(lengths, 1e-12)[rows]
    return sparse.csr_array((scaled.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def smooth_idf(frequency: NDArray[np.int64], texts: int) -> Floats:
    """ln((1 + n) / (1 + df)) + 1 (Spärck Jones 1972, smoothed as in scikit-learn): `float32[terms]`."""
    return (np.log((1 + texts) / (1 + frequency)) + 1).astype(np.float32)


def tfidf(counts: sparse.csr_array, idf: Floats) -> sparse.csr_array:
    """Rows of length 1 with weights (1 + ln count) · idf (Salton and Buckley 1988): `float32[texts, terms]`."""
    data = (1 + np.log(counts.data)) * idf[counts.indices]
    return unit_rows(sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape))


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
        idf = smooth_idf(frequency[kept], int(known.sum()))
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


class GoalTexts:
    """The terms of all goals' texts.

    Attributes:
        full: Words of title, title again and description.
        title: Words of the title.
        parts: Parts of the words of the title.
    """

    def __init__(self) -> None:
        self.full, self.title, self.parts = TermCounts(words), TermCounts(words), TermCounts(word_parts)

    @classmethod
    def of(cls, columns: Columns, unit_names: bool) -> "GoalTexts":
        """The texts of the columns, with or without the name of each goal's unit; kept up to date at little cost."""
        name = f"goal texts, {'with' if unit_names else 'without'} unit names"
        texts = columns.remember(f"{name}: counts", 0, cls)
        key = (columns.tables["goals"].version, columns.tables["units"].version)
        return columns.remember(name, key, lambda: texts._update(columns, unit_names))

    def _update(self, columns: Columns, unit_names: bool) -> "GoalTexts":
        goals = columns.tables["goals"]
        titles: list[Any] = [title or "" for title in goals.strings("title")]
        bodies: list[Any] = [body or "" for body in goals.strings("description")]
        if not unit_names:
            names = columns.tables["units"].strings("name")
            unit = goals.numbers("unit")
            own = [names[number] or "" if 0 <= number < len(names) else "" for number in unit]
            titles = [without_name(text, name) for text, name in zip(titles, own, strict=True)]
            bodies = [without_name(text, name) for text, name in zip(bodies, own, strict=True)]
        self.full.update([f"{title} {title} {body}" for title, body in zip(titles, bodies, strict=True)])
        self.title.update(titles)
        self.parts.update(titles)
        return self
