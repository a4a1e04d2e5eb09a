"""Time in common: equal to a table worked out by hand, and free of conflict by a slow check minute by minute."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from mentorgraph.graph.calendar.reading import Span, StatedWindow
from mentorgraph.graph.calendar.slots import STEP_MINUTES, PersonTimes, propose_slots

LISBON, AUCKLAND = "Europe/Lisbon", "Pacific/Auckland"
MINUTE = timedelta(minutes=1)
WEEK = timedelta(weeks=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def free(zone: str, days: str, start: str, end: str) -> PersonTimes:
    return PersonTimes(zone, tuple(StatedWindow(int(day), start, end, zone) for day in days))


def shown(slots: list[Span]) -> list[str]:
    return [f"{each.since:%m-%d %H:%M}" for each in slots]


# Mornings in Lisbon, 8 to 10, are evenings in Auckland, 20 to 22.
#   until 29 March        Lisbon is at UTC:    8 to 10 UTC   Auckland at UTC+13:  7 to  9 UTC   both:  8 to 9
#   29 March to 5 April   Lisbon is at UTC+1:  7 to  9 UTC   Auckland at UTC+13:  7 to  9 UTC   both:  7 to 9
#   5 April to 27 Sept.   Lisbon is at UTC+1:  7 to  9 UTC   Auckland at UTC+12:  8 to 10 UTC   both:  8 to 9
#   27 Sept. to 25 Oct.   Lisbon is at UTC+1:  7 to  9 UTC   Auckland at UTC+13:  7 to  9 UTC   both:  7 to 9
#   from 25 October       Lisbon is at UTC:    8 to 10 UTC   Auckland at UTC+13:  7 to  9 UTC   both:  8 to 9
MORNINGS = {
    "03-27": ["03-27 08:00"],
    "03-28": [],  # a Saturday
    "03-30": ["03-30 07:00", "03-30 08:00"],
    "04-03": ["04-03 07:00", "04-03 08:00"],
    "04-06": ["04-06 08:00"],
    "09-25": ["09-25 08:00"],
    "09-28": ["09-28 07:00", "09-28 08:00"],
    "10-23": ["10-23 07:00", "10-23 08:00"],
    "10-26": ["10-26 08:00"],
}


@pytest.mark.parametrize("day", MORNINGS)
def test_auckland_and_lisbon_meet_when_the_table_says(day: str) -> None:
    both = [free(LISBON, "12345", "08:00", "10:00"), free(AUCKLAND, "12345", "20:00", "22:00")]
    whole = Span(at(f"{day} 00:00"), at(f"{day} 00:00") + timedelta(days=1))
    assert shown(propose_slots(both, whole, 60, 10)) == MORNINGS[day]


# In the nights themselves, half an hour at a time:
#   Lisbon, Sunday 29 March, 00:30 to 03:00: its clock goes from 00:59 to 02:00, which is 01:00 UTC, so 00:30 to 02:00
#     UTC. Auckland, 13:00 to 16:00 that Sunday at UTC+13: 00:00 to 03:00 UTC.
#   Auckland, Sunday 5 April, 02:00 to 04:00: its clock shows 02:00 to 03:00 twice, so three hours: Saturday 13:00 to
#     16:00 UTC. Lisbon, that Saturday 14:00 to 18:00 at UTC+1: 13:00 to 17:00 UTC.
#   Auckland, Sunday 27 September, 01:00 to 04:00: its clock goes from 01:59 to 03:00, so two hours: Saturday 13:00 to
#     15:00 UTC. Lisbon as above.
#   Lisbon, Sunday 25 October, 00:30 to 02:30: its clock shows 01:00 to 02:00 twice, so three hours: Saturday 23:30 to
#     Sunday 02:30 UTC. Auckland, 12:00 to 16:00 that Sunday at UTC+13: Saturday 23:00 to Sunday 03:00 UTC.
NIGHTS = [
    (("7", "00:30", "03:00"), ("7", "13:00", "16:00"), "03-28 12:00", ("03-29 00:30", "03-29 01:30", 3)),
    (("6", "14:00", "18:00"), ("7", "02:00", "04:00"), "04-04 00:00", ("04-04 13:00", "04-04 15:30", 6)),
    (("6", "14:00", "18:00"), ("7", "01:00", "04:00"), "09-26 00:00", ("09-26 13:00", "09-26 14:30", 4)),
    (("7", "00:30", "02:30"), ("7", "12:00", "16:00"), "10-24 12:00", ("10-24 23:30", "10-25 02:00", 6)),
]


@pytest.mark.parametrize(("lisbon", "auckland", "since", "right"), NIGHTS)
def test_the_nights_in_which_clocks_change_are_as_the_table_says(
    lisbon: tuple[str, str, str], auckland: tuple[str, str, str], since: str, right: tuple[str, str, int]
) -> None:
    both = [free(LISBON, *lisbon), free(AUCKLAND, *auckland)]
    slots = propose_slots(both, Span(at(since), at(since) + timedelta(days=1)), 30, 50)
    starts = shown(slots)
    assert (starts[0], starts[-1], len(starts)) == right
    assert all(later.since - each.since == timedelta(minutes=30) for each, later in itertools.pairwise(slots))


def test_whoever_has_said_nothing_is_asked_within_working_hours() -> None:
    both = [PersonTimes(LISBON), free("UTC", "1234567", "00:00", "24:00")]
    slots = propose_slots(both, Span(at("03-07 00:00"), at("03-10 00:00")), 480, 5)
    assert shown(slots) == ["03-09 09:00"]


def test_holidays_are_days_of_the_persons_own_zone() -> None:
    always = free("UTC", "1234567", "00:00", "24:00")
    kiwi = PersonTimes(AUCKLAND, always.windows, holidays=frozenset([date(2026, 2, 6)]))
    within = Span(at("02-05 00:00"), at("02-07 00:00"))
    assert shown(propose_slots([always, kiwi], within, 480, 9)) == ["02-05 00:00", "02-06 11:00"]
    assert len(propose_slots([always, always], within, 480, 9)) == 6


def test_proposals_lie_within_the_span_do_not_overlap_and_are_no_more_than_asked_for() -> None:
    always = free("UTC", "1234567", "00:00", "24:00")
    within = Span(at("03-03 10:07"), at("03-03 12:00"))
    assert shown(propose_slots([always, always], within, 40, 9)) == ["03-03 10:15", "03-03 11:00"]
    assert shown(propose_slots([always, always], within, 40, 1)) == ["03-03 10:15"]
    assert propose_slots([always, always], within, 120, 9) == []


# --- the slow check ---------------------------------------------------------------------------------------------------

ZONES = (LISBON, AUCKLAND, "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "UTC")
CHANGES = [date(2026, 3, 9), date(2026, 3, 30), date(2026, 4, 6), date(2026, 9, 28), date(2026, 10, 26)]


@cache
def clock(zone: str, minute: datetime) -> tuple[int, str, date]:
    """Weekday, time of day and date that a zone's clock shows."""
    local = minute.astimezone(ZoneInfo(zone))
    return local.isoweekday(), f"{local:%H:%M}", local.date()


