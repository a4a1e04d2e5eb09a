"""Rows of spreadsheets brought together to the people whom they are about, whichever file or row says it.

Nothing here knows the graph: what is told comes out as it was told, with the rows that told it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import available_timezones

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
from mentorgraph.graph.exchange.spreadsheets.mapping import Column, Hours, Table, Who
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet, headings_of, numbered
from mentorgraph.graph.exchange.table_files import LONGEST_CELL
from mentorgraph.graph.facts.model import InvalidFact, Problem
from mentorgraph.graph.facts.values import text

Value = TypeVar("Value")

LONGEST_NAME = 200
LONGEST_KEY = 300
LONGEST_OF = {"job_title": 200, "grade": 100, "about": 5_000, "coaching_style": 100}
LONGEST_TITLE = 120
"""Characters of a goal that become its title; the whole becomes its description."""

LISTS = frozenset(
    {"offers", "wants", "topics", "topic", "unit", "profession", "programme", "blocked", "consent", "goal"}
)
"""Meanings of which a person may have several, so that rows and files add to each other."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was told: file as it is shown, and line."""

    file: str
    line: int


@dataclass
class Told:
    """What spreadsheets tell about one person.

    Attributes:
        key: Key of the person in the source.
        places: The rows that told it.
        name: Name; empty where none was told.
        roles: What they are.
        units: Key → name and category, of what they belong to.
        skills: Stance → folded name → name and level, None where no level was told.
        single: What a person has one of at most: `zone`, `joined_on`, `left_on`, `answered_on`, `max_mentees`,
            `is_available`, `hours_per_month`.
        profile: How they describe themselves: one of `PROFILE` → value.
        programmes: Folded name → name.
        goals: Key → text.
        asked: Purposes that they were asked to agree to.
        consents: Purpose → answer and the question; absent where they gave none.
        supervisor: Heading, cell and row that tell to whom they report; None where none does.
        blocked: Names or addresses of people not to be paired with.
        windows: Weekly hours: weekday, start, end, zone.
        says_hours: Whether a table has their hours at all.
    """

    key: str
    places: list[Place] = field(default_factory=list)
    name: str = ""
    roles: dict[str, None] = field(default_factory=dict)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    skills: dict[str, dict[str, tuple[str, int | None]]] = field(default_factory=lambda: {"offers": {}, "wants": {}})
    single: dict[str, object] = field(default_factory=dict)
    profile: dict[str, object] = field(default_factory=dict)
    programmes: dict[str, str] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    consents: dict[str, tuple[bool, str]] = field(default_factory=dict)
    supervisor: tuple[str, str, Place] | None = None
    blocked: dict[str, Place] = field(default_factory=dict)
    windows: list[tuple[int, str, str, str]] = field(default_factory=list)
    says_hours: bool = False


