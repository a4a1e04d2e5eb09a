"""Twins that differ in one signal alone: the order turns with that signal, and does not without it."""

import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking.matching import Explanation, Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.ranking.sentences import EvidencePath, Step
from mentorgraph.graph.rules.policy import Policy, load_policy
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import Ask, asking_about

WORLD = Path(__file__).parents[1] / "twins"
SOURCE = "twins"
SHEET: dict[str, Any] = tomllib.loads((WORLD / "answers.toml").read_text("utf-8"))
TWINS: list[dict[str, Any]] = SHEET["twin"]
AS_OF = datetime.fromisoformat(SHEET["as_of"])
POLICY = load_policy()
EXACT = 1e-8


def person(key: str) -> str:
    return uid_of(SOURCE, "people", key)


@pytest.fixture(scope="module")
def ask(server: EmbeddedDatabase) -> Ask:
    """Puts a question to the imported twins, on a connection of its own."""
    return asking_about(server, WORLD, SOURCE)


def explained(ask: Ask, *mentors: str, policy: Policy = POLICY, viewer: Viewer = COORDINATOR) -> list[Explanation]:
    async def explain(recommender: Recommender) -> list[Explanation]:
        goal = uid_of(SOURCE, "goals", "water-pumps")
        scorer = RulesScorer(policy)
        return [
            await recommender.explain(viewer, person("asker"), person(each), goal, as_of=AS_OF, scorer=scorer)
            for each in mentors
        ]

    found: list[Explanation] = ask(explain)
    return found


def told(step: Step) -> str:
    """A step as the sheet writes it."""
    if not step.relationship_type:
        return step.kind
    if not step.relationship_uid:
        return f"{step.relationship_type} {step.kind}"
    return f"{step.relationship_type}-> {step.kind}" if step.forward else f"<-{step.relationship_type} {step.kind}"


@pytest.mark.parametrize("twin", TWINS, ids=lambda each: each["signal"])
def test_twins_differ_in_one_signal_alone_and_by_its_weight(ask: Ask, twin: dict[str, Any]) -> None:
    better, worse = explained(ask, twin["better"], twin["worse"])
    values = {one.name: (one.value, two.value) for one, two in zip(better.signals, worse.signals, strict=True)}
    own = values.pop(twin["signal"])
    assert own == pytest.approx(tuple(twin["values"]), abs=EXACT)
    assert all(one == two for one, two in values.values())
    assert POLICY.weights[twin["signal"]] == twin["weight"]
    more = twin["values"][0] - twin["values"][1]
    assert better.score - worse.score == pytest.approx(twin["weight"] * more, abs=EXACT)


@pytest.mark.parametrize("twin", TWINS, ids=lambda each: each["signal"])
def test_the_order_turns_with_the_signal_and_not_without_it(ask: Ask, twin: dict[str, Any]) -> None:
    without = replace(POLICY, weights=MappingProxyType({**POLICY.weights, twin["signal"]: 0.0}))
    assert person(twin["worse"]) < person(twin["better"])  # who scores the same stands in the order of uids

    def order(policy: Policy) -> list[str]:
        found = explained(ask, twin["better"], twin["worse"], policy=policy)
        return [each.mentor for each in sorted(found, key=lambda each: (-each.score, each.mentor))]

    assert order(POLICY) == [person(twin["better"]), person(twin["worse"])]
    assert order(without) == [person(twin["worse"]), person(twin["better"])]


@pytest.mark.parametrize("twin", TWINS, ids=lambda each: each["signal"])
def test_the_evidence_is_that_of_the_sheet_and_each_query_returns_its_path(ask: Ask, twin: dict[str, Any]) -> None:
    def own(found: Explanation) -> list[EvidencePath]:
        return [path for path in found.paths if path.signal == twin["signal"]]

    for found, side in zip(explained(ask, twin["better"], twin["worse"]), ("better", "worse"), strict=True):
        paths, right = own(found), twin.get(f"{side}_paths", [])
        assert [([told(step) for step in path.steps], path.sentence) for path in paths] == [
            (each["steps"], each["sentence"]) for each in right
        ]
        assert [path.weight for path in paths] == pytest.approx([each["weight"] for each in right], abs=EXACT)
        for path in paths:

            async def rows(recommender: Recommender, path: EvidencePath = path) -> list[dict[str, Any]]:
                return await recommender.store.database.run_directly(path.cypher)

            [row] = ask(rows)
            uids = [row[f"n{number}"]["uid"] for number in range(len(path.steps))]
            assert uids == [step.node_uid for step in path.steps]
            assert uids[-1] == found.mentor


def test_a_former_mentor_comes_first_while_free_and_falls_below_a_stranger_at_nine_of_ten_places(ask: Ask) -> None:
    right = SHEET["former_mentors"]
    found = explained(ask, *right["order"])
    stranger = next(each.score for each in found if each.mentor == person("again-b"))
    assert [each.score - stranger for each in found] == pytest.approx(right["beyond_the_stranger"], abs=EXACT)
    loads = [next(one.value for one in each.signals if one.name == "load") for each in found]
    assert loads == pytest.approx([0.0, 0.5, 0.0, 0.9])

    async def recommend(recommender: Recommender) -> list[str]:
        goal = uid_of(SOURCE, "goals", "water-pumps")
        slate = await recommender.recommend(COORDINATOR, person("asker"), goal, first=50, as_of=AS_OF)
        return [each.mentor for each in slate.recommendations]

    everybody = ask(recommend)
    former = [person(each) for each in right["order"]]
    assert [each for each in everybody if each in former] == former


def test_who_is_never_free_at_the_same_time_is_listed_where_both_work_without_it(ask: Ask) -> None:
    async def recommend(recommender: Recommender) -> list[str]:
        slate = await recommender.recommend(COORDINATOR, person("asker"), first=50, as_of=AS_OF)
        return [each.mentor for each in slate.recommendations]

    everybody = ask(recommend)
    assert [each for each in ("apart-a", "apart-b") if person(each) in everybody] == ["apart-a"]


def test_participants_see_their_own_pairing_but_neither_requests_of_others_nor_what_was_declined(ask: Ask) -> None:
    viewer = Viewer(person("asker"), frozenset({"mentee"}))
    before, accepted, declined = explained(ask, "again-a", "answer-a1", "answer-b1", viewer=viewer)
    [path] = before.paths
    assert path.sentence == "Again A has mentored Asker before."
    assert path.cypher
    assert [step.node_uid for step in path.steps][0::2] == [person("asker"), person("again-a")]
    [path] = accepted.paths
    assert path.sentence == "Answer A1 has accepted a request."
    assert (path.cypher, path.steps[0].node_uid, path.steps[0].count) == ("", "", 1)
    assert declined.paths == ()
