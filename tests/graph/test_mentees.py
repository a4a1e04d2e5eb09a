"""The mentor's side: the same scores and the same rules as in the lists of the mentees, in few round trips."""

from datetime import timedelta
from typing import Any

import pytest

from mentorgraph.graph.explaining.why_not import FORBIDDEN, why_not
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking import mentees
from mentorgraph.graph.ranking.mentees import MenteeList, MenteeRecommendation, recommend_mentees
from mentorgraph.graph.rules.evaluator import Judgement
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import NOW, SOURCE, Community


def listed(community: Community, mentor: str, **options: Any) -> MenteeList:
    viewer = options.pop("viewer", COORDINATOR)
    found: MenteeList = community.run(recommend_mentees(community.recommender, viewer, mentor, **options))
    return found


def whole(community: Community, mentor: str) -> list[MenteeRecommendation]:
    page = listed(community, mentor, first=MOST)
    found = list(page.recommendations)
    while page.has_next:
        page = listed(community, mentor, first=MOST, after=page.cursors[-1])
        found += page.recommendations
    return found


@pytest.fixture(scope="module")
def mentors(community: Community) -> list[str]:
    """Those who are listed first for some of the askers: whoever is in their lists finds them in theirs."""
    return sorted({community.ask(place, first=1, with_paths=False).recommendations[0].mentor for place in range(6)})


def open_goals(community: Community, mentor: str) -> dict[str, str]:
    """Open goals of others: goal → mentee, found out in another way than the list does."""
    return {each.uid: each.links["person"] for each in community.facts("goals") if each.links["person"] != mentor}


