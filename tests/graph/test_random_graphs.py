"""Hard rules on random graphs in the real engine, against a slow check that is written on its own."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.rule_facts import ColumnFacts
from mentorgraph.graph.columns.table import Table
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.explaining.why_not import why_not
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.paging import MOST
from mentorgraph.graph.people.eligibility import RuleFacts, read_pairs, read_pairs_of, seeker_of
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules import evaluator
from mentorgraph.graph.rules.evaluator import RULES, PairFacts, RuleSettings, judge
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

from ..conftest import connection, empty
from .islands import MENTORS, NOW, SOURCE, Island, Rows

Judged = list[tuple[str, PairFacts, PairFacts, RuleSettings, set[str]]]
"""Id of the mentor, what the rules ask by the columns and by the store, the limits, and what the slow check forbids."""

JUDGED_BY = (
    "people profiles roles consents pairings co_mentors requests reporting_lines onboarding_steps steps_done "
    "memberships programmes policies blocks overrides availability absences busy_times sessions goals"
).split()
"""Kinds of facts without which some pair is judged otherwise."""

ISLANDS_AT_ONCE = 150
LISTED_AT_ONCE = 20
"""Fewer where lists are asked for: everybody of the graph is ranked in each."""
Count = Callable[[int, int], int]
Found = TypeVar("Found")


def uid(kind: str, key: str) -> str:
    return uid_of(SOURCE, kind, key)


async def write(store: Store, islands: list[Island]) -> None:
    """Writes some islands."""
    rows: Rows = defaultdict(list)
    for island in islands:
        for file, some in island.rows.items():
            rows[file] += some
    rows = {
        file: [{name: value for name, value in row.items() if value != ""} for row in some]
        for file, some in rows.items()
    }
    for file in ("units", "skills"):
        rows[file] = [{"id": file, "name": file}]
    result = await import_bundle(store, bundle_of(rows), source=SOURCE)
    assert set(result.total) <= {"created", "same"}, result.counts


def none_of(columns: Columns, kind: str) -> Table:
    """A table of a kind without any fact; pairings, which others name by their rows, never began instead."""
    if kind != "pairings":
        return Table(KINDS[kind], columns.numberings)
    table = columns.tables[kind].copy()
    for row in range(len(table)):
        table.set(row, "since", np.inf)
    return table


async def facts_of(known: RuleFacts, islands: list[Island]) -> list[tuple[PairFacts | None, RuleSettings]]:
    """What the rules ask of each pair of some islands, and the limits; None where nobody is known."""
    found: list[tuple[PairFacts | None, RuleSettings]] = []
    for island in islands:
        mentors = [uid("people", island.id(each)) for each in MENTORS]
        asked = (uid("people", island.id("mentee")), uid("goals", island.id("goal")))
        for row in await known.read_askers([asked], NOW):
            seeker = seeker_of(row, NOW, load_policy())
            pairs = await read_pairs(known, seeker, mentors, NOW)
            found += [(pairs.get(each), seeker.frame.policy.rules) for each in mentors]
    return found


async def judged(store: Store, islands: list[Island]) -> Judged:
    """Each pair of some islands that are written."""
    columns = Columns()
    assert await columns.refresh(store)
    by_columns, by_store = await facts_of(ColumnFacts(columns, store), islands), await facts_of(store, islands)
    found: Judged = []
    named = [(island, name) for island in islands for name in MENTORS]
    for (island, name), (told, limits), (pair, same) in zip(named, by_columns, by_store, strict=True):
        assert told is not None
        assert pair is not None
        assert limits == same
        found.append((island.id(name), told, pair, limits, island.forbidden(name)))
    return found


async def without_effect(store: Store, islands: list[Island]) -> list[str]:
    """Kinds of facts that columns may lack and yet tell of each pair of some islands what the store tells."""
    columns, right = Columns(), await facts_of(store, islands)
    assert await columns.refresh(store)
    found = []
    for kind in JUDGED_BY:
        table, columns.tables[kind] = columns.tables[kind], none_of(columns, kind)
        if await facts_of(ColumnFacts(columns, store), islands) == right:
            found.append(kind)
        columns.tables[kind] = table
    assert await facts_of(ColumnFacts(columns, store), islands) == right
    return found


@dataclass(frozen=True)
class Told:
    """What an answer says of a pair of an island.

    Attributes:
        mentor: Id of the mentor.
        right: The rules that forbid the pair, by the slow check.
        listed: Whether the mentor is in the list.
        rules: The rules that `whyNot` names.
        verdict: Its verdict.
    """

    mentor: str
    right: frozenset[str]
    listed: bool
    rules: frozenset[str]
    verdict: str

    @property
    def is_right(self) -> bool:
        """Whether the list holds whom it may, and every other one is told by which rules they are kept out."""
        verdict = "forbidden" if self.right else "recommended"
        return (self.listed, self.rules, self.verdict) == (not self.right, self.right, verdict)


async def lists_of(store: Store, islands: list[Island]) -> list[Told]:
    """Asks for the list of each island, and asks of every mentor why they are not in it."""
    recommender = Recommender(store, RulesScorer(load_policy()), clock=lambda: NOW)
    found = []
    for island in islands:
        mentee, goal = uid("people", island.id("mentee")), uid("goals", island.id("goal"))
        own = {uid("people", island.id(each)): island.id(each) for each in MENTORS}
        listed: set[str] = set()
        with suppress(DomainError):  # whoever may not be matched has no list, and is told so by each whyNot
            slate = await recommender.recommend(COORDINATOR, mentee, goal, first=MOST, explores=False, with_paths=False)
            assert not slate.has_next
            listed = {each.mentor for each in slate.recommendations}
        for mentor, name in own.items():
            told = await why_not(recommender, COORDINATOR, mentee, mentor, goal, first=MOST)
            rules = frozenset(each.rule for each in told.blockers)
            right = frozenset(island.forbidden(name.removeprefix(island.key)))
            found.append(Told(name, right, mentor in listed, rules, told.verdict))
    return found


async def facts_at_once(store: Store, islands: list[Island]) -> list[tuple[PairFacts | None, PairFacts | None]]:
    """The facts of the pairs of some mentors with all who ask, as they are read for all and for one after the other."""
    asked = [(uid("people", island.id("mentee")), uid("goals", island.id("goal"))) for island in islands]
    mentors = [uid("people", island.id(each)) for island in islands for each in MENTORS][:8]
    seekers = [seeker_of(row, NOW, load_policy()) for row in await store.read_askers(asked, NOW)]
    assert [(each.uid, each.goal) for each in seekers] == asked
    at_once = await read_pairs_of(seekers, mentors, store, NOW)
    found = []
    for seeker, pairs in zip(seekers, at_once, strict=True):
        alone = await read_pairs(store, seeker, mentors, NOW)
        found += [(pairs.get(each), alone.get(each)) for each in mentors]
    return found


def violations(pairs: Judged) -> list[tuple[str, set[str], set[str]]]:
    """Where the evaluator says something else than the slow check: mentor, what it says beyond that, what it lacks."""
    wrong = []
    for mentor, pair, _, limits, right in pairs:
        told = {each.rule for each in judge(pair, limits).refusals}
        if told != right:
            wrong.append((mentor, told - right, right - told))
    return wrong


def differing(pairs: Judged) -> list[tuple[str, list[str]]]:
    """Where columns and store tell different facts: mentor, names of the facts."""
    names = PairFacts.__dataclass_fields__
    return [
        (mentor, [name for name in names if getattr(one, name) != getattr(other, name)])
        for mentor, one, other, *_ in pairs
        if one != other
    ]


def run(server: EmbeddedDatabase, numbers: range, work: Callable[[Store, list[Island]], Awaitable[Found]]) -> Found:
    """Writes some islands into an empty graph and does something with them."""

    async def done() -> Found:
        async with connection(server) as database:
            islands = [island for island in map(Island, numbers) if not island.contradicts()]
            await write(Store(database), islands)
            return await work(Store(database), islands)

    asyncio.run(empty(server))
    return asyncio.run(done())


@pytest.fixture(scope="module")
def sample(server: EmbeddedDatabase) -> Judged:
    """The pairs of the first islands."""
    return run(server, range(ISLANDS_AT_ONCE), judged)


def test_no_hard_rule_is_broken_on_random_graphs(server: EmbeddedDatabase, sample: Judged, count: Count) -> None:
    assert (violations(sample), differing(sample)) == ([], [])
    broken = Counter(rule for *_, right in sample for rule in right)
    assert set(broken) == {rule.name for rule in RULES} - {"SELF"}
    assert any(not right for *_, right in sample)
    for start in range(ISLANDS_AT_ONCE, count(ISLANDS_AT_ONCE, 10_000), ISLANDS_AT_ONCE):
        found = run(server, range(start, start + ISLANDS_AT_ONCE), judged)
        assert (violations(found), differing(found)) == ([], [])


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name != "SELF"])
def test_a_rule_that_is_missing_is_seen(sample: Judged, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "RULES", tuple(each for each in RULES if each.name != rule))
    wrong: list[Any] = violations(sample)
    assert wrong
    assert all((extra, lacking) == (set(), {rule}) for _, extra, lacking in wrong)


def test_columns_that_lack_a_kind_of_facts_are_seen(server: EmbeddedDatabase) -> None:
    assert run(server, range(40), without_effect) == []


def test_the_facts_of_many_who_ask_are_those_of_each(server: EmbeddedDatabase) -> None:
    found = run(server, range(20), facts_at_once)
    assert all(at_once == alone != None for at_once, alone in found)  # noqa: E711
    assert len({repr(alone) for _, alone in found}) > len(found) / 2


def test_everybody_who_is_kept_out_of_a_list_is_told_by_which_rules(server: EmbeddedDatabase, count: Count) -> None:
    wanted, seen = count(12, 10_000), Counter[bool]()
    for start in range(0, wanted, LISTED_AT_ONCE):
        found = run(server, range(start, min(start + LISTED_AT_ONCE, wanted)), lists_of)
        assert [each for each in found if not each.is_right] == []
        seen.update(bool(each.right) for each in found)
    assert set(seen) == {True, False}


def test_a_list_that_holds_whom_it_must_not_and_a_reason_that_is_lacking_are_seen() -> None:
    kept_out = Told("a", frozenset({"AWAY"}), False, frozenset({"AWAY"}), "forbidden")
    assert kept_out.is_right
    assert not replace(kept_out, listed=True).is_right
    assert not replace(kept_out, rules=frozenset()).is_right
    assert not replace(kept_out, verdict="ranked_lower").is_right
