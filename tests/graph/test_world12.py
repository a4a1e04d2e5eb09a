"""The recommender against a world of twelve people with every right answer worked out by hand beside it."""

import csv
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking.matching import Explanation, Recommender
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.sentences import EvidencePath, Step
from mentorgraph.graph.rules.policy import SIGNALS
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import Ask, asking_about

WORLD = Path(__file__).parents[1] / "world12"
SOURCE = "world12"
QUESTIONS: list[dict[str, Any]] = tomllib.loads((WORLD / "answers.toml").read_text("utf-8"))["question"]
KINDS = ("people", "goals", "skills", "units", "pairings", "requests", "sessions")
COUNTED = {"skills", "goal_text", "similar_goals", "unit", "sessions", "load", "shared_history"}
"""Signals that are 0 and not unknown where nothing speaks for them."""
EXACT = 1e-9


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


def known_keys() -> dict[str, str]:
    """External id by uid of everything that a path may show."""
    keys: dict[str, str] = {}
    for kind in KINDS:
        with (WORLD / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            keys |= {uid(kind, row["id"]): row["id"] for row in csv.DictReader(file)}
    return keys


KEYS = known_keys()


@pytest.fixture(scope="module")
def ask(server: EmbeddedDatabase) -> Ask:
    """Puts a question to the imported world, on a connection of its own."""
    return asking_about(server, WORLD, SOURCE)


def asked(question: dict[str, Any]) -> tuple[str, str | None, datetime]:
    goal = uid("goals", question["goal"]) if "goal" in question else None
    return uid("people", question["mentee"]), goal, datetime.fromisoformat(question["as_of"])


def assert_signals(found: tuple[SignalValue, ...], expected: dict[str, float], *, with_priority: bool) -> None:
    assert [each.name for each in found] == list(SIGNALS)
    counted = COUNTED | ({"priority"} if with_priority else set())
    for each in found:
        if each.name not in counted and each.name not in expected:
            assert (each.value, each.contribution) == (None, 0.0)
        else:
            assert each.value == pytest.approx(expected.get(each.name, 0.0), abs=EXACT), each
            assert str(each.value) != "-0.0"
            assert str(each.contribution) != "-0.0"


def told(step: Step) -> str:
    """A step as the sheet writes it."""
    node = f"{step.kind} {KEYS[step.node_uid]}"
    if not step.relationship_type:
        return node
    if not step.relationship_uid:
        return f"{step.relationship_type} {node}"
    return f"{step.relationship_type}-> {node}" if step.forward else f"<-{step.relationship_type} {node}"


def assert_paths(found: tuple[EvidencePath, ...], expected: list[dict[str, Any]]) -> None:
    assert [(path.signal, [told(step) for step in path.steps], path.sentence) for path in found] == [
        (path["signal"], path["steps"], path["sentence"]) for path in expected
    ]
    assert [path.weight for path in found] == pytest.approx([path["weight"] for path in expected], abs=EXACT)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each["name"])
