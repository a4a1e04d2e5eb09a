"""From rows to facts: the one way in which import, mutations and generated worlds describe what is to be recorded.

A row of the bundle may state several facts at once: a person and their roles, a goal and the skills that it needs.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import ALWAYS, InvalidFact, Problem, Record, Row, role_uid
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.values import choice, items, plain
from mentorgraph.graph.vocabulary import PURPOSES, ROLES

FILES = (
    "units",
    "skills",
    "broader",
    "skill_states",
    "successions",
    "skill_relations",
    "programmes",
    "phases",
    "trainings",
    "tiers",
    "tier_trainings",
    "onboarding_steps",
    "scripts",
    "priorities",
    "people",
    "charters",
    "policies",
    "profiles",
    "roles",
    "consents",
    "identities",
    "goals",
    "goal_skills",
    "person_skills",
    "skill_ratings",
    "unit_membership",
    "reporting_lines",
    "memberships",
    "completions",
    "steps_done",
    "blocks",
    "requests",
    "overrides",
    "pairings",
    "co_mentors",
    "moves",
    "signatures",
    "milestones",
    "sessions",
    "notes",
    "feedback",
    "availability",
    "absences",
    "busy_times",
)
"""Files of a bundle, each after those that it refers to."""

REQUIRED_FILES = ("people", "units", "skills", "goals", "pairings")

STANCES = ("offers", "wants")
"""What a row of person_skills may say; each is a kind of its own."""

_ROLE_NAMES = MappingProxyType({role_uid(role): role for role in ROLES})

LIST_COLUMNS = MappingProxyType({"people": "roles", "skills": "broader", "goals": "skills"})
"""File → the column that states further facts, one per entry."""


def columns_of(file: str) -> tuple[str, ...]:
    """The columns that a file may have, in the order in which an export writes them."""
    own: tuple[str, ...]
    if file == "person_skills":
        own = ("uid", "person_id", "skill_id", "stance", "level", "since", "until")
    else:
        own = KINDS[file].columns
    extra = ("source", "external_id") if file != "person_skills" and KINDS[file].has_id else ("source",)
    return own + extra


def required_columns(file: str) -> tuple[str, ...]:
    """The columns without which no row of a file can be read."""
    if file == "person_skills":
        return ("person_id", "skill_id", "stance", "since")
    kind = KINDS[file]
    return (
        (("id",) if kind.has_id else ())
        + tuple(link.column for link in kind.links if link.required)
        + tuple(each.column for each in kind.fields if each.required)
    )


def facts_of(
    file: str,
    row: Row,
    source: str,
    *,
    first_pairing: Callable[[str, str], datetime | None] = lambda _uid, _role: None,
) -> list[Record]:
    """The facts that one row of a file states, the row's own fact first.

    Args:
        file: Name of the file without its ending.
        row: Column → value.
        source: Where the row came from.
        first_pairing: Person uid and role → start of the first pairing that shows the role, if one does; an undated
            role begins there.

    Raises:
        InvalidFact: With every problem of the row.
    """
    if file == "person_skills":
        return [record_of(KINDS[_one_of(row, "stance", STANCES)], row, source)]
    own = record_of(KINDS[file], row, source)
    further: list[Record] = []
    if file == "people":
        for entry in _entries(row, "roles"):
            role = _known(entry, "roles", ROLES)
            since = first_pairing(own.uid, role) or own.properties["since"]
            dated = {"person_id": own.uid, "role_id": role, "since": since}
            further.append(record_of(KINDS["roles"], dated, _source(own), key=f"{own.uid}\x1f{role}"))
    elif file == "goals":
        for skill in _entries(row, "skills"):
            needs = {"goal_id": own.uid, "skill_id": skill, "since": own.properties["since"]}
            further.append(record_of(KINDS["goal_skills"], needs, _source(own)))
    elif file == "skills":
        for broader in _entries(row, "broader"):
            edge = {"skill_id": own.uid, "broader_id": broader, "since": ALWAYS}
            further.append(record_of(KINDS["broader"], edge, _source(own)))
    return [own, *{each.uid: each for each in further}.values()]


def consents_of(person: Record, purposes: tuple[str, ...], basis: str) -> list[Record]:
    """The consents of one person that whoever imports vouches for, from the day on which the person joined.

    Args:
        person: The person.
        purposes: What they agreed to.
        basis: The text or the ground on which they did; kept as the version of the consent's text.
    """
    row = {"person_id": person.uid, "text_version": basis, "since": person.properties["since"]}
    return [record_of(KINDS["consents"], row | {"purpose": purpose}, _source(person)) for purpose in purposes]


def purposes_of(text: str) -> tuple[str, ...]:
    """Reads purposes separated by commas, in any letter case; `none` for none.

    Raises:
        InvalidFact: One of them is unknown.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == ["none"]:
        return ()
    return tuple(dict.fromkeys(_known(name, "--consent", PURPOSES) for name in names))


def without_gaps(row: Row) -> Mapping[str, object]:
    """What somebody told, without what they left out."""
    return {name: value for name, value in row.items() if value is not None}


def row_of(record: Record) -> dict[str, str]:
    """The row of an export that states a fact: column → text, with the uid in place of every source key."""
    kind = KINDS[record.kind]
    row = {"id" if kind.has_id else "uid": record.uid}
    row |= {link.column: record.links.get(link.name, "") for link in kind.links}
    if "role_id" in row:
        row["role_id"] = _ROLE_NAMES.get(row["role_id"], row["role_id"])
    if record.kind in STANCES:
        row["stance"] = record.kind
    row |= {each.column: plain(record.properties.get(each.name)) for each in kind.fields}
    row["source"] = _source(record)
    if kind.has_id:
        row["external_id"] = plain(record.properties.get("external_id"))
    return row


def _source(record: Record) -> str:
    return str(record.properties["source"])


def _entries(row: Row, column: str) -> list[str]:
    try:
        return items(row.get(column) or "")
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        raise InvalidFact([Problem(column, str(row[column])[:120], reason, remedy)]) from None


def _one_of(row: Mapping[str, object], column: str, allowed: tuple[str, ...]) -> str:
    return _known(str(row.get(column) or ""), column, allowed)


def _known(value: str, column: str, allowed: tuple[str, ...]) -> str:
    try:
        return choice(*allowed)(value)
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        raise InvalidFact([Problem(column, value[:120], reason, remedy)]) from None
