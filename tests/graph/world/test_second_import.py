"""A community of version 2 in the graph: nothing is refused, nothing breaks the model, and export and import agree."""

import asyncio
from pathlib import Path

import pytest

from mentorgraph.graph.bundle import bundle_of, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.check import check, count_facts, graph_hash
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.store import Store
from mentorgraph.graph.world.community import generate

from ...conftest import connection, empty

PEOPLE, MONTHS = 60, 8


@pytest.mark.anyio
async def test_a_world_of_version_2_is_taken_as_it_is_and_comes_out_of_an_export_again(
    emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    world = generate(PEOPLE, MONTHS, version=2)
    async with connection(emptied) as database:
        store = Store(database)
        result = await import_bundle(store, bundle_of(world.rows))
        assert set(result.total) == {"created"}
        assert await check(store) == []
        counts = await count_facts(store)
        assert [kind for kind, number in counts.items() if not number] == []
        assert counts["requests"] == len(world.tables.rows["requests"])
        before = await graph_hash(store)
        assert set((await import_bundle(store, bundle_of(world.rows))).total) == {"same"}
        await export_bundle(store, tmp_path / "out")
    await asyncio.to_thread(lambda: asyncio.run(empty(emptied)))
    async with connection(emptied) as database:
        store = Store(database)
        assert await graph_hash(store) != before
        await import_bundle(store, open_bundle(tmp_path / "out"))
        assert await graph_hash(store) == before


@pytest.mark.anyio
async def test_a_status_that_no_move_led_to_would_be_found(store: Store) -> None:
    rows = dict(generate(60, 6, version=2).rows)
    row = next(row for row in rows["pairings"] if row["status"] == "completed")
    row["status"] = "ended"
    await import_bundle(store, bundle_of(rows))
    found = await check(store)
    assert [(each.rule, each.kind, each.count) for each in found] == [
        ("has another status than the state of its last move", "pairings", 1)
    ]
