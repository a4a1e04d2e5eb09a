"""Bundles: whatever a folder holds, it is read, refused by row, or refused whole before anything is written."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from mentorgraph.graph.exchange.bundle import (
    ImportResult,
    Refusal,
    bundle_of,
    export_bundle,
    import_bundle,
    open_bundle,
)
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.exchange.table_files import LONGEST_CELL, BundleError, BundleFile
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Row, uid_of
from mentorgraph.graph.facts.rows import FILES
from mentorgraph.graph.store.migrate import migrate
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.community import generate

from ..conftest import WIPE

EVERY_COLUMN = Path(__file__).parents[1] / "every_column"
SMALL = {
    "units.csv": "id,name\nu1,Water\n",
    "skills.csv": "id,name\njava,Java\n",
    "people.csv": "id,name,roles,joined_on\np1,Ada,mentor,2024-01-01\np2,Bo,mentee,2024-01-01\n",
    "goals.csv": "id,person_id,title,created_on,skills\ng1,p2,Learn,2024-02-01,java\n",
    "pairings.csv": "id,mentor_id,mentee_id,started_on,status\nm1,p1,p2,2024-03-01,active\n",
}
CONSENT = (("matching",), "terms")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in SMALL.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def read(file: BundleFile) -> list[tuple[int, object]]:
    """Lines with their rows, or with the reason why they could not be read."""
    return [(line, row.problems[0].message if isinstance(row, InvalidFact) else dict(row)) for line, row in file.rows()]


def units(folder: Path, content: str | bytes) -> BundleFile:
    (folder / "units.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_bundle(folder)["units"]


# --- files that are read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"id,name\nu1,Z\xc3\xbcrich\n",
        b"\xef\xbb\xbfid,name\r\nu1,Z\xc3\xbcrich\r\n",
        b"id;name\nu1;Z\xc3\xbcrich",
        b'id\tname\n\n"u1"\t"Z\xc3\xbcrich"\n\t\n',
        b"id,name\nu1,Z\xfcrich\n",
        b" id , name \ru1,Z\xc3\xbcrich\r",
    ],
)
def test_a_file_is_read_in_any_common_form(folder: Path, content: bytes) -> None:
    file = units(folder, content)
    assert [row for _, row in read(file)] == [{"id": "u1", "name": "Zürich"}]
    assert file.count == 1
    assert bool(file.notices) == (b"\xfc" in content)


def test_a_compressed_file_is_read_like_a_plain_one(folder: Path) -> None:
    (folder / "units.csv").unlink()
    (folder / "units.csv.gz").write_bytes(gzip.compress(b"id,name\nu1,Water\n"))
    assert read(open_bundle(folder)["units"]) == [(2, {"id": "u1", "name": "Water"})]


def test_a_header_alone_is_a_file_without_rows(folder: Path) -> None:
    file = units(folder, "id,name\n")
    assert (read(file), file.count) == ([], 0)


def test_an_unknown_column_and_one_without_a_name_are_told_and_not_read(folder: Path) -> None:
    assert units(folder, "id,name,colour,\nu1,Water,blue,x\n").notices == (
        "units.csv: column colour was not read",
        "units.csv: column without a name was not read",
    )


def test_lines_are_counted_where_cells_have_several(folder: Path) -> None:
    file = units(folder, 'id,name\nu1,"one\ntwo\nthree"\n\nu2,Water\nu3\nu4,"x\ny"\nu5,Last')
    assert read(file) == [
        (2, {"id": "u1", "name": "one\ntwo\nthree"}),
        (6, {"id": "u2", "name": "Water"}),
        (7, "has 1 cells where the header has 2"),
        (8, {"id": "u4", "name": "x\ny"}),
        (10, {"id": "u5", "name": "Last"}),
    ]
    assert file.count == 5


def test_a_header_may_have_several_lines_in_a_cell(folder: Path) -> None:
    assert read(units(folder, 'id,name,"a\nb"\nu1,Water,x\n')) == [(3, {"id": "u1", "name": "Water", "a\nb": "x"})]


def test_an_open_quote_costs_its_own_row_only(folder: Path) -> None:
    file = units(folder, 'id,name\nu1,"Water\nu2,Fire\nu3,"Earth" and air\nu4,Ether\nu5,"open\nu6,Last\n')
    rows = read(file)
    assert [line for line, row in rows if isinstance(row, str)] == [2, 4, 6]
    assert [row for _, row in rows if not isinstance(row, str)] == [
        {"id": "u2", "name": "Fire"},
        {"id": "u4", "name": "Ether"},
        {"id": "u6", "name": "Last"},
    ]


def test_a_cell_that_is_too_long_costs_its_own_row_only(folder: Path) -> None:
    long = "x" * (LONGEST_CELL + 1)
    rows = read(units(folder, f"id,name\nu1,{long}\nu2,Fire\n"))
    assert rows[0][0] == 2
    assert "field larger than field limit" in str(rows[0][1])
    assert rows[1:] == [(3, {"id": "u2", "name": "Fire"})]


# --- files that are refused whole -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "units.csv has no header"),
        (b"\n\n", "units.csv has no header"),
        (b"id\nu1\n", "units.csv lacks the column name; its header is id"),
        (b"id,name,name\n", "units.csv names the column name twice"),
        (b'id,"name\nu1,x\n', "units.csv has a header that is not CSV"),
        ("id,name\nu1,Zürich\n".encode("utf-16"), "units.csv is not text"),
        (b"PK\x03\x04\x00\x00", "units.csv is not text"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(folder: Path, content: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        units(folder, content)


def _cut(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def _flipped(packed: bytes) -> bytes:
    return packed[:20] + bytes([packed[20] ^ 0xFF]) + packed[21:]


@pytest.mark.parametrize("damage", [_cut, _flipped, lambda _: b"id,name\n", lambda _: b""])
def test_a_damaged_archive_is_refused(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    rows = "".join(f"u{number},{number * 7919}\n" for number in range(2_000))
    (folder / "units.csv").unlink()
    (folder / "units.csv.gz").write_bytes(damage(gzip.compress(b"id,name\n" + rows.encode())))
    with pytest.raises(BundleError, match=r"units\.csv\.gz (cannot be read|has no header)"):
        open_bundle(folder)


def test_a_file_twice_or_not_at_all_is_refused(folder: Path) -> None:
    (folder / "units.csv.gz").write_bytes(gzip.compress(b"id,name\n"))
    with pytest.raises(BundleError, match=r"both units\.csv and units\.csv\.gz exist"):
        open_bundle(folder)
    (folder / "units.csv").unlink()
    (folder / "units.csv.gz").unlink()
    (folder / "goals.csv").unlink()
    with pytest.raises(BundleError, match=r"lacks units\.csv, goals\.csv"):
        open_bundle(folder)
    with pytest.raises(BundleError, match="is not a folder"):
        open_bundle(folder / "people.csv")


def test_a_folder_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "units.csv").unlink()
    (folder / "units.csv").mkdir()
    with pytest.raises(BundleError, match=r"units\.csv cannot be read: Is a directory"):
        open_bundle(folder)


# --- import ---------------------------------------------------------------------------------------------------------


async def take(
    store: Store, folder: Path, *, consent: tuple[tuple[str, ...], str] | None = CONSENT, dry_run: bool = False
) -> tuple[ImportResult, list[str]]:
    """Imports a folder; gives the counts and the refusals as they are shown."""
    refusals: list[Refusal] = []
    result = await import_bundle(
        store, open_bundle(folder), consent=consent, dry_run=dry_run, on_refusal=refusals.append
    )
    return result, [f"{each.file}:{each.line} {each.problem}" for each in refusals]


@pytest.mark.anyio
async def test_a_bundle_comes_in_once_and_a_second_time_changes_nothing(store: Store, folder: Path) -> None:
    result, refusals = await take(store, folder)
    assert (result.total, refusals) == ({"created": 6}, [])
    first = await graph_hash(store)
    result, _ = await take(store, folder)
    assert result.total == {"same": 6}
    assert await graph_hash(store) == first
    assert await check(store) == []


@pytest.mark.anyio
async def test_a_dry_run_counts_the_same_and_writes_nothing(store: Store, folder: Path) -> None:
    (folder / "people.csv").write_text(SMALL["people.csv"] + "p3,Cy,king,2024-01-01\n")
    before = await graph_hash(store)
    dry, told = await take(store, folder, dry_run=True)
    assert await graph_hash(store) == before
    real, refusals = await take(store, folder)
    assert (dry.counts, told) == (real.counts, refusals)
    assert dry.total == {"created": 6, "refused": 1}


@pytest.mark.anyio
async def test_a_row_by_which_a_skill_is_broader_than_itself_is_refused(store: Store, folder: Path) -> None:
    (folder / "skills.csv").write_text("id,name,broader\njava,Java,code\ncode,Code,craft\ncraft,Craft,\n")
    (folder / "broader.csv").write_text("skill_id,broader_id,since\ncraft,java,2024-01-01\njava,craft,2024-01-01\n")
    for dry_run in (True, False):
        result, refusals = await take(store, folder, dry_run=dry_run)
        assert refusals == [
            "broader.csv:2 broader_id 'java': is itself a kind of the skill, by way of others; "
            "turn the row round or remove it"
        ]
        assert result.counts["broader"] == {"created": 1, "refused": 1}
    (folder / "broader.csv").unlink()
    (folder / "skills.csv").write_text("id,name,broader\ncraft,Craft,code\njava,Java,\n")
    result, refusals = await take(store, folder)
    assert [each.split(":")[0:2] for each in refusals] == [["skills.csv", "2 broader 'code'"]]
    assert await check(store) == []


@pytest.mark.anyio
async def test_what_changed_and_what_ended_is_counted_apart(store: Store, folder: Path) -> None:
    await take(store, folder)
    (folder / "people.csv").write_text(SMALL["people.csv"].replace("Ada", "Ada Lovelace"))
    (folder / "pairings.csv").write_text(
        "id,mentor_id,mentee_id,started_on,ended_on,status\nm1,p1,p2,2024-03-01,2024-09-01,completed\n"
    )
    result, _ = await take(store, folder)
    assert result.total == {"same": 4, "changed": 1, "ended": 1}
    assert result.counts["people"] == {"same": 1, "changed": 1}
    assert result.counts["pairings"] == {"ended": 1}


@pytest.mark.anyio
async def test_each_refused_row_names_file_line_column_value_reason_and_remedy(store: Store, folder: Path) -> None:
    (folder / "people.csv").write_text(
        "id,name,roles,joined_on\n"
        "p1,Ada,mentor,2024-01-01\n"
        "p2,Bo\x07,,2024-01-01\n"
        'p3,"two\nlines",,01/02/2024\n'
        "p1,Ada,,2024-01-01\n"
        "p4,Di\n"
        ",Eva,,2024-01-01\n"
    )
    (folder / "goals.csv").write_text(
        "id,person_id,title,created_on,skills\ng1,p2,Learn,2024-02-01,java|rust\ng2,p3,Learn,2024-02-01,\n"
    )
    result, refusals = await take(store, folder)
    assert refusals == [
        "people.csv:4 joined_on '01/02/2024': is not a date; write it as 2026-01-31 or 2026-01-31T09:30:00Z",
        "people.csv:6 id 'p1': is on line 2 already; remove one of the two",
        "people.csv:7 has 2 cells where the header has 4; quote cells that hold the delimiter",
        "people.csv:8 id '': is missing; fill it in",
        "goals.csv:2 skills 'rust': is no known skill; add it to skills.csv or correct the id",
        "goals.csv:3 person_id 'p3': is no known person; add it to people.csv or correct the id",
    ]
    assert result.total == {"created": 5, "refused": 6}
    assert await check(store) == []


@pytest.mark.anyio
async def test_skills_may_point_forward_and_what_points_at_a_refused_one_is_refused(store: Store, folder: Path) -> None:
    (folder / "skills.csv").write_text("id,name,broader\njava,Java,code\ncode,Code,\na,A,b\nb,B,c\nc,C,nothing\n")
    result, refusals = await take(store, folder)
    assert result.counts["skills"] == {"created": 2, "refused": 3}
    assert sorted(each.split(" ")[0] for each in refusals) == ["skills.csv:4", "skills.csv:5", "skills.csv:6"]


@pytest.mark.anyio
async def test_a_row_without_id_that_is_stated_twice_is_refused_once(store: Store, folder: Path) -> None:
    row = "p1,java,offers,2024-01-01\n"
    (folder / "person_skills.csv").write_text(f"person_id,skill_id,stance,since\n{row}p2,java,wants,2024-01-01\n{row}")
    result, refusals = await take(store, folder)
    assert result.counts["person_skills"] == {"created": 2, "refused": 1}
    assert refusals == ["person_skills.csv:4 is on line 2 already; remove one of the two"]


@pytest.mark.anyio
async def test_a_known_pairing_is_not_pointed_at_another_person(store: Store, folder: Path) -> None:
    await take(store, folder)
    (folder / "pairings.csv").write_text(
        SMALL["pairings.csv"].replace("p1,p2", "p2,p1") + "m2,p2,p1,2024-03-01,active\n"
    )
    for dry_run in (True, False):
        result, [refusal] = await take(store, folder, dry_run=dry_run)
        assert result.counts["pairings"] == {"created": 1, "refused": 1}
        assert refusal.startswith("pairings.csv:2 id 'm1': is already recorded with another mentor or mentee")


@pytest.mark.anyio
async def test_a_known_relationship_is_not_moved_by_its_uid(store: Store, folder: Path) -> None:
    header = "uid,person_id,skill_id,stance,since\n"
    (folder / "person_skills.csv").write_text(f"{header},p1,java,offers,2024-01-01\n")
    await take(store, folder)
    [fact] = [fact async for fact in store.facts(KINDS["offers"])]
    (folder / "person_skills.csv").write_text(f"{header}{fact.record.uid},p2,java,offers,2024-01-01\n")
    result, [refusal] = await take(store, folder)
    assert result.counts["person_skills"] == {"refused": 1}
    assert "is already recorded with another person or skill" in refusal


@pytest.mark.anyio
async def test_two_things_cannot_have_one_source_key(store: Store, folder: Path) -> None:
    other = uid_of("elsewhere", "people", "x")
    header = "id,name,joined_on,external_id\n"
    (folder / "people.csv").write_text(f"{header}p1,Ada,2024-01-01,\np2,Bo,2024-01-01,\n{other},Cy,2024-01-01,p1\n")
    _, refusals = await take(store, folder)
    assert refusals == [f"people.csv:4 id '{other}': is on line 2 already; remove one of the two"]
    (folder / "people.csv").write_text(f"{header}p2,Bo,2024-01-01,\n{other},Cy,2024-01-01,p1\n")
    for dry_run in (True, False):
        result, refusals = await take(store, folder, dry_run=dry_run)
        assert result.counts["people"] == {"same": 1, "refused": 1}
        assert refusals[0].startswith("people.csv:3 external_id 'p1': has the source and external id of another one")


@pytest.mark.anyio
async def test_one_id_of_two_sources_is_two_people(store: Store, folder: Path) -> None:
    await take(store, folder)
    again = await import_bundle(store, open_bundle(folder), source="hr", consent=CONSENT)
    assert again.total == {"created": 6}


@pytest.mark.anyio
async def test_what_a_row_states_besides_does_not_take_away_what_a_file_of_its_own_says(
    store: Store, folder: Path
) -> None:
    (folder / "goal_skills.csv").write_text("goal_id,skill_id,level,since\ng1,java,4,2024-02-01\n")
    (folder / "consents.csv").write_text(
        "person_id,purpose,text_version,since,until\np1,matching,terms,2024-01-01,2025-01-01\n"
    )
    await take(store, folder, consent=None)
    first = await graph_hash(store)
    (folder / "consents.csv").unlink()
    (folder / "pairings.csv").write_text(SMALL["pairings.csv"].replace("m1", "m0").replace("2024-03-01", "2024-02-01"))
    result, _ = await take(store, folder, consent=(("matching",), "terms"))
    assert result.counts["goals"] == {"same": 1}
    assert result.counts["goal_skills"] == {"same": 1}
    [need] = [fact.record async for fact in store.facts(KINDS["goal_skills"])]
    assert need.properties["level"] == 4
    ended = [fact.record async for fact in store.facts(KINDS["consents"]) if "until" in fact.record.properties]
    assert len(ended) == 1
    assert await graph_hash(store) != first  # the other pairing is new


@pytest.mark.anyio
async def test_without_a_word_on_consent_nothing_is_written(store: Store, folder: Path) -> None:
    before = await graph_hash(store)
    with pytest.raises(BundleError, match="nothing says what these people agreed to"):
        await take(store, folder, consent=None)
    assert await graph_hash(store) == before


@pytest.mark.anyio
async def test_rows_in_memory_come_in_like_those_of_files(store: Store, folder: Path) -> None:
    tables: dict[str, list[Row]] = {}
    for name, content in SMALL.items():
        tables[name.removesuffix(".csv")] = list(csv.DictReader(content.splitlines()))
    result = await import_bundle(store, bundle_of(tables), consent=CONSENT)
    assert result.total == {"created": 6}
    result, _ = await take(store, folder)
    assert result.total == {"same": 6}


# --- export ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_an_export_into_an_empty_graph_gives_the_same_graph(store: Store, tmp_path: Path) -> None:
    result, refusals = await take(store, EVERY_COLUMN, consent=None)
    assert refusals == []
    first = await graph_hash(store)
    written = await export_bundle(store, tmp_path / "out")
    assert list(written) == list(FILES)
    result, _ = await take(store, tmp_path / "out", consent=None)
    assert result.total == {"same": sum(written.values())}

    await store.database.run_directly(WIPE)
    await migrate(store.database)
    assert await graph_hash(store) == f"{0:064x}"
    result, refusals = await take(store, tmp_path / "out", consent=None)
    assert (result.total, refusals) == ({"created": sum(written.values())}, [])
    assert await graph_hash(store) == first
    assert await check(store) == []

    with (tmp_path / "out" / "feedback.csv").open("a") as stream:
        stream.write(
            f"f9,{uid_of('bundle', 'pairings', 'm1')},{uid_of('bundle', 'people', 'p2')},2026-01-01,0.5,,,,,,,\n"
        )
    await take(store, tmp_path / "out", consent=None)
    assert await graph_hash(store) != first


@pytest.mark.anyio
async def test_every_generated_world_goes_in_and_out_whole(
    store: Store, tmp_path: Path, count: Callable[[int, int], int]
) -> None:
    for seed in range(count(1, 200)):
        await store.database.run_directly(WIPE)
        await migrate(store.database)
        result = await import_bundle(store, bundle_of(generate(60, months=4, seed=seed).rows))
        assert set(result.total) == {"created"}, seed
        assert await check(store) == [], seed
        first = await graph_hash(store)
        await export_bundle(store, tmp_path / str(seed))
        await store.database.run_directly(WIPE)
        await migrate(store.database)
        result = await import_bundle(store, open_bundle(tmp_path / str(seed)))
        assert set(result.total) == {"created"}, seed
        assert await graph_hash(store) == first, seed


@pytest.mark.anyio
async def test_an_export_does_not_overwrite(store: Store, folder: Path) -> None:
    with pytest.raises(BundleError, match="is not empty; name a new folder"):
        await export_bundle(store, folder)
    with pytest.raises(BundleError, match="cannot be written: Not a directory"):
        await export_bundle(store, folder / "people.csv" / "out")