def test_a_pair_has_the_score_that_it_has_in_the_list_of_the_mentee(community: Community, mentors: list[str]) -> None:
    compared = 0
    for mentor in mentors[:3]:
        found = whole(community, mentor)
        assert [each.rank for each in found] == list(range(1, len(found) + 1))
        assert found == sorted(found, key=lambda each: (-each.score, each.goal))
        for each in found[:: max(1, len(found) // 6)]:
            slate = community.run(
                community.recommender.recommend(COORDINATOR, each.mentee, each.goal, first=MOST, with_paths=True)
            )
            [same] = [one for one in slate.recommendations if one.mentor == mentor] or [None]
            if same is None:  # further down than a page
                explained = community.run(community.recommender.explain(COORDINATOR, each.mentee, mentor, each.goal))
                assert explained.refusals == ()
                same = explained
            assert each.score == pytest.approx(same.score, abs=1e-9)
            assert each.signals == same.signals
            assert each.paths == same.paths
            assert each.sentences == same.sentences
            assert each.policy_version == slate.policy_version
            assert each.base + sum(one.contribution for one in each.signals) == pytest.approx(each.score, abs=1e-6)
            compared += 1
    assert compared > 10


def left_out(community: Community, mentor: str) -> tuple[int, int]:
    """How many goals the list holds and leaves out, each of which `why_not` agrees about.

    Raises:
        AssertionError: It says something else of one.
    """
    shown = {each.goal for each in whole(community, mentor)}
    asked = open_goals(community, mentor)
    assert shown <= asked.keys()
    for goal, mentee in asked.items():
        found = community.run(why_not(community.recommender, COORDINATOR, mentee, mentor, goal, first=MOST))
        assert (goal in shown) == (found.verdict != FORBIDDEN), (goal, found.blockers)
        assert (goal in shown) == (not found.blockers)
    return len(shown), len(asked) - len(shown)


def test_whoever_is_left_out_is_named_by_why_not_with_the_rule(community: Community, mentors: list[str]) -> None:
    held, out = left_out(community, mentors[0])
    assert held
    assert out


def test_a_list_that_forgets_a_rule_is_seen(
    community: Community, mentors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentees, "judge", lambda *_: Judgement(()))
    with pytest.raises(AssertionError, match="Refusal"):
        left_out(community, mentors[0])


def test_the_facts_of_all_who_ask_are_read_at_once(community: Community, mentors: list[str]) -> None:
    community.run(community.columns.refresh(community.store))
    assert len(open_goals(community, mentors[0])) > 10
    sent = community.sees(recommend_mentees(community.recommender, COORDINATOR, mentors[0]))
    assert sent == ["read_changes", "read_edges"]


def test_pages_cover_exactly_the_list(community: Community, mentors: list[str]) -> None:
    found, cursor = list[MenteeRecommendation](), None
    expected = whole(community, mentors[0])
    while True:
        page = listed(community, mentors[0], first=7, after=cursor)
        assert page.total == len(expected)
        found += page.recommendations
        cursor = page.cursors[-1]
        if not page.has_next:
            break
    assert found == expected


def test_a_mentor_sees_third_people_as_counts_and_nobody_else_sees_the_list(
    community: Community, mentors: list[str]
) -> None:
    mentor = mentors[0]
    own = listed(community, mentor, viewer=Viewer(person=mentor), first=MOST)
    everything = listed(community, mentor, first=MOST)
    assert [each.score for each in own.recommendations] == [each.score for each in everything.recommendations]
    named = hidden = 0
    for told, full in zip(own.recommendations, everything.recommendations, strict=True):
        known = {told.mentee, mentor}
        assert not [
            step for path in told.paths for step in path.steps if step.node_uid and step.owner not in {*known, ""}
        ]
        named += sum(step.owner not in {*known, ""} for path in full.paths for step in path.steps)
        hidden += sum(step.count is not None and not step.node_uid for path in told.paths for step in path.steps)
    assert named
    assert hidden
    other = Viewer(person=own.recommendations[0].mentee)
    assert community.refused(lambda: listed(community, mentor, viewer=other)) == "FORBIDDEN"


def test_who_cannot_be_meant_is_refused(community: Community, mentors: list[str]) -> None:
    cursor = listed(community, mentors[0], first=1).cursors[0]
    nobody = uid_of(SOURCE, "people", "nobody")
    assert community.refused(lambda: listed(community, nobody)) == "NOT_FOUND"
    assert community.refused(lambda: listed(community, mentors[1], after=cursor)) == "BAD_USER_INPUT"
    assert community.refused(lambda: listed(community, mentors[0], first=0)) == "BAD_USER_INPUT"
    assert community.refused(lambda: listed(community, mentors[0], first=MOST + 1)) == "BAD_USER_INPUT"


def test_who_is_no_mentor_has_an_empty_list_with_the_reason(community: Community) -> None:
    mentee = community.askers[0][0]
    roles = [each for each in community.facts("roles") if each.links["person"] == mentee]
    assert uid_of("mentorgraph", "roles", "mentor") not in {each.links["role"] for each in roles}
    found = listed(community, mentee)
    assert found.recommendations == ()
    assert "by rule: " in found.notice
    assert "NOT_A_MENTOR" in found.notice
    assert "by rule" not in listed(community, mentee, viewer=Viewer(person=mentee)).notice


def test_only_the_newest_goals_are_looked_at_and_that_is_said(
    community: Community, mentors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = open_goals(community, mentors[0])
    assert listed(community, mentors[0]).notice == ""
    monkeypatch.setattr(mentees, "MOST_GOALS", 5)
    found = listed(community, mentors[0])
    assert found.notice.startswith(f"Only the 5 newest open goals were looked at; {len(asked) - 5} older ones are not.")
    assert found.total <= 5


def test_a_goal_that_was_just_set_is_there_and_one_that_ended_is_not(community: Community, mentors: list[str]) -> None:
    mentee = next(each.mentee for each in whole(community, mentors[0]))
    goal = community.write(
        "goals", id="just set", person_id=mentee, title="Just set", created_on=NOW - timedelta(minutes=1)
    )
    assert goal.uid in {each.goal for each in whole(community, mentors[0])}
    community.end(goal)
    assert goal.uid not in {each.goal for each in whole(community, mentors[0])}


def test_who_has_no_patience_gets_fewer_goals_and_is_told(community: Community, mentors: list[str]) -> None:
    expected = whole(community, mentors[0])
    found = listed(community, mentors[0], first=3, patience_s=-1.0)
    assert (len(found.recommendations), found.has_next, found.total) == (3, False, len(expected))
    assert found.notice == f"Only the 3 newest of the {len(expected)} goals that may be served were scored in time."
    assert listed(community, mentors[0], patience_s=60.0).notice == ""
