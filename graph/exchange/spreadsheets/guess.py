"""Proposes a mapping from the headings of spreadsheets and a sample of their values, for a person to read and confirm.

What is proposed names headings only: no value of any person stands in it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from zoneinfo import available_timezones

from mentorgraph.graph.exchange.spreadsheets.cells import (
    DAY_FORMS,
    NO,
    YES,
    address,
    agrees,
    at_most,
    day,
    folded,
    is_yes,
    roles,
    zone_of,
)
from mentorgraph.graph.exchange.spreadsheets.mapping import MEANINGS, ONE_OF_EACH, is_protected
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet, headings_of, numbered
from mentorgraph.graph.facts.model import InvalidFact

SAMPLE = 200
"""Rows that are looked at."""
LONG_TEXT = 80
"""Characters of an average cell that is no list of skills."""
LEVELS = {
    "none": 0,
    "not confident": 0,
    "not at all confident": 0,
    "beginner": 1,
    "slightly confident": 1,
    "a little confident": 1,
    "basic": 2,
    "somewhat confident": 2,
    "neutral": 3,
    "intermediate": 3,
    "moderately confident": 3,
    "confident": 4,
    "advanced": 4,
    "very confident": 5,
    "extremely confident": 5,
    "expert": 5,
}
"""How people rate themselves in words → level, 0 for none."""

Values = Sequence[str]


def _all(test: Callable[[str], object]) -> Callable[[Values], bool]:
    """Whether every value passes a test that may raise."""

    def check(values: Values) -> bool:
        try:
            return all(test(value) is not None for value in values)
        except ValueError:
            return False

    return check


def _some(_values: Values) -> bool:
    return True


def _yes_or_no(values: Values) -> bool:
    return all(folded(value) in YES | NO for value in values)


def _names_roles(values: Values) -> bool:
    return not values or (_all(roles)(values) and any(roles(value) for value in values))


def _short(values: Values) -> bool:
    return not values or sum(map(len, values)) / len(values) <= LONG_TEXT


def _addresses(values: Values) -> bool:
    return not values or any("@" in value for value in values)


def _zones(values: Values) -> bool:
    known = tuple(available_timezones())
    return _all(lambda value: zone_of(value, known))(values)


_ORGANISATION = (
    r"organi[sz]ation|department|agency|division|business unit|team|directorate|faculty|school|company|project"
)
_SUPERVISOR = r"(line |direct |reporting |people )?(manager|supervisor)"

RULES: tuple[tuple[str, str, Callable[[Values], bool]], ...] = (
    ("supervisor", rf"^(your )?{_SUPERVISOR}('?s)?( (e-?mail|id|number|name)( address)?)?$|^reports to$", _short),
    ("email", r"\be-?mail\b", _addresses),
    ("key", r"\b(employee|worker|staff|personnel|member) ?(id|number|no)\b", _some),
    ("first_name", r"\b(first|given|fore) ?-?names?$|^first$", _some),
    ("last_name", r"\b(last|family|sur) ?-?names?$|^last$", _some),
    ("name", r"^(your |full |preferred |display |participant |employee |worker |legal )*name$", _some),
    ("both_roles", r"both mentor and mentee", _yes_or_no),
    ("is_mentor", r"\b(sign up as|be|become|act as) an? mentor\b|^(is )?mentor$|willing to mentor", _yes_or_no),
    ("is_mentee", r"\b(sign up as|be|become|act as|have) an? (mentee|mentor)\b|^(is )?mentee$", _yes_or_no),
    (
        "role",
        r"^(?!.*\b(job|current)\b).*\b(roles?|mentoring type|participant type|(participate|join|joining) as)\b",
        _names_roles,
    ),
    ("consent", r"\b(consents?|agree)\b", _all(lambda value: agrees(value) is not None)),
    ("answered_on", r"^timestamp$|^completion time$|^submitted( at| on)?$|^submission date$", _some),
    ("joined_on", r"\b(hire date|start date|joined( on)?|joining date|date of joining|date joined)\b", _some),
    ("left_on", r"\b(termination date|end date|leaving date|last day|left on)\b", _some),
    ("zone", r"\btime ?-?zone\b", _zones),
    (
        "max_mentees",
        r"\b(max(imum)?\b.*\bmentees|how many mentees|number of mentees|mentee capacity|^capacity$)",
        _all(at_most),
    ),
    ("is_available", r"^(is )?(currently )?available$|accepting (new )?mentees", _yes_or_no),
    ("hours_per_month", r"\bhours\b.*\bmonth", _all(at_most)),
    ("job_title", r"^(your |current )*(job ?title( or role)?|job|position)$|^(your )?current role$", _short),
    ("grade", r"^(your )?(grade|pay ?band|seniority|career ?stage)$", _short),
    ("experience_years", r"\byears of\b.*\bexperience\b|^(work )?experience( in years)?$", _all(at_most)),
    ("coaching_style", r"\b(coaching|mentoring) style\b", _short),
    ("formats", r"\b(preferred )?meeting (type|format)s?\b", _short),
    ("languages", r"\blanguages? (you )?(spoken|speak)\b|\bspoken languages?\b", _short),
    ("blocked", r"\b(not|never)\b(?!.*topic).*\b(mentors|mentees|pair(ed)? with|match(ed)? with|people)\b", _short),
    ("programme", r"\bprogram(me)?( id| name)?$", _short),
    ("offers", r"\b(like|able|happy|want) to mentor in\b|\boffer help in\b|\bcan (help|teach|mentor)\b", _short),
    ("offers", r"\bexpertise\b|\bskills? (offered|to share)\b|^strengths$", _short),
    ("wants", r"\bneed help in\b|\b(like|want|hope) to (learn|be mentored|develop)\b|^looking for$", _short),
    ("wants", r"\bskills? (wanted|to learn)\b|\bdevelopment (areas|needs)\b", _short),
    ("topics", r"^((areas? of |your )?(interests?|skills?|topics?)|field|capacities)$", _short),
    ("goal", r"\bgoals?\b|\bobjectives?\b|\bwhat do you (hope|want|wish) to\b", _some),
    ("profession", r"\bprofession\b", _short),
    ("unit", rf"^(your )?(supervisory )?({_ORGANISATION})( or \w+)?( name)?$", _short),
)
"""Meaning, what a heading says of it in lower case, and what its values must be like; the first that fits is taken."""

NOT_SKILLS = re.compile(
    r"\b(prefer\w*|comfort\w*|available|availability|request\w*|requir\w*|team|transit|level|not)\b|^(id|#)$"
)
"""Headings of boxes that say something else than a skill."""

KNOWN = re.compile(r"\b(id|title|grade|notes?|comments?|biography|bio|intro|description|experience|rank|score|url)\b|#")
"""Headings that are recognised and have no meaning here."""

IDENTITY = frozenset({"email", "key", "name", "first_name", "last_name"})
"""Meanings that say who a person is."""

_BLOCK = re.compile(r"^(mentor|mentee) ?(\d+)\b[ :-]*(.*)$", re.IGNORECASE)
_PAIR = re.compile(r"^(mentor|mentee)('s)?\b[ _-]*(.*)$", re.IGNORECASE)
_NUMBERED = re.compile(r"^(.*?)(\d+)$")


@dataclass
class _Proposal:
    """What is proposed for one table: columns with their meaning, and why the others are not read."""

    people: list[tuple[tuple[str, ...], dict[str, str]]] = field(default_factory=list)
    hours: str = ""
    ignored: list[str] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def guess(sheets: Sequence[Sheet], since: date) -> str:
    """The text of a mapping for some sheets.

    Args:
        sheets: Those to be imported together.
        since: When facts begin that have no date.
    """
    full = [sheet for sheet in sheets if sheet.rows]
    files = [sheet.name.split(":")[0] for sheet in full]
    lines = [
        "# What the columns mean, as far as headings and some values tell. Read this, correct it, and confirm it:",
        f"#   mentorgraph import --mapping THIS.toml {' '.join(map(_shell, dict.fromkeys(files)))} --dry-run",
        "# A column means one of:",
        *(f"#   {name:<18}{meaning}" for name, meaning in MEANINGS.items()),
        "# docs/spreadsheets.md describes it all.",
        "version = 1",
        "# The system that the people come from. Keep it: the same address from another source is another person.",
        'source = "spreadsheet"',
        "# When facts begin that have no date of their own; if not given, on the day of the import.",
        f"# since = {since.isoformat()}",
    ]
    tables: dict[str, list[str]] = {}
    for sheet in full:
        name = _slug(sheet.title)
        if tables.get(name) != _table_lines(name, sheet):  # another file of the same layout needs no table of its own
            while name in tables:
                name += "_more"
            tables[name] = _table_lines(name, sheet)
    for table in tables.values():
        lines += ["", *table]
    return "\n".join(lines) + "\n"


# --- one table ------------------------------------------------------------------------------------------------------


def _table_lines(name: str, sheet: Sheet) -> list[str]:
    rows = [cells for _, cells in sheet.rows[: SAMPLE + 1] if not isinstance(cells, InvalidFact)]
    has_headings = _has_headings(rows)
    headings = sheet.headings if has_headings else numbered(sheet.width)
    sample = rows[1:] if has_headings else rows
    values = {
        heading: [row[place].strip() for row in sample if place < len(row) and row[place].strip()]
        for place, heading in enumerate(headings)
    }
    found = _Proposal()
    told_roles = _roles_of_title(sheet.title)
    if has_headings:
        pairs = _propose(found, headings, values, told_roles)
    else:
        pairs = False
        _propose_by_values(found, values, told_roles)
    lines = [f"[tables.{name}]", f"file = {_quoted(_pattern(sheet.title))}"]
    if not has_headings:
        lines += ["# The first row looks like a person: columns are named by their place.", "headings = false"]
    if pairs:
        lines += ["# Each row pairs its mentor with its mentee.", "pairs = true"]
    if _is_long(found, sample, headings):
        lines += ["# The same name comes on several rows: they are about one person.", "several_rows = true"]
    if any(len(headings_of(row)) > len(headings) for row in sample) and _last_is_list(found, headings):
        lines += [
            "# Some rows are longer than the headings: the last column holds a list without quotes.",
            "surplus = true",
        ]
    if found.protected:
        lines += [
            "# Not imported: these look like protected attributes, by which nobody is to be judged.",
            f"protected = [{', '.join(map(_quoted, found.protected))}]",
        ]
    if found.ignored:
        lines += [
            "# Not read, because no meaning was recognised: give a column a meaning below to have it read.",
            f"ignore = [{', '.join(map(_quoted, found.ignored))}]",
        ]
    lines += [f"# {note}" for note in found.notes]
    for place, (each, columns) in enumerate(found.people):
        lines += ["", f"[[tables.{name}.people]]"]
        if each:
            lines.append(f"role = {_quoted(each[0]) if len(each) == 1 else json.dumps(list(each))}")
        elif not {"role", "is_mentor", "is_mentee"} & {_meaning(told) for told in columns.values()}:
            lines.append('# Nothing says what these people are; add role = "mentor" or role = "mentee" if all are.')
        if found.hours and place == 0:
            lines.append(found.hours)
        lines.append(f"[tables.{name}.people.columns]")
        lines += [f"{_quoted(heading)} = {told}" for heading, told in columns.items()]
        if not IDENTITY & {_meaning(told) for told in columns.values()}:
            lines.append("# No column says who the person is: add one to the file, with the e-mail address, and here")
            lines.append('# "E-mail" = "email"')
    return lines


def _propose(
    found: _Proposal, headings: Sequence[str], values: dict[str, list[str]], told_roles: tuple[str, ...]
) -> bool:
    """Proposes by headings, and values where they tell more; says whether rows are pairings."""
    left = [heading for heading in headings if not is_protected(heading)]
    found.protected = [heading for heading in headings if is_protected(heading)]
    hours = _hours(left, values)
    if hours:
        found.hours = hours[0]
        left = [heading for heading in left if heading not in hours[1]]
    blocks: dict[tuple[str, str], dict[str, str]] = {}
    for heading in left:
        if match := _BLOCK.match(heading):
            meaning = _plain_meaning(match[3] or "name", values[heading])
            block = blocks.setdefault((match[1].lower(), match[2]), {})
            if meaning and not (meaning in ONE_OF_EACH and meaning in block.values()):
                block[heading] = meaning
    blocks = {which: block for which, block in blocks.items() if IDENTITY & set(block.values())}
    if len(blocks) > 1:
        shared = {h: m for h in left if not _BLOCK.match(h) and (m := _plain_meaning(h, values[h])) in ("unit",)}
        for (role, _), columns in blocks.items():
            quoted = {heading: _quoted(meaning) for heading, meaning in (columns | shared).items()}
            found.people.append(((role,), quoted))
        read = {heading for _, columns in found.people for heading in columns}
        found.ignored = [heading for heading in left if heading not in read]
        return False
    ends: dict[str, dict[str, str]] = {"mentor": {}, "mentee": {}}
    for heading in left:
        if (match := _PAIR.match(heading)) and _plain_meaning(match[3], values[heading]) in {"email", "name"}:
            ends[match[1].lower()].setdefault(_plain_meaning(match[3], values[heading]), heading)
    if all("email" in each or "name" in each for each in ends.values()):
        for role, told in ends.items():
            found.people.append(((role,), {heading: _quoted(meaning) for meaning, heading in told.items()}))
        read = {heading for _, columns in found.people for heading in columns}
        found.ignored = [heading for heading in left if heading not in read]
        return True
    columns = _columns(found, left, values)
    found.people.append((() if _is_said(columns) else told_roles, columns))
    return False


def _is_said(columns: dict[str, str]) -> bool:
    """Whether columns say the role of each person, so that the file's name need not."""
    meanings = {_meaning(told) for told in columns.values()}
    return bool(meanings & {"role", "is_mentor", "is_mentee"})


