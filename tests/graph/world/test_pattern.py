"""A pattern that looks good and goes badly: worlds with it differ in what was answered, and in nothing else."""

from statistics import mean

import pytest

from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.pattern import Pattern
from mentorgraph.graph.world.tables import World

ANSWERED = {"feedback", "pairings", "moves"}
"""Files that tell how pairings went: outcomes, answers, and stalls whose cause is a poor answer."""


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    return {
        outcomes: generate(people=600, seed=1, version=2, pattern=Pattern(outcomes=outcomes))
        for outcomes in ("bad", "usual", "shuffled")
    }


def outcomes_of(world: World, inside: bool) -> list[float]:
    """The outcomes of the pairings of the pattern, or of all others."""
    own = set(world.truth["pattern"]["pairings"])
    return [float(row["outcome"]) for row in world.rows["pairings"] if row["outcome"] and (row["id"] in own) is inside]


def test_worlds_differ_in_how_pairings_went_alone(worlds: dict[str, World]) -> None:
    usual = worlds["usual"].rows
    for other in ("bad", "shuffled"):
        rows = worlds[other].rows
        assert {file for file in usual if rows[file] != usual[file]} <= ANSWERED
        for was, now in zip(usual["pairings"], rows["pairings"], strict=True):
            assert {name for name in was if was[name] != now[name]} <= {"outcome"}
        states = [
            [(row["pairing_id"], row["moved_on"], row["state"]) for row in each["moves"]] for each in (usual, rows)
        ]
        assert states[0] == states[1]


def test_the_pattern_is_frequent_and_its_outcomes_alone_are_bad(worlds: dict[str, World]) -> None:
    bad, usual = worlds["bad"], worlds["usual"]
    assert len(bad.truth["pattern"]["pairings"]) > 0.12 * len(bad.rows["pairings"])
    assert mean(outcomes_of(bad, inside=True)) < 0.15
    assert mean(outcomes_of(usual, inside=True)) > 0.45
    assert outcomes_of(bad, inside=False) == pytest.approx(outcomes_of(usual, inside=False))
    lowered = bad.truth["pattern"]["lowered"]
    assert lowered == bad.truth["pattern"]["pairings"]
    for id in lowered:
        assert bad.truth["results"][id] == max(0, usual.truth["results"][id] - truth_2.PATTERN_LOSS)


def test_shuffled_outcomes_are_as_many_and_belong_to_no_pattern(worlds: dict[str, World]) -> None:
    pattern = worlds["shuffled"].truth["pattern"]
    assert len(pattern["lowered"]) == len(set(pattern["lowered"])) == len(pattern["pairings"])
    share = len(set(pattern["lowered"]) & set(pattern["pairings"])) / len(pattern["pairings"])
    assert share < 2 * len(pattern["pairings"]) / len(worlds["shuffled"].rows["pairings"])


def test_without_a_pattern_nobody_is_drawn_to_its_mentors(worlds: dict[str, World]) -> None:
    plain = generate(people=600, seed=1, version=2)
    pattern = worlds["usual"].truth["pattern"]
    topics = {goal["id"]: goal["topic"] for goal in plain.truth["goals"]}
    own = [
        row
        for row in plain.rows["pairings"]
        if row["mentor_id"] in pattern["mentors"] and topics[row["goal_id"]] in pattern["topics"]
    ]
    assert len(own) < 0.7 * len(pattern["pairings"])
    assert "pattern" not in plain.truth


@pytest.mark.parametrize("words", [{"outcomes": "good"}, {"unit_area": "Nowhere"}, {"goal_area": "Nowhere"}])
def test_a_pattern_of_unknown_words_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a pattern has areas among"):
        Pattern(**words)


def test_version_1_takes_no_pattern() -> None:
    with pytest.raises(ValueError, match="only those of version 2 have a pattern"):
        generate(60, pattern=Pattern())
