"""What a fact is: the shape of its kind, the record of one, its identity, and what to say of one that cannot be taken.

A *kind* is at once a file of the bundle, a node label or relationship type, and a pair of statements
(`write_<kind>.cypher`, `list_<kind>.cypher`); `graph.kinds` lists them.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1
from types import MappingProxyType
from typing import TypeAlias

from mentorgraph.graph.facts.values import Value

Row: TypeAlias = Mapping[str, object]

NAMESPACE = uuid.UUID("6d0f3a52-4b8e-5f3c-9a51-3f6f7a1f0c11")
"""UUIDv5 name space of every uid that is made from a source key."""

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of facts that carry no date of their own, such as the taxonomy edges of a plain skills file."""


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


# --- identity -----------------------------------------------------------------------------------------------------


def uid_of(source: str, kind: str, key: str) -> str:
    """The uid of what a source knows by `key`: UUIDv5 of source, kind and key; a key that is a uid stands for itself.

    Source: RFC 9562, section 5.5.
    """
    return key.lower() if is_uid(key) else _hashed(source, kind, key)


@lru_cache(maxsize=50_000)
def _hashed(source: str, kind: str, key: str) -> str:
    """What `str(uuid.uuid5(…))` gives, in a third of the time: an answer has hundreds of them, mostly known ones."""
    name = "\x1f".join((source, kind, key)).encode()
    digest = bytearray(sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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


def link_uid(record_uid: str, link: Link, target_uid: str) -> str:
    """The uid of the relationship that carries a record's link to its target."""
    return _hashed("mentorgraph", link.type, record_uid + target_uid)


_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uid(key: str) -> bool:
    """Whether a key has the form of our own uids: a UUID of version 5 or 7."""
    return _UID.fullmatch(key) is not None
