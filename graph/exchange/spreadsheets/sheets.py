"""Spreadsheet files as they come: CSV in any common form, or the sheets of a workbook, as rows of text.

A workbook is an archive that can hold far more than its size says, so what it unpacks to is added up before it is read,
and no more rows and columns are taken from it than Excel itself allows or anybody would fill.
"""

import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from mentorgraph.graph.exchange.table_files import BundleError, read_cells
from mentorgraph.graph.facts.model import InvalidFact

LARGEST_UNPACKED = 200 << 20
"""Bytes of a text file, or that the parts of one workbook may unpack to together."""
FAILED = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
"""What a formula shows that failed."""

MOST_PARTS = 2_000
MOST_ROWS = 1_048_576
MOST_COLUMNS = 1_000

Progress = Callable[[str, int, int], None]
"""Told what is being read, and how many files of how many are done."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a spreadsheet file.

    Attributes:
        name: File name, and the sheet's where the file is a workbook; as messages show it.
        title: What tells what is in it: the file's name without ending, or the sheet's.
        rows: Every row that is not blank, with its line; one that cannot be read as the `InvalidFact` that says why.
        notices: What the reader should know.
    """

    name: str
    title: str
    rows: tuple[tuple[int, list[str] | InvalidFact], ...]
    notices: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """The first row, as names of the columns: none is empty, and none comes twice."""
        first = self.rows[0][1] if self.rows else []
        return headings_of([] if isinstance(first, InvalidFact) else first)

    @property
    def width(self) -> int:
        """Cells of the widest row."""
        return max((len(cells) for _, cells in self.rows if not isinstance(cells, InvalidFact)), default=0)


def headings_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Names for columns: spaces made single, `column 3` for one without, `Name (2)` for one that comes again."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    seen: Counter[str] = Counter()
    names = []
    for place, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"column {place}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def numbered(width: int) -> tuple[str, ...]:
    """Names for the columns of a table without headings."""
    return tuple(f"column {place}" for place in range(1, width + 1))


def open_sheets(paths: Sequence[Path], on_progress: Progress = lambda *_: None) -> list[Sheet]:
    """Reads spreadsheet files whole.

    Raises:
        BundleError: One of them is no spreadsheet that can be read, or all are empty.
    """
    found: list[Sheet] = []
    for number, path in enumerate(paths):
        on_progress(f"reading {path.name}", number, len(paths))
        if path.is_dir():
            raise BundleError(f"{path} is a folder; name the files in it")
        if path.suffix.lower() in {".xlsx", ".xlsm"}:
            found += _workbook(path)
        elif path.suffix.lower() in {".xls", ".ods", ".numbers", ".gz", ".zip"}:
            raise BundleError(f"{path.name} is of a form that is not read; save it as .xlsx or CSV, unpacked")
        elif path.is_file() and path.stat().st_size > LARGEST_UNPACKED:
            raise BundleError(f"{path.name} has more than {LARGEST_UNPACKED >> 20} MiB; part it into several files")
        else:
            cells = read_cells(path)
            found.append(Sheet(path.name, path.stem, cells.rows, cells.notices))
    if not any(sheet.rows for sheet in found):
        raise BundleError(f"{', '.join(path.name for path in paths)}: no rows at all; name a file with rows")
    return found


def _workbook(path: Path) -> list[Sheet]:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
        # What a part claims to unpack to is also the most that is ever read of it.
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
            raise BundleError(
                f"{path.name} unpacks to more than {LARGEST_UNPACKED >> 20} MiB; save the sheet alone, or as CSV"
            )
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")  # openpyxl tells of styles and checks that it leaves out
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                return [_sheet(path, each) for each in book.worksheets if each.sheet_state == "visible"]
            finally:
                book.close()
    except OSError as error:
        raise BundleError(f"{path.name} cannot be read: {error.strerror or 'it is damaged'}") from error
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise BundleError(f"{path.name} cannot be read: it is damaged, locked or no workbook; save it anew") from error


def _sheet(path: Path, sheet: ReadOnlyWorksheet) -> Sheet:
    sheet.reset_dimensions()  # some programs write wrong ones
    rows: list[tuple[int, list[str] | InvalidFact]] = []
    values_of_rows = sheet.iter_rows(values_only=True)  # type: ignore[misc]  # as of Worksheet
    for line, values in enumerate(values_of_rows, 1):
        if line > MOST_ROWS:
            raise BundleError(f"{path.name} has more than {MOST_ROWS} rows; no spreadsheet has")
        cells = [_text(value) for value in values]
        while cells and not cells[-1].strip():
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise BundleError(f"{path.name} has more than {MOST_COLUMNS} columns; keep those that are needed")
        if cells:
            rows.append((line, cells))
    return Sheet(f"{path.name}: {sheet.title}", sheet.title, tuple(rows))


def _text(value: object) -> str:
    """What a person sees in a cell, more or less; days as 2026-01-31, and nothing for a formula that failed."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case str() if value in FAILED:
            return ""
        case _:
            return str(value)
