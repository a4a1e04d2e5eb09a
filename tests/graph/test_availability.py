"""Weekly windows in local time as minutes of a UTC week, also in the weeks in which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.calendar.availability import Window, free_bits, shared_minutes, span_bits, week_of, window_bits

MONDAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31)).map(lambda day: day - timedelta(days=day.weekday()))
ZONES = st.sampled_from(
    ["Europe/Lisbon", "Pacific/Auckland", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
)
TIMES = st.integers(0, 287).map(lambda slot: f"{slot // 12:02d}:{slot % 12 * 5:02d}")
WINDOWS = st.builds(
    lambda weekday, first, last, zone: Window(weekday, min(first, last), max(first, last), zone),
    st.integers(1, 7), TIMES, TIMES | st.just("24:00"), ZONES,
)  # fmt: skip


def spans(bits: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[str]:
    """Free spans as `Sat 23:45-Sun 00:15`, in UTC."""
    free = np.flatnonzero(np.diff(np.concatenate([[0], np.unpackbits(bits), [0]]).astype(int)))
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "end")

    def told(slot: int) -> str:
        return f"{days[slot // 288]} {slot % 288 // 12:02d}:{slot % 12 * 5:02d}"

    return [f"{told(first)}-{told(last)}" for first, last in zip(free[::2], free[1::2], strict=True)]


def free_by_the_minute(window: Window, monday: date) -> list[bool]:
    """The definition: a minute is free if the wall clock then shows a time of the window."""
    first = datetime.combine(monday, time(), UTC)
    minutes = []
    for minute in range(0, 7 * 24 * 60, 5):
        shown = (first + timedelta(minutes=minute)).astimezone(ZoneInfo(window.zone))
        minutes.append(shown.isoweekday() == window.weekday and window.start <= f"{shown:%H:%M}" < window.end)
    return minutes


@pytest.mark.parametrize(
    ("monday", "window", "right"),
    [
        # Lisbon is at UTC in winter and an hour on in summer.
        ("2026-03-02", (1, "09:00", "11:00", "Europe/Lisbon"), ["Mon 09:00-Mon 11:00"]),
        ("2026-06-01", (1, "09:00", "11:00", "Europe/Lisbon"), ["Mon 08:00-Mon 10:00"]),
        # On Sunday, 29 March 2026, at 01:00 its clocks go to 02:00.
        ("2026-03-23", (7, "00:30", "01:30", "Europe/Lisbon"), ["Sun 00:30-Sun 01:00"]),
        ("2026-03-23", (7, "01:00", "02:00", "Europe/Lisbon"), []),
        ("2026-03-23", (7, "01:30", "03:00", "Europe/Lisbon"), ["Sun 01:00-Sun 02:00"]),
        ("2026-03-23", (7, "00:00", "24:00", "Europe/Lisbon"), ["Sun 00:00-Sun 23:00"]),
        # On Sunday, 25 October 2026, at 02:00 they go back to 01:00.
        ("2026-10-19", (7, "01:30", "01:45", "Europe/Lisbon"), ["Sun 00:30-Sun 00:45", "Sun 01:30-Sun 01:45"]),
        ("2026-10-19", (7, "00:30", "03:00", "Europe/Lisbon"), ["Sat 23:30-Sun 03:00"]),
        ("2026-10-19", (7, "09:00", "10:00", "Europe/Lisbon"), ["Sun 09:00-Sun 10:00"]),
        ("2026-10-19", (6, "09:00", "10:00", "Europe/Lisbon"), ["Sat 08:00-Sat 09:00"]),
        # Auckland is 13 hours on in its summer and 12 in winter; its Monday begins on Sunday.
        ("2026-03-02", (2, "09:00", "10:00", "Pacific/Auckland"), ["Mon 20:00-Mon 21:00"]),
        ("2026-06-01", (2, "09:00", "10:00", "Pacific/Auckland"), ["Mon 21:00-Mon 22:00"]),
        ("2026-03-02", (1, "09:00", "10:00", "Pacific/Auckland"), ["Sun 20:00-Sun 21:00"]),
        # On Sunday, 5 April 2026, at 03:00 its clocks go back to 02:00, which is Saturday 14:00 UTC.
        ("2026-03-30", (7, "02:15", "02:30", "Pacific/Auckland"), ["Sat 13:15-Sat 13:30", "Sat 14:15-Sat 14:30"]),
        ("2026-03-30", (7, "09:00", "10:00", "Pacific/Auckland"), ["Sat 21:00-Sat 22:00"]),
        # On Sunday, 27 September 2026, at 02:00 they go to 03:00, which is Saturday 14:00 UTC.
        ("2026-09-21", (7, "01:30", "03:30", "Pacific/Auckland"), ["Sat 13:30-Sat 14:30"]),
        ("2026-09-21", (7, "02:00", "03:00", "Pacific/Auckland"), []),
        ("2026-09-21", (7, "09:00", "10:00", "Pacific/Auckland"), ["Sat 20:00-Sat 21:00"]),
    ],
)
def test_a_window_follows_the_clocks(monday: str, window: tuple[int, str, str, str], right: list[str]) -> None:
    assert spans(window_bits(Window(*window), date.fromisoformat(monday))) == right


@given(WINDOWS, MONDAYS)
def test_a_window_is_what_its_definition_gives(window: Window, monday: date) -> None:
    assert np.unpackbits(window_bits(window, monday)).astype(bool).tolist() == free_by_the_minute(window, monday)


def test_the_clock_of_another_week_gives_another_answer() -> None:
    window = Window(1, "09:00", "11:00", "Europe/Lisbon")
    winter = np.unpackbits(window_bits(window, date(2026, 3, 2))).astype(bool).tolist()
    assert winter != free_by_the_minute(window, date(2026, 6, 1))


@given(st.lists(WINDOWS, max_size=4), st.lists(WINDOWS, max_size=4), MONDAYS)
def test_shared_time_is_the_same_from_both_sides_and_that_of_the_definition(
    one: list[Window], other: list[Window], monday: date
) -> None:
    first, second = free_bits(one, [], monday), free_bits(other, [], monday)
    [shared] = shared_minutes(first, second[np.newaxis])
    assert [shared] == shared_minutes(second, first[np.newaxis]).tolist()
    slots = [
        any(at) and any(also)
        for at, also in zip(
            zip(*(free_by_the_minute(each, monday) for each in one), strict=True) if one else [()] * 2016,
            zip(*(free_by_the_minute(each, monday) for each in other), strict=True) if other else [()] * 2016,
            strict=True,
        )
    ]
    assert shared == 5 * sum(slots)


def test_absences_are_taken_out_to_the_whole_slot() -> None:
    monday = date(2026, 3, 2)
    windows = [Window(1, "09:00", "11:00", "Europe/Lisbon")]
    away = (datetime(2026, 3, 2, 9, 58, tzinfo=UTC), datetime(2026, 3, 2, 10, 11, tzinfo=UTC))
    assert spans(free_bits(windows, [away], monday)) == ["Mon 09:00-Mon 09:55", "Mon 10:15-Mon 11:00"]


@pytest.mark.parametrize(
    ("since", "until", "right"),
    [
        ("2026-02-01", "2026-03-03", ["Mon 00:00-Tue 00:00"]),
        ("2026-03-08", "2026-05-01", ["Sun 00:00-end 00:00"]),
        ("2026-02-01", "2026-03-02", []),
        ("2026-03-09", "2026-03-10", []),
        ("2026-02-01", "2026-05-01", ["Mon 00:00-end 00:00"]),
    ],
)
def test_a_span_is_cut_to_the_week(since: str, until: str, right: list[str]) -> None:
    first, last = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (since, until))
    assert spans(span_bits(first, last, date(2026, 3, 2))) == right


def test_a_week_begins_on_monday_in_utc() -> None:
    assert week_of(datetime(2026, 3, 8, 23, 59, tzinfo=UTC)) == date(2026, 3, 2)
    assert week_of(datetime(2026, 3, 9, 5, 0, tzinfo=ZoneInfo("Pacific/Auckland"))) == date(2026, 3, 2)
    assert week_of(datetime(2026, 3, 9, tzinfo=UTC)) == date(2026, 3, 9)