def is_free(person: PersonTimes, minute: datetime) -> bool:
    """The definition, for one minute."""
    if clock(person.zone, minute)[2] in person.holidays or any(
        each.since < minute + MINUTE and minute < each.until for each in person.taken
    ):
        return False
    return any(
        each.weekday == clock(each.zone, minute)[0]
        and each.start <= clock(each.zone, minute)[1] < each.end
        and (each.since is None or each.since <= minute)
        and (each.until is None or minute < each.until)
        for each in person.windows
    )


def conflicts(people: list[PersonTimes], slots: list[Span], within: Span) -> list[Span]:
    """Proposals in which somebody is not free, or that lie where they must not."""
    found = []
    for place, slot in enumerate(slots):
        minutes = int((slot.until - slot.since) / MINUTE)
        free = all(is_free(person, slot.since + n * MINUTE) for person in people for n in range(minutes))
        apart = place == 0 or slots[place - 1].until <= slot.since
        if not (free and apart and within.since <= slot.since and slot.until <= within.until):
            found.append(slot)
    return found


def earliest(people: list[PersonTimes], within: Span, minutes: int, first: int) -> list[Span]:
    """All that could be proposed, found by trying every quarter of an hour; for times in steps of five minutes."""
    found: list[Span] = []
    start = datetime.combine(within.since.date(), datetime.min.time(), UTC)
    length = minutes * MINUTE
    while start + length <= within.until and len(found) < first:
        fits = start >= within.since and not (found and start < found[-1].until)
        if fits and all(is_free(person, start + n * MINUTE) for person in people for n in range(0, minutes, 5)):
            found.append(Span(start, start + length))
        start += STEP_MINUTES * MINUTE
    return found


