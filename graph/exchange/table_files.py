"""Table files: CSV, plain or packed, as spreadsheets and exports write them, read row by row with their lines.

A row that cannot be read does not end the reading: it comes as the reason why.
"""

import csv
import gzip
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Self, TextIO, cast

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import InvalidFact, Problem, Row

LONGEST_CELL = 1 << 20
LONGEST_LINE = 32 << 20
"""Characters; what is longer is taken for several lines, so that a file without line ends takes no more memory."""


class BundleError(DomainError):
    """A bundle that cannot be read at all; nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="BAD_USER_INPUT")


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file of a bundle, which can be read more than once.

    Attributes:
        name: Name within the bundle, as messages show it.
        columns: Its header.
        rows: Gives every row with its line; a row that cannot be read comes as the `InvalidFact` that says why.
        count: Number of rows, for progress.
        notices: What the reader should know, such as an encoding that had to be guessed.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[tuple[int, Row | InvalidFact]]]
    count: int
    notices: tuple[str, ...] = ()


def open_table(path: Path) -> BundleFile:
    """Opens a CSV file, plain or as .gz, in UTF-8 or cp1252, its cells separated by commas, semicolons or tabs.

    Raises:
        BundleError: It cannot be read, or has no header that names its columns.
    """
    try:
        try:
            return _described(path, "utf-8-sig")
        except UnicodeDecodeError:
            return _described(path, "cp1252")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged or not what its name says"
        raise BundleError(f"{path.name} cannot be read: {reason}") from error


def _described(path: Path, encoding: str) -> BundleFile:
    """Reads a file once, so that whatever keeps it from being read shows before anything is written."""
    csv.field_size_limit(LONGEST_CELL)
    with _text(path, encoding) as stream:
        first = stream.readline(LONGEST_LINE)
        delimiter = _delimiter(first)
        try:
            header = next(csv.reader(chain([first], stream), delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise BundleError(f"{path.name} has a header that is not CSV ({error}); mend its quotes") from None
    columns = tuple(column.strip() for column in header)
    if "\0" in first:
        raise BundleError(f"{path.name} is not text; save it as CSV in UTF-8")
    if not any(columns):
        raise BundleError(f"{path.name} has no header; its first line must name the columns")
    twice = [column for column, times in Counter(columns).items() if times > 1 and column]
    if twice:
        raise BundleError(f"{path.name} names the column {twice[0]} twice; rename or remove one")
    notices = (f"{path.name} is not UTF-8; read as cp1252",) if encoding == "cp1252" else ()

    def rows() -> Iterator[tuple[int, Row | InvalidFact]]:
        with _text(path, encoding) as stream:
            yield from _rows(stream, delimiter, columns)

    return BundleFile(path.name, columns, rows, sum(1 for _ in rows()), notices)


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows of a text table of which nothing is known yet, not even whether the first one is a header.

    Attributes:
        rows: Every row that is not blank, with its line; one that cannot be read as the `InvalidFact` that says why.
        notices: What the reader should know, such as an encoding that had to be guessed.
    """

    rows: tuple[tuple[int, list[str] | InvalidFact], ...]
    notices: tuple[str, ...] = ()


def read_cells(path: Path) -> Cells:
    """Reads a text table as `open_table` does, or in UTF-16 if it says so, with rows of any width.

    Raises:
        BundleError: It cannot be read.
    """
    csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open("rb") as binary:
            begin = binary.read(2)
        encoding = "utf-16" if begin in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"
        try:
            return Cells(_all_cells(path, encoding))
        except UnicodeDecodeError:
            return Cells(_all_cells(path, "cp1252"), (f"{path.name} is not UTF-8; read as cp1252",))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged or not what its name says"
        raise BundleError(f"{path.name} cannot be read: {reason}") from error


def _all_cells(path: Path, encoding: str) -> tuple[tuple[int, list[str] | InvalidFact], ...]:
    with _text(path, encoding) as stream:
        first = stream.readline(LONGEST_LINE)
        while first and not first.strip():
            first = stream.readline(LONGEST_LINE)
    if "\0" in first:
        raise BundleError(f"{path.name} is not text; save it as CSV in UTF-8, or as .xlsx")
    with _text(path, encoding) as stream:
        return tuple(_cells(stream, _delimiter(first)))


def _delimiter(first: str) -> str:
    """What separates the cells of a first line: whatever comes most often outside of quotes."""
    outside = "".join(first.split('"')[::2])
    return max(",;\t", key=outside.count)


def _text(path: Path, encoding: str) -> TextIOWrapper:
    binary = cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
    errors = "replace" if encoding == "cp1252" else "strict"
    return TextIOWrapper(binary, encoding=encoding, errors=errors, newline="")


class _Lines:
    """The lines of a file, where those of a row can be taken once more, all but its first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._row: list[str] = []
        self._again: deque[str] = deque()
        self.number = 0
        """Number of the line that was taken last."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self._row.append(line)
        self.number += 1
        return line

    def begin_row(self) -> int:
        """Forgets the lines of the row before; gives the number of the next line."""
        self._row.clear()
        return self.number + 1

    def return_to_second_line(self) -> None:
        """Goes back to the line behind the first of the present row."""
        self._again.extendleft(reversed(self._row[1:]))
        self.number -= len(self._row[1:])


def _rows(stream: TextIO, delimiter: str, columns: tuple[str, ...]) -> Iterator[tuple[int, Row | InvalidFact]]:
    cells_of_rows = _cells(stream, delimiter)
    next(cells_of_rows)
    for line, cells in cells_of_rows:
        if isinstance(cells, InvalidFact):
            yield line, cells
        elif len(cells) != len(columns):
            reason = f"has {len(cells)} cells where the header has {len(columns)}"
            yield line, InvalidFact([Problem("", "", reason, "quote cells that hold the delimiter")])
        else:
            yield line, dict(zip(columns, cells, strict=True))


def _cells(stream: TextIO, delimiter: str) -> Iterator[tuple[int, list[str] | InvalidFact]]:
    """The rows that are not blank, each with the line on which it begins."""
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.return_to_second_line()  # a quote that is not closed has swallowed rows that may be well
            yield line, InvalidFact([Problem("", "", f"is not CSV ({error})", "mend its quotes, shorten its cells")])
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells
