"""The store: all or nothing, one number per change, and every fact as it was written."""

import asyncio
from datetime import UTC, datetime

import pytest

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record, Row, uid_of
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.statements import statement
from mentorgraph.graph.store import database as database_module
from mentorgraph.graph.store import store as store_module
from mentorgraph.graph.store.database import Transaction
from mentorgraph.graph.store.store import Changes, Conflict, Store

pytestmark = pytest.mark.anyio


def record(kind: str, **row: str) -> Record:
    return record_of(KINDS[kind], row, "test")


ADA = record("people", id="p1", name="Ada", joined_on="2024-01-01", zone="Europe/Paris")
BO = record("people", id="p2", name="Bo", joined_on="2024-01-01")
PAIRING = record("pairings", id="m", mentor_id="p1", mentee_id="p2", started_on="2024-03-01", status="active")


async def all_of(store: Store, kind: str, after: int = -1) -> list[Record]:
    return [fact.record async for fact in store.facts(KINDS[kind], after=after)]


async def test_what_is_read_is_what_was_written(store: Store) -> None:
    assert await store.write([PAIRING, ADA, BO]) == dict.fromkeys((ADA.uid, BO.uid, PAIRING.uid), "created")
    assert await all_of(store, "people") == [ADA, BO]
    [pairing] = [fact async for fact in store.facts(KINDS["pairings"])]
    assert pairing.record == PAIRING
    assert {(link["type"], link["start"], link["end"]) for link in pairing.links} == {
        ("MENTOR", PAIRING.uid, ADA.uid),
        ("MENTEE", PAIRING.uid, BO.uid),
    }
    assert {link["properties"]["since"] for link in pairing.links} == {datetime(2024, 3, 1, tzinfo=UTC)}


async def test_writing_tells_apart_what_is_created_changed_ended_and_the_same(store: Store) -> None:
    await store.write([ADA, BO, PAIRING])
    renamed = record("people", id="p1", name="Ada L.", joined_on="2024-01-01")
    left = record("people", id="p2", name="Bo", joined_on="2024-01-01", left_on="2025-01-01")
    records = [renamed, left, PAIRING, record("people", id="p3", name="Cy", joined_on="2024-01-01")]
    expected = dict(zip([each.uid for each in records], ["changed", "ended", "same", "created"], strict=True))
    assert await store.compare(records) == expected
    assert await all_of(store, "people") == [ADA, BO]
    assert await store.write(records) == expected
    assert await all_of(store, "people") == [renamed, left, records[3]]
    assert await store.write(records) == dict.fromkeys(expected, "same")


async def test_a_change_of_dates_reaches_the_relationships_that_carry_the_links(store: Store) -> None:
    await store.write([ADA, BO, PAIRING])
    await store.write(
        [record("pairings", id="m", mentor_id="p1", mentee_id="p2", started_on="2024-04-01", status="active")]
    )
    [pairing] = [fact async for fact in store.facts(KINDS["pairings"])]
    assert {link["properties"]["since"] for link in pairing.links} == {datetime(2024, 4, 1, tzinfo=UTC)}


async def test_nothing_is_written_where_one_fact_refers_to_nothing(store: Store) -> None:
    with pytest.raises(DomainError, match="what this pairing refers to does not exist") as caught:
        await store.write([ADA, PAIRING])
    assert caught.value.code == "NOT_FOUND"
    assert await all_of(store, "people") == []


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("goals", {"id": "g", "person_id": "p1", "title": "T", "created_on": "2024-01-01", "unit_id": "none"}),
        ("offers", {"person_id": "p1", "skill_id": "none", "since": "2024-01-01"}),
        ("sessions", {"id": "s", "pairing_id": "none", "started_at": "2024-01-01", "minutes": "5"}),
    ],
)
async def test_a_link_that_leads_nowhere_is_refused_even_where_it_is_optional(
    store: Store, kind: str, row: Row
) -> None:
    await store.write([ADA])
    with pytest.raises(DomainError, match="refers to does not exist"):
        await store.write([record_of(KINDS[kind], row, "test")])