def _columns(found: _Proposal, headings: Sequence[str], values: dict[str, list[str]]) -> dict[str, str]:
    columns: dict[str, str] = {}
    taken: set[str] = set()
    boxes = [heading for heading in headings if _is_box(heading, values[heading])]
    for heading in headings:
        meaning = _plain_meaning(heading, values[heading])
        if meaning in ONE_OF_EACH and meaning in taken:
            found.ignored.append(heading)
        elif meaning and (told := _told(found, meaning, heading, values[heading])):
            taken.add(meaning)
            columns[heading] = told
        elif heading in boxes and len(boxes) > 2:
            columns[heading] = f'{{ is = "topic", name = {_quoted(_skill(heading))} }}'
        elif levels := _levels(values[heading]):
            columns[heading] = f'{{ is = "topic", name = {_quoted(_skill(heading))}, values = {{ {levels} }} }}'
        else:
            found.ignored.append(heading)
    spare = {"name"} if {"first_name", "last_name"} <= taken else set()
    if {"email", "key"} <= taken:
        spare.add("key")
        found.notes.append(
            'Addresses tell people apart. If they change, let the number do so: map it to "key", in all files.'
        )
    for heading in [heading for heading, told in columns.items() if _meaning(told) in spare]:
        del columns[heading]
        found.ignored.append(heading)
    return columns


