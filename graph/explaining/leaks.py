"""Whether what somebody is shown tells of third people: their ids, their names, the titles of their goals."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.supposing import link_rows
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.ranking.listing import Recommendation

_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Shown:
    """To whom something is shown, and of whom it may tell.

    Attributes:
        columns: What the graph holds.
        mentee: uid of the person who seeks a mentor.
        mentor: uid of the mentor.
        goal: uid of the goal that is asked about.
    """

    columns: Columns
    mentee: str
    mentor: str
    goal: str


def leaks_in(shown: Shown, found: Recommendation) -> list[str]:
    """What a recommendation as it is shown tells of third people, in words; nothing if it is as it should be.

    An id is a leak unless it is one of those that the mentee may see; a name or title is one where it is somebody
    else's and cannot be that of the two, of the goal, of a skill or of a unit.
    """
    allowed = _allowed_uids(shown) | {found.uid}
    known = _own_texts(shown)
    found_leaks = []
    for text in _texts(asdict(replace(found, evidence=()))):
        found_leaks += [f"{found.uid}: the id {uid}" for uid in _UID.findall(text) if uid not in allowed]
        if not _UID.fullmatch(text):
            found_leaks += [f"{found.uid}: {each!r}" for each in _foreign_names(shown.columns, text, known)]
    return found_leaks


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _allowed_uids(shown: Shown) -> set[str]:
    columns = shown.columns
    people = {columns.people.find(shown.mentee), columns.people.find(shown.mentor)}
    goal = columns.goals.find(shown.goal) if shown.goal else NONE
    allowed = {shown.mentee, shown.mentor, shown.goal} | _of_nobody(columns)
    for kind in ("offers", "wants", "unit_membership"):
        table = columns.tables[kind]
        for person in people:
            allowed.update(table.rows.uids[row] for row in columns.rows_by(kind, "person").of(person))
    needs = columns.tables["goal_skills"]
    allowed.update(needs.rows.uids[row] for row in columns.rows_by("goal_skills", "goal").of(goal))
    for name in ("unit", "priority"):
        allowed |= {uid for uid, row in link_rows(columns, "goals", name).items() if row == goal}
    profiles = {
        int(row): columns.tables["profiles"].rows.uids[row]
        for person in people
        for row in columns.rows_by("profiles", "person").of(person)
    }
    allowed |= {*profiles.values()}
    allowed |= {uid for uid, row in link_rows(columns, "profiles", "person").items() if row in profiles}
    pairings = columns.tables["pairings"]
    own = columns.rows_by("pairings", "mentee").of(columns.people.find(shown.mentee))
    own = own[pairings.numbers("mentor")[own] == columns.people.find(shown.mentor)]
    allowed |= {pairings.rows.uids[row] for row in own}
    for name in ("mentor", "mentee"):
        allowed |= {uid for uid, row in link_rows(columns, "pairings", name).items() if row in own}
    return allowed


def _of_nobody(columns: Columns) -> set[str]:
    """The ids of what belongs to nobody: skills, units, their phases, priorities and the taxonomy."""
    tables = [columns.tables[kind] for kind in ("skills", "units", "phases", "priorities", "broader", "successions")]
    key = tuple(table.version for table in tables)
    return columns.remember(
        "ids of what is nobody's",
        key,
        lambda: {uid for table in tables for uid in table.rows.uids} | {*link_rows(columns, "phases", "unit")},
    )


def _own_texts(shown: Shown) -> list[str]:
    """Names that may stand there, the longest first."""
    columns = shown.columns
    names, titles = columns.tables["people"].strings("name"), columns.tables["goals"].strings("title")
    own = [names[columns.people.find(uid)] for uid in (shown.mentee, shown.mentor)]
    own += [titles[columns.goals.find(shown.goal)]] if shown.goal else []
    for kind in ("skills", "units", "phases", "priorities"):
        own += columns.tables[kind].strings("name")
    return sorted(filter(None, own), key=len, reverse=True)


def _foreign_names(columns: Columns, text: str, own: list[str]) -> list[str]:
    for name in own:
        text = text.replace(name, "…")
    by_word = columns.remember(
        "names by their first word",
        (columns.tables["people"].version, columns.tables["goals"].version),
        lambda: _names_by_first_word(columns),
    )
    words = set(_WORD.findall(text))
    return sorted({name for word in words for name in by_word.get(word, ()) if _stands_in(name, text)})


def _names_by_first_word(columns: Columns) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    names = [*columns.tables["people"].strings("name"), *columns.tables["goals"].strings("title")]
    for name in np.unique([each for each in names if each]).tolist():
        if words := _WORD.findall(name):
            found[words[0]].append(name)
    return found


def _stands_in(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
