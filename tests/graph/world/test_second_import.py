"""A community of version 2 in the graph: nothing is refused, nothing breaks the model, and export and import agree."""

from pathlib import Path

import pytest

from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, export_bundle, import_bundle, open_bundle
from mentorgraph.graph.exchange.check import check, count_facts, graph_hash
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import generate

from ...conftest import connection, empty

PEOPLE, MONTHS = 60, 8


@pytest.mark.anyio
async def test_a_world_of_version_2_is_taken_as_it_is_and_comes_out_of_an_export_again(
    emptied: EmbeddedDatabase, tmp_path: Path
) -> None:
    rows = dict(generate(PEOPLE, MONTHS, version=2).rows)
    async with connection(emptied) as database:
        store = Store(database)
        result = await import_bundle(store, bundle_of(rows))
        assert set(result.total) == {"created"}
        assert await check(store) == []
        counts = await count_facts(store)
        counts["person_skills"] = counts.pop("offers") + counts.pop("wants")
        found = {file: count for file, count in counts.items() if count}
        assert found == {file: len(each) for file, each in rows.items() if each}
        before = await graph_hash(store)
        await export_bundle(store, tmp_path / "out")
        await _refuse_a_status_that_no_move_led_to(store, rows)
        assert await graph_hash(store) != before
    await empty(emptied)
    async with connection(emptied) as database:
        store = Store(database)
        await import_bundle(store, open_bundle(tmp_path / "out"))
        assert await graph_hash(store) == before


async def _refuse_a_status_that_no_move_led_to(store: Store, rows: dict[str, list[dict[str, str]]]) -> None:
    """The check would have found a contradiction."""
    row = next(row for row in rows["pairings"] if row["status"] == "completed")
    await store.write(facts_of("pairings", {**row, "status": "ended"}, "bundle"))
    found = [(each.rule, each.kind, each.count) for each in await check(store)]
    assert found == [("has another status than the state of its last move", "pairings", 1)]
