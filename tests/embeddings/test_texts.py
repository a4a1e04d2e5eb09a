"""Texts of goals as vectors, against values worked out by hand."""

from collections import Counter

import numpy as np
import pytest

from mentorgraph.embeddings.texts import rare_first, word_runs
from mentorgraph.graph.columns.text import TermCounts, vectors

TEXTS = ["river maps", "river maps river", "river", "maps of terrain", "terrain river"]
KNOWN = np.array([True, True, True, True, False])


def test_kindred_words_share_runs_of_letters_and_others_do_not() -> None:
    assert word_runs("Terrain") == Counter({"<terr": 1, "terra": 1, "errai": 1, "rrain": 1, "rain>": 1})
    assert (word_runs("terrain") & word_runs("terrains")).total() == 4
    assert not word_runs("terrain") & word_runs("terminal")
    assert word_runs("C of") == Counter()


def test_rare_terms_weigh_by_the_square_of_their_idf_counted_among_known_texts() -> None:
    counts = TermCounts()
    counts.update(TEXTS)
    found = rare_first(counts.counts(), KNOWN).toarray()
    idf = {"river": np.log(5 / 4) + 1, "maps": np.log(5 / 4) + 1, "terrain": np.log(5 / 2) + 1}
    row = {"river": idf["river"] ** 2, "terrain": idf["terrain"] ** 2}
    length = np.sqrt(sum(each**2 for each in row.values()))
    for term, weight in row.items():
        assert found[4, counts.terms[term]] == pytest.approx(weight / length, rel=1e-6)
    twice = found[1, counts.terms["river"]] / found[1, counts.terms["maps"]]
    assert twice == pytest.approx(1 + np.log(2), rel=1e-6)


def test_a_rare_word_in_common_makes_more_alike_than_in_plain_tfidf() -> None:
    counts = TermCounts()
    counts.update(TEXTS)
    plain = vectors(counts.counts(), KNOWN, np.float32).toarray()
    rare = rare_first(counts.counts(), KNOWN).toarray()
    asked, with_terrain, with_river = 4, 3, 2
    assert rare[asked] @ rare[with_terrain] > plain[asked] @ plain[with_terrain]
    assert rare[asked] @ rare[with_river] < plain[asked] @ plain[with_river]
