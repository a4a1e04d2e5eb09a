"""What a calendar tells: times worked out by hand, zones and clock changes, and files made to do harm."""

import warnings
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from mentorgraph.graph.calendar.components import MOST_BYTES, MOST_COMPONENTS, MOST_VALUES
from mentorgraph.graph.calendar.errors import UnreadableCalendar
from mentorgraph.graph.calendar.reading import MOST_OCCURRENCES, Span, StatedWindow, Times, read_calendar, union
from mentorgraph.graph.calendar.recurrence import MOST_WORK, Work, occurrences

HORIZON = Span(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 13, tzinfo=UTC))
EARLY = "DTSTART:19500101T090000Z"


def at(text: str) -> datetime:
    """`03-05 09:00` of 2026 in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def spans(*texts: str) -> tuple[Span, ...]:
    """`03-05 09:00 10:00`, or `03-05 22:00 03-06 01:00`."""
    found = []
    for text in texts:
        parts = text.split(" ")
        end = parts[2:] if len(parts) == 4 else [parts[0], parts[2]]
        found.append(Span(at(" ".join(parts[:2])), at(" ".join(end))))
    return tuple(found)


def calendar(*components: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *components, "END:VCALENDAR", ""])


def event(*lines: str, start: str = "DTSTART:20260303T090000Z", end: str = "DTEND:20260303T100000Z") -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1", *filter(None, (start, end)), *lines, "END:VEVENT"])


def read(*components: str, zone: str = "", horizon: Span = HORIZON) -> Times:
    return read_calendar(calendar(*components), horizon, zone)


@pytest.mark.parametrize(
    ("lines", "right"),
    [
        pytest.param([], ["03-03 09:00 10:00"], id="once"),
        pytest.param(
            ["RRULE:FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20260312T235959Z"],
            ["03-03 09:00 10:00", "03-05 09:00 10:00", "03-10 09:00 10:00", "03-12 09:00 10:00"],
            id="weekly",
        ),
        pytest.param(
            ["RRULE:FREQ=DAILY;INTERVAL=10;COUNT=3", "EXDATE:20260313T090000Z"],
            ["03-03 09:00 10:00", "03-23 09:00 10:00"],
            id="an exception counts for COUNT",
        ),
        pytest.param(
            ["RRULE:FREQ=MONTHLY;BYDAY=1TU", "RDATE:20260304T120000Z,20260305T120000Z"],
            ["03-03 09:00 10:00", "03-04 12:00 13:00", "03-05 12:00 13:00", "04-07 09:00 10:00"],
            id="first Tuesday and further dates",
        ),
        pytest.param(
            ["RDATE;VALUE=PERIOD:20260306T120000Z/PT30M,20260307T120000Z/20260307T140000Z"],
            ["03-03 09:00 10:00", "03-06 12:00 12:30", "03-07 12:00 14:00"],
            id="periods",
        ),
        pytest.param(["RRULE:FREQ=YEARLY"], ["03-03 09:00 10:00"], id="yearly"),
        pytest.param(["TRANSP:TRANSPARENT"], [], id="transparent"),
        pytest.param(["STATUS:CANCELLED"], [], id="cancelled"),
        pytest.param(["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], [], id="free"),
        pytest.param(["STATUS:TENTATIVE"], ["03-03 09:00 10:00"], id="tentative"),
    ],
)
def test_an_event_is_busy_when_it_takes_place(lines: list[str], right: list[str]) -> None:
    found = read(event(*lines))
    assert (found.busy, found.absences, found.windows, found.left_out) == (spans(*right), (), None, {})


def test_a_rule_that_began_long_ago_goes_on() -> None:
    old = event("RRULE:FREQ=WEEKLY;INTERVAL=2", start="DTSTART:19990105T090000Z", end="DTEND:19990105T100000Z")
    # 5 January 1999 is a Tuesday; 3 March 2026 lies 1,417 weeks later, an odd number.
    assert read(old).busy == spans("03-10 09:00 10:00", "03-24 09:00 10:00", "04-07 09:00 10:00")


@pytest.mark.parametrize(
    ("zone", "right"),
    [
        # Lisbon's clocks go on by an hour on Sunday, 29 March; Auckland's go back by one on Sunday, 5 April.
        ("Europe/Lisbon", ["03-24 09:00 10:00", "03-31 08:00 09:00", "04-07 08:00 09:00"]),
        ("Pacific/Auckland", ["03-23 20:00 21:00", "03-30 20:00 21:00", "04-06 21:00 22:00"]),
        ("GMT Standard Time", ["03-24 09:00 10:00", "03-31 08:00 09:00", "04-07 08:00 09:00"]),
        ("/mozilla.org/20050126_1/Europe/Lisbon", ["03-24 09:00 10:00", "03-31 08:00 09:00", "04-07 08:00 09:00"]),
        ("Our Office", ["03-24 09:00 10:00", "03-31 08:00 09:00", "04-07 08:00 09:00"]),
    ],
)
def test_a_weekly_event_follows_the_clock_of_its_zone(zone: str, right: list[str]) -> None:
    named = "BEGIN:VTIMEZONE\r\nTZID:Our Office\r\nX-LIC-LOCATION:Europe/Lisbon\r\nEND:VTIMEZONE"
    start, end = f"DTSTART;TZID={zone}:20260324T090000", f"DTEND;TZID={zone}:20260324T100000"
    found = read(named, event("RRULE:FREQ=WEEKLY;COUNT=3", start=start, end=end))
    assert (found.busy, found.left_out) == (spans(*right), {})


def test_a_time_that_the_clock_skips_or_shows_twice_is_read_as_the_standard_says() -> None:
    """RFC 5545, 3.3.5: in a gap by the offset before it; of two the first."""
    gap = event(start="DTSTART;TZID=Europe/Lisbon:20260329T013000", end="DURATION:PT15M")
    assert read(gap).busy == spans("03-29 01:30 01:45")
    twice = event(start="DTSTART;TZID=Pacific/Auckland:20260405T023000", end="DURATION:PT15M")
    assert read(twice).busy == spans("04-04 13:30 13:45")


def test_whole_days_and_times_without_a_zone_are_those_of_the_person_or_the_calendar() -> None:
    day = event(start="DTSTART;VALUE=DATE:20260329", end="")
    floating = event(start="DTSTART:20260310T090000", end="DTEND:20260310T100000")
    both = [day, floating]
    right = {
        "Europe/Lisbon": ("03-10 09:00 10:00", "03-29 00:00 03-29 23:00"),
        "UTC": ("03-10 09:00 10:00", "03-29 00:00 03-30 00:00"),
    }
    for zone, told in right.items():
        assert read(*both, zone=zone).busy == spans(*told)
        assert read(f"X-WR-TIMEZONE:{zone}", *both).busy == spans(*told)
    assert read(*both).left_out == {"has a time without a zone": 2}


def test_a_changed_occurrence_stands_in_place_of_the_one_that_it_changes() -> None:
    whole = event("RRULE:FREQ=DAILY;COUNT=3")
    moved = event("RECURRENCE-ID:20260304T090000Z", start="DTSTART:20260304T150000Z", end="DTEND:20260304T153000Z")
    dropped = event("RECURRENCE-ID:20260305T090000Z", "STATUS:CANCELLED", start="DTSTART:20260305T090000Z")
    assert read(whole, moved, dropped).busy == spans("03-03 09:00 10:00", "03-04 15:00 15:30")
    assert read(dropped, moved, whole).busy == read(whole, moved, dropped).busy


def test_overlapping_and_touching_times_become_one() -> None:
    later = event(start="DTSTART:20260303T093000Z", end="DTEND:20260303T110000Z")
    touching = event(start="DTSTART:20260303T110000Z", end="DTEND:20260303T113000Z")
    assert read(event(), later, touching).busy == spans("03-03 09:00 11:30")


def test_free_busy_and_what_is_out_of_office() -> None:
    told = "\r\n".join(
        [
            "BEGIN:VFREEBUSY",
            "FREEBUSY:20260303T090000Z/PT1H,20260304T090000Z/20260304T100000Z",
            "FREEBUSY;FBTYPE=FREE:20260305T090000Z/PT1H",
            "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260306T090000Z/PT1H",
            "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260309T000000Z/P5D,20260307T090000Z/PT1H",
            "END:VFREEBUSY",
        ]
    )
    out = event("X-MICROSOFT-CDO-BUSYSTATUS:OOF", start="DTSTART;VALUE=DATE:20260316", end="DTEND;VALUE=DATE:20260318")
    found = read(told, out, zone="UTC")
    assert found.busy == spans("03-03 09:00 10:00", "03-04 09:00 10:00", "03-06 09:00 10:00", "03-07 09:00 10:00")
    assert found.absences == spans("03-09 00:00 03-14 00:00", "03-16 00:00 03-18 00:00")


def available(*lines: str, priority: str = "") -> str:
    inner = "\r\n".join(["BEGIN:AVAILABLE", *lines, "END:AVAILABLE"])
    return "\r\n".join(filter(None, ["BEGIN:VAVAILABILITY", priority, inner, "END:VAVAILABILITY"]))


def test_availability_becomes_weekly_windows() -> None:
    lisbon = ["DTSTART;TZID=Europe/Lisbon:20260302T090200", "DTEND;TZID=Europe/Lisbon:20260302T120400"]
    found = read(available(*lisbon, "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260601T000000Z"))
    since, until = at("03-02 09:02"), at("06-01 00:00")
    assert found.windows == tuple(StatedWindow(day, "09:05", "12:00", "Europe/Lisbon", since, until) for day in (1, 3))
    night = ["DTSTART;TZID=Asia/Tokyo:20260307T220000", "DURATION:PT4H", "RRULE:FREQ=WEEKLY"]
    windows = read(available(*night, priority="PRIORITY:1"), available(*lisbon, "RRULE:FREQ=WEEKLY")).windows
    assert [(each.weekday, each.start, each.end) for each in windows or ()] == [
        (6, "22:00", "24:00"),
        (7, "00:00", "02:00"),
    ]
    assert read(
        "BEGIN:VAVAILABILITY\r\nDTSTART:20260302T000000Z\r\nDURATION:P7D\r\nEND:VAVAILABILITY"
    ).absences == spans("03-02 00:00 03-09 00:00")
    for rule in ("RRULE:FREQ=MONTHLY", "RRULE:FREQ=WEEKLY;INTERVAL=2", "DURATION:PT1H"):
        assert read(available(lisbon[0], "DTEND;TZID=Europe/Lisbon:20260302T120000", rule)).windows is None


# --- nothing but times ------------------------------------------------------------------------------------------------


def test_nothing_but_times_comes_out(caplog: pytest.LogCaptureFixture) -> None:
    secrets = ["Surgery", "Room 7", "boss@example.org", "Bring the results", "file-with-names.pdf", "uid-secret"]
    told = event(
        "SUMMARY:Surgery", "LOCATION:Room 7", "ATTENDEE;CN=Boss:mailto:boss@example.org", "UID:uid-secret",
        "DESCRIPTION:Bring the results", "ATTACH:file-with-names.pdf", "RRULE:FREQ=Surgery", "BEGIN:VALARM",
        "DESCRIPTION:Bring the results", "END:VALARM",
    )  # fmt: skip
    found = repr(
        read(told, told.replace("RRULE:FREQ=Surgery", "X-A:b"), "BEGIN:VEVENT\r\nDTSTART:Room 7\r\nEND:VEVENT")
    )
    assert "2026, 3, 3, 9, 0" in found
    assert [secret for secret in secrets if secret in found + caplog.text] == []
    with pytest.raises(UnreadableCalendar) as caught:
        read_calendar("BEGIN:VCALENDAR\r\nBEGIN:Surgery\r\nEND:VCALENDAR", HORIZON)
    assert "Surgery" not in caught.value.message


# --- files made to do harm --------------------------------------------------------------------------------------------

LEFT_OUT: dict[str, tuple[str, str]] = {
    "a rule of seconds": (event("RRULE:FREQ=SECONDLY"), "repeats more often than daily"),
    "a rule of minutes": (event("RRULE:FREQ=MINUTELY;COUNT=5"), "repeats more often than daily"),
    "an interval of nothing": (event("RRULE:FREQ=DAILY;INTERVAL=0"), "has a rule that cannot be read"),
    "an interval below nothing": (event("RRULE:FREQ=DAILY;INTERVAL=-1"), "has a rule that cannot be read"),
    "a huge interval": (event("RRULE:FREQ=DAILY;INTERVAL=2000000000"), "has an interval above 1000"),
    "no rule": (event("RRULE:what"), "has a rule that cannot be read"),
    "every minute of a day": (
        event("RRULE:FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(60)))),
        "repeats more often than hourly",
    ),
    "a month that is none": (event("RRULE:FREQ=YEARLY;BYMONTH=13"), "has a rule that cannot be read"),
    "two rules": (event("RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"), "has RRULE more than once"),
    "an unknown zone": (
        event(start="DTSTART;TZID=Mars/Base:20260303T090000"),
        "has a time in a zone that is not known",
    ),
    "a path as a zone": (
        event(start="DTSTART;TZID=../../etc/passwd:20260303T090000"),
        "has a time in a zone that is not known",
    ),
    "the year 9999": (
        event(start="DTSTART:99991231T235959Z", end="DURATION:P1D"),
        "lies outside the years 1901 to 2199",
    ),
    "the year 1": (event(start="DTSTART:00010101T000000Z", end=""), "lies outside the years 1901 to 2199"),
    "an end in the year 9999": (event(end="DTEND:99991231T235959Z"), "lies outside the years 1901 to 2199"),
    "an end before the beginning": (event(end="DTEND:20260303T080000Z"), "ends before it begins"),
    "a negative duration": (event(end="DURATION:-PT1H"), "ends before it begins"),
    "a duration of ages": (event(end="DURATION:P999999999D"), "lasts longer than a year"),
    "a duration beyond numbers": (event(end="DURATION:P99999999999999999999W"), "has a time that cannot be read"),
    "a date that is none": (event(start="DTSTART:20260230T090000Z"), "has a time that cannot be read"),
    "no date": (event(start=""), "has no DTSTART"),
    "two beginnings": (event("DTSTART:20260303T090000Z"), "has DTSTART more than once"),
    "a broken parameter": (event(start='DTSTART;TZID="x:20260303T090000'), "has a line that cannot be read"),
    "a rule to exclude": (event("EXRULE:FREQ=DAILY"), "has an EXRULE, which iCalendar has given up"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_cannot_be_understood_is_left_out_and_told_while_the_rest_is_read(name: str) -> None:
    bad, reason = LEFT_OUT[name]
    good = event(start="DTSTART:20260304T090000Z", end="DTEND:20260304T100000Z").replace("UID:1", "UID:2")
    found = read(bad, good)
    assert (found.busy, found.left_out) == (spans("03-04 09:00 10:00"), {reason: 1})


REFUSED: dict[str, tuple[Callable[[], bytes | str], str]] = {
    "too large": (lambda: calendar("X:" + "a" * MOST_BYTES), f"has more than {MOST_BYTES} bytes"),
    "too large once folds are undone": (lambda: calendar("X:" + "\r\n a" * (MOST_BYTES // 4)), "bytes"),
    "a long line": (lambda: calendar(event("RRULE:" + "A" * 100_001)), "has more than 100000 characters"),
    "a long line in many folds": (lambda: calendar(event("RRULE:" + "\r\n A" * 100_001)), "has more than 100000"),
    "many components": (
        lambda: calendar("BEGIN:VEVENT\r\nEND:VEVENT\r\n" * MOST_COMPONENTS),
        "more than 5000 components",
    ),
    "nested": (lambda: calendar("BEGIN:VEVENT\r\n" * 6 + "END:VEVENT\r\n" * 6), "nested more than 5 deep"),
    "a flood of dates": (
        lambda: calendar(*[event("RDATE:" + ",".join(["20260303T090000Z"] * 5_001)) for _ in range(4)]),
        f"more than {MOST_VALUES} dates",
    ),
    "endless every day": (
        lambda: calendar(*[event("RRULE:FREQ=DAILY") for _ in range(300)]),
        f"more than {MOST_OCCURRENCES} busy times",
    ),
    "many rules without a date": (
        lambda: calendar(
            *[event("RRULE:FREQ=DAILY;COUNT=9;BYMONTH=2;BYMONTHDAY=30", start=EARLY, end="") for _ in range(300)]
        ),
        "too much work",
    ),
    "no calendar": (lambda: "Dear all,\r\n", "is no iCalendar file"),
    "nothing": (lambda: b"", "is no iCalendar file"),
    "not text": (lambda: b"\xff\xfe\x00", "is not in UTF-8"),
    "cut short": (lambda: calendar(event())[:-16], "ends in the middle"),
    "crossed": (lambda: "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\nEND:VEVENT", "do not match"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_none_or_asks_for_too_much_is_refused_in_one_sentence(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(UnreadableCalendar, match=message) as caught:
        read_calendar(data(), HORIZON)
    assert (caught.value.code, caught.value.field) == ("BAD_USER_INPUT", "text")


def test_a_rule_that_matches_no_date_ends_at_the_horizon_within_known_work() -> None:
    work = Work()
    wall = (datetime(2026, 3, 2), datetime(2026, 4, 13))
    for rule in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        never = f"FREQ={rule};BYMONTH=2;BYMONTHDAY=30"
        assert list(occurrences(never, datetime(2000, 1, 1), None, wall, work)) == []
    assert MOST_WORK - work.left < 30_000
    with pytest.raises(UnreadableCalendar):
        list(occurrences("FREQ=DAILY;COUNT=9", datetime(1901, 1, 1), None, wall, Work(1_000)))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.lists(st.sampled_from(["MO", "TU", "SA", "SU"]), max_size=3, unique=True),
    st.integers(0, 30),
    st.datetimes(datetime(2015, 1, 1), datetime(2026, 4, 1)),
)
def test_occurrences_are_those_of_the_rule_walked_from_its_beginning(
    frequency: str, interval: int, days: list[str], count: int, start: datetime
) -> None:
    start = start.replace(microsecond=0)
    rule = f"FREQ={frequency};INTERVAL={interval}" + (f";BYDAY={','.join(days)}" if days else "")
    rule += f";COUNT={count}" if count else ""
    first, last = datetime(2026, 3, 2), datetime(2026, 6, 1)
    walked = rrulestr(rule + ";WKST=MO", dtstart=start).between(first, last, inc=True)
    assert list(occurrences(rule, start, None, (first, last), Work())) == walked


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VAVAILABILITY", "END:VAVAILABILITY", "BEGIN:AVAILABLE",
                    "END:AVAILABLE", "DTSTART:20260303T090000Z", "DTSTART;TZID=Europe/Lisbon:20260303T090000",
                    "DTSTART;VALUE=DATE:20260303", "DTEND:20260303T100000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY",
                    "RRULE:FREQ=DAILY;COUNT=3;BYDAY=-1MO", "RDATE:20260304T090000Z/P1D", "EXDATE;VALUE=DATE:20260303",
                    "RECURRENCE-ID;RANGE=THISANDFUTURE:20260303", "BEGIN:VFREEBUSY", "END:VFREEBUSY", "PRIORITY:x",
                    "FREEBUSY:20260303T090000Z/PT1H", "FREEBUSY:20260303T090000/PT1H", "TZID:", "UID",
                    "X-WR-TIMEZONE:Z",
                ]
            ),
            st.text(max_size=30),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_whatever_a_file_holds_it_ends_in_times_or_in_the_one_error(lines: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = read_calendar(calendar(*lines), HORIZON, "Europe/Lisbon")
        except UnreadableCalendar:
            return
    for told in (found.busy, found.absences):
        assert told == union(told)
        assert all(span.since < span.until and span.meets(HORIZON) for span in told)
