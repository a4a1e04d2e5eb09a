"""Random draws that repeat."""

from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.world.draws import Draws, Weighted


def test_a_stream_gives_the_numbers_that_were_written_down_on_python_3_11() -> None:
    draws = Draws(7, "people")
    assert [draws.below(1_000) for _ in range(6)] == STREAM


STREAM = [298, 648, 861, 124, 12, 865]


def test_streams_of_other_seeds_and_names_differ() -> None:
    def first(seed: int, name: str) -> list[int]:
        draws = Draws(seed, name)
        return [draws.below(1_000_000) for _ in range(4)]

    assert first(7, "people") == first(7, "people")
    assert first(7, "people") != first(8, "people")
    assert first(7, "people") != first(7, "goals")


@given(st.integers(), st.lists(st.integers(), unique=True), st.integers(0, 20))
def test_some_options_are_different_and_no_more_than_there_are(seed: int, options: list[int], count: int) -> None:
    drawn = Draws(seed, "some").some(options, count)
    assert len(drawn) == len(set(drawn)) == min(count, len(options))
    assert set(drawn) <= set(options)


@given(st.integers(), st.integers(0, 50), st.integers(0, 50))
def test_numbers_stay_in_their_range(seed: int, low: int, more: int) -> None:
    draws = Draws(seed, "range")
    for _ in range(20):
        assert low <= draws.between(low, low + more) <= low + more
        assert abs(draws.bell(more)) <= more


def test_weights_decide_how_often_an_option_comes() -> None:
    draws = Draws(1, "weights")
    weighted = Weighted("abc", [1, 0, 3])
    drawn = [weighted.draw(draws) for _ in range(4_000)]
    assert "b" not in drawn
    assert 0.72 < drawn.count("c") / 4_000 < 0.78
