"""Ids as they come in and go out: global ids of clients, uids of exports, and the keys that sources use."""

import base64
import binascii
from dataclasses import dataclass

from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import is_uid, uid_of
from mentorgraph.graph.store.store import NodeRecord


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
    kind, uid = _opened(text)
    if not uid:
        raise DomainError(f"{field} is not one of our ids", code="BAD_USER_INPUT", field=field)
    if expected is not None and kind != expected:
        raise DomainError(f"{field} is the id of a {kind}, not of a {expected}", code="BAD_USER_INPUT", field=field)
    return kind, uid


def _opened(text: str) -> tuple[str, str]:
    """The kind and uid that a text wraps; both empty where it is no global id."""
    try:
        kind, _, uid = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode().partition(":")
    except (ValueError, binascii.Error):
        return "", ""
    return (kind, uid.lower()) if kind.isalpha() and is_uid(uid) else ("", "")


@dataclass(frozen=True, slots=True)
class GivenId:
    """An id in whichever form somebody wrote it.

    Attributes:
        text: As it was written.
        uid: What it stands for.
        form: `global`, `uid` or `key`.
        source: The system that a key belongs to.
    """

    text: str
    uid: str
    form: str
    source: str

    def like(self, node: NodeRecord) -> str:
        """The id of a node in the form of this one; its uid where its source has no key for it, or is another one."""
        if self.form == "global":
            return global_id(node.kind, node.uid)
        if self.form == "key" and node.properties.get("source") == self.source:
            return str(node.properties.get("external_id", node.uid))
        return node.uid


def read_given_id(text: str, kind: str, source: str) -> GivenId:
    """Reads a global id, a uid, or the key of a source.

    Args:
        text: What was written.
        kind: Name of the kind of fact that is meant, such as `people`.
        source: The system that a key belongs to.

    Raises:
        DomainError: `BAD_USER_INPUT`, the global id of another kind.
    """
    text = text.strip()
    if is_uid(text):
        return GivenId(text, text.lower(), "uid", source)
    label, uid = _opened(text)
    if not uid:
        return GivenId(text, uid_of(source, kind, text), "key", source)
    if label != KINDS[kind].label:
        raise DomainError(f"{text} is the id of a {label}, not of a {KINDS[kind].label}", code="BAD_USER_INPUT")
    return GivenId(text, uid, "global", source)
