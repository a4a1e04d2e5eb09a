"""Days and weekly hours."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from mentorgraph.graph.world.clocks import (
    PATTERNS,
    SLOT_MINUTES,
    Clock,
    first_day_of,
    meeting_slots,
    offsets,
    overlap_minutes,
    slots,
    time_of_day,
)

clocks = st.tuples(st.sampled_from(sorted(offsets())), st.sampled_from(sorted(PATTERNS)))


def winter_of(zone: str) -> timedelta:
    """The smaller offset of the year: in both hemispheres that of winter."""
    found = [datetime(2025, month, 15, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    return min(each for each in found if each is not None)


def minutes_of(clock: Clock) -> set[int]:
    """Every minute of the UTC week that a clock has free."""
    zone, pattern = clock
    weekdays, start, end = PATTERNS[pattern]
    shift = int(winter_of(zone).total_seconds()) // 60
    return {((day - 1) * 1440 + minute - shift) % 10_080 for day in weekdays for minute in range(start, end)}


@given(clocks, clocks)
def test_overlap_counts_the_minutes_that_both_weeks_have_free(one: Clock, other: Clock) -> None:
    assert overlap_minutes(one, other) == len(minutes_of(one) & minutes_of(other))


def test_written_offsets_are_those_of_the_zones_in_winter() -> None:
    assert {zone: int(winter_of(zone).total_seconds()) // 60 for zone in offsets()} == offsets()


@given(clocks, clocks)
def test_people_meet_when_both_are_free_or_else_when_the_first_one_is(one: Clock, other: Clock) -> None:
    common = slots(one) & slots(other)
    met = meeting_slots(one, other)
    assert met
    assert all((common or slots(one)) >> slot & 1 for slot in met)
    assert len(met) * SLOT_MINUTES == (overlap_minutes(one, other) or overlap_minutes(one, one))


def test_a_period_of_months_ends_on_its_last_day() -> None:
    assert first_day_of(date(2026, 6, 30), 24) == date(2024, 7, 1)
    assert first_day_of(date(2026, 6, 30), 4) == date(2026, 3, 1)
    assert first_day_of(date(2026, 6, 14), 1) == date(2026, 5, 15)
    assert first_day_of(date(2025, 3, 30), 1) == date(2025, 2, 28)


def test_a_time_of_day_has_two_digits_each() -> None:
    assert [time_of_day(minutes) for minutes in (0, 545, 1440)] == ["00:00", "09:05", "24:00"]
