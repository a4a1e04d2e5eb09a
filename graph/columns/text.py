"""Similarity of goal texts: TF-IDF vectors and their cosine.

The document frequencies are an exact function of the goals that were known at a time, so that two processes that see
the same graph give the same similarity (to rounding; scores are rounded before they are compared).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

_WORD = re.compile(r"[^\W_]{2,}[+#]*|[^\W_][+#]+|(?<![\w'’.&-])[cr](?![\w'’.&-])")
"""Two letters or digits and more, and the languages whose names are shorter: C, C++, C#, F#, R."""

_STOP = frozenset(
    "a about after all also an and any are as at be been before but by can could do for from had has have her his how "
    "i if in into is it its like me more my no not of on or our out over per she so some such than that the their them "
    "then there these they this to up us use using want was we well were what when where which while who will with "
    "would you your".split()
)


def words(text: str) -> Counter[str]:
    """The words of a text with their number, in lower case, without the commonest English ones."""
    return Counter(word for word in _WORD.findall(text.casefold()) if word not in _STOP)


MOST_WAITING = 10_000
"""Texts that are counted one by one before they are put beside the others, where each takes ten times less."""


class TermCounts:
    """How often each term stands in each of many texts, one text a row; rows are added or replaced, never removed.

    Args:
        terms_of: The terms of a text with their number.
    """

    def __init__(self, terms_of: Callable[[str], Counter[str]] = words) -> None:
        self._terms_of = terms_of
        self.terms: dict[str, int] = {}
        self.texts: list[str] = []
        """Of each row."""
        self._matrix = sparse.csr_array(np.zeros((0, 1), np.float32))
        self._waiting: dict[int, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}
        """Terms and their counts in rows that the matrix does not have yet, or has as they were before."""

    def __len__(self) -> int:
        return len(self.texts)

    def put(self, row: int, text: str) -> None:
        """Sets the text of a row, counting only what is new; rows are numbered from 0 and added in order."""
        if row < len(self.texts) and self.texts[row] == text:
            return
        counts = self._terms_of(text)
        ids = np.array([self.terms.setdefault(term, len(self.terms)) for term in counts], np.int32)
        order = np.argsort(ids, kind="stable")
        self._waiting[row] = ids[order], np.array(list(counts.values()), np.float32)[order]
        self.texts[row : row + 1] = [text]
        if len(self._waiting) >= MOST_WAITING:
            self._take_in()

    def update(self, texts: Sequence[str]) -> None:
        """Sets the texts of all rows from the first on."""
        for row, text in enumerate(texts):
            self.put(row, text)

    def is_empty(self, row: int) -> bool:
        """Whether the text of a row has no term at all."""
        counts = self.counts()
        return bool(counts.indptr[row] == counts.indptr[row + 1])

    def counts(self) -> sparse.csr_array:
        """`float32[texts, terms]`."""
        if self._waiting:
            self._take_in()
        return self._matrix

    def _take_in(self) -> None:
        """Puts what waits into a new matrix, whose other rows are those of the one before."""
        known, pieces, place = self._matrix, [], 0
        lengths = np.zeros(len(self.texts), np.int64)
        lengths[: known.shape[0]] = np.diff(known.indptr)
        for row, told in sorted(self._waiting.items()):
            begin, end = known.indptr[np.minimum([row, row + 1], known.shape[0])]
            pieces += [(known.indices[place:begin], known.data[place:begin]), told]
            lengths[row], place = len(told[0]), end
        pieces.append((known.indices[place:], known.data[place:]))
        ids, values = (np.concatenate(each) for each in zip(*pieces, strict=True))
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        self._matrix = sparse.csr_array((values, ids, ends), shape=(len(self.texts), max(1, len(self.terms))))
        self._waiting.clear()


def vectors(counts: sparse.csr_array, known: NDArray[np.bool_], dtype: DTypeLike = np.float64) -> sparse.csr_array:
    """TF-IDF vectors of all texts, with document frequencies counted over the known ones only.

    Args:
        counts: `float32[texts, terms]`.
        known: `bool[texts]`.
        dtype: Of the vectors.

    Returns:
        `[texts, terms]`, every row of length 1 or empty.
    """
    return tfidf(counts, smooth_idf(frequencies(counts, known), int(known.sum())).astype(dtype))


