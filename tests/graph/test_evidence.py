"""The evidence of recommendations on a generated community: it is in the graph, and its weight is what it adds."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge, question
from mentorgraph.graph.columns.supposing import without
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.viewer import COORDINATOR

SOURCE = "bundle"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
POLICY = load_policy()
Count = Callable[[int, int], int]
Community = Any  # the class of the fixture, which is in conftest.py


async def rows_of(database: Database, cypher: str) -> list[dict[str, Any]]:
    return await database.run_directly(cypher)


def test_every_path_is_in_the_graph_and_its_query_returns_it(community: Community, count: Count) -> None:
    draws = random.Random(2)  # noqa: S311
    tried = 0
    while tried < count(25, 500):
        slate = community.ask(draws.randrange(len(community.askers)), first=10)
        for each in draws.sample(slate.recommendations, min(5, len(slate.recommendations))):
            for path in each.paths:
                rows = community.run(rows_of(community.store.database, path.cypher))
                assert len(rows) == 1, path.cypher
                [row] = rows
                uids = [row[f"n{number}"]["uid"] for number in range(len(path.steps))]
                assert uids == [step.node_uid for step in path.steps]
                assert uids[-1] == each.mentor
            tried += 1
    broken = path.cypher.replace(path.steps[-1].node_uid, slate.goal)
    assert community.run(rows_of(community.store.database, broken)) == []


def last_edge(path: Any) -> Edge:
    return Edge(path.steps[-1].relationship_type, path.steps[-1].relationship_uid)


def contributions(community: Community, columns: Columns, asker: tuple[str, str], mentor: str) -> dict[str, float]:
    mentee, goal = columns.people.find(asker[0]), columns.goals.find(asker[1])
    scores = RulesScorer(POLICY).score(columns, question(columns, mentee, goal, NOW, POLICY.signals))
    return {term.name: float(term.contributions[columns.people.find(mentor)]) for term in scores.terms}


def test_the_weight_of_a_path_is_what_the_score_loses_without_its_last_edge(community: Community, count: Count) -> None:
    draws = random.Random(3)  # noqa: S311
    weights: list[float] = []
    drops: list[float] = []
    while len(weights) < count(60, 500):
        place = draws.randrange(len(community.askers))
        asker = community.askers[place]
        slate = community.ask(place, first=20)
        for each in draws.sample(slate.recommendations, min(4, len(slate.recommendations))):
            before = contributions(community, community.columns, asker, each.mentor)
            for path in each.paths:
                after = contributions(community, without(community.columns, [last_edge(path)]), asker, each.mentor)
                weights.append(path.weight)
                drops.append(before[path.signal] - after[path.signal])
    assert weights == pytest.approx(drops, abs=1e-9)
    shuffled = draws.sample(weights, len(weights))
    assert shuffled != pytest.approx(drops, abs=1e-9)


def test_paths_without_a_drop_stand_only_where_nothing_else_explains_a_signal(community: Community) -> None:
    for place in range(10):
        for each in community.ask(place, first=20).recommendations:
            for name in {path.signal for path in each.paths}:
                drops = [path.weight for path in each.paths if path.signal == name]
                assert all(drop > 0 for drop in drops) or len(drops) == 1
            edges = [(path.signal, path.steps[-1].relationship_uid) for path in each.paths]
            assert len(set(edges)) == len(edges)


def test_an_edge_that_ended_loses_its_effect_at_once(community: Community) -> None:
    mentee, goal = community.askers[8]
    best = community.ask(8).recommendations[0]
    skill = community.columns.skills.uids[community.question(8).wishes[0].skill]
    offer = community.write(
        "person_skills", person_id=mentor_without(community, 8, skill), skill_id=skill, stance="offers",
        level=5, since=NOW - timedelta(days=30),
    )  # fmt: skip
    person = offer.links["person"]
    with_offer = community.run(community.recommender.explain(COORDINATOR, mentee, person, goal))
    assert offer.uid in {step.relationship_uid for path in with_offer.paths for step in path.steps}
    community.end(offer)
    without = community.run(community.recommender.explain(COORDINATOR, mentee, person, goal))
    assert offer.uid not in {step.relationship_uid for path in without.paths for step in path.steps}
    assert without.score < with_offer.score
    assert best.mentor != person


def mentor_without(community: Community, place: int, skill: str) -> str:
    """The last recommended mentor for whom the skill would count in full."""
    for each in reversed(community.ask(place, first=MOST).recommendations):
        if not any(signal.name == "skills" and signal.value for signal in each.signals):
            return str(each.mentor)
    raise AssertionError("everybody offers something")
