"""What refers to a merged skill counts for the other one: same mentors, same scores, and paths that the graph holds."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.skills import curating
from mentorgraph.graph.viewer import COORDINATOR

from .conftest import NOW, Community

WEEK_AGO = NOW - timedelta(days=7)
ASKED = 12


def shown(slate: Slate) -> list[tuple[str, float, list[tuple[str, float | None]]]]:
    """Mentors, scores and signals, but for the order in which the same summands were added."""
    return [
        (
            each.mentor,
            round(each.score, 9),
            [(one.name, one.value if one.value is None else round(one.value, 9)) for one in each.signals],
        )
        for each in slate.recommendations
    ]


def offers(community: Community) -> Counter[str]:
    table = community.columns.tables["offers"]
    return Counter(community.columns.skills.uids[number] for number in table.numbers("skill"))


def new_skill(community: Community, name: str) -> str:
    return community.write("skills", id=name, name=name).uid


def merge(community: Community, skill: str, into: str) -> None:
    community.run(curating.merge_skills(community.store, COORDINATOR, skill, into, now=WEEK_AGO))


@pytest.fixture(scope="module")
def renamed(community: Community) -> dict[str, Any]:
    """The lists before and after each of the skills that are offered most was merged into a new one that nobody has."""
    before = [community.ask(place, first=10) for place in range(ASKED)]
    past = community.ask(0, first=10, as_of=WEEK_AGO - timedelta(days=1))
    chosen = [skill for skill, _ in offers(community).most_common(10)]
    for number, skill in enumerate(chosen):
        merge(community, skill, new_skill(community, f"New name {number}"))
    after = [community.ask(place, first=10) for place in range(ASKED)]
    return {"before": before, "after": after, "past": past, "chosen": chosen}


def test_where_only_the_name_changed_every_list_and_score_is_the_same(renamed: dict[str, Any]) -> None:
    assert [shown(slate) for slate in renamed["after"]] == [shown(slate) for slate in renamed["before"]]
    assert any(shown(slate) for slate in renamed["before"])


def test_who_offers_and_who_needs_the_same_merged_skill_meet_there(renamed: dict[str, Any]) -> None:
    direct = [
        path
        for slate in renamed["after"]
        for recommendation in slate.recommendations
        for path in recommendation.paths
        if path.metapath == "goal_needs_skill"
    ]
    assert {len(path.steps) for path in direct} == {3}


def test_reasons_go_by_the_present_name_along_paths_that_the_graph_holds(
    community: Community, renamed: dict[str, Any]
) -> None:
    others = [skill for skill, _ in offers(community).most_common(45) if skill not in renamed["chosen"]]
    for skill, into in zip(others[::2], others[1::2], strict=False):
        if not community.columns.taxonomy(NOW.timestamp()).why_not_merged(skill, into):
            merge(community, skill, into)
    merged = set(others[::2])
    paths = [
        path
        for place in range(ASKED)
        for recommendation in community.ask(place, first=10).recommendations
        for path in recommendation.paths
        if any(step.relationship_type == "BECAME" for step in path.steps)
    ]
    assert {path.signal for path in paths} == {"skills", "similar_goals"}
    assert len({path.metapath for path in paths}) > 3
    for path in paths[::7]:
        edges = [step.relationship_uid for step in path.steps if step.relationship_uid]
        assert len(edges) == len(set(edges))
        assert len(community.run(community.store.database.run_directly(path.cypher))) == 1
        old = [step.label for step in path.steps if step.node_uid in merged]
        assert old
        if path.metapath == "goal_needs_skill":
            assert not any(f"offers {label}," in path.sentence for label in old)


def test_a_past_day_is_answered_as_it_was_then(community: Community, renamed: dict[str, Any]) -> None:
    again = community.ask(0, first=10, as_of=WEEK_AGO - timedelta(days=1))
    assert shown(again) == shown(renamed["past"])
    types = {step.relationship_type for each in again.recommendations for path in each.paths for step in path.steps}
    assert "BECAME" not in types
    assert "OFFERS" in types


def offered_by(community: Community, mentor: str, skill: str) -> Record:
    return community.write("person_skills", person_id=mentor, skill_id=skill, stance="offers", since="2026-01-01")


def test_an_offer_and_a_need_of_two_skills_meet_once_the_skills_are_one(community: Community) -> None:
    """And no longer, once the merge is taken back."""
    mentee, goal = community.askers[3]
    need, offer, kin = (new_skill(community, name) for name in ("Asked for", "Offered", "Kin"))
    mentor = community.ask(3, first=10).recommendations[-1].mentor
    community.write("goal_skills", goal_id=goal, skill_id=need, since="2026-01-01")
    offered_by(community, mentor, offer)

    def value() -> float:
        asked = community.run(community.recommender.explain(COORDINATOR, mentee, mentor, goal))
        found: float = next(signal.value for signal in asked.signals if signal.name == "skills")
        return found

    apart = value()
    merge(community, offer, need)
    together = value()
    assert together > apart
    explained = community.run(community.recommender.explain(COORDINATOR, mentee, mentor, goal))
    [path] = [path for path in explained.paths if path.steps[1].node_uid == need and path.signal == "skills"]
    assert [step.relationship_type for step in path.steps[1:]] == ["NEEDS", "BECAME", "OFFERS"]
    assert path.sentence.endswith(" offers Asked for, which the goal needs.")
    assert len(community.run(community.store.database.run_directly(path.cypher))) == 1

    row = {"skill_id": offer, "successor_id": need, "how": "merged", "since": WEEK_AGO}
    community.end(facts_of("successions", row, "api")[0])
    assert value() == apart
    merge(community, offer, kin)
    assert value() == apart
    assert community.run(check(community.store)) == []
