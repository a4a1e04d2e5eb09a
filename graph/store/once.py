"""Work that is done once, however often it is asked for: its key is claimed in the transaction that writes first.

So a key is there exactly if something was written for it, whatever is cut off in between. The answer is kept right
after; where that fails, a repetition learns that the work was done, but not the answer.
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


@dataclass(slots=True)
class Claim:
    """A claim to a key.

    Attributes:
        uid: Identity of the key.
        digest: Hash of what is asked for.
        at: When.
        since: Keys from before this instant count no longer.
        token: What tells this request from others with the same key.
        is_made: Whether it stands in the database.
        is_lost: Whether another request was first.
    """

    uid: str
    digest: str
    at: datetime
    since: datetime
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    is_made: bool = False
    is_lost: bool = False


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
