"""Global ids: what clients call a node. They say its type and wrap its uid, and mean nothing beyond that."""

import base64
import binascii

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.model import is_uid


def global_id(kind: str, uid: str) -> str:
    """The id of a node: `kind:uid` in base64url without padding."""
    return base64.urlsafe_b64encode(f"{kind}:{uid}".encode()).decode().rstrip("=")


def read_global_id(text: str, *, expected: str | None = None, field: str = "id") -> tuple[str, str]:
    """The kind and uid of a global id.

    Args:
        text: What the client sent.
        expected: The only kind that will do.
        field: Name of the argument, for the message.

    Raises:
        DomainError: `BAD_USER_INPUT`, not an id of ours or one of another kind.
    """
    try:
        kind, _, uid = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode().partition(":")
    except (ValueError, binascii.Error):
        kind, uid = "", ""
    if not kind.isalpha() or not is_uid(uid):
        raise DomainError(f"{field} is not one of our ids", code="BAD_USER_INPUT", field=field)
    if expected is not None and kind != expected:
        raise DomainError(f"{field} is the id of a {kind}, not of a {expected}", code="BAD_USER_INPUT", field=field)
    return kind, uid.lower()
