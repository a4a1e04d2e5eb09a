"""Cells: what people write is read, and what nobody can read is refused with a remedy."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.exchange.spreadsheets.cells import (
    address,
    agrees,
    at_most,
    day,
    entries,
    folded,
    is_yes,
    roles,
    zone_of,
)

ZONES = tuple(available_timezones())


@pytest.mark.parametrize("cell", ["1", "yes", "Yes ", "TRUE", "x", "✓", "y", "any text", "with pleasure"])
def test_a_box_is_ticked_by_any_text(cell: str) -> None:
    assert is_yes(cell)


@pytest.mark.parametrize("cell", ["", " ", "0", "no", "No", "FALSE", "n", "-", "n/a", "✗"])
def test_a_box_is_not_ticked_by_a_plain_no(cell: str) -> None:
    assert not is_yes(cell)


@pytest.mark.parametrize(
    ("cell", "answer"),
    [("Yes", True), ("I agree to this", True), ("1", True), ("No, thank you", False), ("0", False), ("", None)],
)
def test_a_question_of_consent_is_answered_plainly(cell: str, answer: bool | None) -> None:
    assert agrees(cell) is answer


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("Career growth; Public speaking ;", ["Career growth", "Public speaking"]),
        ("a, b, A,,", ["a", "b"]),
        ("a|b\nc;d", ["a", "b", "c", "d"]),
        ("Leadership, of people; Excel", ["Leadership, of people", "Excel"]),
        ("n/a", []),
        ("", []),
    ],
)
def test_lists_are_parted_however_they_are_joined(cell: str, found: list[str]) -> None:
    assert entries(cell) == found


def test_a_list_is_parted_by_what_the_mapping_says() -> None:
    assert entries("Policy, strategy; Tax", (";",)) == ["Policy, strategy", "Tax"]
    assert entries("Policy, strategy", ()) == ["Policy, strategy"]


@given(st.lists(st.text(alphabet="abc XYZé-", min_size=1, max_size=8), max_size=6), st.sampled_from([";", "|", "\n"]))
def test_what_is_joined_comes_apart_without_gaps_and_doubles(parts: list[str], mark: str) -> None:
    found = entries(mark.join(parts) + mark)
    assert len({folded(each) for each in found}) == len(found)
    assert {folded(each) for each in found} == {folded(each) for each in parts} - {"", "-"}


@pytest.mark.parametrize(
    ("cell", "limit"), [("3", 3), ("3.0", 3), ("1-3", 3), ("3–5 years", 5), ("10+", 10), ("up to 4", 4), ("", None)]
)
def test_of_a_range_the_last_number_counts(cell: str, limit: float | None) -> None:
    assert at_most(cell) == limit


@pytest.mark.parametrize(
    ("cell", "form", "found"),
    [
        ("2026-01-31", "", (2026, 1, 31)),
        ("2026-01-31 09:30:00", "", (2026, 1, 31)),
        ("2026-01-31T09:30:00Z", "", (2026, 1, 31)),
        ("31/01/2026", "%d/%m/%Y", (2026, 1, 31)),
        ("2026/01/31 9:30:00 AM GMT+1", "%Y/%m/%d %I:%M:%S %p", (2026, 1, 31)),
    ],
)
def test_a_day_is_read_in_the_form_that_is_told(cell: str, form: str, found: tuple[int, int, int]) -> None:
    assert day(cell, form) == datetime(*found, tzinfo=UTC)
    assert day("", form) is None


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("Mentor", ["mentor"]),
        ("both", ["mentor", "mentee"]),
        ("mentee; mentor", ["mentee", "mentor"]),
        ("Mentor and mentee", ["mentor", "mentee"]),
        ("I want to be a mentee", ["mentee"]),
        ("disabled", []),
        ("", []),
        ("Marketing Lead", None),
        ("mentoring lead", None),
    ],
)
def test_roles_are_told_from_jobs(cell: str, found: list[str] | None) -> None:
    assert roles(cell) == found


def test_an_address_is_the_same_in_any_letter_case() -> None:
    assert {address(each) for each in ("Ada@X.org", " ada@x.ORG ", "mailto:ada@x.org", "<ada@x.org>")} == {"ada@x.org"}
    assert address("n/a") == address("") == ""


def test_a_zone_is_known_by_its_city() -> None:
    assert zone_of("berlin", ZONES) == "Europe/Berlin"
    assert zone_of("New York", ZONES) == "America/New_York"
    assert zone_of("Europe/Lisbon", ZONES) == "Europe/Lisbon"


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (address, "ada"),
        (address, "ada@x.org; bo@x.org"),
        (agrees, "perhaps"),
        (at_most, "a few"),
        (at_most, "-2"),
        (day, "31/01/2026"),
        (day, "soon"),
        (lambda cell: day(cell, "%m/%d/%Y"), "31/01/2026"),
        (lambda cell: zone_of(cell, ZONES), "the moon"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_remedy(read: Callable[[str], object], cell: str) -> None:
    with pytest.raises(ValueError, match=r"^[^|]+\|[^|]+$"):
        read(cell)