def _propose_by_values(found: _Proposal, values: dict[str, list[str]], told_roles: tuple[str, ...]) -> None:
    columns: dict[str, str] = {}
    for heading, each in values.items():
        words = {folded(value) for value in each}
        if words and words <= {"m", "f", "x", "male", "female", "non-binary", "nonbinary", "other", "man", "woman"}:
            found.protected.append(heading)
        elif each and all("@" in value for value in each) and _all(address)(each):
            columns.setdefault(heading, _quoted("email"))
        elif _named(columns) < 2 and each and all(re.fullmatch(r"[^\W\d_]+(?:['’ -][^\W\d_]+)*", v) for v in each):
            columns[heading] = _quoted(("first_name", "last_name")[_named(columns)])
        else:
            found.ignored.append(heading)
    if _named(columns) == 1:
        columns = {h: told.replace("first_name", "name") for h, told in columns.items()}
    found.people.append((told_roles, columns))


def _named(columns: dict[str, str]) -> int:
    return sum(told in (_quoted("first_name"), _quoted("last_name")) for told in columns.values())


# --- one column -----------------------------------------------------------------------------------------------------


def _plain_meaning(heading: str, values: Values) -> str:
    """The meaning of a column, or nothing."""
    clean = folded(heading.replace("_", " ").rstrip("?:* "))
    clean = re.sub(r" \(\d+\)$", "", clean)
    for meaning, pattern, fits in RULES:
        if re.search(pattern, clean) and fits(values):
            return meaning
    return ""


