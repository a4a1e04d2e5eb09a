"""The audit of the explainer: ours passes it, and each of its checks fails for reasons that are not true."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.explaining.faithfulness import Answer, Check, audit_explanations
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking.listing import Recommendation, Slate
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.database import Address, Database
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.planted import SKILLS, TOPIC, PlantedReasons
from mentorgraph.graph.world.tables import World

from ..conftest import WIPE

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
WORLD = generate(300, months=18, last_day=(NOW - timedelta(days=1)).date())
PLANTED = PlantedReasons(WORLD.truth, "bundle")
# Skills draw mentees in generated worlds, and in lists of as few people as here they are most of what can be told.
POLICY = replace(
    load_policy(),
    weights={
        **load_policy().weights,
        "skills": 6.0,
        "goal_text": 0.4,
        "similar_goals": 0.4,
        "unit": 0.05,
        "load": -0.1,
    },
)
Count = Callable[[int, int], int]
Change = Callable[[list[Recommendation]], list[Recommendation]]


@dataclass
class Audited:
    """A world on the test database, and the loop and connection that the tests of this module use."""

    runner: asyncio.Runner
    recommender: Recommender

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Waits for some work."""
        return self.runner.run(work)

    def checks(self, sample: int, change: Change | None = None, viewer: Viewer | None = None) -> dict[str, Check]:
        """What the audit finds, by name, where answers are changed before it sees them."""
        answer: Answer | None = self.answer(change, viewer) if change or viewer else None
        found = self.run(audit_explanations(self.recommender, sample=sample, planted=PLANTED, answer=answer))
        return {each.name: each for each in found}

    def answer(self, change: Change | None, viewer: Viewer | None) -> Answer:
        """What the recommender answers, changed, or always for one viewer."""

        async def changed(asked_by: Viewer, mentee: str, goal: str) -> Slate:
            slate = await self.recommender.recommend(viewer or asked_by, mentee, goal, first=10)
            if change is None or not slate.recommendations:
                return slate
            return replace(slate, recommendations=tuple(change(list(slate.recommendations))))

        return changed