def frequencies(counts: sparse.csr_array, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """In how many of the known texts each term stands: `int64[terms]`."""
    seen = counts.indices[np.repeat(known, np.diff(counts.indptr))]
    return np.bincount(seen, minlength=counts.shape[1])


def smooth_idf(frequency: NDArray[np.int64], texts: int) -> NDArray[np.float64]:
    """ln((1 + n) / (1 + df)) + 1 (Spärck Jones 1972, smoothed as in scikit-learn): `float64[terms]`."""
    idf: NDArray[np.float64] = np.log((1 + texts) / (1 + frequency)) + 1
    return idf


def tfidf(counts: sparse.csr_array, idf: NDArray[np.floating]) -> sparse.csr_array:
    """Rows of length 1 with weights (1 + ln count) · idf (Salton and Buckley 1988), as exact as `idf` is."""
    data = (1 + np.log(counts.data.astype(idf.dtype))) * idf[counts.indices]
    return unit_rows(sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape))


def weighted(matrix: sparse.csr_array, weights: NDArray[np.floating]) -> sparse.csr_array:
    """The matrix with weighted columns."""
    return sparse.csr_array((matrix.data * weights[matrix.indices], matrix.indices, matrix.indptr), shape=matrix.shape)


def unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows scaled to length 1; empty ones stay empty."""
    rows = row_numbers(matrix)
    lengths = np.sqrt(np.bincount(rows, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0]))
    scaled = (matrix.data / np.maximum(lengths, 1e-12)[rows]).astype(matrix.dtype)
    return sparse.csr_array((scaled, matrix.indices, matrix.indptr), shape=matrix.shape)


def row_numbers(matrix: sparse.csr_array) -> NDArray[np.int64]:
    """The row of each entry: `int64[entries]`."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def similarities(vectors: sparse.csr_array, by_term: sparse.csc_array, row: int) -> NDArray[np.float64]:
    """Cosine of one row with every row: `float64[rows]`, from 0 to 1.

    Args:
        vectors: Rows of length 1.
        by_term: The same matrix by its columns.
        row: Which one.
    """
    result: NDArray[np.float64] = np.clip(product(by_term, row_of(vectors, row)), 0, 1)
    return result


def row_of(matrix: sparse.csr_array, row: int) -> NDArray[np.float64]:
    """One row in full: `float64[columns]`; no column may be named twice in it."""
    found, part = np.zeros(matrix.shape[1]), slice(matrix.indptr[row], matrix.indptr[row + 1])
    found[matrix.indices[part]] = matrix.data[part]
    return found


def product(matrix: sparse.csc_array, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of a matrix and a vector of which most is 0: `float64[rows]`.

    Only the columns that count are looked at. Each row is summed in the order of its columns, as always.
    """
    found = np.zeros(matrix.shape[0])
    for column in np.flatnonzero(vector):
        part = slice(matrix.indptr[column], matrix.indptr[column + 1])
        found[matrix.indices[part]] += matrix.data[part] * vector[column]
    return found


def sparse_product(
    matrix: sparse.csc_array, columns: NDArray[np.integer], values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The product of a matrix and a vector that is told by what is not 0 in it: `float32[rows]`.

    Args:
        matrix: `[rows, columns]`.
        columns: Places of the values, none of them twice.
        values: The values.
    """
    starts = matrix.indptr[columns].astype(np.int64)
    lengths = matrix.indptr[columns + 1] - starts
    ends = np.cumsum(lengths)
    flat = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
    weights = matrix.data[flat] * np.repeat(values, lengths)
    return np.bincount(matrix.indices[flat], weights, minlength=matrix.shape[0]).astype(np.float32)


def goal_text(properties: Mapping[str, object]) -> str:
    """The text of a goal from its title and description; the title counts twice, as it is the better summary."""
    title, description = properties.get("title", ""), properties.get("description", "")
    return f"{title} {title} {description}"
