"""Answers to keep, made from a seed, and a log to keep them in; none of it needs the database."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking.listing import Asked, Recommendation, Slate
from mentorgraph.graph.ranking.reasons import SignalValue
from mentorgraph.graph.ranking.sentences import EvidencePath, Measured, Step, sentences_of
from mentorgraph.graph.rules.policy import SIGNALS, load_policy
from mentorgraph.graph.viewer import COORDINATOR, Viewer

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
POLICY = load_policy()


def uid(kind: str, key: object) -> str:
    return uid_of("test", kind, str(key))


def slate_of(seed: int, mentors: int = 5, *, viewer: Viewer = COORDINATOR, model: str = "rules") -> Slate:
    """An answer whose numbers, names and evidence follow from a seed, and whose score and order are right."""
    draw = random.Random(seed)  # noqa: S311
    mentee, goal, identity = uid("people", f"mentee {seed}"), uid("goals", seed), uid("slates", seed)
    scored = sorted(
        (_scored(draw, uid("people", f"mentor {seed} {n}")) for n in range(mentors)), key=lambda each: (-each[1], each)
    )
    found = []
    for rank, (mentor, score, signals) in enumerate(scored, 1):
        evidence = (_path(draw, seed, goal, mentee, mentor),)
        measured = (Measured("shared", 180),)
        found.append(
            Recommendation(
                uid_of("mentorgraph", "recommendations", identity + mentor),
                rank,
                mentor,
                score,
                POLICY.base,
                signals,
                evidence,
                sentences_of(evidence, measured),
                evidence,
                measured,
            )
        )
    names = {mentee: f"Mentee Number{seed}", goal: f"Title Number{seed}"}
    names |= {each.mentor: f"Mentor of {seed}" for each in found}
    asked = Asked(viewer, mentee, NOW, NOW - timedelta(hours=1), None, seed, 0, POLICY, names)
    return Slate(identity, model, POLICY.version, goal, tuple(found), (), False, None, "", asked)


def _scored(draw: random.Random, mentor: str) -> tuple[str, float, tuple[SignalValue, ...]]:
    signals = []
    for name in SIGNALS:
        value = None if draw.random() < 0.2 else draw.uniform(0, 1)
        weight = POLICY.weights[name]
        signals.append(SignalValue(name, value, "share", weight, weight * (value or 0.0)))
    return mentor, round(POLICY.base + sum(each.contribution for each in signals), 9), tuple(signals)


def _path(draw: random.Random, seed: int, goal: str, mentee: str, mentor: str) -> EvidencePath:
    other, pairing = uid("goals", f"other {seed}"), uid("pairings", draw.random())
    third = uid("people", f"third {seed}")
    steps = (
        Step("Goal", goal, f"Title Number{seed}", owner=mentee),
        Step(
            "Goal",
            other,
            f"Foreign title {seed}",
            relationship_type="SIMILAR_TEXT",
            owner=third,
        ),
        Step("Pairing", pairing, "", uid("for_goal", pairing), "FOR_GOAL", False, NOW - timedelta(days=400), "test"),
        Step("Person", mentor, f"Mentor of {seed}", uid("mentor", pairing), "MENTOR", True, NOW, "test", owner=mentor),
    )
    sentence = f"Mentor of {seed} has helped with the goal “Foreign title {seed}” in words that are 40% alike."
    return EvidencePath("goal_text", "similar_text", draw.random(), sentence, steps, "MATCH (n) RETURN *", 0.4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "decisions"


@pytest.fixture
def keep(folder: Path) -> Callable[..., list[Slate]]:
    """Keeps the answers of some seeds in a segment of their own, one after the other."""

    def work(*seeds: int, **options: object) -> list[Slate]:
        async def session() -> list[Slate]:
            async with DecisionLog(folder) as log:
                return [await log.keep(slate_of(seed, **options)) for seed in seeds]  # type: ignore[arg-type]

        return asyncio.run(session())

    return work
