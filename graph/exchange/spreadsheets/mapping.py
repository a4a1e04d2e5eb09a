"""The mapping file: which column of a spreadsheet means what, as a person has read and confirmed it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet, numbered
from mentorgraph.graph.exchange.table_files import BundleError
from mentorgraph.graph.facts.values import zone
from mentorgraph.graph.vocabulary import PURPOSES, ROLES

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "email": "address; tells people apart, in whatever letter case",
        "key": "number or id by which another system knows the person; goes before the e-mail",
        "name": "full name",
        "first_name": "first part of the name",
        "last_name": "last part of the name",
        "role": "mentor, mentee, both, or several of them",
        "is_mentor": "yes where the person is a mentor",
        "is_mentee": "yes where the person is a mentee",
        "both_roles": "yes where the person is mentor and mentee",
        "unit": "part of the organisation that the person belongs to",
        "profession": "professional group that the person belongs to, kept apart from the parts of the organisation",
        "programme": "mentoring programme that the person takes part in",
        "zone": "time zone, such as Europe/Lisbon, or its city",
        "joined_on": "first day in the organisation",
        "left_on": "day after the last one",
        "answered_on": "day of the answer; what it says begins then",
        "max_mentees": "mentees at a time; of a range the last number",
        "is_available": "no where the mentor takes nobody at present",
        "hours_per_month": "hours that a mentor gives",
        "offers": "list of skills that the person can teach",
        "wants": "list of skills that the person wants to learn",
        "topics": "list of skills: offered by mentors, wanted by mentees",
        "topic": "the skill `name`, or the heading: yes where it is offered by a mentor, wanted by a mentee",
        "goal": "what the person wants to reach, in their words",
        "job_title": "what the person does",
        "grade": "grade or seniority, in the organisation's own words",
        "experience_years": "years of experience; of a range the last number",
        "about": "how the person describes themselves",
        "coaching_style": "how the person likes to coach or to be coached",
        "formats": "list of formats that the person likes to meet in",
        "languages": "list of languages that the person speaks",
        "supervisor": "address, number or name of the person whom the person reports to",
        "blocked": "names or addresses of people whom the person must not be paired with",
        "consent": "yes or no to `purpose`, matching if not given",
    }
)
"""What a column can mean."""

ONE_OF_EACH = (
    frozenset(MEANINGS)
    - {"unit", "profession", "offers", "wants", "topics", "topic", "goal", "blocked", "consent", "programme"}
    - {"formats", "languages"}
)
"""Meanings that one column of a person has at most."""

PROFILE = ("job_title", "grade", "experience_years", "about", "coaching_style", "formats", "languages")
"""Meanings that make up the profile of a person."""

PROTECTED = re.compile(
    r"\b(gender|sex|sexual\w*|orientation|ethnic\w*|race|racial|identity|identities|identif\w+|pronouns?|lgbt\w*|"
    r"disab\w+|relig\w+|faith|beliefs?|origins?|nationality|citizenship|marital|pregnan\w+|age|age group|"
    r"birth\w*|date of birth|dob|veteran|caste|characteristics?|neurodiver\w+|health|caring|carer|parental|"
    r"life experiences?|first.gen\w*|transgender|geschlecht|herkunft|konfession|behinderung)\b"
)
"""Headings of protected attributes, in lower case with spaces for underscores."""


def is_protected(heading: str) -> bool:
    """Whether a heading names an attribute that nobody is to be judged by, which is therefore not read."""
    return PROTECTED.search(heading.casefold().replace("_", " ")) is not None


@dataclass(frozen=True, slots=True)
class Column:
    """What one column means.

    Attributes:
        heading: Its heading, or its place as in `column 3`.
        meaning: One of `MEANINGS`.
        separators: What parts the entries of a list; None to see from each cell.
        form: How days are written, as `strptime` says it.
        values: Cell, folded → what it stands for.
        name: The skill of a `topic`.
        purpose: The purpose of a `consent`.
    """

    heading: str
    meaning: str
    separators: tuple[str, ...] | None = None
    form: str = ""
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    name: str = ""
    purpose: str = "matching"


@dataclass(frozen=True, slots=True)
class Hours:
    """Numbered columns that say for each hour of the week whether the person is free.

    Attributes:
        pattern: Heading with `{}` for the number, from 1 for the first hour of the first day.
        first_day: 1 where the week begins on Monday.
        zone: Where the hours are meant; empty for the person's own zone.
    """

    pattern: str
    first_day: int
    zone: str


@dataclass(frozen=True, slots=True)
class Who:
    """One person that each row of a table is about.

    Attributes:
        columns: What is known of them.
        roles: What they are if no column says it.
        hours: Their free hours, where columns say them.
    """

    columns: tuple[Column, ...]
    roles: tuple[str, ...] = ()
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How one table is read.

    Attributes:
        name: Its name in the mapping; people without address are known by their name within it.
        file: Pattern of the names of its files or sheets.
        has_headings: Whether the first row names the columns.
        people: Whom each row is about.
        pairs: Whether each row states that its first mentor and mentee are paired.
        several_rows: Whether rows of one name are about one person.
        surplus: Whether cells beyond the last column belong to it, where lists were not quoted.
        ignored: Headings that are known and not read.
    """

    name: str
    file: str
    has_headings: bool
    people: tuple[Who, ...]
    pairs: bool
    several_rows: bool
    surplus: bool
    ignored: frozenset[str]

    @property
    def needed(self) -> set[str]:
        """Headings that a table must have to be read in this way."""
        return {column.heading for who in self.people for column in who.columns}


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A checked mapping.

    Attributes:
        source: The system that the people's keys belong to.
        since: When facts begin that have no date of their own; None for the day of the import.
        tables: How each table is read.
    """

    source: str
    since: date | None
    tables: tuple[Table, ...]

    def table_of(self, sheet: Sheet) -> Table:
        """The table that a sheet is read as: by its headings, and by its name where several fit.

        Raises:
            BundleError: None fits, or several do.
        """

        def headings(table: Table) -> set[str]:
            return set(sheet.headings if table.has_headings else numbered(sheet.width))

        fitting = [table for table in self.tables if table.needed <= headings(table)]
        named = [
            table
            for table in fitting or self.tables
            if any(fnmatch(each.casefold(), table.file.casefold()) for each in (sheet.name, sheet.title))
        ]
        if not fitting:
            nearest = min(named or self.tables, key=lambda table: len(table.needed - headings(table)))
            missing = ", ".join(sorted(nearest.needed - headings(nearest))[:5])
            raise BundleError(
                f"{sheet.name} lacks the column {missing} of the table {nearest.name}; "
                "correct the mapping, or guess a new one with --guess"
            )
        chosen = fitting if len(fitting) == 1 else [table for table in named if table in fitting]
        if len(chosen) != 1:
            names = ", ".join(table.name for table in fitting)
            raise BundleError(f'{sheet.name} fits the tables {names}; say in the mapping which, by file = "…"')
        return chosen[0]


def load_mapping(path: Path) -> MappingFile:
    """Reads and checks a mapping file.

    Raises:
        BundleError: It cannot be read, or says what cannot be meant.
    """
    try:
        content = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise BundleError(f"{path.name} is not text in UTF-8; save it so") from None
    except OSError as error:
        raise BundleError(f"{path.name} cannot be read: {error.strerror}") from error
    return mapping_of(content, path.name)


def mapping_of(content: str, shown: str = "mapping") -> MappingFile:
    """As `load_mapping`, of the text itself."""
    try:
        told = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise BundleError(f"{shown} is not TOML ({error}); mend it, or guess a new one with --guess") from None
    try:
        return _mapping(told)
    except ValueError as error:
        raise BundleError(f"{shown}: {error}") from None


def _mapping(told: dict[str, Any]) -> MappingFile:
    _check_names(told, {"version", "source", "since", "tables", "not_protected"}, "the mapping")
    if told.get("version") != 1:
        raise ValueError("version is not 1; this program reads version = 1")
    source = _of_type(told, "source", str, "")
    if not source.strip():
        raise ValueError('source is missing; name the system that the people come from, such as source = "hr"')
    since = _of_type(told, "since", date, None)
    unprotected = frozenset(_strings(told, "not_protected"))
    tables = _of_type(told, "tables", dict, {})
    if not tables:
        raise ValueError("no [tables.NAME]; guess a mapping with --guess")
    return MappingFile(
        source.strip(),
        since.date() if isinstance(since, datetime) else since,
        tuple(_table(name, each, unprotected) for name, each in tables.items()),
    )


def _table(name: str, told: Any, unprotected: frozenset[str]) -> Table:
    where = f"tables.{name}"
    if not isinstance(told, dict):
        raise ValueError(f"{where} is no table; write it as [{where}]")
    known = {"file", "headings", "people", "pairs", "several_rows", "surplus", "ignore", "protected"}
    _check_names(told, known, where)
    people = _of_type(told, "people", list, [])
    if not people:
        raise ValueError(f"{where} is about nobody; add [[{where}.people]] with columns")
    table = Table(
        name,
        _of_type(told, "file", str, "*"),
        _of_type(told, "headings", bool, True),
        tuple(_who(f"{where}.people", each) for each in people),
        _of_type(told, "pairs", bool, False),
        _of_type(told, "several_rows", bool, False),
        _of_type(told, "surplus", bool, False),
        frozenset([*_strings(told, "ignore"), *_strings(told, "protected")]),
    )
    for heading in sorted(table.needed - unprotected):
        if is_protected(heading):
            raise ValueError(
                f"{where} reads {heading!r}, which looks like a protected attribute; leave it out, "
                f"or add not_protected = [{heading!r}] at the top if it is something else"
            )
    if table.pairs and [who.roles for who in table.people] not in ([("mentor",), ("mentee",)],):
        raise ValueError(f'{where} has pairs = true; it needs two people, with role = "mentor" and role = "mentee"')
    return table


def _who(where: str, told: Any) -> Who:
    if not isinstance(told, dict):
        raise ValueError(f"{where} is no table; write it as [[{where}]]")
    _check_names(told, {"role", "columns", "hours"}, where)
    roles = tuple([told["role"]] if isinstance(told.get("role"), str) else _strings(told, "role"))
    for role in roles:
        if role not in ROLES:
            raise ValueError(f"{where}: role {role!r} is not one of the known ones; use {', '.join(ROLES)}")
    columns = tuple(_column(heading, each) for heading, each in _of_type(told, "columns", dict, {}).items())
    meanings = [column.meaning for column in columns]
    for meaning in ONE_OF_EACH:
        if meanings.count(meaning) > 1:
            raise ValueError(f"{where}: {meanings.count(meaning)} columns mean {meaning}; keep one of them")
    if not {"email", "key", "name", "first_name", "last_name"} & set(meanings):
        raise ValueError(
            f"{where}: no column says who the person is; add a column to the spreadsheet with the e-mail address "
            'or the name, and here "its heading" = "email"'
        )
    hours = _of_type(told, "hours", dict, None)
    return Who(columns, roles, None if hours is None else _hours(f"{where}.hours", hours))


def _column(heading: str, told: Any) -> Column:
    options = {"is": told} if isinstance(told, str) else told
    if not isinstance(options, dict):
        raise ValueError(f'column {heading!r} has no meaning; write it as "{heading}" = "name"')
    _check_names(options, {"is", "separator", "form", "values", "name", "purpose"}, f"column {heading!r}")
    meaning = options.get("is")
    if meaning not in MEANINGS:
        raise ValueError(f"column {heading!r} is {meaning!r}, which means nothing here; use {', '.join(MEANINGS)}")
    purpose = options.get("purpose", "matching")
    if purpose not in PURPOSES:
        raise ValueError(f"column {heading!r}: purpose {purpose!r} is unknown; use {', '.join(PURPOSES)}")
    separator = options.get("separator")
    separators = [separator] if isinstance(separator, str) else separator
    if separators is not None and not (
        isinstance(separators, list) and all(isinstance(each, str) for each in separators)
    ):
        raise ValueError(f'column {heading!r}: separator is no text; write it as separator = ";"')
    values = {" ".join(key.casefold().split()): each for key, each in _of_type(options, "values", dict, {}).items()}
    return Column(
        heading,
        str(meaning),
        None if separators is None else tuple(filter(None, separators)),
        _of_type(options, "form", str, ""),
        values,
        _of_type(options, "name", str, ""),
        str(purpose),
    )


DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _hours(where: str, told: dict[str, Any]) -> Hours:
    _check_names(told, {"columns", "first_day", "zone"}, where)
    pattern, first = _of_type(told, "columns", str, ""), _of_type(told, "first_day", str, "monday").lower()
    if pattern.count("{}") != 1:
        raise ValueError(f'{where}: columns names no number; write it as columns = "Avail {{}}"')
    if first not in DAYS:
        raise ValueError(f"{where}: first_day {first!r} is no day; use {', '.join(DAYS)}")
    named = _of_type(told, "zone", str, "")
    try:
        return Hours(pattern, DAYS.index(first) + 1, zone(named) if named else "")
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        raise ValueError(f"{where}: zone {named!r} {reason}; {remedy}") from None


def _check_names(told: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(told) - known)
    if unknown:
        raise ValueError(f"{where} has {unknown[0]!r}, which means nothing here; use {', '.join(sorted(known))}")


def _of_type(told: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = told.get(name, default)
    if value is not default and not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r}; it must be of the form that docs/spreadsheets.md shows")
    return value


def _strings(told: Mapping[str, Any], name: str) -> Sequence[str]:
    value: list[str] = _of_type(told, name, list, [])
    if not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} holds what is no text; put each entry in quotes")
    return value
