"""Mappings: what a person may write, what is guessed for them, and what neither may say."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from mentorgraph.graph.exchange.spreadsheets.guess import guess
from mentorgraph.graph.exchange.spreadsheets.mapping import (
    MEANINGS,
    MappingFile,
    is_protected,
    load_mapping,
    mapping_of,
)
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet, open_sheets
from mentorgraph.graph.exchange.table_files import BundleError
from mentorgraph.graph.facts.model import InvalidFact

from .test_layouts import LAYOUTS, files_of

HEAD = 'version = 1\nsource = "hr"\n[tables.all]\n[[tables.all.people]]\n'
WHO = HEAD + '[tables.all.people.columns]\n"Mail" = "email"\n'


def sheet(title: str, *rows: list[str]) -> Sheet:
    return Sheet(f"{title}.csv", title, tuple(enumerate(rows, 1)))


def guessed(*sheets: Sheet) -> MappingFile:
    return mapping_of(guess(sheets, date(2026, 11, 24)))


def meanings(*sheets: Sheet) -> dict[str, str]:
    return {
        column.heading: column.meaning
        for table in guessed(*sheets).tables
        for who in table.people
        for column in who.columns
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("version = ", "is not TOML"),
        ("version = 2", "version is not 1"),
        ("version = 1", "source is missing"),
        ('version = 1\nsource = "hr"', r"no \[tables.NAME\]"),
        ('version = 1\nsource = "hr"\ncolour = 1', "the mapping has 'colour'"),
        ('version = 1\nsource = "hr"\nsince = "today"', "since is 'today'"),
        ('version = 1\nsource = "hr"\n[tables.all]', "tables.all is about nobody"),
        ('version = 1\nsource = "hr"\ntables = 3', "tables is 3"),
        (HEAD + 'role = "boss"\n', "role 'boss' is not one of the known ones"),
        (HEAD, "no column says who the person is"),
        (WHO + '"A" = "colour"\n', "column 'A' is 'colour', which means nothing here"),
        (WHO + '"A" = 3\n', "column 'A' has no meaning"),
        (WHO + '"A" = { is = "offers", separator = 3 }\n', "separator is no text"),
        (WHO + '"A" = { is = "consent", purpose = "sales" }\n', "purpose 'sales' is unknown"),
        (WHO + '"A" = "email"\n', "2 columns mean email"),
        (WHO + '"Gender" = "topics"\n', "'Gender', which looks like a protected attribute"),
        (HEAD + 'hours = { columns = "Avail" }\n[tables.all.people.columns]\n"M" = "email"', "names no number"),
        (
            HEAD + 'hours = { columns = "A {}", zone = "moon" }\n[tables.all.people.columns]\n"M" = "email"',
            "zone 'moon'",
        ),
        (WHO.replace("[[", "pairs = true\n[["), "pairs = true; it needs two people"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_in_one_sentence(content: str, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        mapping_of(content, "m.toml")
    assert caught.value.message.startswith("m.toml")
    assert "\n" not in caught.value.message


def test_a_person_may_say_that_a_heading_is_not_what_it_looks_like() -> None:
    wanted = WHO + '"Age of steam" = "topics"\n'
    with pytest.raises(BundleError, match="protected"):
        mapping_of(wanted)
    found = mapping_of('not_protected = ["Age of steam"]\n' + wanted)
    assert found.tables[0].needed == {"Mail", "Age of steam"}


def test_a_mapping_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "m.toml").write_bytes(b"\xff\xff")
    with pytest.raises(BundleError, match="is not text in UTF-8"):
        load_mapping(tmp_path / "m.toml")


# --- which table a file is --------------------------------------------------------------------------------------------


def test_files_of_next_month_are_read_by_the_same_tables() -> None:
    rows = [["Name", "E-mail"], ["Ada", "ada@x.org"]]
    mapping = guessed(sheet("mentors 2026-10", *rows), sheet("mentees 2026-10", *rows))
    assert mapping.table_of(sheet("mentors 2026-11", *rows)).people[0].roles == ("mentor",)
    assert mapping.table_of(sheet("mentees 2026-11", *rows)).people[0].roles == ("mentee",)
    with pytest.raises(BundleError, match="fits the tables mentors_2026_10, mentees_2026_10; say in the mapping which"):
        mapping.table_of(sheet("people", *rows))


def test_a_file_that_lacks_a_column_is_refused_and_told_which() -> None:
    mapping = guessed(sheet("mentors", ["Name", "E-mail"], ["Ada", "ada@x.org"]))
    with pytest.raises(BundleError, match=r"mentors.csv lacks the column E-mail of the table mentors"):
        mapping.table_of(sheet("mentors", ["Name", "Mail"], ["Ada", "ada@x.org"]))


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_two_files_of_one_layout_share_a_table() -> None:
    rows = [["Name", "E-mail"], ["Ada", "ada@x.org"]]
    assert len(guessed(sheet("mentors", *rows), sheet("mentors", *rows)).tables) == 1


@pytest.mark.parametrize(
    "heading",
    [
        *("Gender", "gender_preference", "Ethnicity", "Identity to match", "Sexual orientation", "Country of origin"),
        *("Do you have a disability?", "Pronouns", "Date of birth", "Characteristics", "Religion or belief", "Age"),
    ],
)
def test_protected_attributes_are_told_and_never_proposed(heading: str) -> None:
    rows = sheet("mentors", ["E-mail", heading, "Skills"], ["a@x.org", "yes", "Excel"], ["b@x.org", "no", "Law"])
    text = guess([rows], date(2026, 11, 24))
    assert meanings(rows) == {"E-mail": "email", "Skills": "topics"}
    assert "# Not imported: these look like protected attributes, by which nobody is to be judged.\nprotected" in text
    assert tomllib.loads(text)["tables"]["mentors"]["protected"] == [heading]


@pytest.mark.parametrize("heading", ["Languages", "Management", "Original hire date", "Interface design", "Team"])
def test_headings_that_only_sound_alike_are_not_protected(heading: str) -> None:
    assert not is_protected(heading)


def test_a_guess_holds_headings_and_no_value_of_anybody(tmp_path: Path) -> None:
    for layout in sorted(path.name for path in LAYOUTS.iterdir()):
        sheets = open_sheets(files_of(layout, tmp_path))
        text = guess(sheets, date(2026, 11, 24)).partition("source =")[2].casefold()
        for each in sheets:
            headings = {heading.casefold() for heading in each.headings} if layout != "11_no_headings" else set()
            rows = [row for _, row in each.rows[1:] if not isinstance(row, InvalidFact)]
            values = {cell.casefold() for row in rows for cell in row if len(cell) > 8}
            told = {value for value in values - headings if value in text}
            assert told <= {"very confident", "not confident", "somewhat confident", "confident"}, layout


def test_every_meaning_is_described_in_the_guess() -> None:
    text = guess([sheet("mentors", ["E-mail"], ["a@x.org"])], date(2026, 11, 24))
    assert all(f"#   {meaning} " in text for meaning in MEANINGS)


def test_days_whose_order_nobody_can_tell_are_pointed_out() -> None:
    told = guess([sheet("form", ["Timestamp", "E-mail"], ["01/02/2026", "a@x.org"])], date(2026, 11, 24))
    assert '# "Timestamp": day or month first? Its values do not tell; see that its form is right.' in told
    told = guess([sheet("form", ["Timestamp", "E-mail"], ["31/01/2026", "a@x.org"])], date(2026, 11, 24))
    assert ("day or month first" in told, '{ is = "answered_on", form = "%d/%m/%Y" }' in told) == (False, True)
    told = guess([sheet("form", ["Timestamp", "E-mail"], ["last week", "a@x.org"])], date(2026, 11, 24))
    assert '# "Timestamp": its days are written in no known form; give it a form to have it read.' in told


def test_addresses_tell_people_apart_and_numbers_where_there_are_none() -> None:
    both = sheet("all", ["Employee ID", "E-mail", "Name"], ["7", "a@x.org", "Ada"])
    assert meanings(both) == {"E-mail": "email", "Name": "name"}
    assert 'map it to "key", in all files' in guess([both], date(2026, 11, 24))
    assert meanings(sheet("all", ["Employee ID", "Name"], ["7", "Ada"])) == {"Employee ID": "key", "Name": "name"}


def test_a_job_is_not_taken_for_a_role() -> None:
    assert "Role" not in meanings(sheet("all", ["E-mail", "Role"], ["a@x.org", "Lead"], ["b@x.org", "mentor"]))
    assert meanings(sheet("all", ["E-mail", "Role"], ["b@x.org", "mentor"]))["Role"] == "role"


def test_a_layout_that_says_nobodys_name_says_what_to_add() -> None:
    """What a vendor's page lists for preferences names no person."""
    first, *rest = (LAYOUTS / "15_preferences" / "preferences.csv").read_text("utf-8").splitlines()
    rows = [first.split(",")[1:], ["17", "mentor", "", "", "", "", "", ""]]
    assert rest
    text = guess([sheet("preferences", *rows)], date(2026, 11, 24))
    assert "# No column says who the person is: add one to the file, with the e-mail address, and here" in text
    with pytest.raises(BundleError, match="add a column to the spreadsheet with the e-mail address or the name"):
        mapping_of(text)