async def test_a_fact_is_not_pointed_at_something_else(store: Store) -> None:
    await store.write([ADA, BO, PAIRING])
    turned = record("pairings", id="m", mentor_id="p2", mentee_id="p1", started_on="2024-03-01", status="active")
    renamed = record("people", id="p1", name="Ada L.", joined_on="2024-01-01")
    with pytest.raises(Conflict, match="this pairing is already recorded with another mentor or mentee") as caught:
        await store.write([renamed, turned])
    assert caught.value.statuses == {PAIRING.uid: "conflict"}
    assert await all_of(store, "people") == [ADA, BO]


async def test_a_source_key_belongs_to_one_thing(store: Store) -> None:
    await store.write([ADA])
    other = record("people", id=uid_of("else", "people", "x"), name="Cy", joined_on="2024-01-01", external_id="p1")
    with pytest.raises(Conflict, match="has the source and external id of another one") as caught:
        await store.write([other])
    assert caught.value.statuses == {other.uid: "taken"}
    await store.write([BO])


async def test_two_new_things_with_one_source_key_are_a_conflict_too(store: Store) -> None:
    other = record("people", id=uid_of("else", "people", "x"), name="Cy", joined_on="2024-01-01", external_id="p1")
    with pytest.raises(DomainError) as caught:
        await store.write([ADA, other])
    assert caught.value.code == "CONFLICT"
    assert await all_of(store, "people") == []


async def test_changes_are_numbered_in_the_order_of_writing(store: Store) -> None:
    untouched = await store.read_changes()
    assert untouched == Changes(untouched.lineage, 0, dict.fromkeys(KINDS, 0))
    assert untouched.lineage
    await store.write([ADA, BO])
    changes = await store.read_changes()
    assert (changes.last, changes.by_kind["people"], changes.by_kind["pairings"]) == (2, 2, 0)
    await store.write([PAIRING])
    assert (await store.read_changes()).by_kind["people"] == 2
    assert await all_of(store, "people", after=1) == [BO]
    assert await all_of(store, "people", after=2) == []


async def count_at_once(store: Store, writers: int) -> tuple[set[int], int]:
    """The numbers that writers get who each count twice in a transaction, and how often one had to begin again."""
    numbers: set[int] = set()
    tries = 0

    async def count(transaction: Transaction) -> int:
        nonlocal tries
        tries += 1
        await transaction.run("next_change", count=0, kinds=["graph"])
        [row] = await transaction.run("next_change", count=1, kinds=["goals"])
        return int(row["last"])

    async def write() -> None:
        numbers.add(await store.database.write(count))

    await asyncio.gather(*(write() for _ in range(writers)))
    return numbers, tries - writers


async def test_those_who_write_at_once_wait_for_each_other_once_and_get_a_number_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (await store.read_changes()).last
    assert await count_at_once(store, 24) == (set(range(before + 1, before + 25)), 0)
    text = statement("next_change")
    # Negative control: what takes the lock by itself is stopped by those who wait for it.
    short = text.replace("SET total.locked = true\n", "").replace(
        "WITH total, total.value + $count AS last\nSET total.value = last\nWITH last\n",
        "SET total.value = total.value + $count\nWITH total.value AS last\n",
    )
    assert short.count("SET") == text.count("SET") - 1
    monkeypatch.setattr(database_module, "statement", lambda _name: short)
    before += 24
    numbers, again = await count_at_once(store, 4)
    assert (numbers, again > 0) == (set(range(before + 1, before + 5)), True)


async def test_writing_what_is_known_is_no_change(store: Store) -> None:
    await store.write([ADA])
    before = await store.read_changes()
    await store.write([ADA])
    await store.write([])
    assert await store.read_changes() == before


async def test_a_listing_of_several_pages_gives_every_fact_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PAGE", 2)
    people = [record("people", id=f"p{number}", name="N", joined_on="2024-01-01") for number in range(7)]
    await store.write(people[:4])
    await store.write(people[4:])
    assert await all_of(store, "people") == people


async def test_what_exists_is_found_with_its_label(store: Store) -> None:
    await store.write([ADA, BO, PAIRING])
    assert await store.find_existing([ADA.uid, PAIRING.uid, uid_of("test", "people", "nobody")]) == {
        ADA.uid: "Person",
        PAIRING.uid: "Pairing",
    }
    assert await store.find_existing([]) == {}
