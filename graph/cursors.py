"""Cursors of ranked lists: where a page ended, in a form that a caller can keep and send back.

A cursor holds the instant at which its first page was scored, so that later pages go on in the same order although
scores fade with time.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.model import ALWAYS, uid_of

LONGEST_PAGING = timedelta(days=30)
"""How long after its first page a list can be gone on with."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended.

    Attributes:
        question: What was asked, and of which versions.
        scored_at: The instant at which the first page was scored.
        rank: Place of the last mentor of the page.
        score: Their score.
        mentor: Their uid.
    """

    question: str
    scored_at: datetime
    rank: int
    score: float
    mentor: str

    def write(self) -> str:
        """The text that a caller keeps."""
        instant = (self.scored_at - ALWAYS) // timedelta(microseconds=1)
        content = orjson.dumps([self.question, instant, self.rank, self.score, self.mentor])
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def read_cursor(text: str, now: datetime) -> Cursor:
    """Reads what a caller sent back.

    Raises:
        DomainError: `BAD_USER_INPUT`, no cursor of ours or one of another time.
    """
    cursor = _read(text)
    if not now - LONGEST_PAGING <= cursor.scored_at <= now:
        raise DomainError("after is of another time; ask for the first page", code="BAD_USER_INPUT", field="after")
    return cursor


def _read(cursor: str) -> Cursor:
    try:
        content = orjson.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        [question_key, instant, rank, score, uid] = content
        if [type(each) for each in content] != [str, int, int, float, str] or not 1 <= rank < 2**31:
            raise ValueError
        return Cursor(question_key, ALWAYS + timedelta(microseconds=instant), rank, score, uid)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise DomainError("after is not one of our cursors", code="BAD_USER_INPUT", field="after") from None


def short(key: str) -> str:
    """A few digits that stand for a question."""
    return uid_of("mentorgraph", "questions", key)[:8]
