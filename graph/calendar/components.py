"""From the text of an .ics file to its components, of which only what tells times is looked at.

A calendar comes from outside and may be made to do harm, so its size, its nesting and the number of its components and
values are bounded before anything is parsed. Summaries, places, notes, people and alarms are passed over as lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from icalendar.parser import Contentline

from mentorgraph.graph.calendar.errors import LeftOut, UnreadableCalendar

MOST_BYTES = 1_000_000
MOST_COMPONENTS = 5_000
MOST_VALUES = 20_000
"""Dates and periods in lists, over the whole file."""
DEEPEST = 5
LONGEST_LINE = 100_000
"""Characters of a line that tells times, once it is unfolded."""

TIMES = frozenset(
    "DTSTART DTEND DURATION RRULE EXRULE RDATE EXDATE RECURRENCE-ID UID STATUS TRANSP FREEBUSY BUSYTYPE PRIORITY TZID "
    "X-LIC-LOCATION X-WR-TIMEZONE X-MICROSOFT-CDO-BUSYSTATUS".split()
)
"""Properties that are looked at. A UID only tells which component changes which one, and is forgotten after that."""

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE_END = re.compile(r"\r?\n|\r")
_NAME = re.compile(r"[A-Za-z0-9-]+")


@dataclass(slots=True)
class Property:
    """One line of a component: its value, and of its parameters the zone, the type of value and the kind of period."""

    value: str
    zone: str
    value_type: str
    free_busy_type: str
    range: str


@dataclass(slots=True)
class Component:
    """A part of a calendar, such as VEVENT, with the lines that tell times and the parts that lie in it."""

    name: str
    lines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    parts: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        """Every property of a name.

        Raises:
            LeftOut: One is no property.
        """
        return [_property(line) for line in self.lines.get(name, ())]

    def one(self, name: str) -> Property | None:
        """The property of a name, of which there is at most one.

        Raises:
            LeftOut: There are several, or it is none.
        """
        found = self.all(name)
        if len(found) > 1:
            raise LeftOut(f"has {name} more than once")
        return found[0] if found else None

    def text(self, name: str) -> str:
        """The value of a property in capitals; empty where there is none."""
        found = self.one(name)
        return found.value.strip().upper() if found else ""

    def walk(self, name: str) -> Iterator["Component"]:
        """The parts of a name at any depth."""
        for part in self.parts:
            if part.name == name:
                yield part
            yield from part.walk(name)


def read_components(data: bytes | str) -> Component:
    """Reads a file: one component that holds all calendars of the file.

    Raises:
        UnreadableCalendar: It is no calendar, or larger than the bounds.
    """
    root = Component("")
    stack = [root]
    components = values = 0
    for line in _lines(data):
        match = _NAME.match(line)
        name = match[0].upper() if match else ""
        if name == "BEGIN":
            components += 1
            if components > MOST_COMPONENTS:
                raise UnreadableCalendar(f"the calendar has more than {MOST_COMPONENTS} components; export fewer years")
            if len(stack) > DEEPEST:
                raise UnreadableCalendar(f"the calendar is nested more than {DEEPEST} deep; export it again")
            part = Component(line.partition(":")[2].strip().upper())
            stack[-1].parts.append(part)
            stack.append(part)
        elif name == "END":
            if len(stack) == 1 or stack.pop().name != line.partition(":")[2].strip().upper():
                raise UnreadableCalendar("BEGIN and END of the calendar do not match; export it again")
        elif name in TIMES:
            if len(line) > LONGEST_LINE:
                raise UnreadableCalendar(f"a line of the calendar has more than {LONGEST_LINE} characters")
            values += line.count(",") + 1 if name in ("RDATE", "EXDATE", "FREEBUSY") else 0
            if values > MOST_VALUES:
                raise UnreadableCalendar(f"the calendar lists more than {MOST_VALUES} dates; export fewer years")
            stack[-1].lines[name].append(line)
    if len(stack) > 1:
        raise UnreadableCalendar("the calendar ends in the middle; export it again")
    if {part.name for part in root.parts} != {"VCALENDAR"}:
        raise UnreadableCalendar("this is no iCalendar file; it begins with BEGIN:VCALENDAR")
    return root


def _lines(data: bytes | str) -> Iterator[str]:
    """The lines of a file, unfolded."""
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise UnreadableCalendar(f"the calendar has more than {MOST_BYTES} bytes; export fewer years")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UnreadableCalendar("the calendar is not in UTF-8; export it again") from None
    return (line for line in _LINE_END.split(_FOLD.sub("", text)) if line.strip())


def _property(line: str) -> Property:
    try:
        _, parameters, value = Contentline(line).parts()  # type: ignore[no-untyped-call]
    except ValueError:
        raise LeftOut("has a line that cannot be read") from None

    def parameter(name: str) -> str:
        found = parameters.get(name, "")
        return str(found if isinstance(found, str) else ",".join(map(str, found)))

    return Property(
        value, parameter("TZID"), parameter("VALUE").upper(), parameter("FBTYPE").upper(), parameter("RANGE").upper()
    )
