"""Who is put together with whom: equal to trying every way, never worse than taking the best first, and controls."""

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking import optimum
from mentorgraph.graph.ranking.optimum import Meeting, best_circles, best_pairs

Pairs = list[tuple[str, str]]
Scores = Mapping[tuple[str, str], float]


def drawn(number: int, most: int = 8) -> dict[tuple[str, str], float]:
    """Scores of a small random group, of whom some may not be paired; a few are equal, and some are below 0."""
    draws = random.Random(number)  # noqa: S311
    people = [f"p{place}" for place in range(draws.randint(2, most))]
    share = draws.choice((0.3, 0.6, 1.0))
    pairs = (pair for pair in combinations(people, 2) if draws.random() < share)
    return {pair: round(draws.choice((draws.uniform(-2, 6), draws.randint(0, 3))), 9) for pair in pairs}


def every_way(pairs: Pairs) -> Iterator[Pairs]:
    """Every choice of pairs in which nobody is in two."""
    if not pairs:
        yield []
        return
    first, *rest = pairs
    yield from every_way(rest)
    for way in every_way([pair for pair in rest if not {*pair} & {*first}]):
        yield [first, *way]


def worth(scores: Scores, pairs: Pairs) -> tuple[int, float]:
    return len(pairs), round(sum(scores[pair] for pair in pairs), 6)


def best_first(scores: Scores) -> Pairs:
    """The best pair first, then the best one of those that are left."""
    found: Pairs = []
    for pair in sorted(scores, key=lambda pair: (-scores[pair], pair)):
        if not {*pair} & {person for each in found for person in each}:
            found.append(pair)
    return found


def test_pairs_equal_those_of_trying_every_way(count: Callable[[int, int], int]) -> None:
    better = 0
    for number in range(count(200, 2_000)):
        scores = drawn(number)
        found = best_pairs(scores)
        people = [person for pair in found for person in pair]
        assert len(people) == len(set(people))
        assert worth(scores, found) == max(worth(scores, way) for way in every_way(list(scores)))
        assert worth(scores, found) >= worth(scores, best_first(scores))
        better += worth(scores, found) > worth(scores, best_first(scores))
    assert better > 20  # else the comparison would say nothing


def test_larger_groups_are_never_worse_off_than_with_the_best_pair_first() -> None:
    for number in range(5):
        scores = drawn(number + 1_000, most=60)
        assert worth(scores, best_pairs(scores)) >= worth(scores, best_first(scores))


def test_the_best_pair_is_given_up_where_that_places_more_people_or_is_worth_more() -> None:
    chain = {("a", "b"): 1.0, ("b", "c"): 9.0, ("c", "d"): 1.0}
    assert best_first(chain) == [("b", "c")]
    assert best_pairs(chain) == [("a", "b"), ("c", "d")]
    ring = {("a", "b"): 5.0, ("c", "d"): 0.0, ("b", "c"): 4.0, ("a", "d"): 4.0}
    assert best_first(ring) == [("a", "b"), ("c", "d")]
    assert best_pairs(ring) == [("a", "d"), ("b", "c")]


def test_odd_groups_leave_one_over_and_never_halve_anybody() -> None:
    triangle = dict.fromkeys(combinations("abc", 2), 1.0)
    assert len(best_pairs(triangle)) == 1
    two = triangle | dict.fromkeys(combinations("xyz", 2), 1.0)
    assert len(best_pairs(two)) == 2  # as sides and not as equals, three pairs could be drawn
    assert best_pairs({}) == []


def test_the_order_in_which_people_came_changes_nothing() -> None:
    scores = drawn(7)
    assert best_pairs(dict(reversed(scores.items()))) == best_pairs(scores)


def test_what_is_not_found_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimum, "LIMIT_S", 1e-9)
    scores = {pair: random.Random(str(pair)).random() for pair in combinations(map(str, range(60)), 2)}  # noqa: S311
    with pytest.raises(DomainError) as caught:
        best_pairs(scores)
    assert caught.value.code == "TOO_LARGE"


# --- circles ----------------------------------------------------------------------------------------------------------


