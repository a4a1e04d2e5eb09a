"""The life of skills in the graph: dated facts, nothing overwritten, and refusals that write nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import Refusal, bundle_of, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.skills import curating
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from ..conftest import WIPE

pytestmark = pytest.mark.anyio

SOURCE = "hr"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
ANYBODY = Viewer(person=uid_of(SOURCE, "people", "p1"), roles=frozenset({"mentee"}))
ROWS: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [
        {"id": "code", "name": "Programming"},
        {"id": "python", "name": "Python", "aliases": "py", "broader": "code"},
        {"id": "asyncio", "name": "asyncio", "broader": "python"},
        {"id": "snake", "name": "Snake language"},
        {"id": "sql", "name": "SQL"},
    ],
    "people": [{"id": "p1", "name": "Ada", "joined_on": "2024-01-01"}],
    "consents": [],
    "person_skills": [{"person_id": "p1", "skill_id": "snake", "stance": "offers", "since": "2024-01-01"}],
    "goals": [],
    "pairings": [],
}


def uid(key: str) -> str:
    return uid_of(SOURCE, "skills", key)


@pytest.fixture
async def filled(store: Store) -> Store:
    result = await import_bundle(store, bundle_of(ROWS), source=SOURCE)
    assert set(result.total) == {"created"}
    return store


async def told(store: Store, kind: str) -> list[dict[str, Any]]:
    return [dict(fact.record.properties) async for fact in store.facts(KINDS[kind])]


async def refused(store: Store, work: Awaitable[object], code: str, field: str | None) -> str:
    """The message of a refusal, by which nothing was written."""
    before = await store.read_changes()
    with pytest.raises(DomainError) as caught:
        await work
    assert await store.read_changes() == before
    assert (caught.value.code, caught.value.field) == (code, field)
    return caught.value.message


async def merge(store: Store, skill: str, into: str, **options: Any) -> None:
    await curating.merge_skills(store, COORDINATOR, uid(skill), uid(into), source=SOURCE, now=NOW, **options)


async def test_a_skill_is_proposed_by_anybody_approved_deprecated_and_approved_again(filled: Store) -> None:
    skill = await curating.propose_skill(
        filled, ANYBODY, {"name": "Rust", "tier": 2, "aliases": "rustlang"}, broader=[uid("code")], reason="asked for",
        source=SOURCE, external_id="rust", now=NOW,
    )  # fmt: skip
    assert skill == uid("rust")
    assert (await Taxonomy.of(filled)).state(skill) == "proposed"
    assert (await Taxonomy.of(filled)).ancestors(skill) == [uid("code")]
    for days, change, state in (
        (1, curating.approve_skill, "approved"),
        (3, curating.approve_skill, "approved"),
    ):
        await change(filled, COORDINATOR, skill, now=NOW + timedelta(days=days))
        assert (await Taxonomy.of(filled)).state(skill) == state
    await curating.deprecate_skill(filled, COORDINATOR, skill, "nobody has it", now=NOW + timedelta(days=5))
    await curating.approve_skill(filled, COORDINATOR, skill, now=NOW + timedelta(days=7))
    states = [(await Taxonomy.of(filled, NOW + timedelta(days=day))).state(skill) for day in (1, 2, 6, 8)]
    assert states == ["proposed", "approved", "deprecated", "approved"]
    assert len(await told(filled, "skill_states")) == 4
    assert await check(filled) == []


async def test_proposing_the_same_key_again_changes_nothing(filled: Store) -> None:
    options: dict[str, Any] = {"source": SOURCE, "external_id": "rust"}
    await curating.propose_skill(filled, ANYBODY, {"name": "Rust"}, now=NOW, **options)
    before = await graph_hash(filled)
    await curating.propose_skill(filled, ANYBODY, {"name": "Rust"}, now=LATER, **options)
    await curating.propose_skill(filled, ANYBODY, {"name": "Rust 2"}, now=LATER, **options)
    assert await graph_hash(filled) == before


async def test_what_has_a_name_already_is_not_proposed_again(filled: Store) -> None:
    message = await refused(
        filled, curating.propose_skill(filled, ANYBODY, {"name": "PY", "aliases": "p"}), "CONFLICT", "name"
    )
    assert message == "“PY” is known already, as Python; use that"
    await refused(
        filled, curating.propose_skill(filled, ANYBODY, {"name": "Py thon 4", "aliases": "pythons"}), "CONFLICT", "name"
    )
    await refused(
        filled, curating.propose_skill(filled, ANYBODY, {"name": "X"}, broader=[uid("x")]), "NOT_FOUND", "broaderIds"
    )
    bad: list[tuple[dict[str, object], str]] = [
        ({"name": " "}, ""),
        ({"name": "X"}, uid("sql")),
        ({"name": "X", "tier": 0}, ""),
    ]
    for row, external_id in bad:
        with pytest.raises(InvalidFact):
            await curating.propose_skill(filled, ANYBODY, row, external_id=external_id)
    await curating.propose_skill(filled, ANYBODY, {"name": "Snakes and ladders"})


async def test_a_merge_is_one_fact_by_which_the_old_id_goes_on_to_be_found(filled: Store) -> None:
    before = await told(filled, "offers")
    await merge(filled, "snake", "python", reason="the same thing")
    await merge(filled, "snake", "python", reason="told again")
    assert await told(filled, "offers") == before
    [fact] = await told(filled, "successions")
    assert (fact["how"], fact["reason"], fact["since"]) == ("merged", "the same thing", NOW)
    assert uid("snake") in await filled.read_nodes([uid("snake")], LATER)
    columns = Columns()
    await columns.refresh(filled)
    number = columns.skills.find
    for instant, expected in ((NOW, "snake"), (LATER, "python")):
        assert columns.skills_of("offers", "skill", instant.timestamp()).tolist() == [number(uid(expected))]
    assert columns.taxonomy(LATER.timestamp()).ancestors(uid("snake")) == [uid("code")]
    assert columns.taxonomy(NOW.timestamp()).ancestors(uid("snake")) == []
    [match] = columns.skill_names.candidates("snake language", columns.taxonomy(LATER.timestamp()))
    assert match.skill == uid("python")
    assert await check(filled) == []


async def test_a_split_skill_is_broader_than_its_parts(filled: Store) -> None:
    await curating.split_skill(filled, COORDINATOR, uid("snake"), [uid("sql"), uid("python"), uid("sql")], now=NOW)
    await curating.split_skill(filled, COORDINATOR, uid("snake"), [uid("python"), uid("sql")], now=LATER)
    taxonomy = await Taxonomy.of(filled)
    assert taxonomy.state(uid("snake")) == "split"
    assert taxonomy.parts(uid("snake")) == sorted([uid("python"), uid("sql")])
    assert taxonomy.ancestors(uid("sql")) == [uid("snake")]
    assert taxonomy.counts_as(uid("snake")) == uid("snake")
    assert len(await told(filled, "successions")) == 2
    assert await check(filled) == []


async def test_what_the_taxonomy_cannot_take_is_refused(filled: Store) -> None:
    await curating.deprecate_skill(filled, COORDINATOR, uid("sql"), "old", now=NOW)
    for skill, into, why in (
        ("python", "python", "the other one is the skill itself; choose another one"),
        ("code", "python", "the other one is a kind of the skill; choose another one"),
        ("code", "asyncio", "the other one is a kind of the skill; choose another one"),
        ("snake", "sql", "this skill is deprecated; approve it first, or choose another one"),
        ("asyncio", "code", "the other one is broader than the skill by way of others, which would be broader"),
    ):
        assert (await refused(filled, merge(filled, skill, into), "CONFLICT", "intoId")).startswith(why)
    await refused(filled, merge(filled, "snake", "nothing"), "NOT_FOUND", "intoId")
    await refused(filled, merge(filled, "nothing", "snake"), "NOT_FOUND", "skillId")
    split = curating.split_skill
    await refused(filled, split(filled, COORDINATOR, uid("code"), [uid("snake")]), "BAD_USER_INPUT", "intoIds")
    for parts in (["snake", "sql"], ["snake", "code"], ["snake", "nothing"]):
        code = "NOT_FOUND" if "nothing" in parts else "CONFLICT"
        await refused(filled, split(filled, COORDINATOR, uid("code"), list(map(uid, parts))), code, "intoIds")
    await refused(
        filled, split(filled, COORDINATOR, uid("asyncio"), [uid("snake"), uid("code")]), "CONFLICT", "intoIds"
    )
    await merge(filled, "snake", "python")
    await refused(filled, merge(filled, "snake", "code"), "CONFLICT", "skillId")
    await refused(filled, merge(filled, "asyncio", "snake"), "CONFLICT", "intoId")
    await refused(filled, curating.deprecate_skill(filled, COORDINATOR, uid("snake"), ""), "CONFLICT", "skillId")
    assert await check(filled) == []


async def test_only_coordinators_change_the_taxonomy(filled: Store) -> None:
    changes: list[Callable[[Viewer], Awaitable[None]]] = [
        lambda viewer: curating.deprecate_skill(filled, viewer, uid("sql"), ""),
        lambda viewer: curating.approve_skill(filled, viewer, uid("sql")),
        lambda viewer: curating.merge_skills(filled, viewer, uid("snake"), uid("python")),
        lambda viewer: curating.split_skill(filled, viewer, uid("code"), [uid("sql"), uid("asyncio")]),
    ]
    for change in changes:
        for viewer in (ANYBODY, Viewer(), Viewer(roles=frozenset({"auditor", "data_scientist"}))):
            await refused(filled, change(viewer), "FORBIDDEN", None)
    for change in changes:
        await change(COORDINATOR)


async def test_two_who_merge_crosswise_at_once_make_no_circle(filled: Store) -> None:
    pairs = [("snake", "sql"), ("sql", "snake"), ("snake", "python"), ("sql", "python")] * 3
    outcomes = await asyncio.gather(*(merge(filled, *pair) for pair in pairs), return_exceptions=True)
    assert {type(each) for each in outcomes} == {type(None), DomainError}
    assert await check(filled) == []


async def test_the_same_life_by_mutation_import_and_an_export_is_the_same_graph(filled: Store, tmp_path: Path) -> None:
    await merge(filled, "snake", "python", reason="same")
    await curating.deprecate_skill(filled, COORDINATOR, uid("sql"), "old", source=SOURCE, now=NOW)
    first = await graph_hash(filled)
    await export_bundle(filled, tmp_path / "out")
    life = {
        "skill_states": [{"skill_id": "sql", "state": "deprecated", "reason": "old", "since": NOW.isoformat()}],
        "successions": [
            {"skill_id": "snake", "successor_id": "python", "how": "merged", "reason": "same", "since": NOW.isoformat()}
        ],
    }
    for bundle in (bundle_of(ROWS | life), open_bundle(tmp_path / "out")):
        await filled.database.run_directly(WIPE)
        await migrate(filled.database)
        await import_bundle(filled, bundle, source=SOURCE)
        assert await graph_hash(filled) == first
    result = await import_bundle(filled, bundle_of(ROWS), source=SOURCE)  # whoever knows nothing of it undoes nothing
    assert set(result.total) == {"same"}
    assert await graph_hash(filled) == first
    await curating.approve_skill(filled, COORDINATOR, uid("sql"))
    assert await graph_hash(filled) != first


async def test_rows_of_a_bundle_that_the_taxonomy_cannot_take_are_refused_by_line(filled: Store) -> None:
    since = "2026-01-01"
    rows = {
        "broader": [{"skill_id": "code", "broader_id": "asyncio", "since": since}],
        "successions": [
            {"skill_id": "snake", "successor_id": "python", "how": "merged", "since": since},
            {"skill_id": "snake", "successor_id": "sql", "how": "merged", "since": since},
            {"skill_id": "code", "successor_id": "snake", "how": "merged", "since": since},
            {"skill_id": "sql", "successor_id": "sql", "how": "merged", "since": since},
            {"skill_id": "sql", "successor_id": "nothing", "how": "merged", "since": since},
            {"skill_id": "sql", "successor_id": "code", "how": "swallowed", "since": since},
        ],
    }
    found: list[Refusal] = []
    result = await import_bundle(
        filled, bundle_of(ROWS | rows), source=SOURCE, on_refusal=found.append, consent=((), "none")
    )
    assert result.counts["successions"] == {"created": 1, "refused": 5}
    assert [(each.file, each.line, each.problem.column, each.problem.value) for each in found] == [
        ("broader", 2, "broader_id", "asyncio"),
        ("successions", 5, "successor_id", ""),
        ("successions", 7, "how", "swallowed"),
        ("successions", 6, "successor_id", "nothing"),
        ("successions", 3, "successor_id", "sql"),
        ("successions", 4, "successor_id", "snake"),
    ]
    assert await check(filled) == []


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        ([("snake", "sql"), ("sql", "snake")], "is merged into itself, by way of others"),
        ([("snake", "sql"), ("snake", "python")], "is merged into more than one"),
        ([("code", "asyncio")], "is broader than itself, by way of others"),
    ],
)
async def test_the_check_finds_merges_that_cannot_be(filled: Store, steps: list[tuple[str, str]], rule: str) -> None:
    assert await check(filled) == []
    for skill, into in steps:
        row = {"skill_id": skill, "successor_id": into, "how": "merged", "since": "2026-01-01"}
        await filled.write(facts_of("successions", row, SOURCE))
    assert [(each.rule, each.kind) for each in await check(filled)] == [(rule, "skills")]
