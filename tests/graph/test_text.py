"""Likeness of goal texts: the sparse computation against the definition, word by word."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mentorgraph.graph.columns.text import TermCounts, goal_text, similarities, vectors, words

VOCABULARY = ("water", "pumps", "wells", "river", "boats", "the", "sql")
TEXTS = st.lists(st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join), min_size=1, max_size=6)


def by_definition(texts: list[str], known: list[bool], row: int) -> list[float]:
    """Cosines of one text with all, from the formulas alone."""
    counts = [words(text) for text in texts]
    number = sum(known)

    def vector(place: int) -> dict[str, float]:
        found = {}
        for word, times in counts[place].items():
            documents = sum(word in counts[other] for other in range(len(texts)) if known[other])
            found[word] = (1 + math.log(times)) * (math.log((1 + number) / (1 + documents)) + 1)
        return found

    def cosine(one: dict[str, float], other: dict[str, float]) -> float:
        lengths = math.sqrt(sum(x * x for x in one.values())) * math.sqrt(sum(x * x for x in other.values()))
        return sum(value * other.get(word, 0) for word, value in one.items()) / lengths if lengths else 0.0

    return [cosine(vector(row), vector(place)) for place in range(len(texts))]


def counted(texts: list[str]) -> TermCounts:
    counts = TermCounts()
    for row, text in enumerate(texts):
        counts.put(row, text)
    return counts


def likeness(counted: TermCounts, known: list[bool], row: int) -> NDArray[np.float64]:
    found = vectors(counted.counts(), np.array(known))
    return similarities(found, found.tocsc(), row)


@given(TEXTS, st.data())
def test_likeness_is_what_the_definition_gives(texts: list[str], data: st.DataObject) -> None:
    known = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    row = data.draw(st.integers(0, len(texts) - 1))
    found = likeness(counted(texts), known, row)
    assert found.tolist() == pytest.approx(by_definition(texts, known, row), abs=1e-12)


@given(TEXTS, TEXTS)
def test_a_changed_text_counts_like_one_that_was_always_so(before: list[str], after: list[str]) -> None:
    size = min(len(before), len(after))
    changed = counted(before[:size])
    changed.counts()
    for row in range(size):
        changed.put(row, after[row])
    fresh = counted(after[:size])
    known = [True] * size
    assert likeness(changed, known, 0) == pytest.approx(likeness(fresh, known, 0), abs=1e-12)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 9), st.sampled_from(VOCABULARY), st.booleans())))
def test_texts_that_are_put_between_questions_count_like_those_put_at_once(
    texts: list[str], changes: list[tuple[int, str, bool]]
) -> None:
    texts, grown = list(texts), counted(texts)
    for place, text, is_asked in changes:
        row = min(place, len(texts))
        texts[row : row + 1] = [text]
        grown.put(row, text)
        if is_asked:
            grown.counts()
    words_of = np.array(sorted(grown.terms, key=grown.terms.__getitem__) or [""])
    for row, text in enumerate(texts):
        own = grown.counts()[[row]].tocoo()
        assert dict(zip(words_of[own.coords[1]], own.data, strict=True)) == words(text)
        assert grown.is_empty(row) == (not words(text))
    assert len(grown) == grown.counts().shape[0] == len(texts)


def test_what_is_not_known_yet_changes_no_likeness_of_others() -> None:
    texts = ["water pumps", "water wells", "river boats"]
    known = [True, True, False]
    before = likeness(counted(texts), known, 0)
    after = likeness(counted([*texts[:2], "water water pumps"]), known, 0)
    assert before[:2].tolist() == after[:2].tolist()
    assert likeness(counted(texts), [True] * 3, 0)[1] != before[1]


def test_words_are_folded_and_common_ones_left_out() -> None:
    text = "The RIVER, the river and C++17 x: Straße SQL_2"
    assert words(text) == {"river": 2, "c++": 1, "17": 1, "strasse": 1, "sql": 1}
    assert words("C, R or C#, F# (not R&D, A. C. Smith, it's)") == {"c": 1, "r": 1, "c#": 1, "f#": 1, "smith": 1}


def test_the_title_of_a_goal_counts_twice() -> None:
    assert words(goal_text({"title": "Water", "description": "Wells"})) == {"water": 2, "wells": 1}
    assert words(goal_text({})) == {}
