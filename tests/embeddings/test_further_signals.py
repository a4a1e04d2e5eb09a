"""The signals that came later: how they join the ranking, and what older versions and snapshots make of them."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from mentorgraph.embeddings.evaluation import SERVED
from mentorgraph.embeddings.evidence import FURTHER, SEEN, evidence
from mentorgraph.embeddings.fusion import (
    FUSED,
    OF_MEANING,
    OF_RULES,
    OF_SIGN,
    Choice,
    Fusion,
    differing,
    fit_listwise,
    proven,
)
from mentorgraph.embeddings.learned import LearnedScorer
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.registry import Published
from mentorgraph.embeddings.snapshot import load, take
from mentorgraph.embeddings.tasks import FULL, Task, questions
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.ranking.scoring import NETWORK
from mentorgraph.graph.rules.policy import SIGNALS, SIGNS, load_policy
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.store.store import Store

POLICY = load_policy()
FIRST_LAYOUT = "9baad7e4c2cd2a34"
"""Of the names of all that a version knows which was taught before the further signals, in the order of its weights."""


def weight_of(ranking: Fusion, name: str) -> float:
    return float(ranking.weights[FUSED.index(f"signal {name}")])


def published(model: Model) -> Published:
    return Published("v1", {"ranking": SERVED}, model.arrays(), model.texts())


def test_every_signal_of_the_rules_is_one_of_the_fused_once(columns: Columns, task: Task, model: Model) -> None:
    assert [name for name in FUSED if name.startswith("signal ")] == [f"signal {name}" for name in (*SEEN, *FURTHER)]
    known = model.knowledge(columns, task.now, POLICY)
    asked = questions(columns, task, FULL, POLICY.signals)[0]
    found = evidence(known, asked, task.candidates)
    signals = {each.name: each.values[task.candidates] for each in all_signals(columns, asked, POLICY)}
    for place, name in enumerate(FURTHER):
        np.testing.assert_allclose(found.further[:, place], np.nan_to_num(signals[name]), atol=1e-6)


def test_weights_that_are_learned_keep_the_sign_of_common_sense(model: Model) -> None:
    for ranking in (model.plain, model.fusion):
        for name, sign in SIGNS.items():
            assert weight_of(ranking, name) * sign >= 0, name


def test_what_nobody_differed_in_counts_as_the_policy_says_and_the_rest_as_it_was_learned(
    model: Model, columns: Columns
) -> None:
    assert not len(columns.tables["profiles"])
    for name in ("pace", "communication", "coaching_style", "format", "seniority", "asynchronous", "acceptance"):
        assert weight_of(model.plain, name) == weight_of(model.fusion, name) == POLICY.weights[name]
    assert weight_of(model.plain, "skills") != POLICY.weights["skills"]
    assert weight_of(model.plain, "availability_pattern") != POLICY.weights["availability_pattern"]


def choices(weights: list[float]) -> list[Choice]:
    chance, made = np.random.default_rng(4), []
    for _ in range(2_000):
        values = chance.normal(size=(20, len(weights))).astype(np.float32)
        odds = np.exp(values @ np.array(weights))
        chosen = chance.choice(20, p=odds / odds.sum())
        made.append(Choice(values, np.array([chosen]), np.ones(1), np.zeros(20, np.float32)))
    return made


def test_a_weight_of_the_wrong_sign_becomes_nought_and_the_others_stay() -> None:
    made = choices([1.0, -0.5, 0.7])
    assert fit_listwise(made, ridge=0) == pytest.approx([1.0, -0.5, 0.7], abs=0.1)
    kept = fit_listwise(made, ridge=0, signs=np.array([1, 1, 0]))
    assert kept[1] == 0
    assert kept[[0, 2]] == pytest.approx([1.0, 0.7], abs=0.15)


def test_a_signal_that_choices_do_not_tell_of_beyond_doubt_is_left_out_and_one_that_they_do_stays() -> None:
    everything, doubted = np.ones(4, bool), np.array([False, False, True, True])
    assert proven(choices([1.0, 0.0, 0.3, 0.0]), everything, doubted).tolist() == [True, True, True, False]
    assert proven(choices([1.0, 0.0, 0.3, 0.3]), everything, doubted).tolist() == [True] * 4
    assert proven(choices([1.0, 0.0, -0.3, 0.0]), everything, doubted, np.ones(4, np.int64)).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_a_signal_differs_only_where_people_of_one_list_do() -> None:
    made = [
        Choice(
            np.array([[number, 0.0], [number, float(number == 3)]]), np.array([0]), np.ones(1), np.zeros(2, np.float32)
        )
        for number in range(4)
    ]
    assert differing(made).tolist() == [False, True]
    assert differing(made[:3]).tolist() == [False, False]


def test_the_signs_are_those_of_the_rules_alone() -> None:
    assert (OF_SIGN[~OF_RULES] == 0).all()
    assert {name: int(OF_SIGN[FUSED.index(f"signal {name}")]) for name in SIGNALS} == dict(SIGNS)


def test_a_version_that_was_taught_before_goes_on_as_it_was(model: Model, columns: Columns, task: Task) -> None:
    later = np.array([0.1 if name.removeprefix("signal ") in FURTHER else 0.0 for name in FUSED])
    model = replace(model, plain=Fusion(model.plain.weights + later, 0.0))
    before = replace(model, signals=SEEN, fusion=Fusion(model.plain.weights, 0.6))
    assert hashlib.sha256("\n".join(before.texts()["signals"]).encode()).hexdigest()[:16] == FIRST_LAYOUT
    assert len(before.arrays()["plain.weights"]) == len(FUSED) - len(FURTHER) - len(OF_MEANING)
    served = LearnedScorer.of(published(before), POLICY)
    assert list(served.weights) == [*SEEN, NETWORK]
    now = LearnedScorer.of(published(replace(before, signals=SIGNALS)), POLICY)
    known = before.knowledge(columns, task.now, POLICY)
    changed = 0
    for asked in questions(columns, task, FULL, POLICY.signals)[:8]:
        scores = served.score(columns, asked)
        assert [term.name for term in scores.terms] == [*SEEN, NETWORK]
        total = sum(term.weight * np.nan_to_num(term.values) for term in scores.terms if term.weight)
        np.testing.assert_allclose(scores.total, total, atol=1e-8)
        found = evidence(known, asked, task.candidates)
        judged = served.model.scores(known, found)
        ranked = scores.total[task.candidates]
        np.testing.assert_allclose(ranked - ranked[0], judged - judged[0], atol=2e-5)
        changed += bool(np.abs(now.score(columns, asked).total - scores.total).max() > 1e-6)
    assert changed >= 2  # those whose mentee says when they are free, or whose goal serves a priority


ROWS: dict[str, list[dict[str, str]]] = {
    "units": [{"id": "u1", "name": "Water"}],
    "priorities": [{"id": "clean", "name": "Clean water", "description": "For all", "since": "2024-01-01"}],
    "phases": [{"unit_id": "u1", "name": "Launch", "since": "2025-12-20", "until": "2026-02-01"}],
    "people": [{"id": each, "name": each, "joined_on": "2024-01-01", "roles": "mentor"} for each in ("p1", "p2", "p3")],
    "consents": [
        {"person_id": each, "purpose": "training", "text_version": "1", "since": "2024-01-01"} for each in ("p1", "p2")
    ],
    "profiles": [
        {"person_id": each, "job_title": "Chief", "about": "Likes boats", "pace": "steady", "languages": "pt",
         "grade": "B", "since": "2024-01-01"}
        for each in ("p1", "p3")
    ],
    "requests": [
        {"id": f"{mentor} {answered}", "mentor_id": mentor, "mentee_id": "p2", "asked_on": "2025-12-01",
         "answered_on": answered, "answer_within_days": "60", "status": "declined"}
        for mentor, answered in (("p1", "2025-12-10"), ("p1", "2026-01-20"), ("p3", "2025-12-10"))
    ],
}  # fmt: skip


@pytest.mark.anyio
async def test_a_snapshot_holds_what_ranking_reads_of_them_and_no_answer_from_later(
    store: Store, tmp_path: Path
) -> None:
    await import_bundle(store, bundle_of(ROWS))
    tables = load(await take(store, tmp_path, datetime(2026, 1, 1, tzinfo=UTC))).columns.tables
    [profile] = [tables["profiles"].record(row) for row in range(len(tables["profiles"]))]
    assert set(profile.properties) == {"uid", "pace", "since"}
    requests = [tables["requests"].record(row).properties for row in range(len(tables["requests"]))]
    assert sorted((str(each["status"]), "until" in each) for each in requests) == [
        ("declined", True),
        ("requested", False),
    ]
    [phase] = [tables["phases"].record(row).properties for row in range(len(tables["phases"]))]
    assert (phase["until"], "name" in phase) == (datetime(2026, 2, 1, tzinfo=UTC), False)
    [priority] = [tables["priorities"].record(row).properties for row in range(len(tables["priorities"]))]
    assert set(priority) == {"uid", "since"}
