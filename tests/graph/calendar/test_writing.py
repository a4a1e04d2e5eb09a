"""What is written is read back to the same times, by us and by a parser of another hand."""

from datetime import UTC, datetime, timedelta

import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from mentorgraph.graph.calendar.reading import Span, StatedWindow, read_calendar, union
from mentorgraph.graph.calendar.writing import PublishedSession, write_calendar

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HORIZON = Span(NOW - timedelta(days=2), NOW + timedelta(days=60))
MINUTE = timedelta(minutes=1)

SPANS = st.lists(st.tuples(st.integers(0, 50_000), st.integers(1, 400)), max_size=15).map(
    lambda pairs: union(Span(NOW + start * MINUTE, NOW + (start + length) * MINUTE) for start, length in pairs)
)
AWAY = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=3).map(
    lambda pairs: union(Span(NOW + timedelta(start), NOW + timedelta(start + length)) for start, length in pairs)
)


def by_vobject(data: bytes) -> dict[str, list[Span]]:
    """Kind → spans, as vobject reads them."""
    found: dict[str, list[Span]] = {"BUSY": [], "BUSY-UNAVAILABLE": [], "session": []}
    calendar = vobject.readOne(data.decode())
    for line in calendar.vfreebusy.contents.get("freebusy", []):
        for start, end in line.value:
            until = start + end if isinstance(end, timedelta) else end
            found[line.params["FBTYPE"][0]].append(Span(start.astimezone(UTC), until.astimezone(UTC)))
    for event in calendar.contents.get("vevent", []):
        found["session"].append(Span(event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC)))
    return found


@settings(max_examples=25, deadline=None)
@given(SPANS, AWAY, SPANS)
def test_what_is_written_is_read_to_the_same_times_by_two_parsers(
    busy: tuple[Span, ...], absences: tuple[Span, ...], held: tuple[Span, ...]
) -> None:
    sessions = [PublishedSession(f"s{place}", span) for place, span in enumerate(held)]
    data = write_calendar("p", NOW, busy=busy, absences=absences, sessions=sessions)
    assert by_vobject(data) == {"BUSY": list(busy), "BUSY-UNAVAILABLE": list(absences), "session": list(held)}
    ours = read_calendar(data, HORIZON)
    assert (ours.busy, ours.absences, ours.left_out) == (union([*busy, *held]), absences, {})


def test_windows_are_written_as_availability_with_their_zones() -> None:
    windows = (
        StatedWindow(1, "09:00", "12:00", "Pacific/Auckland"),
        StatedWindow(7, "20:00", "24:00", "Europe/Lisbon", None, datetime(2026, 6, 1, tzinfo=UTC)),
    )
    data = write_calendar("p", NOW, windows=windows)
    read = read_calendar(data, HORIZON).windows
    assert read is not None
    assert [(each.weekday, each.start, each.end, each.zone, each.until) for each in read] == [
        (each.weekday, each.start, each.end, each.zone, each.until) for each in windows
    ]
    assert {zone.tzid.value for zone in vobject.readOne(data.decode()).contents["vtimezone"]} == {
        "Pacific/Auckland",
        "Europe/Lisbon",
    }


def test_a_shifted_time_is_seen_by_the_other_parser() -> None:
    span = Span(NOW, NOW + timedelta(hours=1))
    data = write_calendar("p", NOW, busy=[span]).replace(b"20260302T130000Z", b"20260302T140000Z")
    assert by_vobject(data)["BUSY"] == [Span(NOW, NOW + timedelta(hours=2))]


def test_lines_end_and_fold_as_the_standard_says() -> None:
    data = write_calendar("0b2db9bb-eeb4-503f-bb50-67f912dc77d7", NOW, absences=[Span(NOW, NOW + timedelta(days=3))])
    lines = data.split(b"\r\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 75
    assert b"\n" not in data.replace(b"\r\n", b"")
