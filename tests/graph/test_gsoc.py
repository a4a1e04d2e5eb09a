"""Years of a real programme come in as they are: part of Google Summer of Code as a bundle of five files."""

import csv
import gzip
from itertools import islice
from pathlib import Path

import pytest

from mentorgraph.graph.exchange.bundle import ImportResult, import_bundle, open_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.exchange.table_files import BundleFile
from mentorgraph.graph.store.store import Store

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "gsoc"
GOALS = 300

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not ARCHIVE.is_dir(), reason="the archive is not on this machine"),
]


def rows_of(name: str) -> list[dict[str, str]]:
    with gzip.open(ARCHIVE / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def part(tmp_path: Path) -> dict[str, BundleFile]:
    """The first goals with all that they refer to, in files of the form in which the archive comes."""
    goals = list(islice(rows_of("goals"), GOALS))
    chosen = {goal["id"] for goal in goals}
    pairings = [each for each in rows_of("pairings") if each["goal_id"] in chosen]
    people = {goal["person_id"] for goal in goals} | {
        each[end] for each in pairings for end in ("mentor_id", "mentee_id")
    }
    tables = {
        "units": rows_of("units"),
        "skills": rows_of("skills"),
        "people": [person for person in rows_of("people") if person["id"] in people],
        "goals": goals,
        "pairings": pairings,
    }
    for name, rows in tables.items():
        with gzip.open(tmp_path / f"{name}.csv.gz", "wt", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return open_bundle(tmp_path)


async def take(store: Store, bundle: dict[str, BundleFile]) -> ImportResult:
    return await import_bundle(store, bundle, source="gsoc", consent=(("matching", "training"), "public archive"))


async def test_every_row_comes_in_once_and_a_second_time_all_are_the_same(
    store: Store, part: dict[str, BundleFile]
) -> None:
    rows = sum(file.count for file in part.values())
    assert part["goals"].count == GOALS
    result = await take(store, part)
    assert result.total == {"created": rows}
    first = await graph_hash(store)
    result = await take(store, part)
    assert result.total == {"same": rows}
    assert await graph_hash(store) == first
    assert await check(store) == []