@contextmanager
def auditing(server: EmbeddedDatabase, world: World) -> Iterator[Audited]:
    """A world on a database, in place of what was there."""
    with asyncio.Runner() as runner:
        database = Database(Address(server.uri, server.user, server.password), budget_s=60)
        runner.run(database.__aenter__())
        recommender = Recommender(Store(database), RulesScorer(POLICY), clock=lambda: NOW)
        runner.run(database.run_directly(WIPE))
        runner.run(migrate(database))
        runner.run(import_bundle(recommender.store, bundle_of(world.rows)))
        yield Audited(runner, recommender)
        runner.run(database.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def audited(server: EmbeddedDatabase) -> Iterator[Audited]:
    with auditing(server, WORLD) as found:
        yield found


def shuffled(some: list[Recommendation]) -> list[Recommendation]:
    """The reasons of each are those of the next one."""
    evidence = [each.evidence for each in some]
    return [replace(each, evidence=other) for each, other in zip(some, evidence[1:] + evidence[:1], strict=True)]


def test_our_reasons_meet_every_target(audited: Audited, count: Count) -> None:
    checks = audited.checks(count(40, 500))
    assert list(checks) == ["existence", "additivity", "deletion", "sufficiency", "planted reason", "third people"]
    assert [each.name for each in checks.values() if not each.is_met] == []
    assert checks["existence"].tried >= 40
    assert checks["deletion"].low is not None
    assert checks["deletion"].low >= 3
    assert checks["additivity"].value <= 1e-6
    assert checks["planted reason"].value > 0.55


def test_shuffled_reasons_fail_every_check_that_looks_at_the_ranking(audited: Audited) -> None:
    checks = audited.checks(24, shuffled)
    failed = {each.name for each in checks.values() if not each.is_met}
    assert failed == {"existence", "deletion", "sufficiency"}
    assert checks["planted reason"].value <= 0.5
    assert (checks["deletion"].low or 0) < 1
    assert checks["sufficiency"].value < 0.5


def test_reasons_in_the_wrong_order_do_not_tell_the_planted_one_first(audited: Audited) -> None:
    def backwards(some: list[Recommendation]) -> list[Recommendation]:
        return [replace(each, evidence=each.evidence[::-1]) for each in some]

    checks = audited.checks(24, backwards)
    assert checks["planted reason"].value <= 0.5
    assert checks["existence"].is_met


def test_the_planted_reason_has_to_come_first_where_a_model_ranks(audited: Audited) -> None:
    rules, learned = (
        replace_scorer(audited, version).checks(8)["planted reason"]
        for version in ("rules", "a model of these weights")
    )
    assert rules.value == learned.value < 0.9
    assert (rules.is_met, learned.is_met) == (True, False)


def replace_scorer(audited: Audited, version: str) -> Audited:
    recommender = replace(audited.recommender, scorer=RulesScorer(POLICY, version))
    return Audited(audited.runner, recommender)


def test_an_edge_that_is_not_in_the_graph_is_found(audited: Audited) -> None:
    def invented(some: list[Recommendation]) -> list[Recommendation]:
        [first, *paths] = some[0].evidence
        steps = (*first.steps[:-1], replace(first.steps[-1], relationship_uid=uid_of("x", "offers", "x")))
        return [replace(each, evidence=(replace(first, steps=steps), *paths)) for each in some[:1]]

    checks = audited.checks(3, invented)
    assert (checks["existence"].is_met, checks["existence"].value) == (False, 3)
    assert len(checks["existence"].faults) == 3


def test_a_query_that_returns_another_path_is_found(audited: Audited) -> None:
    def misquoted(some: list[Recommendation]) -> list[Recommendation]:
        [first, *paths] = some[0].evidence
        _, other, *_ = first.cypher.split("'")
        wrong = replace(first, cypher=first.cypher.replace(other, uid_of("x", "goals", "x")))
        return [replace(each, evidence=(wrong, *paths)) for each in some[:1]]

    assert audited.checks(2, misquoted)["existence"].value == 2


def test_a_score_that_does_not_add_up_is_found(audited: Audited) -> None:
    def off(some: list[Recommendation]) -> list[Recommendation]:
        return [replace(each, score=each.score + 2e-6) for each in some]

    checks = audited.checks(4, off)
    assert [each.name for each in checks.values() if not each.is_met and each.name == "additivity"] == ["additivity"]
    assert checks["additivity"].value == pytest.approx(2e-6, abs=1e-8)


def test_what_a_coordinator_sees_would_leak_to_a_mentee(audited: Audited) -> None:
    checks = audited.checks(20, viewer=COORDINATOR)
    assert not checks["third people"].is_met
    assert checks["third people"].value > 0
    assert any("the id" in each for each in checks["third people"].faults)


def test_a_third_persons_name_in_a_sentence_is_found(audited: Audited) -> None:
    names = [row["name"] for row in WORLD.rows["people"]]

    def gossip(some: list[Recommendation]) -> list[Recommendation]:
        other = random.Random(1).choice(names)  # noqa: S311
        return [replace(each, sentences=(*each.sentences, f"{other} liked it.")) for each in some]

    checks = audited.checks(2, gossip)
    assert not checks["third people"].is_met
    assert "the id" not in "".join(checks["third people"].faults)


def test_where_nobody_asks_there_is_nothing_to_examine(emptied: EmbeddedDatabase) -> None:
    async def on_nothing() -> None:
        async with Database(Address(emptied.uri, emptied.user, emptied.password), budget_s=60) as database:
            await audit_explanations(Recommender(Store(database), RulesScorer(POLICY)))

    with pytest.raises(DomainError, match="nobody here has an open goal"):
        asyncio.run(on_nothing())


def test_ten_thousand_answers_as_mentees_see_them_tell_of_nobody_else(emptied: EmbeddedDatabase, count: Count) -> None:
    wanted = count(200, 10_000)
    world = generate(count(300, 3_000), months=18, seed=1, last_day=(NOW - timedelta(days=1)).date())
    with auditing(emptied, world) as crowd:
        checks = crowd.checks(wanted * 4 // 10)  # a list has ten answers, of which four are examined
    assert checks["third people"].tried >= wanted * 0.9
    assert checks["third people"].value == 0


# --- what was planted -----------------------------------------------------------------------------------------------


def told(goal: dict[str, Any], **mentor: Any) -> PlantedReasons:
    """The planted reasons of a world with one goal and one mentor."""
    clock = ["Europe/Paris", "evenings"]
    truth = {
        "topics": [
            {"subject": "a", "field": "Data", "skills": ["sql"]},
            {"subject": "a", "field": "Collaboration", "skills": ["retrospectives"]},
            {"subject": "b", "field": "Coaching", "skills": ["goal-setting"]},
        ],
        "mentors": [
            {
                "id": "m", "topics": [2], "offers": [], "fame": 0, "quality": 0, "pace": 0, "clock": clock,
                "unit": "u", "since": "2024-01-01", "until": "", **mentor,
            }
        ],
        "goals": [
            {
                "id": name, "topic": 0, "needs": [["goal-setting", 3]], "motivation": 0, "pace": 0, "clock": clock,
                "assigned_in": "", "asked": "2026-01-01", **other,
            }
            for name, other in (("g", goal), ("past", {}), ("other", {"topic": 2}))
        ],
    }  # fmt: skip
    return PlantedReasons(truth, "w")


GOAL, MENTOR = uid_of("w", "goals", "g"), uid_of("w", "people", "m")


def test_the_planted_reasons_are_the_parts_of_the_appeal_that_weigh_most() -> None:
    assert told({}).of(GOAL, MENTOR) == set()
    assert told({}, topics=[0]).of(GOAL, MENTOR) == {TOPIC}  # 310
    assert told({}, offers=[["goal-setting", 3]]).of(GOAL, MENTOR) == {SKILLS}  # 55
    assert told({}, offers=[["goal-setting", 3]], topics=[1]).of(GOAL, MENTOR) == {SKILLS, TOPIC}  # 55 and 70
    assert told({"assigned_in": "u"}).of(GOAL, MENTOR) == set()  # the bias
    assert told({}).of(uid_of("w", "goals", "unknown"), MENTOR) == set()


def test_a_path_tells_a_planted_reason_where_it_leads_along_it() -> None:
    near = told({}, topics=[0], offers=[["goal-setting", 3], ["sql", 1]])
    past, other = uid_of("w", "goals", "past"), uid_of("w", "goals", "other")
    wanted, foreign = uid_of("w", "skills", "goal-setting"), uid_of("w", "skills", "sql")
    assert near.tells(GOAL, MENTOR, "similar_text", [GOAL, past, MENTOR]) == {TOPIC}
    assert near.tells(GOAL, MENTOR, "similar_text", [GOAL, other, MENTOR]) == set()
    assert near.tells(GOAL, MENTOR, "goal_needs_skill", [GOAL, wanted, MENTOR]) == {SKILLS}
    assert near.tells(GOAL, MENTOR, "goal_needs_skill", [GOAL, foreign, MENTOR]) == {TOPIC}
    assert near.tells(GOAL, MENTOR, "goal_unit_member", [GOAL, "unit", MENTOR]) == set()
    assert near.tells(GOAL, MENTOR, "sessions_held", ["session", MENTOR]) == set()
