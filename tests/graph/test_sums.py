"""In a generated community every score is a sum, and an item of evidence weighs what its signal loses without it."""

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.columns.question import Edge, Question, question
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.facts.model import link_uid
from mentorgraph.graph.facts.rows import FILES, facts_of
from mentorgraph.graph.ranking.scoring import RulesScorer, Scores
from mentorgraph.graph.rules.policy import SIGNALS, load_policy
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.signals.signal import Evidence
from mentorgraph.graph.world.community import generate

NOW = datetime(2026, 6, 24, 12, tzinfo=UTC)
POLICY = load_policy()
FURTHER = ("time_overlap", *SIGNALS[7:])
WITHOUT = ("availability_pattern", "coaching_style")
"""Signals without evidence, here or anywhere."""
Count = Callable[[int, int], int]


@cache
def community() -> tuple[Columns, tuple[Question, ...]]:
    """A community in which requests, profiles, phases and calendars are told, and what its goals ask."""
    columns = Columns()
    rows = generate(people=400, months=18, seed=5, version=2).rows
    for name in FILES:
        for row in rows.get(name, ()):
            for record in facts_of(name, row, "test"):
                columns.put(record)
    goals = columns.tables["goals"]
    asking = np.flatnonzero(goals.begun(NOW.timestamp()))
    mentees = goals.numbers("person")[asking]
    found = (
        question(columns, int(who), int(goal), NOW, POLICY.signals) for who, goal in zip(mentees, asking, strict=True)
    )
    return columns, tuple(found)


def scores_of(columns: Columns, asked: Question) -> Scores:
    return RulesScorer(POLICY).score(columns, asked)


def test_every_score_is_the_base_and_the_sum_of_its_contributions(count: Count) -> None:
    columns, questions = community()
    draws, pairs = random.Random(1), 0  # noqa: S311
    while pairs < count(2_000, 10_000):
        scores = scores_of(columns, draws.choice(questions))
        total = np.full(len(columns.people), scores.base)
        for term in scores.terms:
            total += POLICY.weights[term.name] * np.nan_to_num(term.values)
        assert np.abs(total - scores.total).max() <= 1e-6
        assert np.abs(total + 1e-5 - scores.total).min() > 1e-6
        pairs += len(total)


def test_every_signal_is_known_of_somebody_and_unknown_values_add_nothing() -> None:
    columns, questions = community()
    told = set()
    for asked in questions[-60:]:
        for term in scores_of(columns, asked).terms:
            unknown = np.isnan(term.values)
            assert (term.contributions[unknown] == 0).all()
            if np.nan_to_num(term.values).any():
                told.add(term.name)
    assert told == set(SIGNALS) - {"coaching_style"}  # mentees of generated communities name none


def test_whoever_is_ranked_among_some_has_the_score_and_the_evidence_that_they_have_among_everybody() -> None:
    columns, questions = community()
    draws = np.random.default_rng(3)
    for asked in (questions[place] for place in range(0, len(questions), 40)):
        some = Pool.of(columns, draws.choice(len(columns.people), 30, replace=False))
        everybody, among = scores_of(columns, asked), scores_of(columns, replace(asked, among=some))
        np.testing.assert_array_equal(among.total, everybody.total[some.people])
        for term, one in zip(everybody.terms, among.terms, strict=True):
            np.testing.assert_array_equal(one.values, term.values[some.people])
            assert all(one.explain(person) == term.explain(person) for person in some.people.tolist())
        assert [among.of_person(person) for person in some.people.tolist()] == among.total.tolist()
        mixed_up = np.roll(everybody.total, 1)[some.people]
        assert (among.total != mixed_up).any()


def without(columns: Columns, edge: Edge) -> Columns:
    """A copy of the columns in which the last edge of some evidence does not lead to the person."""
    kind, link = {
        "DESCRIBED_BY": ("profiles", ""),
        "BELONGS_TO": ("unit_membership", ""),
        "ASKS": ("requests", "mentor"),
        "MENTOR": ("pairings", "mentor"),
    }[edge.type]
    changed = copy.copy(columns)
    changed.tables = {name: copy.copy(table) for name, table in columns.tables.items()}
    changed._derived = {}
    table = changed.tables[kind]
    [row] = [row for row in range(len(table)) if edge.uid in uids_of(columns, kind, row)]
    column = link or "until"
    table._values = {**table._values, column: list(table._values[column])}
    table._values[column][row] = nobody(columns) if link else -np.inf
    table._arrays, table._masks, table._state = {}, {}, None
    table.version = -1
    return changed


def uids_of(columns: Columns, kind: str, row: int) -> set[str]:
    """The uids of a fact and of the edges that carry its links."""
    table = columns.tables[kind]
    record = table.record(row)
    by_name = {link.name: link for link in table.kind.links}
    return {record.uid, *(link_uid(record.uid, by_name[name], target) for name, target in record.links.items())}


def nobody(columns: Columns) -> int:
    """Somebody without any pairing or request, to whom an edge may lead in place of the mentor."""
    asked = {*columns.tables["pairings"].numbers("mentor"), *columns.tables["requests"].numbers("mentor"), NONE}
    return next(person for person in range(len(columns.people)) if person not in asked)


def evidence_of(columns: Columns, asked: Question, name: str, person: int) -> tuple[float, list[Evidence]]:
    [signal] = [each for each in all_signals(columns, asked, POLICY) if each.name == name]
    return float(np.nan_to_num(signal.values[person])), signal.explain(person)


def test_a_drop_is_what_the_signal_loses_without_the_edge(count: Count) -> None:
    columns, questions = community()
    draws = random.Random(2)  # noqa: S311
    tried: dict[str, list[tuple[float, float]]] = {name: [] for name in FURTHER if name not in WITHOUT}
    wanted = count(3, 20)
    for asked in draws.sample(questions, len(questions)):
        for signal in all_signals(columns, asked, POLICY):
            if len(tried.get(signal.name, range(wanted))) >= wanted:
                continue
            for person in np.flatnonzero(np.nan_to_num(signal.values) != 0)[:200].tolist():
                items = signal.explain(person)
                if items and person != asked.mentee:
                    item = draws.choice(items)
                    whole, _ = evidence_of(columns, asked, signal.name, person)
                    rest, _ = evidence_of(without(columns, item.edges[-1]), asked, signal.name, person)
                    tried[signal.name].append((item.drop, whole - rest))
                    break
        if all(len(each) >= wanted for each in tried.values()):
            break
    found = {name: len(each) for name, each in tried.items()}
    assert {name for name, number in found.items() if number < wanted} <= {"time_overlap", "asynchronous"}, found
    drops, losses = zip(*(pair for each in tried.values() for pair in each), strict=True)
    assert drops == pytest.approx(losses, abs=1e-9)
    assert draws.sample(drops, len(drops)) != pytest.approx(losses, abs=1e-9)


def test_no_evidence_leads_to_one_person_by_one_edge_twice() -> None:
    columns, questions = community()
    for asked in questions[-5:]:
        for signal in all_signals(columns, asked, POLICY):
            for person in range(0, len(columns.people), 7):
                edges: list[Any] = [each.edges[-1] for each in signal.explain(person)]
                assert len(edges) == len(set(edges))