def group(
    number: int,
) -> tuple[list[Meeting], dict[tuple[str, str], float], int, dict[str, int], dict[str, frozenset[str]]]:
    """Meetings, scores, the least and the largest sizes, and wishes, of a small random group."""
    draws = random.Random(number)  # noqa: S311
    mentees = [f"m{place}" for place in range(draws.randint(2, 5))]
    leaders = [f"l{place}" for place in range(draws.randint(1, 2))]
    meetings = [
        Meeting(leader, slot, frozenset(each for each in mentees if draws.random() < 0.7))
        for leader in leaders
        for slot in range(draws.randint(1, 2))
    ]
    scores = {(mentee, leader): round(draws.uniform(-1, 5), 9) for mentee in mentees for leader in leaders}
    wishes = {each: frozenset(draws.sample("xyz", draws.randint(0, 2))) for each in mentees}
    return meetings, scores, draws.randint(2, 3), {each: draws.randint(2, 4) for each in leaders}, wishes


def every_seating(
    meetings: list[Meeting], least: int, most: Mapping[str, int], wishes: Mapping[str, frozenset[str]], skills: int
) -> Iterator[list[tuple[Meeting, tuple[str, ...]]]]:
    """Every choice of circles that keeps the limits."""
    if not meetings:
        yield []
        return
    first, *rest = meetings
    yield from every_seating(rest, least, most, wishes, skills)
    for size in range(least, most[first.leader] + 1):
        for seated in combinations(sorted(first.mentees), size):
            if len(frozenset().union(*(wishes[each] for each in seated))) < skills:
                continue
            others = [
                Meeting(each.leader, each.slot, each.mentees - {*seated})
                for each in rest
                if each.leader != first.leader
            ]
            for way in every_seating(others, least, most, wishes, skills):
                yield [(first, seated), *way]


def value(scores: Scores, way: list[tuple[Meeting, tuple[str, ...]]]) -> tuple[int, float]:
    seats = [scores[mentee, meeting.leader] for meeting, seated in way for mentee in seated]
    return len(seats), round(sum(seats), 6)


@pytest.mark.parametrize("skills", [0, 2])
def test_circles_equal_those_of_trying_every_way(skills: int, count: Callable[[int, int], int]) -> None:
    held = 0
    for number in range(count(100, 1_000)):
        meetings, scores, least, most, wishes = group(number)
        found = best_circles(meetings, scores, least, most, skills=wishes, least_skills=skills)
        for meeting, seated in found:
            assert {*seated} <= meeting.mentees
            assert least <= len(seated) <= most[meeting.leader]
            assert len(frozenset().union(*(wishes[each] for each in seated))) >= skills
        assert len({meeting.leader for meeting, _ in found}) == len(found)
        assert value(scores, found) == max(
            value(scores, way) for way in every_seating(meetings, least, most, wishes, skills)
        )
        held += len(found)
    assert held > 40


def test_a_wish_for_different_skills_changes_who_sits_together() -> None:
    meeting = Meeting("l", 0, frozenset("abc"))
    scores = {("a", "l"): 3.0, ("b", "l"): 2.0, ("c", "l"): 1.0}
    wishes = {"a": frozenset("x"), "b": frozenset("x"), "c": frozenset("y")}
    by_score = best_circles([meeting], scores, 2, {"l": 2}, skills=wishes)
    assert by_score == [(meeting, ("a", "b"))]
    assert best_circles([meeting], scores, 2, {"l": 2}, skills=wishes, least_skills=2) == [(meeting, ("a", "c"))]
    assert best_circles([meeting], scores, 2, {"l": 2}, skills=wishes, least_skills=3) == []


def test_who_leads_a_circle_sits_in_none() -> None:
    meetings = [Meeting("a", 0, frozenset("bc")), Meeting("b", 0, frozenset("ac"))]
    scores = {(one, other): 1.0 for one in "abc" for other in "ab" if one != other}
    [(meeting, seated)] = best_circles(meetings, scores, 2, {"a": 3, "b": 3})
    assert meeting.leader not in seated
    assert len(seated) == 2


def test_nobody_is_seated_where_no_circle_is_large_enough() -> None:
    assert best_circles([Meeting("l", 0, frozenset("a"))], {("a", "l"): 1.0}, 2, {"l": 6}) == []
    assert best_circles([], {}, 2, {}) == []
