"""Pages of a list: how long one may be, and where the next one goes on.

A cursor holds the instant at which its first page was scored, so that later pages go on in the same order although
scores fade with time.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import ALWAYS, uid_of

MOST = 100
"""Entries on one page at most."""

LONGEST_PAGING = timedelta(days=30)
"""How long after its first page a list can be gone on with."""


def check_first(first: int) -> None:
    """Refuses the length of a page that is out of bounds.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    if not 1 <= first <= MOST:
        raise DomainError(f"first is {first}; ask for 1 to {MOST}", code="BAD_USER_INPUT", field="first")


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