@dataclass
class Reading:
    """What some sheets tell.

    Attributes:
        people: Key → person, in the order of the rows.
        pairs: Keys of mentor and mentee, with the row.
        rows: Every row that is not blank → key of its person; empty where none could be read.
        named: Keys that any row names, be it taken or not.
        refused: Rows that cannot be taken → why.
        warnings: Rows → what their reader should know.
        notices: What concerns no single row.
        says: Meanings that some table has a column for.
    """

    people: dict[str, Told] = field(default_factory=dict)
    pairs: list[tuple[str, str, Place]] = field(default_factory=list)
    rows: dict[Place, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    refused: dict[Place, list[Problem]] = field(default_factory=dict)
    warnings: dict[Place, list[str]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    says: set[str] = field(default_factory=set)

    def warn(self, place: Place, warning: str) -> None:
        """Notes what the reader of a row should know, once."""
        if warning not in self.warnings.setdefault(place, []):
            self.warnings[place].append(warning)


def read_people(tables: Sequence[tuple[Table, Sheet]], on_progress: Callable[[str, int, int], None]) -> Reading:
    """Reads sheets, each as the table that a mapping says it is."""
    found = Reading()
    for table, sheet in tables:
        _Rows(found, table, sheet).read(on_progress)
    for person in found.people.values():
        person.places.sort()
    return found


@dataclass(frozen=True, slots=True)
class _Fact:
    """One cell that says something of a person."""

    column: Column
    cell: str


class _Rows:
    """The rows of one sheet."""

    def __init__(self, found: Reading, table: Table, sheet: Sheet) -> None:
        self._found = found
        self._table = table
        self._sheet = sheet
        self._headings = sheet.headings if table.has_headings else numbered(sheet.width)
        self._first: dict[str, tuple[int, Mapping[str, str]]] = {}
        self._zones = tuple(available_timezones())
        unread = [
            each for each in self._headings if each not in table.needed | table.ignored and not self._is_hour(each)
        ]
        found.notices += sheet.notices
        found.notices += [f"{sheet.name}: column {each} is not in the mapping and was not read" for each in unread]
        found.says |= {column.meaning for who in table.people for column in who.columns}
        if any(who.roles for who in table.people):
            found.says.add("role")

    def _is_hour(self, heading: str) -> bool:
        return any(
            who.hours is not None and re.fullmatch(re.escape(who.hours.pattern).replace(r"\{\}", r"\d+"), heading)
            for who in self._table.people
        )

    def read(self, on_progress: Callable[[str, int, int], None]) -> None:
        """Takes every row; of people without address who share a name, none that differ."""
        rows = self._sheet.rows[1:] if self._table.has_headings else self._sheet.rows
        taken: list[tuple[Place, Mapping[str, str]]] = []
        for number, (line, cells) in enumerate(rows):
            if number % 1000 == 0:
                on_progress(f"reading {self._sheet.name}", number, len(rows))
            place = Place(self._sheet.name, line)
            self._found.rows[place] = ""
            try:
                if isinstance(cells, InvalidFact):
                    raise cells
                taken.append((place, self._named(cells)))
            except InvalidFact as error:
                self._found.refused[place] = error.problems
        self._refuse_namesakes(taken)
        for place, row in taken:
            if place not in self._found.refused:
                self._take(place, row)

    def _named(self, cells: Sequence[str]) -> Mapping[str, str]:
        """Heading → cell; a short row lacks its last cells, a long one is refused unless the last column is a list."""
        width = len(self._headings)
        trimmed = [_clean(cell) for cell in cells[: len(headings_of(cells))]]
        if len(trimmed) > width:
            if not self._table.surplus:
                reason = f"has {len(trimmed)} cells where there are {width} columns"
                raise InvalidFact(
                    [Problem("", "", reason, "quote cells that hold the delimiter, or set surplus = true")]
                )
            trimmed[width - 1 :] = [";".join(trimmed[width - 1 :])]
        trimmed += [""] * (width - len(trimmed))
        return dict(zip(self._headings, trimmed, strict=True))

    def _refuse_namesakes(self, rows: Iterable[tuple[Place, Mapping[str, str]]]) -> None:
        """Refuses rows of different people who have a name in common and nothing that tells them apart."""
        if self._table.several_rows or self._table.pairs:
            return
        named: dict[str, list[tuple[Place, Mapping[str, str]]]] = {}
        for place, row in rows:
            for who in self._table.people:
                if not self._known_by(who, row) and (name := self._name(who, row)):
                    named.setdefault(folded(name), []).append((place, row))
        for same in named.values():
            if len(self._table.people) == 1 and any(row != same[0][1] for _, row in same):
                lines = [place.line for place, _ in same]
                for place, row in same:
                    others = ", ".join(str(line) for line in lines if line != place.line)
                    who = self._table.people[0]
                    problem = Problem(
                        self._column(who, "name", "first_name", "last_name"),
                        self._name(who, row),
                        f"is also on line {others} with other values, and nothing tells the two apart",
                        "add an e-mail address to each, or set several_rows = true if they are one person",
                    )
                    self._found.refused[place] = [problem]

    @staticmethod
    def _column(who: Who, *meanings: str) -> str:
        return next((column.heading for column in who.columns if column.meaning in meanings), "")

    @staticmethod
    def _cells(who: Who, row: Mapping[str, str], meaning: str) -> list[str]:
        return [row[column.heading].strip() for column in who.columns if column.meaning == meaning]

    def _known_by(self, who: Who, row: Mapping[str, str]) -> str:
        """The key of a person where a row has one, be it well written or not."""
        return "".join(self._cells(who, row, "key")) or "".join(
            cell for cell in self._cells(who, row, "email") if is_yes(cell)
        )

    def _name(self, who: Who, row: Mapping[str, str]) -> str:
        whole = self._cells(who, row, "name")
        parts = self._cells(who, row, "first_name") + self._cells(who, row, "last_name")
        return " ".join(" ".join(filter(None, whole or parts)).split())

    def _key(self, who: Who, row: Mapping[str, str], place: Place) -> str:
        """The key of the person: their id, their address in lower case, or their name within this table."""
        for cell in self._cells(who, row, "key"):
            if cell:
                return cell[:LONGEST_KEY]
        for column in who.columns:
            if column.meaning == "email" and (found := _read(column, row[column.heading], address)):
                return found
        name = self._name(who, row)
        if not name:
            columns = ", ".join(column.heading for column in who.columns if column.meaning in {"email", "key", "name"})
            raise InvalidFact([Problem(columns, "", "is missing", "say who the person is, by address or name")])
        self._found.warn(place, "has no e-mail address: the person is known by the name, within this table only")
        return f"{self._table.name}/{folded(name)}"[:LONGEST_KEY]

    def _take(self, place: Place, row: Mapping[str, str]) -> None:
        """Takes one row with all whom it is about, or refuses it whole."""
        several = len(self._table.people) > 1
        told: list[tuple[Who, str, list[_Fact]]] = []
        problems: list[Problem] = []
        for who in self._table.people:
            cells = [_Fact(column, row[column.heading].strip()) for column in who.columns]
            if several and not self._known_by(who, row) and not self._name(who, row):
                continue  # the third mentor of a project that has two
            try:
                key = self._key(who, row, place)
                self._found.rows[place] = self._found.rows[place] or key
                self._found.named.add(key)
                told.append((who, key, cells))
            except InvalidFact as error:
                problems += error.problems
        drafts = []
        for who, key, cells in told:
            try:
                drafts.append((key, self._draft(who, key, cells, row, place)))
            except InvalidFact as error:
                problems += error.problems
        if self._table.pairs and len(told) != len(self._table.people) and not problems:
            missing = [who.roles[0] for who in self._table.people if who not in [each for each, _, _ in told]]
            problems.append(Problem("", "", f"names no {missing[0]}", "name both, or remove the row"))
        if problems:
            self._found.refused[place] = problems
            return
        if not drafts:
            self._found.refused[place] = [Problem("", "", "names nobody", "name a person, or remove the row")]
        for _, draft in drafts:
            self._merge(draft, place)
        if self._table.pairs:
            self._found.pairs.append((drafts[0][0], drafts[1][0], place))

    def _draft(self, who: Who, key: str, cells: list[_Fact], row: Mapping[str, str], place: Place) -> Told:
        """What one row says of one person."""
        person = Told(key, [place], self._name(who, row), dict.fromkeys(() if self._table.pairs else who.roles))
        problems: list[Problem] = []
        for fact in cells:
            try:
                self._tell_role(person, fact)
            except InvalidFact as error:
                problems += error.problems
        for fact in cells:
            try:
                self._tell(person, fact, place)
            except InvalidFact as error:
                problems += error.problems
        if problems:
            raise InvalidFact(problems)
        if who.hours is not None:
            person.says_hours = True
            person.windows = _windows(who.hours, row, str(person.single.get("zone", "")))
            if person.windows and not person.windows[0][3]:
                self._found.warn(place, "has hours but no time zone: they were not read")
                person.windows, person.says_hours = [], False
        return person

    def _tell_role(self, person: Told, fact: _Fact) -> None:
        column, cell = fact.column, fact.cell
        if column.meaning == "role" and cell:
            named = column.values.get(folded(cell))
            found = [str(named)] if named is not None else roles(cell, column.separators)
            if found is None or any(each not in {"mentor", "mentee", "coordinator", "sponsor", ""} for each in found):
                remedy = f'use mentor, mentee or both, or say what it means: values = {{ "{cell[:40]}" = "mentor" }}'
                raise InvalidFact([Problem(column.heading, cell[:120], "is no known role", remedy)])
            person.roles |= dict.fromkeys(filter(None, found))
        elif column.meaning in {"is_mentor", "is_mentee"} and is_yes(cell):
            person.roles[column.meaning.removeprefix("is_")] = None
        elif column.meaning == "both_roles" and is_yes(cell):
            person.roles |= {"mentor": None, "mentee": None}

    def _tell(self, person: Told, fact: _Fact, place: Place) -> None:
        column, cell = fact.column, fact.cell
        stances = [stance for role, stance in (("mentor", "offers"), ("mentee", "wants")) if role in person.roles]
        match column.meaning:
            case "unit" | "profession" if folded(cell) not in {"", "-", "n/a"}:
                category = "profession" if column.meaning == "profession" else ""
                key = f"profession/{folded(cell)}" if category else folded(cell)
                person.units[key] = (_read(column, " ".join(cell.split()), text(LONGEST_NAME)), category)
            case "offers" | "wants" | "topics":
                for entry in entries(cell, column.separators):
                    name = _read(column, str(column.values.get(folded(entry), entry)), text(LONGEST_NAME))
                    for stance in stances if column.meaning == "topics" else [column.meaning]:
                        person.skills[stance][folded(name)] = (name, None)
            case "topic" if is_yes(cell):
                name, level = column.name or column.heading, column.values.get(folded(cell))
                if level is not None and (not isinstance(level, int) or not 0 <= level <= 5):
                    raise InvalidFact([Problem(column.heading, cell, "stands for no level", "map it to 0 to 5")])
                if level != 0:
                    for stance in stances:
                        person.skills[stance][folded(name)] = (name, level)
            case "goal" if cell:
                person.goals[f"{person.key}/{column.heading}"] = cell
            case "programme":
                for entry in entries(cell, column.separators):
                    name = _read(column, str(column.values.get(folded(entry), entry)), text(LONGEST_NAME))
                    person.programmes[folded(entry)] = name
            case "supervisor" if folded(cell) not in {"", "-", "n/a"}:
                person.supervisor = (column.heading, _read(column, cell, text(LONGEST_KEY)), place)
            case "blocked":
                for entry in entries(cell, column.separators or ("\n", ";", "|", ",")):
                    person.blocked[entry] = place
            case "consent":
                person.asked.add(column.purpose)
                answer = _read(column, cell, agrees)
                if answer is not None:
                    person.consents[column.purpose] = (answer, column.heading[:200])
            case "is_available":
                person.single["is_available"] = is_yes(cell)
                if not is_yes(cell):
                    person.single["max_mentees"] = 0
            case "max_mentees":
                limit = _read(column, cell, at_most)
                if limit is not None:
                    person.single.setdefault("max_mentees", int(limit))
            case "hours_per_month":
                hours = _read(column, cell, at_most)
                if hours is not None:
                    person.single["hours_per_month"] = hours
            case "joined_on" | "left_on" | "answered_on":
                date = _read(column, cell, lambda written: day(written, column.form))
                if date is not None:
                    person.single[column.meaning] = date
            case "experience_years":
                years = _read(column, cell, at_most)
                if years is not None:
                    person.profile["experience_years"] = years
            case "formats" | "languages":
                told = [str(column.values.get(folded(each), each)) for each in entries(cell, column.separators)]
                if told:
                    person.profile[column.meaning] = [_read(column, each, text(LONGEST_NAME)) for each in told]
            case "job_title" | "grade" | "about" | "coaching_style" if cell:
                words = str(column.values.get(folded(cell), cell))
                person.profile[column.meaning] = _read(column, words, text(LONGEST_OF[column.meaning]))
            case "zone" if cell:
                try:
                    named = str(column.values.get(folded(cell), cell))
                    person.single["zone"] = zone_of(named, self._zones)
                except ValueError:
                    self._found.warn(place, f"{column.heading} {cell[:60]!r} is no IANA time zone and was not read")

    def _merge(self, told: Told, place: Place) -> None:
        """Adds what a row says to what is known of the person from others; of two values the later one counts."""
        person = self._found.people.setdefault(told.key, Told(told.key))
        before = person.places[-1] if person.places else None
        if told.name and person.name and folded(told.name) != folded(person.name):
            self._found.warn(place, "has another name than a row before; this one counts")
        for name, value in told.single.items():
            if name in person.single and person.single[name] != value and before and name != "answered_on":
                self._found.warn(place, f"has another {name} than {before.file} line {before.line}; this one counts")
        if told.supervisor and person.supervisor and folded(told.supervisor[1]) != folded(person.supervisor[1]):
            self._found.warn(place, "has another supervisor than a row before; this one counts")
        person.supervisor = told.supervisor or person.supervisor
        person.name = told.name or person.name
        person.single |= told.single
        person.roles |= told.roles
        person.units |= told.units
        for stance, skills in told.skills.items():
            person.skills[stance] |= skills
        person.profile |= told.profile
        person.programmes |= told.programmes
        person.goals |= told.goals
        person.asked |= told.asked
        person.consents |= told.consents
        person.blocked |= told.blocked
        person.windows = told.windows or person.windows
        person.says_hours |= told.says_hours
        person.places.append(place)


def _clean(cell: str) -> str:
    """A cell without what no fact can hold, so that the keys that are made of it stay as they are."""
    try:
        return text(LONGEST_CELL)(cell)
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        raise InvalidFact([Problem("", cell[:120], reason, remedy)]) from None


def _read(column: Column, cell: str, read: Callable[[str], Value]) -> Value:
    try:
        return read(cell)
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        raise InvalidFact([Problem(column.heading, cell[:120], reason, remedy)]) from None


def _windows(hours: Hours, row: Mapping[str, str], own_zone: str) -> list[tuple[int, str, str, str]]:
    """The free hours of a week as windows: hours that follow each other on a day are one."""
    found: list[tuple[int, str, str, str]] = []
    free = [is_yes(row.get(hours.pattern.replace("{}", str(number)), "")) for number in range(1, 169)]
    for weekday in range(7):
        start = None
        for hour in range(25):
            is_free = hour < 24 and free[weekday * 24 + hour]
            if is_free and start is None:
                start = hour
            elif not is_free and start is not None:
                number = (weekday + hours.first_day - 1) % 7 + 1
                found.append((number, f"{start:02d}:00", f"{hour:02d}:00", hours.zone or own_zone))
                start = None
    return sorted(found)