def random_person(draw: random.Random, origin: datetime, step: int) -> PersonTimes:
    def moment() -> datetime:
        return origin + draw.randrange(0, 14 * 24 * 60, step) * MINUTE

    zone = draw.choice(ZONES)
    windows = []
    for _ in range(draw.randint(2, 8)):
        start = draw.randrange(0, 20 * 60, 5)
        end = min(start + draw.randrange(60, 12 * 60, 5), 24 * 60)
        since, until = (moment() if draw.random() < 0.2 else None for _ in range(2))
        begins, ends = (f"{each // 60:02d}:{each % 60:02d}" for each in (start, end))
        windows.append(
            StatedWindow(draw.randint(1, 7), begins, ends, draw.choice([zone, zone, draw.choice(ZONES)]), since, until)
        )
    taken = [
        Span(start, start + draw.randrange(5, 300, step) * MINUTE)
        for start in (moment() for _ in range(draw.randint(0, 25)))
    ]
    if draw.random() < 0.3:
        away = moment()
        taken.append(Span(away, away + timedelta(days=draw.randint(1, 4))))
    days = frozenset(origin.date() + timedelta(days=draw.randint(0, 13)) for _ in range(draw.randint(0, 2)))
    return PersonTimes(zone, tuple(windows), tuple(taken), days)


def random_question(draw: random.Random, step: int) -> tuple[list[PersonTimes], Span, int]:
    monday = datetime.combine(draw.choice(CHANGES) - timedelta(days=7), datetime.min.time(), UTC)
    since = monday + draw.randrange(0, 3 * 24 * 60) * MINUTE
    people = [random_person(draw, monday, step) for _ in range(2)]
    return people, Span(since, since + timedelta(days=draw.randint(3, 10))), draw.choice([15, 25, 30, 45, 60, 90])


def test_no_proposal_over_random_calendars_is_in_conflict(count: Callable[[int, int], int]) -> None:
    proposals = 0
    for seed in range(count(60, 5_000)):
        draw = random.Random(seed)  # noqa: S311
        people, within, minutes = random_question(draw, step=1)
        slots = propose_slots(people, within, minutes, 5)
        assert conflicts(people, slots, within) == [], seed
        proposals += len(slots)
    assert proposals > 60


def test_every_time_that_could_be_proposed_is_found(count: Callable[[int, int], int]) -> None:
    for seed in range(count(20, 1_000)):
        draw = random.Random(1_000_000 + seed)  # noqa: S311
        people, within, minutes = random_question(draw, step=5)
        minutes = -(-minutes // 5) * 5
        assert propose_slots(people, within, minutes, 5) == earliest(people, within, minutes, 5), seed


def test_a_conflict_is_seen_by_the_slow_check() -> None:
    seen = 0
    for seed in range(60):
        draw = random.Random(seed)  # noqa: S311
        people, within, minutes = random_question(draw, step=1)
        blind = [replace(each, taken=(), holidays=frozenset()) for each in people]
        seen += bool(conflicts(people, propose_slots(blind, within, minutes, 5), within))
    assert seen > 10
    summer = [free(LISBON, "7", "09:00", "10:00")] * 2
    an_hour_late = [Span(at("03-29 09:00"), at("03-29 10:00"))]
    assert conflicts(summer, an_hour_late, Span(at("03-29 00:00"), at("03-30 00:00"))) == an_hour_late
