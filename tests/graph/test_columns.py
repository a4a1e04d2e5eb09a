"""Columns: taken in one change at a time they equal those of a fresh load, and every signal with them."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import question
from mentorgraph.graph.columns.table import NONE, Groups, Numbering, Packed
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Kind, Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.signals.gather import all_signals
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.store import Changes, Store, StoredFact

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
POLICY = load_policy()
DAYS = st.integers(-900, 30).map(lambda days: NOW + timedelta(days=days))
ENDS = st.none() | st.integers(31, 900).map(lambda days: timedelta(days=days))


class Facts:
    """The facts of a store, in memory: what `Columns.refresh` reads, as `Store` tells it."""

    def __init__(self) -> None:
        self._facts: dict[str, StoredFact] = {}
        self.change = 0
        self.lineage = "first"
        self.listed: list[str] = []

    def write(self, record: Record) -> None:
        """Adds or replaces one fact."""
        self.change += 1
        self._facts[record.uid] = StoredFact(record, self.change, ())

    async def read_changes(self) -> Changes:
        """The last change of the graph and of each kind."""
        await asyncio.sleep(0)
        last = {
            name: max((each.changed for each in self._facts.values() if each.record.kind == name), default=0)
            for name in KINDS
        }
        return Changes(self.lineage, self.change, last)

    async def facts(self, kind: Kind, *, after: int = -1) -> AsyncIterator[StoredFact]:
        """The facts of a kind that changed later, in the order of their changes."""
        self.listed.append(kind.name)
        for each in sorted(self._facts.values(), key=lambda each: each.changed):
            if each.record.kind == kind.name and each.changed > after:
                await asyncio.sleep(0)
                yield each


PEOPLE, SKILLS, UNITS = ("p0", "p1", "p2", "p3"), ("s0", "s1", "s2"), ("u0", "u1")


def named(file: str, key: str, **row: object) -> tuple[str, dict[str, object]]:
    return file, {"id": key, "name": key} | row


BASE: list[tuple[str, dict[str, object]]] = [
    *(named("units", each) for each in UNITS),
    *(named("skills", each) for each in SKILLS),
    *(named("people", each, joined_on="2020-01-01", roles="mentor") for each in PEOPLE),
    ("goals", {"id": "g0", "person_id": "p0", "title": "water pumps", "created_on": "2022-01-01", "skills": "s0|s1"}),
    ("goals", {"id": "g1", "person_id": "p1", "title": "water wells", "created_on": "2022-01-01", "skills": "s1"}),
    ("pairings", {"id": "m0", "mentor_id": "p2", "mentee_id": "p1", "goal_id": "g1", "started_on": "2023-01-01",
                  "status": "active", "unit_id": "u0"}),
]  # fmt: skip


def base_facts() -> Facts:
    """The facts of a small community."""
    facts = Facts()
    for file, row in BASE:
        for record in facts_of(file, row, "test"):
            facts.write(record)
    return facts


EDITS = st.one_of(
    st.fixed_dictionaries(
        {"person_id": st.sampled_from(PEOPLE), "skill_id": st.sampled_from(SKILLS), "since": DAYS,
         "stance": st.sampled_from(["offers", "wants"]), "level": st.integers(1, 5)}
    ).map(lambda row: ("person_skills", row)),
    st.fixed_dictionaries(
        {"skill_id": st.sampled_from(SKILLS[:2]), "broader_id": st.just("s2"), "since": DAYS}
    ).map(lambda row: ("broader", row)),
    st.fixed_dictionaries(
        {"goal_id": st.sampled_from(["g0", "g1"]), "skill_id": st.sampled_from(SKILLS), "since": DAYS}
    ).map(lambda row: ("goal_skills", row)),
    st.fixed_dictionaries(
        {"person_id": st.sampled_from(PEOPLE), "unit_id": st.sampled_from(UNITS), "since": DAYS}
    ).map(lambda row: ("unit_membership", row)),
    st.fixed_dictionaries(
        {"id": st.sampled_from(["n0", "n1", "n2"]), "mentor_id": st.just("p3"), "mentee_id": st.just("p1"),
         "goal_id": st.just("g1"), "started_on": DAYS, "status": st.sampled_from(["active", "completed"])}
    ).map(lambda row: ("pairings", row)),
    st.fixed_dictionaries(
        {"id": st.sampled_from(["t0", "t1"]), "pairing_id": st.just("m0"), "started_at": DAYS, "minutes": st.just(60)}
    ).map(lambda row: ("sessions", row)),
    st.fixed_dictionaries(
        {"person_id": st.sampled_from(PEOPLE), "weekday": st.integers(1, 2), "start": st.just("09:00"),
         "end": st.just("10:00"), "zone": st.just("Europe/Lisbon"), "since": DAYS}
    ).map(lambda row: ("availability", row)),
    st.fixed_dictionaries(
        {"id": st.just("g1"), "person_id": st.just("p1"), "title": st.sampled_from(["water pumps", "boats"]),
         "created_on": st.just("2022-01-01")}
    ).map(lambda row: ("goals", row)),
)  # fmt: skip


def told(columns: Columns, now: datetime) -> dict[str, Any]:
    """Every signal of everybody with its evidence, by uid."""
    mentee = columns.people.find(facts_of("people", BASE[5][1], "test")[0].uid)
    goal = columns.goals.find(facts_of("goals", BASE[9][1], "test")[0].uid)
    asked = question(columns, mentee, goal, now, POLICY.signals)
    found: dict[str, Any] = {"wishes": [(columns.skills.uids[wish.skill], wish.level) for wish in asked.wishes]}
    for signal in all_signals(columns, asked, POLICY):
        for person, uid in enumerate(columns.people.uids):
            value = float(signal.values[person])
            evidence = [(each.metapath, each.edges, round(each.drop, 9)) for each in signal.explain(person)]
            found[f"{signal.name} {uid}"] = (None if np.isnan(value) else round(value, 9), evidence)
    return found


@settings(deadline=None)
@given(st.lists(st.tuples(EDITS, ENDS), max_size=12), st.randoms(use_true_random=False))
def test_columns_that_grew_equal_a_fresh_load(
    edits: list[tuple[tuple[str, dict[str, object]], timedelta | None]], draws: Any
) -> None:
    async def compare() -> None:
        facts = base_facts()
        grown = Columns()
        store = cast(Store, facts)
        await grown.refresh(store)
        for (file, row), lasting in edits:
            record = facts_of(file, row, "test")[0]
            if lasting and file not in ("pairings", "sessions", "goals"):
                until = cast(datetime, record.properties["since"]) + lasting
                record = replace(record, properties={**record.properties, "until": until})
            facts.write(record)
            if draws.random() < 0.5:
                await grown.refresh(store)
                told(grown, NOW)
        await grown.refresh(store)
        fresh = Columns()
        await fresh.refresh(store)
        assert grown.change == fresh.change
        for now in (NOW, NOW - timedelta(days=400), NOW):
            assert told(grown, now) == told(fresh, now)

    asyncio.run(compare())


def test_what_was_not_taken_in_is_seen() -> None:
    async def compare() -> None:
        facts = base_facts()
        columns = Columns()
        await columns.refresh(cast(Store, facts))
        before = told(columns, NOW)
        offer = {"person_id": "p3", "skill_id": "s0", "stance": "offers", "since": "2024-01-01"}
        facts.write(facts_of("person_skills", offer, "test")[0])
        assert told(columns, NOW) == before
        await columns.refresh(cast(Store, facts))
        assert told(columns, NOW) != before

    asyncio.run(compare())


def test_only_kinds_that_changed_are_read_again() -> None:
    async def refresh() -> None:
        facts = base_facts()
        columns = Columns()
        await columns.refresh(cast(Store, facts))
        assert len(facts.listed) == len(columns.tables)
        facts.listed.clear()
        goal = {"id": "late", "person_id": "p1", "title": "Later", "created_on": "2025-01-01"}
        facts.write(facts_of("goals", goal, "test")[0])
        await columns.refresh(cast(Store, facts))
        assert facts.listed == ["goals"]

    asyncio.run(refresh())


def test_nothing_is_seen_of_a_refresh_before_all_of_it_is_there() -> None:
    async def compare() -> None:
        facts = base_facts()
        columns = Columns()
        store = cast(Store, facts)
        await columns.refresh(store)
        before = told(columns, NOW)
        signals = all_signals(columns, question(columns, 0, 0, NOW, POLICY.signals), POLICY)
        for number in range(20):
            session = {"id": str(number), "pairing_id": "m0", "started_at": "2025-01-01", "minutes": 60}
            facts.write(facts_of("sessions", session, "test")[0])
        refreshing = asyncio.create_task(columns.refresh(store))
        while not refreshing.done():
            assert told(columns, NOW) == before or columns.change == facts.change
            await asyncio.sleep(0)
        assert told(columns, NOW) != before
        for signal in signals:  # what was asked before the refresh can still be explained
            for person in range(len(columns.people)):
                signal.explain(person)

    asyncio.run(compare())


def test_a_refresh_outlives_the_question_that_began_it() -> None:
    """After a large import no question has the time to read it all; it is read once all the same."""

    async def compare() -> None:
        facts = base_facts()
        store, columns = cast(Store, facts), Columns()
        await columns.refresh(store)
        for number in range(200):
            session = {"id": str(number), "pairing_id": "m0", "started_at": "2025-01-01", "minutes": 60}
            facts.write(facts_of("sessions", session, "test")[0])
        for _ in range(50):
            asking = asyncio.create_task(columns.refresh(store))
            for _ in range(20):
                await asyncio.sleep(0)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
        assert len(columns.tables["sessions"]) == 200
        assert await columns.refresh(store)
        assert columns.change == facts.change

    asyncio.run(compare())


def test_a_refresh_that_fails_after_its_question_has_left_is_no_surprise(caplog: pytest.LogCaptureFixture) -> None:
    class Away(Facts):
        async def read_changes(self) -> Changes:
            await asyncio.sleep(0.01)
            raise DatabaseUnavailable("the database did not answer in time; try again")

    async def leave() -> None:
        columns = Columns()
        asking = asyncio.create_task(columns.refresh(cast(Store, Away())))
        await asyncio.sleep(0)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        await asyncio.sleep(0.05)
        with pytest.raises(DatabaseUnavailable):  # whoever asks next is told
            await columns.refresh(cast(Store, Away()))

    asyncio.run(leave())
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_of_two_facts_that_follow_each_other_one_holds_at_every_instant() -> None:
    columns = Columns()
    for since, until in (("2024-01-01", "2025-01-01"), ("2025-01-01", "2026-01-01"), ("2026-01-01", None)):
        row = {"person_id": "p0", "role_id": "mentor", "since": since, "until": until}
        columns.put(facts_of("roles", row, "test")[0])
    for day in range(0, 900):
        for hour in (0, 12):
            now = datetime(2024, 1, 1, hour, tzinfo=UTC) + timedelta(days=day)
            held = columns.tables["roles"].valid(now.timestamp())
            assert held.sum() == (now > datetime(2024, 1, 1, tzinfo=UTC)), now


def test_columns_know_when_the_graph_was_put_back() -> None:
    async def compare() -> None:
        facts = base_facts()
        store, columns = cast(Store, facts), Columns()
        assert await columns.refresh(store)
        facts.lineage = "second"
        assert not await columns.refresh(store)
        facts.lineage = "first"
        assert await columns.refresh(store)
        facts.change -= 1  # a backup of an external server that nobody told
        assert not await columns.refresh(store)

    asyncio.run(compare())


def test_facts_are_told_as_they_were_given_however_they_are_kept() -> None:
    columns, given = Columns(), []
    for uid in ("a", "b"):
        told = {"uid": uid, "since": NOW, "outcome": 0.5, "check_in_days": 14, "status": "".join(("act", "ive"))}
        given.append(Record("pairings", uid, told, {"mentor": "p1", "mentee": "p0", "programme": "-".join("pq")}))
        columns.put(given[-1])
    table = columns.tables["pairings"]
    assert [table.record(row) for row in range(2)] == given
    assert [type(table.strings(name)[0]) for name in ("since", "until", "mentor", "goal")] == [float, float, int, int]
    assert (table.strings("until")[0], table.strings("goal")[0]) == (np.inf, NONE)
    assert [table.reals("since").dtype.name, table.numbers("mentor").dtype.name] == ["float64", "int64"]
    for name in ("status", "programme"):
        assert table.strings(name)[0] is table.strings(name)[1]


def test_a_copy_of_a_table_is_changed_by_itself() -> None:
    columns = Columns()
    for uid in ("a", "b"):
        columns.put(Record("pairings", uid, {"uid": uid, "since": NOW}, {"mentor": "p1", "mentee": "p0"}))
    table = columns.tables["pairings"]
    other = table.copy()
    other.set(0, "mentor", NONE)
    other.set(0, "until", NOW.timestamp())
    assert (list(table.rows_of("mentor", 0)), list(other.rows_of("mentor", 0))) == ([0, 1], [1])
    assert (table.holds(0, NOW.timestamp() + 1), other.holds(0, NOW.timestamp() + 1)) == (True, False)


@pytest.mark.parametrize("numbering", [Numbering, Packed])
@given(st.lists(st.uuids().map(str) | st.sampled_from(["", "a", "A" * 36, str(UUID(int=0)).replace("-", "")])))
def test_numbers_are_given_once_in_the_order_of_first_sight(
    numbering: type[Numbering | Packed], uids: list[str]
) -> None:
    found = numbering()
    different = list(dict.fromkeys(uids))
    assert [found.add(uid) for uid in uids] == [different.index(uid) for uid in uids]
    copied = found.copy()
    assert copied.add("another") == len(different) == len(found)
    assert (found.find("another"), copied.find("another")) == (NONE, len(different))
    assert [found.find(uid) for uid in different] == list(range(len(found)))
    assert list(found.uids) == found.uids[:] == list(copied.uids)[:-1] == different
    with pytest.raises(IndexError):
        found.uids[len(found)]


@pytest.mark.parametrize("number", [-1, 0, 1, 2, 3, 99])
def test_rows_are_found_by_what_their_link_holds(number: int) -> None:
    links = np.array([2, -1, 0, 2, 3, 0], np.int64)
    right = np.flatnonzero(links == number) if 0 <= number < 4 else np.zeros(0)
    assert Groups(links, 4).of(number).tolist() == right.tolist()
