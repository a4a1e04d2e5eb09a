"""Whatever stands in a spreadsheet, each row is taken or refused, and nothing else happens."""

from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from mentorgraph.graph.exchange.spreadsheets.cells import folded
from mentorgraph.graph.exchange.spreadsheets.guess import guess
from mentorgraph.graph.exchange.spreadsheets.mapping import mapping_of
from mentorgraph.graph.exchange.spreadsheets.people import read_people
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet
from mentorgraph.graph.facts.values import text

HEADINGS = [
    *("Name", "First name", "Last name", "E-mail", "Employee ID", "Role", "Department", "Profession", "Time zone"),
    *("Skills", "Areas of expertise", "What do you want to learn?", "What are your goals?", "Maximum mentees"),
    *("Timestamp", "Hire date", "Do you agree?", "is_available", "Gender", "Mentor Email", "Mentee Email", "", "?"),
    *("Mentor 1", "Mentor 1 email", "Mentor 2", "Mentor 2 email", "Program", "Coding", "both mentor and mentee"),
]
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "yes", "no", "1", "0", "✓", "a@x.org", "A@X.ORG", "mentor", "both", "3-5", "10+", "a; b;"]),
    st.sampled_from(["2026-01-31", "31/01/2026", "Berlin", "Ada King", "=1+1", "x" * 400, "ǰ ŉ ß", "a,b|c\nd"]),
)
TABLES = st.tuples(
    st.lists(st.sampled_from(HEADINGS), min_size=1, max_size=8), st.lists(st.lists(CELLS, max_size=9), max_size=6)
)


@given(TABLES, st.sampled_from(["mentors", "mentees", "people", "Mentors & mentees [2026]*"]))
def test_every_row_of_any_table_is_taken_or_refused(table: tuple[list[str], list[list[str]]], title: str) -> None:
    headings, rows = table
    kept = [(line, row) for line, row in enumerate(rows, 2) if any(cell.strip() for cell in row)]
    sheet = Sheet(f"{title}.csv", title, ((1, headings), *kept))
    proposed = guess([sheet], date(2026, 11, 24))
    assume("# No column says who the person is" not in proposed)
    mapping = mapping_of(proposed)
    table_of = mapping.table_of(sheet)
    found = read_people([(table_of, sheet)], lambda *_: None)
    first = 2 if table_of.has_headings else 1
    told = {place for person in found.people.values() for place in person.places} | {place for *_, place in found.pairs}
    assert {place.line for place in found.rows} == {line for line, _ in sheet.rows if line >= first}
    assert told | set(found.refused) == set(found.rows)
    assert not told & set(found.refused)
    for key, person in found.people.items():
        keys = [key, *person.units, *person.programmes, *person.skills["offers"], *person.skills["wants"]]
        assert [text(300)(each) for each in keys] == keys


@given(st.text())
def test_a_folded_text_stays_as_it_is(written: str) -> None:
    once = folded(written)
    assert folded(once) == once
