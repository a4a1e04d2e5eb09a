"""The facts that the graph holds: their kinds, fields, links and identity.

A *kind* is at once a file of the bundle, a node label or relationship type, and a pair of statements
(`write_<kind>.cypher`, `list_<kind>.cypher`). Import, mutation and generator all turn rows into records by these
descriptions, so the same fact has the same uid and the same shape by whichever route it came.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeAlias

from mentorgraph.graph.values import Value, choice, instant, items, link, number, text, time_of_day, whole, zone

Row: TypeAlias = Mapping[str, object]

NAMESPACE = uuid.UUID("6d0f3a52-4b8e-5f3c-9a51-3f6f7a1f0c11")
"""UUIDv5 name space of every uid that is made from a source key."""

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of facts that carry no date of their own, such as the taxonomy edges of a plain skills file."""

ROLES = ("mentor", "mentee", "coordinator", "facilitator", "sponsor", "data_scientist", "auditor")
PURPOSES = ("matching", "training", "audit_attributes", "stories", "recording")
OPEN_REQUEST_STATES = ("proposed", "requested", "more_information")
REQUEST_STATES = (*OPEN_REQUEST_STATES, "accepted", "declined", "withdrawn", "expired", "released")
"""States of what may become a pairing; one that was accepted has become it."""
OPEN_STATES = ("accepted", "active", "paused", "stalled")
"""States of a pairing that takes up one of the mentor's places."""
PAIRING_STATES = (*OPEN_STATES, "completed", "ended")
REASONS = (
    "no_capacity",
    "not_my_field",
    "no_shared_time",
    "conflict_of_interest",
    "no_response",
    "goal_reached",
    "goal_changed",
    "does_not_work_out",
    "left",
    "other",
)
"""Why a request was declined or a pairing ended; only coordinators see it."""
SESSION_KINDS = ("live", "asynchronous", "recorded", "written")
SKILL_STATES = ("proposed", "approved", "deprecated")
"""What may be said of a skill; one of which nothing is said is approved."""
SUCCESSIONS = ("merged", "split")
"""How one skill gives way to others: to one that it counts for from then on, or to several that are part of it."""
RATERS = ("self", "mentor", "project", "certificate")
"""Where a rating of somebody's skill may come from."""
SKILL_RELATIONS = ("essential", "optional")
"""How much a skill asks for another one."""
PROGRAMME_FORMATS = ("micro", "peer", "cohort", "long_term", "reverse", "sponsor")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value cannot be taken, and what to do about it."""

    column: str
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """One line: column and value, unless it is about the whole row, then reason and remedy."""
        about = f"{self.column} {self.value!r}: " if self.column else ""
        return f"{about}{self.message}; {self.remedy}"


class InvalidFact(ValueError):
    """A row that does not describe a fact; `problems` says why, one entry per value."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a kind.

    Attributes:
        column: Name in the bundle.
        read: Turns text (or a native value) into what is stored; raises `ValueError("reason|remedy")`.
        stored_as: Name in the graph, where it differs from the column.
        required: Whether the fact makes no sense without it.
    """

    column: str
    read: Callable[[object], Value]
    stored_as: str = ""
    required: bool = False

    @property
    def name(self) -> str:
        """Name in the graph."""
        return self.stored_as or self.column


@dataclass(frozen=True, slots=True)
class Link:
    """A reference from a record to another one.

    Attributes:
        column: Name in the bundle, ending in `_id`.
        target: Name of the kind that it points to.
        type: Relationship type; empty for the two ends of a relationship kind, which *is* that relationship.
        incoming: Whether the relationship runs from the target to the record.
        required: Whether the fact makes no sense without it.
    """

    column: str
    target: str
    type: str = ""
    incoming: bool = False
    required: bool = True

    @property
    def name(self) -> str:
        """Column without `_id`; the name of the link in records and statements."""
        return self.column.removesuffix("_id")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact.

    Attributes:
        name: File of the bundle and suffix of its two statements.
        label: Node label, or relationship type where `is_relationship`.
        fields: Its own columns.
        links: Its references. A relationship kind has exactly two: where it starts and where it ends.
        key: Columns that identify a fact which has no id of its own.
        has_id: Whether rows carry an `id`.
    """

    name: str
    label: str
    fields: tuple[Field, ...]
    links: tuple[Link, ...] = ()
    key: tuple[str, ...] = ()
    is_relationship: bool = False
    has_id: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in the order in which an export writes them."""
        identity = ("id",) if self.has_id else ("uid",)
        return identity + tuple(link.column for link in self.links) + tuple(f.column for f in self.fields)


@dataclass(frozen=True, slots=True)
class Record:
    """One fact, ready to be written or as it was read.

    Attributes:
        kind: Name of its kind.
        uid: Its immutable identity.
        properties: What is stored on it, uid and source included; no value is None.
        links: Link name → uid of the target; absent links are left out.
    """

    kind: str
    uid: str
    properties: Mapping[str, Value]
    links: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


# --- the kinds ----------------------------------------------------------------------------------------------------

_SINCE = Field("since", instant, required=True)
_UNTIL = Field("until", instant)
_LEVEL = Field("level", whole(1, 5))


def _dated_relationship(
    name: str, label: str, start: Link, end: Link, *fields: Field, also: tuple[str, ...] = ()
) -> Kind:
    """A relationship kind: its ends, its beginning and the columns `also` tell one fact from another."""
    key = (start.column, end.column, *also, "since")
    return Kind(name, label, fields, (start, end), key, is_relationship=True, has_id=False)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("units", "OrganisationUnit", (Field("name", text(200), required=True), Field("category", text(200)))),
            Kind(
                "skills",
                "Skill",
                (
                    Field("name", text(200), required=True),
                    Field("kind", text(100)),
                    Field("tier", whole(1, 9)),
                    Field("cluster", text(100)),
                    Field("aliases", items),
                ),
            ),
            Kind(
                "programmes",
                "Programme",
                (
                    Field("name", text(200), required=True),
                    Field("format", choice(*PROGRAMME_FORMATS)),
                    Field("check_in_days", whole(1, 366)),
                    _SINCE,
                    _UNTIL,
                ),
            ),
            Kind(
                "priorities",
                "Priority",
                (Field("name", text(200), required=True), Field("description", text(5_000)), _SINCE, _UNTIL),
            ),
            Kind(
                "people",
                "Person",
                (
                    Field("name", text(200), required=True),
                    Field("joined_on", instant, "since", required=True),
                    Field("left_on", instant, "until"),
                    Field("zone", zone),
                ),
            ),
            _dated_relationship(
                "broader", "BROADER", Link("skill_id", "skills"), Link("broader_id", "skills"), _SINCE, _UNTIL
            ),
            Kind(
                "skill_states",
                "SkillState",
                (
                    Field("state", choice(*SKILL_STATES), required=True),
                    Field("reason", text(500)),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("skill_id", "skills", "IN_STATE", incoming=True),),
                key=("skill_id", "state", "since"),
                has_id=False,
            ),
            _dated_relationship(
                "successions",
                "BECAME",
                Link("skill_id", "skills"),
                Link("successor_id", "skills"),
                Field("how", choice(*SUCCESSIONS), required=True),
                Field("reason", text(500)),
                _SINCE,
                _UNTIL,
            ),
            _dated_relationship(
                "skill_relations",
                "RELATED",
                Link("skill_id", "skills"),
                Link("related_id", "skills"),
                Field("relation", choice(*SKILL_RELATIONS), required=True),
                _SINCE,
                _UNTIL,
                also=("relation",),
            ),
            Kind(
                "goals",
                "Goal",
                (
                    Field("title", text(500), required=True),
                    Field("description", text(20_000)),
                    Field("created_on", instant, "since", required=True),
                    Field("closed_on", instant, "until"),
                ),
                (
                    Link("person_id", "people", "HAS_GOAL", incoming=True),
                    Link("unit_id", "units", "IN_UNIT", required=False),
                    Link("priority_id", "priorities", "SERVES", required=False),
                ),
            ),
            Kind(
                "pairings",
                "Pairing",
                (
                    Field("started_on", instant, "since", required=True),
                    Field("ended_on", instant, "until"),
                    Field("status", choice(*PAIRING_STATES), required=True),
                    Field("outcome", number(0, 1)),
                    Field("check_in_days", whole(1, 366)),
                ),
                (
                    Link("mentor_id", "people", "MENTOR"),
                    Link("mentee_id", "people", "MENTEE"),
                    Link("goal_id", "goals", "FOR_GOAL", required=False),
                    Link("unit_id", "units", "IN_UNIT", required=False),
                    Link("programme_id", "programmes", "IN_PROGRAMME", required=False),
                ),
            ),
            Kind(
                "requests",
                "Request",
                (
                    Field("asked_on", instant, "since", required=True),
                    Field("answered_on", instant, "until"),
                    Field("answer_within_days", whole(1, 365), required=True),
                    Field("status", choice(*REQUEST_STATES), required=True),
                ),
                (
                    Link("mentor_id", "people", "ASKS"),
                    Link("mentee_id", "people", "ON_BEHALF_OF"),
                    Link("goal_id", "goals", "FOR_GOAL", required=False),
                    Link("programme_id", "programmes", "IN_PROGRAMME", required=False),
                ),
            ),
            Kind(
                "moves",
                "Move",
                (
                    Field("moved_on", instant, "since", required=True),
                    Field("state", choice(*dict.fromkeys(REQUEST_STATES + PAIRING_STATES)), required=True),
                    Field("reason", choice(*REASONS)),
                    Field("note", text(2_000)),
                ),
                (
                    Link("request_id", "requests", "OF_REQUEST", required=False),
                    Link("pairing_id", "pairings", "OF_PAIRING", required=False),
                    Link("person_id", "people", "MADE", incoming=True, required=False),
                ),
                key=("request_id", "pairing_id", "moved_on", "state"),
                has_id=False,
            ),
            Kind(
                "signatures",
                "Signature",
                (Field("signed_on", instant, "since", required=True), Field("text_version", text(200), required=True)),
                (Link("pairing_id", "pairings", "AGREES_TO"), Link("person_id", "people", "SIGNED", incoming=True)),
                key=("pairing_id", "person_id", "text_version"),
                has_id=False,
            ),
            _dated_relationship(
                "roles",
                "HAS_ROLE",
                Link("person_id", "people"),
                Link("role_id", "role_names"),
                _SINCE,
                _UNTIL,
                Field("max_mentees", whole(0, 1000)),
                Field("hours_per_month", number(0, 744)),
            ),
            _dated_relationship(
                "goal_skills", "NEEDS", Link("goal_id", "goals"), Link("skill_id", "skills"), _LEVEL, _SINCE, _UNTIL
            ),
            _dated_relationship(
                "offers", "OFFERS", Link("person_id", "people"), Link("skill_id", "skills"), _LEVEL, _SINCE, _UNTIL
            ),
            _dated_relationship(
                "wants", "WANTS", Link("person_id", "people"), Link("skill_id", "skills"), _LEVEL, _SINCE, _UNTIL
            ),
            _dated_relationship(
                "skill_ratings",
                "RATED",
                Link("person_id", "people"),
                Link("skill_id", "skills"),
                Field("level", whole(1, 5), required=True),
                Field("rated_by", choice(*RATERS), required=True),
                _SINCE,
                _UNTIL,
                also=("rated_by",),
            ),
            _dated_relationship(
                "unit_membership", "BELONGS_TO", Link("person_id", "people"), Link("unit_id", "units"), _SINCE, _UNTIL
            ),
            _dated_relationship(
                "memberships",
                "MEMBER_OF",
                Link("person_id", "people"),
                Link("programme_id", "programmes"),
                _SINCE,
                _UNTIL,
                Field("role", choice(*ROLES)),
                also=("role",),
            ),
            _dated_relationship(
                "blocks", "BLOCKS", Link("person_id", "people"), Link("blocked_id", "people"), _SINCE, _UNTIL
            ),
            Kind(
                "sessions",
                "Session",
                (
                    Field("started_at", instant, "since", required=True),
                    Field("minutes", whole(1, 24 * 60), required=True),
                    Field("kind", choice(*SESSION_KINDS)),
                    Field("link", link),
                ),
                (Link("pairing_id", "pairings", "PART_OF"),),
            ),
            Kind(
                "feedback",
                "Feedback",
                (
                    Field("given_on", instant, "since", required=True),
                    Field("rating", number(0, 1), required=True),
                    Field("comment", text(5_000)),
                ),
                (Link("pairing_id", "pairings", "ABOUT"), Link("person_id", "people", "GAVE", incoming=True)),
            ),
            Kind(
                "availability",
                "Availability",
                (
                    Field("weekday", whole(1, 7), required=True),
                    Field("start", time_of_day, required=True),
                    Field("end", time_of_day, required=True),
                    Field("zone", zone, required=True),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("person_id", "people", "AVAILABLE", incoming=True),),
                key=("person_id", "weekday", "start", "end", "zone", "since"),
                has_id=False,
            ),
            Kind(
                "absences",
                "Absence",
                (_SINCE, Field("until", instant, required=True)),
                (Link("person_id", "people", "ABSENT", incoming=True),),
                key=("person_id", "since"),
                has_id=False,
            ),
            Kind(
                "busy_times",
                "BusyTime",
                (_SINCE, Field("until", instant, required=True)),
                (Link("person_id", "people", "BUSY", incoming=True),),
                key=("person_id", "since"),
                has_id=False,
            ),
            Kind(
                "consents",
                "Consent",
                (
                    Field("purpose", choice(*PURPOSES), required=True),
                    Field("text_version", text(200), required=True),
                    _SINCE,
                    _UNTIL,
                ),
                (Link("person_id", "people", "CONSENTED", incoming=True),),
                key=("person_id", "purpose", "text_version", "since"),
                has_id=False,
            ),
        )
    }
)
"""Every kind by name, ordered so that what a kind refers to stands before it."""


# --- identity -----------------------------------------------------------------------------------------------------


def uid_of(source: str, kind: str, key: str) -> str:
    """The uid of what a source knows by `key`: UUIDv5 of source, kind and key; a key that is a uid stands for itself.

    Source: RFC 9562, section 5.5.
    """
    if is_uid(key):
        return key.lower()
    return str(uuid.uuid5(NAMESPACE, "\x1f".join((source, kind, key))))


def new_uid(now: datetime, random: bytes) -> str:
    """The uid of what no source knows: UUIDv7 of the present instant and ten random bytes.

    Source: RFC 9562, section 5.7.
    """
    number = int(now.timestamp() * 1000) << 80 | int.from_bytes(random[:10])
    number = number & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=number & ~(0x3 << 62) | 2 << 62))


def role_uid(role: str) -> str:
    """The uid of one of the fixed roles."""
    return uid_of("mentorgraph", "role_names", role)


def label_of(link: Link) -> str:
    """Label of the node that a link points to."""
    return "Role" if link.target == "role_names" else KINDS[link.target].label


def link_uid(record_uid: str, link: Link, target_uid: str) -> str:
    """The uid of the relationship that carries a record's link to its target."""
    return uid_of("mentorgraph", link.type, record_uid + target_uid)


_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uid(key: str) -> bool:
    """Whether a key has the form of our own uids: a UUID of version 5 or 7."""
    return _UID.fullmatch(key) is not None
