"""Work that is done once, however often it is asked for: its key is claimed in the transaction that writes first.

So a key is there exactly if something was written for it, whatever is cut off in between. Where the connection breaks
while the server commits, another try claims the key again: that waits for whatever still goes on, and then tells
whether the first one was committed. The answer is kept right after; where that fails, a repetition learns that the work
was done, but not the answer.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from mentorgraph.graph.errors import DomainError


class AlreadyClaimed(DomainError):
    """Another request with the same key was first; nothing was written for this one."""

    def __init__(self) -> None:
        super().__init__(
            "another request with this key is being carried out; ask again in a moment", code="IDEMPOTENCY_KEY_IN_USE"
        )


class Settled(Exception):
    """What an earlier try wrote was committed, though nobody heard of it."""


def new_token() -> str:
    """What no other try has."""
    return secrets.token_hex(16)


@dataclass(slots=True)
class Claim:
    """A claim to a key.

    Attributes:
        uid: Identity of the key.
        digest: Hash of what is asked for.
        at: When.
        since: Keys from before this instant count no longer.
        token: What tells this request from others with the same key.
        unsettled: The token of an earlier try of this request, of which nobody knows whether it was committed.
        is_made: Whether it stands in the database.
        is_lost: Whether another request was first.
    """

    uid: str
    digest: str
    at: datetime
    since: datetime
    token: str = field(default_factory=new_token)
    unsettled: str = ""
    is_made: bool = False
    is_lost: bool = False

    def try_again(self) -> None:
        """Begin another try, which shall find out whether the last one was committed."""
        self.unsettled, self.token = self.token, new_token()

    def found(self, token: str) -> None:
        """Take in whose the key is, after it was claimed.

        Raises:
            AlreadyClaimed: Another request has it.
            Settled: The try before has it, and so was committed.
        """
        if token == self.token:
            return
        if token != self.unsettled:
            self.is_lost = True
            raise AlreadyClaimed
        self.token = token
        raise Settled


claim: ContextVar[Claim | None] = ContextVar("claim", default=None)
"""What the next transaction that writes has to claim."""


@contextmanager
def claiming(made: Claim) -> Iterator[None]:
    """Has whatever writes first in the block claim a key."""
    token = claim.set(made)
    try:
        yield
    finally:
        claim.reset(token)
