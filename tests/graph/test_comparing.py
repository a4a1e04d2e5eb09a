"""Mentors side by side: the differences sum to the gap, and participants learn no more than from one explanation."""

from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.explaining.comparing import Compared, compare
from mentorgraph.graph.viewer import COORDINATOR, Viewer

Community = Any  # the class of the fixture, which is in conftest.py


def compared(community: Community, place: int, number: int, viewer: Viewer = COORDINATOR) -> list[Compared]:
    mentee, goal = community.askers[place]
    mentors = [each.mentor for each in community.ask(place, first=number).recommendations]
    found: list[Compared] = community.run(compare(community.recommender, viewer, mentee, mentors, goal))
    return found


def test_the_differences_sum_to_the_gap_between_the_scores(community: Community) -> None:
    for place in range(8):
        found = compared(community, place, 5)
        for each in found:
            assert sum(one.amount for one in each.differences) == pytest.approx(each.gap, abs=1e-6)
            assert each.gap == each.explanation.score - found[0].explanation.score
            amounts = [abs(one.amount) for one in each.differences]
            assert amounts == sorted(amounts, reverse=True)
        assert found[0].gap == 0
        assert found[4].gap < 0
        assert found[4].gap != pytest.approx(sum(one.amount for one in found[3].differences), abs=1e-6)


def test_each_is_told_as_an_explanation_of_them_alone(community: Community) -> None:
    mentee, goal = community.askers[1]
    for each in compared(community, 1, 3):
        alone = community.run(community.recommender.explain(COORDINATOR, mentee, each.explanation.mentor, goal))
        assert each.explanation == alone
        assert each.strongest == alone.sentences[:3]


def test_comparing_five_takes_as_many_statements_as_explaining_one(community: Community) -> None:
    mentee, goal = community.askers[2]
    mentors = [each.mentor for each in community.ask(2, first=5).recommendations]
    one = community.sees(community.recommender.explain(COORDINATOR, mentee, mentors[0], goal))
    five = community.sees(compare(community.recommender, COORDINATOR, mentee, mentors, goal))
    assert five == one


def test_a_mentee_compares_mentors_for_themselves_and_is_told_of_nobody_else(community: Community) -> None:
    mentee, _ = community.askers[3]
    for each in compared(community, 3, 2, Viewer(person=mentee)):
        for path in each.explanation.paths:
            people = {step.node_uid for step in path.steps if step.kind == "Person"} - {""}
            assert people <= {mentee, each.explanation.mentor}
    other = Viewer(person=community.askers[4][0])
    assert community.refused(lambda: compared(community, 3, 2, other)) == "FORBIDDEN"


def test_blockers_are_told_of_who_may_not_be_paired(community: Community) -> None:
    mentee, goal = community.askers[5]
    first = community.ask(5, first=1).recommendations[0].mentor
    found = community.run(compare(community.recommender, COORDINATOR, mentee, [first, mentee], goal))
    assert found[0].explanation.refusals == ()
    assert "SELF" in [refusal.rule for refusal in found[1].explanation.refusals]


@pytest.mark.parametrize(("number", "message"), [(1, "has 1 entries"), (6, "has 6 entries")])
def test_two_to_five_mentors_are_compared(community: Community, number: int, message: str) -> None:
    with pytest.raises(DomainError, match=message):
        compared(community, 0, number)


def test_nobody_is_compared_with_themselves_and_unknown_mentors_are_named(community: Community) -> None:
    mentee, goal = community.askers[0]
    mentor = community.ask(0, first=1).recommendations[0].mentor
    with pytest.raises(DomainError, match="names a mentor twice"):
        community.run(compare(community.recommender, COORDINATOR, mentee, [mentor, mentor], goal))
    with pytest.raises(DomainError) as caught:
        community.run(compare(community.recommender, COORDINATOR, mentee, [mentor, "unknown"], goal))
    assert (caught.value.code, caught.value.field) == ("NOT_FOUND", "mentorIds")