def test_order_scores_signals_and_evidence_are_those_of_the_sheet(ask: Ask, question: dict[str, Any]) -> None:
    mentee, goal, as_of = asked(question)
    slate = ask(lambda recommender: recommender.recommend(COORDINATOR, mentee, goal, as_of=as_of, with_total=True))
    expected = question["order"]
    assert [KEYS[each.mentor] for each in slate.recommendations] == [each["mentor"] for each in expected]
    assert [each.rank for each in slate.recommendations] == list(range(1, len(expected) + 1))
    by_score = [each.get("rank_by_score", place) for place, each in enumerate(expected, 1)]
    assert [each.model_rank for each in slate.recommendations] == by_score
    assert [bool(each.pin) for each in slate.recommendations] == [each.get("is_pinned", False) for each in expected]
    assert (slate.total, slate.has_next, bool(slate.notice)) == (len(expected), False, question["notice"])
    for found, right in zip(slate.recommendations, expected, strict=True):
        assert found.score == pytest.approx(right["score"], abs=EXACT)
        assert_signals(found.signals, right["signals"], with_priority="goal" in question)
        if "paths" in question:
            paths = question["paths"].get(right["mentor"], [])
            assert_paths(found.paths, paths)
            further = question.get("further_sentences", {}).get(right["mentor"], [])
            assert list(found.sentences) == [path["sentence"] for path in paths] + further


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each["name"])
def test_everybody_else_is_refused_by_the_rules_of_the_sheet(ask: Ask, question: dict[str, Any]) -> None:
    mentee, goal, as_of = asked(question)

    async def explain_all(recommender: Recommender) -> dict[str, list[str]]:
        people = sorted(each for each in KEYS if each in recommender.columns.people.uids)
        found = {}
        for person in people:
            explanation = await recommender.explain(COORDINATOR, mentee, person, goal, as_of=as_of)
            found[KEYS[person]] = [refusal.rule for refusal in explanation.refusals]
        return found

    async def loaded(recommender: Recommender) -> dict[str, list[str]]:
        await recommender.columns.refresh(recommender.store)
        return await explain_all(recommender)

    rules = ask(loaded)
    assert len(rules) == 12
    recommended = {each["mentor"] for each in question["order"]}
    assert {name for name, found in rules.items() if not found} == recommended
    assert {name: rules[name] for name in question["refused"]} == question["refused"]


def test_the_sheet_holds_every_rule() -> None:
    rules = {rule for question in QUESTIONS for found in question["refused"].values() for rule in found}
    assert rules == {
        "SELF",
        "NOT_A_MENTOR",
        "LEFT",
        "NO_CONSENT",
        "NOT_ONBOARDED",
        "BLOCKED",
        "FORBIDDEN_BY_COORDINATOR",
        "ALREADY_PAIRED",
        "DECLINED_BEFORE",
        "NO_CAPACITY",
        "AWAY",
        "NO_SHARED_TIME",
    }


def test_the_sheet_holds_a_twin_for_every_signal_that_the_other_twins_have_not() -> None:
    twins = tomllib.loads((WORLD.with_name("twins") / "answers.toml").read_text("utf-8"))["twin"]
    here = {name for each in QUESTIONS[0]["order"] for name in each["signals"] if len(each["signals"]) == 1}
    assert here | {each["signal"] for each in twins} | {"skills"} == set(SIGNALS)


def test_who_is_refused_is_explained_like_anybody(ask: Ask) -> None:
    mentee, goal, as_of = asked(QUESTIONS[0])
    for right in QUESTIONS[0]["explained"]:
        mentor = uid("people", right["mentor"])

        async def explain(recommender: Recommender, mentor: str = mentor) -> Explanation:
            return await recommender.explain(COORDINATOR, mentee, mentor, goal, as_of=as_of)

        found = ask(explain)
        assert found.score == pytest.approx(right["score"], abs=EXACT)
        assert_signals(found.signals, right["signals"], with_priority=True)
        assert_paths(found.paths, right["paths"])


def test_the_mentee_is_told_counts_in_place_of_third_people(ask: Ask) -> None:
    mentee, goal, as_of = asked(QUESTIONS[0])
    viewer = Viewer(mentee, frozenset({"mentee"}), frozenset({uid("programmes", "year")}))
    slate = ask(lambda recommender: recommender.recommend(viewer, mentee, goal, as_of=as_of))
    sentences = {KEYS[each.mentor]: list(each.sentences) for each in slate.recommendations}
    for mentor, right in QUESTIONS[0]["told_to_the_mentee"].items():
        assert sentences[mentor] == right


def test_another_score_would_be_noticed(ask: Ask) -> None:
    mentee, goal, as_of = asked(QUESTIONS[0])
    slate = ask(lambda recommender: recommender.recommend(COORDINATOR, mentee, goal, as_of=as_of))
    right = QUESTIONS[0]["order"][0]["score"]
    assert slate.recommendations[0].score != pytest.approx(right + 1e-8, abs=EXACT)
