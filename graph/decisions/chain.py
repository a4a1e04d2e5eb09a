"""Lines that are chained by hashes: each holds the hash of the one before, so that no change among them goes unseen.

A line is `hash previous content`, the content being JSON with sorted keys that holds the line's number. It carries the
hash of the line before as well as its own, so that one line can be checked without reading the others, and a changed
one is told from its neighbours.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import orjson

HASH_CHARS = 64
ANSWER, MENTEES = ANSWERS = ("answer", "mentees")
"""The kinds of line that hold answers: a list of mentors, and a mentor's list of goals."""

GENESIS = "0" * HASH_CHARS
"""Stands for the line before the first one."""

CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY

_FORM = re.compile(rb"([0-9a-f]{64}) ([0-9a-f]{64}) (\{.*\})")


class Chain:
    """The end of a chain, to which lines are added.

    Attributes:
        length: Number of lines.
        head: Hash of the last one.
    """

    def __init__(self, length: int = 0, head: str = GENESIS) -> None:
        self.length = length
        self.head = head

    def add(self, contents: Iterable[Mapping[str, Any]]) -> bytes:
        """Chains some contents and returns their lines."""
        lines = []
        for content in contents:
            self.length += 1
            body = orjson.dumps({**content, "line": self.length}, option=CANONICAL)
            previous, self.head = self.head, _hash(self.head.encode(), body)
            lines.append(f"{self.head} {previous} ".encode() + body + b"\n")
        return b"".join(lines)


@dataclass(frozen=True)
class Line:
    """A line as it was found.

    Attributes:
        offset: Where it begins in its file.
        text: What stands there, without the line feed.
        is_complete: Whether a line feed ends it.
    """

    offset: int
    text: bytes
    is_complete: bool

    @cached_property
    def _parts(self) -> tuple[bytes, bytes, bytes]:
        found = _FORM.fullmatch(self.text)
        return (found[1], found[2], found[3]) if found else (b"", b"", b"")

    @cached_property
    def is_intact(self) -> bool:
        """Whether the line is what was written."""
        own, previous, body = self._parts
        return self.is_complete and bool(body) and _hash(previous, body).encode() == own

    @property
    def hash(self) -> str:
        """Its hash."""
        return self._parts[0].decode()

    @property
    def previous(self) -> str:
        """Hash of the line before."""
        return self._parts[1].decode()

    @cached_property
    def content(self) -> dict[str, Any]:
        """What it says; of an intact line only."""
        content: dict[str, Any] = orjson.loads(self._parts[2])
        return content

    @property
    def number(self) -> int:
        """Its place, counted from 1; of an intact line only."""
        return int(self.content["line"])


def read_lines(stream: BinaryIO, offset: int = 0) -> Iterator[Line]:
    """Reads the lines of a file from an offset on, which is where a line begins, up to one that is not complete.

    That one may be being written: what follows it by the time of the next reading is its end, and no line.
    """
    stream.seek(offset)
    for text in stream:
        line = Line(offset, text.removesuffix(b"\n"), text.endswith(b"\n"))
        yield line
        if not line.is_complete:
            return
        offset += len(text)


def _hash(previous: bytes, body: bytes) -> str:
    return hashlib.sha256(previous + body).hexdigest()
