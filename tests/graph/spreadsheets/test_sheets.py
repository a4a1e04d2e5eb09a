"""Spreadsheet files: the same cells from every common form, and no harm from hostile ones."""

import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from mentorgraph.graph.exchange.spreadsheets import sheets
from mentorgraph.graph.exchange.spreadsheets.sheets import headings_of, open_sheets
from mentorgraph.graph.exchange.table_files import BundleError
from mentorgraph.graph.facts.model import InvalidFact

from .test_layouts import write_workbook

ROWS = [["Name", "E-mail", "Skills"], ["Zoë Ängel", "zoe@x.org", "a; b"], ["Bo", "", "c, d"]]
PLAIN = 'Name,E-mail,Skills\nZoë Ängel,zoe@x.org,a; b\nBo,,"c, d"\n'


def cells(path: Path) -> list[list[str]]:
    [sheet] = open_sheets([path])
    return [each for _, each in sheet.rows if not isinstance(each, InvalidFact)]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.encode("cp1252"),
        PLAIN.encode("utf-16"),
        PLAIN.replace(",", "\t").replace('"c\t d"', "c, d").encode(),
        b'Name;E-mail;Skills\r\nZo\xeb \xc4ngel;zoe@x.org;"a; b"\r\nBo;;c, d\r\n',
        b"\n\n" + PLAIN.replace("Bo", "\n,,\n \nBo").encode(),
    ],
    ids=["utf-8", "mark", "crlf", "cp1252", "utf-16", "tabs", "semicolons", "blank rows"],
)
def test_a_text_file_is_read_in_any_common_form(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people.csv").write_bytes(content)
    assert cells(tmp_path / "people.csv") == ROWS


def test_a_workbook_is_read_like_text(tmp_path: Path) -> None:
    write_workbook(tmp_path / "people.xlsx", {"People": [*ROWS[:2], [], ROWS[2]]})
    [sheet] = open_sheets([tmp_path / "people.xlsx"])
    assert (sheet.name, sheet.title) == ("people.xlsx: People", "People")
    assert [line for line, _ in sheet.rows] == [1, 2, 4]
    assert [each for _, each in sheet.rows] == ROWS


def test_values_of_a_workbook_become_the_text_that_one_sees(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append([3, 3.0, 3.5, True, date(2026, 1, 31), datetime(2026, 1, 31, 9, 30), "#N/A", "  text "])
    hidden = book.create_sheet("Lists")
    hidden.append(["not seen"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "values.xlsx")
    assert cells(tmp_path / "values.xlsx") == [
        ["3", "3", "3.5", "yes", "2026-01-31 00:00:00", "2026-01-31 09:30:00", "", "  text "]
    ]


def test_headings_get_names_of_their_own() -> None:
    assert headings_of(["Name", "", "Your  \n name?", "Name", "Name", " ", ""]) == (
        "Name",
        "column 2",
        "Your name?",
        "Name (2)",
        "Name (3)",
    )


def test_a_headings_commas_do_not_pass_for_delimiters(tmp_path: Path) -> None:
    (tmp_path / "form.csv").write_text('"Your name, please, in full";"Your team, or unit"\nAda;Water\n', "utf-8")
    assert cells(tmp_path / "form.csv")[1] == ["Ada", "Water"]


# --- hostile and damaged files --------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        open_sheets([path])
    assert "\n" not in caught.value.message
    return caught.value.message


def with_part(path: Path, name: str, content: bytes) -> Path:
    """A workbook in which one part is another one."""
    write_workbook(path.with_name("whole.xlsx"), {"People": ROWS})
    with (
        zipfile.ZipFile(path.with_name("whole.xlsx")) as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for part in whole.infolist():
            out.writestr(part.filename, content if part.filename == name else whole.read(part))
    return path


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1 << 20)
    bomb = with_part(tmp_path / "bomb.xlsx", "xl/worksheets/sheet1.xml", b" " * (2 << 20))
    assert bomb.stat().st_size < 20_000
    assert refused(bomb) == "bomb.xlsx unpacks to more than 1 MiB; save the sheet alone, or as CSV"
    write_workbook(tmp_path / "small.xlsx", {"People": ROWS})
    assert cells(tmp_path / "small.xlsx") == ROWS


def test_entities_that_multiply_do_not(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY e0 "{"x" * 100}">{entities}]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        '<c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row></sheetData></worksheet>'
    )
    message = refused(with_part(tmp_path / "bomb.xlsx", "xl/worksheets/sheet1.xml", sheet.encode()))
    assert message.startswith("bomb.xlsx cannot be read: it is damaged")


def test_a_row_far_down_does_not_fill_what_is_above_it(tmp_path: Path) -> None:
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="999999999999"><c r="A999999999999" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    )
    path = with_part(tmp_path / "far.xlsx", "xl/worksheets/sheet1.xml", sheet.encode())
    assert refused(path) == "far.xlsx has more than 1048576 rows; no spreadsheet has"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"PK\x03\x04 broken", "a.xlsx cannot be read: it is damaged, locked or no workbook"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0 old or locked", "a.xlsx cannot be read: it is damaged, locked or no workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "a.xls is of a form that is not read; save it as .xlsx or CSV"),
        ("a.csv.gz", b"\x1f\x8b", "a.csv.gz is of a form that is not read"),
        ("a.csv", b"", "a.csv: no rows at all"),
        ("a.csv", b"\x00\x01\x02\x03", "a.csv is not text"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert refused(tmp_path / name).startswith(message)


def test_a_file_that_is_too_large_and_a_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1 << 20)
    (tmp_path / "a.csv").write_bytes(b"x,y\n" * (300 << 10))
    assert refused(tmp_path / "a.csv") == "a.csv has more than 1 MiB; part it into several files"
    assert refused(tmp_path).endswith("is a folder; name the files in it")
    assert refused(tmp_path / "none.csv") == "none.csv cannot be read: No such file or directory"
