"""Similarity of goal texts: TF-IDF vectors and their cosine.

The document frequencies are an exact function of the goals that were known at a time, so that two processes that see
the same graph give the same similarity (to rounding; scores are rounded before they are compared).
"""

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
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


class TextCounts:
    """Word counts of many texts, added one by one and never removed; a changed text replaces its row."""

    def __init__(self) -> None:
        self._vocabulary: dict[str, int] = {}
        self._rows: list[tuple[NDArray[np.int32], NDArray[np.float64]]] = []
        self._matrix: sparse.csr_array | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: int, text: str) -> None:
        """Sets the text of a row; rows are numbered from 0 and added in order."""
        counts = words(text)
        ids = [self._vocabulary.setdefault(word, len(self._vocabulary)) for word in counts]
        order = np.argsort(np.array(ids, dtype=np.int64), kind="stable")
        entry = (np.array(ids, dtype=np.int32)[order], np.array(list(counts.values()), dtype=np.float64)[order])
        if row == len(self._rows):
            self._rows.append(entry)
        else:
            self._rows[row] = entry
        self._matrix = None

    def vectors(self, known: NDArray[np.bool_]) -> sparse.csr_array:
        """TF-IDF vectors of length 1, with document frequencies counted over the known rows only.

        tf = 1 + ln(count), idf = ln((1 + n) / (1 + df)) + 1 (Salton and Buckley 1988, smoothed as in scikit-learn).

        Args:
            known: `bool[rows]`.

        Returns:
            `float64[rows, words]`, every row of length 1 or empty.
        """
        counts = self._counts()
        weights = counts.copy()
        weights.data = 1 + np.log(counts.data)
        seen = counts.indices[np.repeat(known, np.diff(counts.indptr))]
        frequency = np.bincount(seen, minlength=counts.shape[1])
        idf = np.log((1 + known.sum()) / (1 + frequency)) + 1
        weights.data *= idf[weights.indices]
        squares = np.bincount(_row_numbers(weights), weights.data**2, minlength=weights.shape[0])
        weights.data /= np.sqrt(squares)[_row_numbers(weights)]
        return weights

    def _counts(self) -> sparse.csr_array:
        if self._matrix is None:
            lengths = [len(ids) for ids, _ in self._rows]
            self._matrix = sparse.csr_array(
                (
                    np.concatenate([values for _, values in self._rows] or [np.zeros(0)]),
                    np.concatenate([ids for ids, _ in self._rows] or [np.zeros(0, np.int32)]),
                    np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
                ),
                shape=(len(self._rows), max(1, len(self._vocabulary))),
            )
        return self._matrix


def _row_numbers(matrix: sparse.csr_array) -> NDArray[np.int64]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def similarities(vectors: sparse.csr_array, row: int) -> NDArray[np.float64]:
    """Cosine of one row with every row: `float64[rows]`, from 0 to 1."""
    query = vectors[[row]].toarray()[0]
    result: NDArray[np.float64] = np.clip(vectors @ query, 0, 1)
    return result


def goal_text(properties: Mapping[str, object]) -> str:
    """The text of a goal from its title and description; the title counts twice, as it is the better summary."""
    title, description = properties.get("title", ""), properties.get("description", "")
    return f"{title} {title} {description}"
