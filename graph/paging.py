"""Pages of a list: how long one may be, and where the next one goes on.

A cursor holds the instant at which its first page was scored, so that later pages go on in the same order although
scores fade with time.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import ALWAYS, uid_of

MOST = 100
"""Entries on one page at most."""

_BEHIND_ALL = "~"
"""Greater than every uid."""

LONGEST_PAGING = timedelta(days=30)
"""How long after its first page a list can be gone on with."""


def check_first(first: int, field: str = "first") -> None:
    """Refuses the length of a page that is out of bounds.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    if not 1 <= first <= MOST:
        raise DomainError(f"{field} is {first}; ask for 1 to {MOST}", code="BAD_USER_INPUT", field=field)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list is asked for: its first or last entries, of those between two of them.

    Attributes:
        after: Key of the entry behind which the part begins; empty for the beginning of the list.
        before: Key of the entry before which it ends; empty for the end of the list.
        most: Entries at most.
        is_last: Whether the last ones are asked for, not the first ones; their order is the same.
    """

    after: str
    before: str
    most: int
    is_last: bool = False

    @classmethod
    def of(cls, first: int | None, after: str, last: int | None, before: str, default: int) -> "Part":
        """The part that somebody asks for.

        Args:
            first: How many of the first.
            after: Key.
            last: How many of the last.
            before: Key.
            default: How many of the first if neither is told.

        Raises:
            DomainError: `BAD_USER_INPUT`, both are told, or too many are asked for.
        """
        if first is not None and last is not None:
            raise DomainError("give first or last, not both", code="BAD_USER_INPUT", field="last")
        if last is not None:
            check_first(last, "last")
            return cls(after, before, last, is_last=True)
        first = default if first is None else first
        check_first(first)
        return cls(after, before, first)

    def of_list(self, keys: Sequence[str]) -> "tuple[Sequence[str], bool, bool]":
        """What of a whole list is in the part, and whether something comes before, and behind it.

        Args:
            keys: Those of all entries, in their order.

        Raises:
            DomainError: `BAD_USER_INPUT`, the list does not hold an entry from which the part is told.
        """
        begin = self._place(keys, self.after, "after") + 1 if self.after else 0
        end = self._place(keys, self.before, "before") if self.before else len(keys)
        if self.is_last:
            begin = max(begin, end - self.most)
        else:
            end = min(end, begin + self.most)
        chosen = keys[begin:end] if begin < end else keys[:0]
        return chosen, begin > 0, max(begin, end) < len(keys)

    @property
    def bounds(self) -> dict[str, Any]:
        """The part for the statements that read one; the one entry more tells whether more follow."""
        rows = self.most + 1
        return {
            "after": self.after,
            "before": self.before or _BEHIND_ALL,
            "forward": 0 if self.is_last else rows,
            "backward": rows if self.is_last else 0,
        }

    @staticmethod
    def _place(keys: Sequence[str], key: str, field: str) -> int:
        try:
            return keys.index(key)
        except ValueError:
            told = f"{field} is no cursor of this list, or of what it holds no more; ask for the list anew"
            raise DomainError(told, code="BAD_USER_INPUT", field=field) from None

    def of_page(self, found: Sequence[str]) -> "tuple[Sequence[str], bool, bool]":
        """As `of_list`, of what was read within `bounds` and stands in the order of its keys."""
        keys = sorted(found)
        has_more = len(keys) > self.most
        if self.is_last:
            return keys[-self.most :], has_more, bool(self.before)
        return keys[: self.most], bool(self.after), has_more


class Found(NamedTuple):
    """What was read of a list.

    Attributes:
        uids: Those in the part, and one more where there are more.
        total: How many there are in all parts; None where nobody asked.
    """

    uids: list[str]
    total: int | None


def found_in(rows: Sequence[Mapping[str, Any]]) -> Found:
    """What the one row of a statement tells that reads a part of a list."""
    return Found(rows[0]["uids"], rows[0]["total"])


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended.

    Attributes:
        question: What was asked, and of which versions.
        scored_at: The instant at which the first page was scored.
        rank: Place of the last mentor of the page.
        score: Their score.
        mentor: Their uid.
        first: Length of the first page, where its places were not given by score alone; else 0.
        shown: uids of those who were shown on that page so far.
    """

    question: str
    scored_at: datetime
    rank: int
    score: float
    mentor: str
    first: int = 0
    shown: tuple[str, ...] = ()

    def write(self) -> str:
        """The text that a caller keeps."""
        instant = (self.scored_at - ALWAYS) // timedelta(microseconds=1)
        content = [self.question, instant, self.rank, self.score, self.mentor]
        if self.first:
            shown = b"".join(UUID(uid).bytes for uid in self.shown)
            content += [self.first, base64.b85encode(shown).decode()]
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")


def read_cursor(text: str, now: datetime) -> Cursor:
    """Reads a cursor that an earlier page of the same list ended with.

    Raises:
        DomainError: `BAD_USER_INPUT`, it is none of ours or of another time.
    """
    try:
        content = orjson.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
        [question_key, instant, rank, score, uid, *shaped] = content
        if [type(each) for each in content[:5]] != [str, int, int, float, str] or not 1 <= rank < 2**31:
            raise ValueError
        first, shown = _read_shown(*shaped) if shaped else (0, ())
        found = Cursor(question_key, ALWAYS + timedelta(microseconds=instant), rank, score, uid, first, shown)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise DomainError("after is not one of our cursors", code="BAD_USER_INPUT", field="after") from None
    if not now - LONGEST_PAGING <= found.scored_at <= now:
        raise DomainError("after is of another time; ask for the first page", code="BAD_USER_INPUT", field="after")
    return found


def _read_shown(first: object, shown: object) -> tuple[int, tuple[str, ...]]:
    if type(first) is not int or not 1 <= first <= MOST or not isinstance(shown, str):
        raise ValueError
    packed = base64.b85decode(shown)
    if len(packed) % 16 or not 1 <= len(packed) // 16 <= first:
        raise ValueError
    return first, tuple(str(UUID(bytes=packed[at : at + 16])) for at in range(0, len(packed), 16))


def short(key: str) -> str:
    """What a cursor holds of the question that it belongs to."""
    return uid_of("mentorgraph", "questions", key)[:8]