def _told(found: _Proposal, meaning: str, heading: str, values: Values) -> str:
    """A meaning with what its values need; nothing where they cannot be read."""
    if meaning in {"offers", "wants", "topics", "blocked", "programme", "formats", "languages"}:
        if any(mark in value for value in values for mark in "\n;|"):
            marks = [mark for mark in ("\n", ";", "|") if any(mark in value for value in values)]
            separator = _quoted(marks[0]) if len(marks) == 1 else json.dumps(marks)
            return f'{{ is = "{meaning}", separator = {separator} }}'
        if any("," in value for value in values):
            return f'{{ is = "{meaning}", separator = "," }}'
    if meaning in {"answered_on", "joined_on", "left_on"} and values and not _all(day)(values):
        fitting = [form for form in DAY_FORMS if _all(partial(day, form=form))(values)]
        if len(fitting) > 1:
            found.notes.append(
                f"{_quoted(heading)}: day or month first? Its values do not tell; see that its form is right."
            )
        if not fitting:
            found.notes.append(
                f"{_quoted(heading)}: its days are written in no known form; give it a form to have it read."
            )
        return f'{{ is = "{meaning}", form = {_quoted(fitting[0])} }}' if fitting else ""
    return _quoted(meaning)


def _is_box(heading: str, values: Values) -> bool:
    """Whether a column is a box to tick for a skill: mostly plain marks, at most some of them in words."""
    if not values or len(heading) > LONG_TEXT or NOT_SKILLS.search(folded(heading.replace("_", " "))):
        return False
    plain = sum(folded(value) in YES | NO for value in values)
    return 2 * plain >= len(values) and any(is_yes(value) for value in values) and not _all_numbers(values)


