"""Free time in memory: as each person's own windows and spans give it, and the pattern that the coming weeks have."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mentorgraph.graph.calendar.availability import free_bits, shared_minutes, week_of
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.free_time import WEEKS, free_slots, open_weeks, week
from mentorgraph.graph.columns.pool import Pool
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.rules.policy import load_policy

NOW = datetime(2026, 3, 25, 12, tzinfo=UTC)  # the clocks of Europe change on the Sunday of this week
MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
SETTINGS = load_policy().signals


def put(columns: Columns, file: str, **row: object) -> None:
    for record in facts_of(file, row, "test"):
        columns.put(record)


def test_free_slots_are_windows_less_all_that_is_taken() -> None:
    draws = random.Random(1)  # noqa: S311
    columns, taken = Columns(), {}
    for unit in ("u0", "u1"):
        put(columns, "units", id=unit, name=unit)
    for number in range(40):
        name = f"p{number}"
        put(columns, "people", id=name, name=name, joined_on="2020-01-01")
        if number % 8:
            for weekday in (1, 3, 7):
                put(columns, "availability", person_id=name, weekday=weekday, start="08:00", end="18:00",
                    zone=draws.choice(["Europe/Lisbon", "Pacific/Auckland"]), since="2025-01-01")  # fmt: skip
        spans = []
        for kind in ("busy_times", "absences"):
            for _ in range(draws.randrange(3)):
                since = MONDAY + timedelta(minutes=7 * draws.randrange(-500, 1500))
                until = since + timedelta(minutes=13 * draws.randrange(1, 200))
                put(columns, kind, person_id=name, since=since, until=until)
                spans += [(since, until)] if kind == "busy_times" or since < NOW else []
        if number % 3 == 0:
            put(columns, "unit_membership", person_id=name, unit_id=f"u{number % 2}", since="2025-01-01")
            spans += [(MONDAY + timedelta(days=2), MONDAY + timedelta(days=4))] if number % 2 else []
        taken[number] = spans
    put(
        columns,
        "phases",
        unit_id="u1",
        name="Launch",
        since=MONDAY + timedelta(days=2),
        until=MONDAY + timedelta(days=4),
    )
    free, stated = free_slots(columns, NOW)
    windows, valid = columns.tables["availability"], columns.tables["availability"].valid(NOW.timestamp())
    for number, spans in taken.items():
        rows = [row for row in np.flatnonzero(valid) if windows.numbers("person")[row] == number]
        right = free_bits([columns.window(int(row)) for row in rows], spans, week_of(NOW))
        assert np.array_equal(free[number], right), number
        assert stated[number] == bool(number % 8)
    assert free.any()
    everybody = week(columns, NOW)
    for number in taken:
        assert (
            everybody.shared_minutes(number, Pool.everybody(columns)).tolist()
            == shared_minutes(free[number], free).tolist()
        )


def test_the_pattern_that_was_planted_is_found_in_nine_of_ten_calendars() -> None:
    draws = random.Random(2)  # noqa: S311
    columns, ongoing = Columns(), []
    for number in range(200):
        name = f"p{number}"
        put(columns, "people", id=name, name=name, joined_on="2020-01-01")
        for weekday in range(1, 6):
            put(columns, "availability", person_id=name, weekday=weekday, start="16:00", end="18:00", zone="UTC",
                since="2025-01-01")  # fmt: skip
        ongoing.append(draws.random() < 0.5)
        for each in range(WEEKS):
            begin = MONDAY + timedelta(weeks=each)
            busy_days = draws.choice([0, 1, 1, 2]) if ongoing[-1] else draws.choice([1, 4, 5, 5])
            for day in draws.sample(range(5), busy_days):
                since = begin + timedelta(days=day, hours=draws.choice([9, 15, 16, 16]))
                put(columns, "busy_times", person_id=name, since=since, until=since + timedelta(hours=3))
    found = open_weeks(columns, NOW, SETTINGS) >= SETTINGS.ongoing_share
    assert (found == np.array(ongoing)).mean() >= 0.9
    shuffled = np.array(draws.sample(ongoing, len(ongoing)))
    assert (found == shuffled).mean() < 0.7


def test_a_week_is_open_where_half_of_it_is_left_and_nobody_is_told_of_who_stated_nothing() -> None:
    columns = Columns()
    for name in ("a", "b", "c"):
        put(columns, "people", id=name, name=name, joined_on="2020-01-01")
        if name != "c":
            put(columns, "availability", person_id=name, weekday=1, start="10:00", end="12:00", zone="UTC",
                since="2025-01-01")  # fmt: skip
        for each in range(3):
            since = MONDAY + timedelta(weeks=each, hours=11 if name == "a" else 10, minutes=0 if name == "a" else 55)
            put(columns, "busy_times", person_id=name, since=since, until=since + timedelta(hours=2))
    assert open_weeks(columns, NOW, SETTINGS)[:2].tolist() == pytest.approx([1.0, 5 / 8])
    assert np.isnan(open_weeks(columns, NOW, SETTINGS)[2])


def test_a_week_that_is_renewed_after_changes_is_as_if_it_were_looked_at_for_the_first_time() -> None:
    draws, now, told = random.Random(4), NOW, list[tuple[str, dict[str, object]]]()  # noqa: S311
    columns, renewed, differing = Columns(), 0, 0

    def tell(file: str, **row: object) -> None:
        told.append((file, row))
        put(columns, file, **row)

    for number in range(12):
        tell("people", id=f"p{number}", name=f"p{number}", joined_on="2020-01-01")
    for turn in range(80):
        before = columns.tables["availability"].version
        for _ in range(draws.randrange(3)):
            number = draws.randrange(12 + turn // 10)
            if number >= 12:
                tell("people", id=f"p{number}", name=f"p{number}", joined_on="2020-01-01")
            since = now + timedelta(hours=draws.randrange(-90, 40))
            tell("availability", person_id=f"p{number}", weekday=draws.randrange(1, 4), start="08:00", zone="UTC",
                 end=draws.choice(["09:00", "10:00"]), since=since.replace(minute=0, second=0),
                 until=since + timedelta(hours=draws.randrange(1, 120)))  # fmt: skip
        old = columns._derived.get("windows")
        found, fresh = week(columns, now), Columns()
        for file, row in told:
            put(fresh, file, **row)
        right = week(fresh, now)
        for name in ("windows", "free", "stated", "by_slots"):
            np.testing.assert_array_equal(getattr(found, name), getattr(right, name))
        if old is not None:
            renewed += columns.tables["availability"].changed_since(before) is not None
            same = len(old[1].bits) == len(right.windows) and np.array_equal(old[1].bits, right.windows)
            differing += not same
        now += timedelta(minutes=draws.randrange(-200, 900))
    assert renewed > 20
    assert differing > 20


def test_what_a_table_was_told_since_a_version_is_known_until_a_fact_is_linked_to_something_else() -> None:
    columns = Columns()
    table = columns.tables["availability"]
    for name in ("a", "b"):
        put(columns, "people", id=name, name=name, joined_on="2020-01-01")
        put(
            columns,
            "availability",
            person_id=name,
            weekday=1,
            start="10:00",
            end="12:00",
            zone="UTC",
            since="2025-01-01",
        )
    before, first = table.version, table.record(0)
    assert table.changed_since(before) == []
    columns.put(table.record(1))
    columns.put(replace(first, properties={**first.properties, "end": "13:00"}))
    assert table.changed_since(before) == [0, 1]
    assert table.changed_since(before + 1) == [0]
    assert table.copy().changed_since(before) is None
    columns.put(replace(first, links=table.record(1).links))
    assert table.changed_since(before) is None
    assert table.changed_since(table.version) == []
