"""The first places of a list: mixes against trying everything, differing mentors against the formula, and draws."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations

import pytest
from scipy.stats import chisquare

from mentorgraph.graph.ranking.options import Mix
from mentorgraph.graph.ranking.shaping import Candidate, Shaping, Slot, alike, differing, draws, met, mixed, seed_of

Count = Callable[[int, int], int]


def drawn(draw: random.Random, number: int) -> list[Candidate]:
    scores = sorted((draw.choice([draw.random(), 0.5]) for _ in range(number)), reverse=True)
    return [
        Candidate(
            f"mentor {place}",
            score,
            draw.random() < 0.3,
            draw.random() < 0.3,
            frozenset(draw.sample(range(8), draw.randint(0, 5))),
        )
        for place, score in enumerate(scores)
    ]


def lacking(candidates: Sequence[Candidate], chosen: Sequence[int], mix: Mix) -> tuple[int, int]:
    found = [candidates[place] for place in chosen]
    experts, cross = sum(each.is_expert for each in found), sum(each.is_cross_functional for each in found)
    return max(0, mix.experts - experts), max(0, mix.cross_functional - cross)


def test_a_mix_is_met_whenever_it_can_be_with_the_first_in_the_order_who_can(count: Count) -> None:
    """Against all ways to give the places: the fewest lacking, then experts before others, then the first in order."""
    draw, short, moved = random.Random(7), 0, 0  # noqa: S311
    for _ in range(count(1_500, 20_000)):
        candidates = drawn(draw, draw.randint(0, 8))
        mix, first = Mix(draw.randint(0, 3), draw.randint(0, 3)), draw.randint(1, 4)
        everything = list(combinations(range(len(candidates)), min(first, len(candidates))))
        best = min(
            everything,
            key=lambda chosen: (sum(lacking(candidates, chosen, mix)), lacking(candidates, chosen, mix), chosen),
        )
        possible = met(candidates, first, mix)
        found = mixed(candidates, first, possible)
        assert tuple(found) == best
        missing = Shaping(first, mix).lacking(candidates)
        assert (missing.experts, missing.cross_functional) == lacking(candidates, best, mix)
        short += missing != Mix()
        moved += found != list(range(len(found)))
    assert short > 100
    assert moved > 100


def test_a_mix_lifts_whom_it_needs_and_says_so() -> None:
    candidates = [
        Candidate("a", 5.0),
        Candidate("b", 4.0),
        Candidate("c", 3.0, is_cross_functional=True),
        Candidate("d", 2.0),
        Candidate("e", 1.0, is_expert=True),
    ]
    assert Shaping(3, Mix(1, 1)).places(candidates) == [Slot(0), Slot(2, "mix"), Slot(4, "mix")]
    assert Shaping(3, Mix(0, 1)).places(candidates) == [Slot(0), Slot(1), Slot(2)]
    assert Shaping(3, Mix(2, 0)).places(candidates) == [Slot(0), Slot(1), Slot(4, "mix")]
    assert Shaping(3, Mix(2, 0)).lacking(candidates) == Mix(1, 0)
    assert Shaping(1, Mix(1, 1)).lacking(candidates) == Mix(0, 1)


def by_definition(candidates: Sequence[Candidate], first: int, diversity: float) -> Iterator[int]:
    """Maximal marginal relevance as it was published, with λ = 1 − diversity."""
    scores = [each.score for each in candidates]
    spread = max(scores) - min(scores) if scores else 0.0
    chosen: list[int] = []
    while len(chosen) < min(first, len(candidates)):
        values = {}
        for place, each in enumerate(candidates):
            if place not in chosen:
                relevance = (each.score - min(scores)) / spread if spread else 0.0
                redundancy = max((alike(each.traits, candidates[other].traits) for other in chosen), default=0.0)
                values[place] = (1 - diversity) * relevance - diversity * redundancy
        chosen.append(max(values, key=lambda place: (values[place], -place)))
        yield chosen[-1]


def test_differing_mentors_are_those_of_the_published_formula(count: Count) -> None:
    draw, moved = random.Random(8), 0  # noqa: S311
    for _ in range(count(200, 5_000)):
        candidates, first = drawn(draw, draw.randint(0, 12)), draw.randint(1, 5)
        diversity = draw.choice([0.0, 0.25, 0.5, 1.0])
        found = differing(candidates, first, diversity)
        assert found == list(by_definition(candidates, first, diversity))
        assert diversity or found == list(range(len(found)))
        moved += found != list(range(len(found)))
    assert moved > 50


def test_who_is_like_the_first_gives_way_to_who_is_not() -> None:
    candidates = [
        Candidate("a", 3.0, traits=frozenset({1, 2, 3})),
        Candidate("b", 2.9, traits=frozenset({1, 2, 3})),
        Candidate("c", 2.0, traits=frozenset({7})),
        Candidate("d", 1.0, traits=frozenset({8})),
    ]
    assert alike(candidates[0].traits, frozenset({2, 3, 4})) == 2 / 4
    assert Shaping(2, diversity=0.0).is_by_score
    # Of b 0.5 · 0.95 − 0.5 · 1 = −0.025 is left, of c 0.5 · 0.5 − 0 = 0.25.
    assert Shaping(2, diversity=0.5).places(candidates) == [Slot(0), Slot(2, "diversity")]
    # Of b 0.9 · 0.95 − 0.1 · 1 = 0.755 is left, of c 0.9 · 0.5 = 0.45.
    assert Shaping(2, diversity=0.1).places(candidates) == [Slot(0), Slot(1)]


# --- exploration ------------------------------------------------------------------------------------------------------

MANY = [Candidate(f"mentor {place}", 1.0 - place / 100) for place in range(40)]
FIRST_DAY = date(2026, 1, 1)


def asked(number: int) -> str:
    """The seed of one of many mentees on one of many days."""
    return seed_of(f"mentee {number // 50}", FIRST_DAY + timedelta(days=number % 50))


def shown(
    shaping_of: Callable[[str], Shaping], times: int
) -> tuple[int, list[Counter[int]], dict[tuple[int, int], float]]:
    """Explored places in all, who stood where how often, and the probability that was stated of it."""
    explored, stood = 0, [Counter[int]() for _ in range(shaping_of("").first)]
    stated: dict[tuple[int, int], float] = {}
    for number in range(times):
        for place, slot in enumerate(shaping_of(asked(number)).places(MANY)):
            explored += slot.lifted_by == "exploration"
            stood[place][slot.place] += 1
            assert stated.setdefault((place, slot.place), slot.propensity) == slot.propensity
    return explored, stood, stated


@pytest.mark.parametrize(("share", "first", "within"), [(0.1, 10, 30), (0.3, 5, 30), (0.5, 4, 6), (0.6, 6, 8)])
def test_places_are_explored_as_often_as_it_is_set_and_as_the_propensities_say(
    count: Count, share: float, first: int, within: int
) -> None:
    times = count(4_000, 100_000)
    explored, stood, stated = shown(lambda seed: Shaping(first, share=share, within=within, seed=seed), times)
    if within - first >= first:  # else there are too few to explore with, as the propensities say
        assert explored / (times * first) == pytest.approx(share, abs=0.01)
    for place, counted in enumerate(stood):
        expected = {who: stated[place, who] for who in counted}
        assert sum(expected.values()) == pytest.approx(1.0, abs=1e-12)
        frequencies = [counted[who] for who in expected]
        assert chisquare(frequencies, [times * each for each in expected.values()]).pvalue > 1e-4
    # Wrong propensities are noticed: those of one place and the next, where there are too few to explore with.
    uniform = [times / len(stood[0])] * len(stood[0])
    assert chisquare(list(stood[0].values()), uniform).pvalue < 1e-9


def test_the_propensities_are_those_worked_out_by_hand() -> None:
    """Two places, three mentors: only one can be explored with, with probability ½ at first, ½ · ½ in the second."""
    found = {}
    for number in range(200):
        first, second = Shaping(2, share=0.5, within=3, seed=asked(number)).places(MANY[:3])
        found[first.place, second.place] = (first.propensity, second.propensity)
    assert found == {(0, 1): (0.5, 0.75), (2, 1): (0.5, 0.75), (0, 2): (0.5, 0.25)}


def test_the_answer_of_a_day_repeats_and_that_of_another_differs() -> None:
    def of(seed: str) -> list[Slot]:
        return Shaping(10, share=0.3, within=30, seed=seed).places(MANY)

    assert of(seed_of("ada", FIRST_DAY)) == of(seed_of("ada", FIRST_DAY))
    others = [of(seed_of("ada", FIRST_DAY + timedelta(days=day))) for day in range(1, 6)] + [
        of(seed_of("bo", FIRST_DAY))
    ]
    assert all(each != of(seed_of("ada", FIRST_DAY)) for each in others)
    assert len({slot.place for slot in of(seed_of("ada", FIRST_DAY))}) == 10


def test_nothing_is_explored_where_it_is_off_or_a_mix_is_asked_for_or_nobody_is_left() -> None:
    plain = [Slot(place) for place in range(10)]
    assert Shaping(10, share=0.0, within=30, seed="x").places(MANY) == plain
    assert Shaping(10, Mix(0, 0), share=1.0, within=10, seed="x").places(MANY) == plain
    with_mix = Shaping(10, Mix(1, 0), share=1.0, within=30, seed="x")
    assert {slot.propensity for slot in with_mix.places(MANY)} == {1.0}
    everything = Shaping(10, share=1.0, within=30, seed="x").places(MANY)
    assert {slot.lifted_by for slot in everything} == {"exploration"}
    assert {slot.propensity for slot in everything} == {1 / 20}


def test_draws_are_the_same_on_every_machine() -> None:
    found = draws("ada 2026-01-01")
    numbers = [next(found) for _ in range(10)]
    assert numbers[:2] == [0.6321817201515341, 0.8823421241304851]
    assert all(0 <= each < 1 for each in numbers)
    many = draws("many")
    assert sum(next(many) for _ in range(10_000)) / 10_000 == pytest.approx(0.5, abs=0.01)
    assert Shaping.of(Shaping(3, Mix(1, 2), 0.5, 0.1, 30, "x").content) == Shaping(3, Mix(1, 2), 0.5, 0.1, 30, "x")
