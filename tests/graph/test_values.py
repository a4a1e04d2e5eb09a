"""Values: what is read from text, what is refused, and that writing and reading again gives the same."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.facts.values import Value, choice, instant, items, number, plain, text, time_of_day, whole, zone


def refusal(read: Callable[[object], Value], value: object) -> str:
    with pytest.raises(ValueError, match=r"\|") as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (" 2026-01-31 ", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00.123999+02:00", datetime(2026, 1, 31, 7, 30, 0, 123000, tzinfo=UTC)),
        (date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)),
        (datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 30, 23, tzinfo=UTC)),
    ],
)
def test_a_day_is_its_midnight_and_an_instant_comes_in_utc_to_the_millisecond(
    given_text: object, expected: datetime
) -> None:
    assert instant(given_text) == expected


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("31.01.2026", "is not a date"),
        ("2026-02-30", "is not a date"),
        ("2026-01-31T09:30:00", "has no offset from UTC"),
        ("1899-12-31", "lies outside"),
        ("0001-01-01T00:00:00+14:00", "lies outside"),
        ("9999-12-31T23:59:59-12:00", "lies outside"),
        ("2026-01-31\x00", "is not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_its_reason(wrong: str, reason: str) -> None:
    assert refusal(instant, wrong).startswith(reason)


def test_numbers_stay_within_their_bounds() -> None:
    assert number(0, 1)("1") == 1.0
    assert type(number(0, 1)("1")) is float
    for wrong in ("1.01", "-0.1", "nan", "inf", "one", "1,5"):
        refusal(number(0, 1), wrong)
    assert whole(1, 5)("5") == 5
    for wrong in ("0", "6", "2.5", "٣", "9" * 40):
        refusal(whole(1, 5), wrong)


def test_a_choice_is_read_in_any_case_and_with_spaces() -> None:
    assert choice("long_term", "peer")(" Long-Term ") == "long_term"
    assert refusal(choice("long_term", "peer"), "longterm").endswith("use long_term, peer")


def test_zones_and_times_of_day_are_those_that_exist() -> None:
    assert zone("Europe/Lisbon") == "Europe/Lisbon"
    refusal(zone, "CEST")
    assert [time_of_day(each) for each in ("9:05", "00:00", "24:00")] == ["09:05", "00:00", "24:00"]
    for wrong in ("24:05", "09:03", "9", "09:60", "9.30"):
        refusal(time_of_day, wrong)


def test_text_is_cleaned_of_what_cannot_be_seen_and_limited_in_length() -> None:
    assert text(20)(" e\u0301\x00\x07\r\nb\rc\t ") == "é\nb\nc"
    assert refusal(text(3), "four") == "has 4 characters|shorten it to 3"
    refusal(text(3), "\ud800")


def test_a_list_has_no_empty_entry_and_none_twice() -> None:
    assert items(" b |a||b| ") == ["b", "a"]
    assert items(["a|b", "c"]) == ["a", "b", "c"]


@given(st.text(max_size=300))
def test_text_that_was_read_once_is_read_again_as_it_is(anything: str) -> None:
    try:
        once = text(200)(anything)
    except ValueError:
        return
    assert text(200)(once) == once


@given(st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))
def test_an_instant_is_read_again_from_what_is_written(anytime: datetime) -> None:
    once = instant(anytime)
    assert instant(plain(once)) == once


@given(st.floats(0, 744))
def test_a_number_is_read_again_from_what_is_written(anything: float) -> None:
    assert number(0, 744)(plain(anything)) == anything


@given(st.lists(st.text(alphabet="ab| \n", max_size=5)))
def test_a_list_is_read_again_from_what_is_written(anything: list[str]) -> None:
    once = items(anything)
    assert items(plain(once)) == once
