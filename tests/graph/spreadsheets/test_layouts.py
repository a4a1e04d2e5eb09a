"""Every layout that was seen at a coordinator's: its guessed mapping brings in exactly the facts that stand beside it.

Each folder of `tests/spreadsheets` is one layout: real headings, invented people, and the facts in `facts.txt`, one a
line, with source keys and names in place of uids. A folder named like a workbook is made one, with a sheet per file.
"""

import csv
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from mentorgraph.graph.exchange.spreadsheets.guess import guess
from mentorgraph.graph.exchange.spreadsheets.importing import SheetsResult, import_sheets
from mentorgraph.graph.exchange.spreadsheets.mapping import mapping_of
from mentorgraph.graph.exchange.spreadsheets.sheets import open_sheets
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import row_of
from mentorgraph.graph.store.store import Store

LAYOUTS = Path(__file__).parents[2] / "spreadsheets"
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
NOTHING_VOUCHED = ((), "nobody was asked")

pytestmark = pytest.mark.anyio


def files_of(layout: str, folder: Path) -> list[Path]:
    """The files of a layout; workbooks are written to a folder."""
    found = sorted((LAYOUTS / layout).glob("*.csv"))
    for sheets in sorted((LAYOUTS / layout).glob("*.xlsx")):
        found.append(folder / sheets.name)
        write_workbook(found[-1], {path.stem: rows_of(path) for path in sorted(sheets.glob("*.csv"))})
    return found


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def write_workbook(path: Path, sheets: dict[str, list[list[str]]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)


async def import_as_guessed(store: Store, paths: list[Path], *, now: datetime = NOW) -> SheetsResult:
    sheets = open_sheets(paths)
    mapping = mapping_of(guess(sheets, now.date()))
    return await import_sheets(store, sheets, mapping, now=now, consent=NOTHING_VOUCHED)


async def facts_in(store: Store) -> list[str]:
    """Every fact of the graph in a line: kind, then columns that are filled, without uid and source."""
    records = [fact.record for kind in KINDS.values() async for fact in store.facts(kind)]
    called = {each.uid: str(each.properties.get("external_id", each.uid)) for each in records}
    return sorted(line_of(each, called) for each in records)


def line_of(record: Record, called: dict[str, str]) -> str:
    row = {name: called.get(value, value) for name, value in row_of(record).items()}
    row |= {"id": called[record.uid]} if "id" in row else {}
    cells = [f"{name}={value}" for name, value in row.items() if value and name not in {"uid", "source", "external_id"}]
    return f"{record.kind}: {', '.join(cells)}"


@pytest.mark.parametrize("layout", sorted(path.name for path in LAYOUTS.iterdir()))
async def test_a_layout_brings_in_exactly_the_facts_beside_it(store: Store, layout: str, tmp_path: Path) -> None:
    result = await import_as_guessed(store, files_of(layout, tmp_path))
    told = [f"{each.status}: {each.place.file}:{each.place.line} {each.why}{each.warning}" for each in result.rows]
    assert await facts_in(store) + ["", *told] == (LAYOUTS / layout / "facts.txt").read_text("utf-8").splitlines()

    again = await import_as_guessed(store, files_of(layout, tmp_path), now=NOW.replace(month=12))
    assert set(again.facts.total) - {"refused"} == {"same"}
    assert {row.status for row in again.rows} <= {"same", "refused"}
    assert again.facts.total["refused"] == result.facts.total["refused"]