def _all_numbers(values: Values) -> bool:
    """Whether there are numbers besides 0 and 1."""
    return any(re.fullmatch(r"\d+(\.\d+)?", value) and value not in {"0", "1"} for value in values)


def _levels(values: Values) -> str:
    words = {folded(value) for value in values}
    if not words or not words <= LEVELS.keys():
        return ""
    return ", ".join(f"{_quoted(word)} = {level}" for word, level in LEVELS.items() if word in words)


def _skill(heading: str) -> str:
    """The skill that a heading is about: the row of a grid question `Question [row]`, or the heading itself."""
    row = re.search(r"\[([^\]]+)\]\s*$", heading)
    plain = (row[1] if row else heading.replace("_", " ")).strip(" ?:*")
    return re.sub(r"^(confidence|experience|comfort) (in|with) ", "", plain, flags=re.IGNORECASE)


def _hours(headings: Sequence[str], values: dict[str, list[str]]) -> tuple[str, set[str]] | None:
    """The columns that stand for the 168 hours of a week."""
    prefixes = Counter(match[1] for heading in headings if (match := _NUMBERED.match(heading)))
    for prefix, times in prefixes.items():
        columns = {f"{prefix}{number}" for number in range(1, 169)}
        if times == 168 and columns <= set(headings) and all(_yes_or_no(values[each]) for each in columns):
            told = (
                "# Hour 1 is taken for Monday from 00:00 to 01:00 in the zone named here: correct both.\n"
                f'hours = {{ columns = {_quoted(prefix + "{}")}, first_day = "monday", zone = "UTC" }}'
            )
            return told, columns
    return None


# --- the whole table ------------------------------------------------------------------------------------------------


def _has_headings(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: it says what a heading says, and nothing that only a value says."""
    if not rows:
        return True
    headings = headings_of(rows[0])
    if any("@" in heading and "." in heading and " " not in heading for heading in headings):
        return False
    if any(_plain_meaning(heading, ()) or is_protected(heading) for heading in headings):
        return True
    return not any(folded(heading) in YES | NO | {"m", "f", "male", "female"} for heading in headings)


def _is_long(found: _Proposal, sample: Sequence[Sequence[str]], headings: Sequence[str]) -> bool:
    """Whether people without address come on several rows that differ."""
    if len(found.people) != 1:
        return False
    meanings = {heading: _meaning(told) for heading, told in found.people[0][1].items()}
    if {"email", "key"} & set(meanings.values()):
        return False
    named = [heading for heading, meaning in meanings.items() if meaning in {"name", "first_name", "last_name"}]
    places = [headings.index(heading) for heading in named]
    names = Counter(tuple(folded(row[place]) for place in places if place < len(row)) for row in sample)
    is_listing = {"topics", "wants", "offers"} & set(meanings.values())
    return bool(names and is_listing) and sum(names.values()) >= 1.5 * len(names)


def _last_is_list(found: _Proposal, headings: Sequence[str]) -> bool:
    told = found.people[-1][1].get(headings[-1]) if found.people and headings else None
    return told is not None and _meaning(told) in {"offers", "wants", "topics"}


def _meaning(told: str) -> str:
    match = re.search(r'^(?:\{ is = )?"(\w+)"', told)
    return match[1] if match else ""


def _roles_of_title(title: str) -> tuple[str, ...]:
    """What a file or sheet of this name is about."""
    words = re.sub(r"[\W\d_]+", " ", title.casefold())
    return tuple(role for role in ("mentor", "mentee") if re.search(rf"\b{role}s?\b", words))


def _pattern(title: str) -> str:
    """A pattern for this file and those of the same name with another date or number."""
    return re.sub(r"\*+", "*", re.sub(r"[\d*?\[\]]+", "*", title)) + "*"


def _slug(title: str) -> str:
    return re.sub(r"\W+", "_", title.casefold(), flags=re.ASCII).strip("_") or "table"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shell(name: str) -> str:
    return f"'{name}'" if re.search(r"[^\w.,+-]", name) else name
