"""The mentor's side: the same pairs with the same scores as in the lists of the mentees, by the same rules."""

from datetime import timedelta
from typing import Any

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.mentees import Mentee, MenteeSlate
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import NOW

Community = Any  # the class of the fixture, which is in conftest.py


def mentees_of(community: Community, mentor: str, viewer: Viewer = COORDINATOR, **options: Any) -> MenteeSlate:
    slate: MenteeSlate = community.run(community.recommender.recommend_mentees(viewer, mentor, **options))
    return slate


def everybody(community: Community, mentor: str) -> list[Mentee]:
    slate = mentees_of(community, mentor, first=4)
    found = list(slate.mentees)
    while slate.has_next:
        slate = mentees_of(community, mentor, first=4, after=slate.cursors[-1])
        found += slate.mentees
    return found


@pytest.fixture(scope="module")
def mentor(community: Community) -> str:
    """A mentor who is recommended to somebody."""
    return str(community.ask(0, with_paths=False).recommendations[0].mentor)


def test_a_pair_has_the_same_score_and_reasons_from_both_sides(community: Community, mentor: str) -> None:
    found = everybody(community, mentor)
    assert len(found) > 3
    assert [each.recommendation.score for each in found] == sorted(
        (each.recommendation.score for each in found), reverse=True
    )
    assert [each.recommendation.rank for each in found] == list(range(1, len(found) + 1))
    for each in found:
        work = community.recommender.explain(COORDINATOR, each.mentee, mentor, each.goal)
        other = community.run(work)
        own = each.recommendation
        assert (own.score, own.signals, own.paths, own.sentences) == (
            other.score,
            other.signals,
            other.paths,
            other.sentences,
        )
        assert other.refusals == ()


def test_every_open_goal_is_listed_whose_owner_the_rules_allow_and_no_other(community: Community, mentor: str) -> None:
    """Against asking for each open goal alone."""
    right = set()
    for goal in community.facts("goals"):
        mentee = goal.links["person"]
        if mentee == mentor:
            continue
        try:
            work = community.recommender.explain(COORDINATOR, mentee, mentor, goal.uid)
            if not community.run(work).refusals:
                right.add((mentee, goal.uid))
        except DomainError as error:
            assert error.code in ("CONSENT_REQUIRED", "NOT_ONBOARDED")  # noqa: PT017 - some are refused, others are not
    assert {(each.mentee, each.goal) for each in everybody(community, mentor)} == right
    assert 0 < len(right) < len(community.facts("goals"))


def test_it_takes_as_many_round_trips_however_many_are_listed(community: Community, mentor: str) -> None:
    expected = ["read_changes", "read_candidates", "read_seekers", "read_candidates", "read_edges"]
    for first in (1, 5):
        assert community.sees(community.recommender.recommend_mentees(COORDINATOR, mentor, first=first)) == expected


def test_a_mentor_who_may_have_nobody_is_told_why(community: Community, mentor: str) -> None:
    away = community.write("absences", person_id=mentor, since=NOW - timedelta(days=1), until=NOW + timedelta(days=9))
    slate = mentees_of(community, mentor)
    assert (slate.mentees, slate.has_next) == ((), False)
    assert slate.notice == "No mentee may be paired with this mentor now: is away until 2026-07-10."
    community.end(away)
    assert mentees_of(community, mentor).notice == ""
    another = community.askers[3][0]
    assert "no role as a mentor" in mentees_of(community, another).notice


def test_mentors_ask_for_themselves_only_and_nobody_for_who_is_not_there(community: Community, mentor: str) -> None:
    own = Viewer(mentor, frozenset({"mentor"}))
    assert mentees_of(community, mentor, own).mentees
    for viewer, whom, code in (
        (Viewer(community.askers[0][0]), mentor, "FORBIDDEN"),
        (COORDINATOR, "unknown", "NOT_FOUND"),
    ):
        assert community.refused(lambda viewer=viewer, whom=whom: mentees_of(community, whom, viewer)) == code
    cursor = mentees_of(community, mentor).cursors[0]
    other = community.ask(1, with_paths=False).recommendations[1].mentor
    assert community.refused(lambda: mentees_of(community, other, after=cursor)) == "BAD_USER_INPUT"
    assert community.refused(lambda: community.ask(after=cursor)) == "BAD_USER_INPUT"
