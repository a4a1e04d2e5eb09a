"""Trusted documents: GraphQL that an operator has allowed, which clients name by its hash instead of sending it.

They are kept as files in the home, one per document, named by the SHA-256 of the text. Each use looks whether the file
is there, so that what one process adds or removes holds for the next request of every other.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLSchema, OperationDefinitionNode

from mentorgraph.api.documents import Documents
from mentorgraph.api.errors import DocumentRefused
from mentorgraph.api.limits import Limits
from mentorgraph.graph.errors import DomainError

FOLDER = "documents"
"""Folder of a home in which the trusted documents lie."""

HASH = re.compile(r"[0-9a-f]{64}")
"""How a hash is written."""


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document and the hash by which it is asked for.

    Attributes:
        hash: SHA-256 of the text in UTF-8, 64 digits of lower-case hexadecimal.
        text: The document.
    """

    hash: str
    text: str

    @classmethod
    def of(cls, text: str) -> "TrustedDocument":
        """The document with this text."""
        return cls(hash_of(text), text)


def hash_of(text: str) -> str:
    """The hash by which a document is asked for."""
    return hashlib.sha256(text.encode()).hexdigest()


class TrustedDocuments:
    """The trusted documents of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, str] = {}

    def text(self, key: str) -> str | None:
        """The text of the document with this hash; None where none is trusted.

        A file that does not hold what its name says is none.
        """
        if not HASH.fullmatch(key):
            return None
        file = self._file(key)
        if not file.exists():
            self._read.pop(key, None)
            return None
        if key not in self._read:
            try:
                text = file.read_bytes().decode()
            except (OSError, UnicodeDecodeError):
                return None
            if hash_of(text) != key:
                return None
            self._read[key] = text
        return self._read[key]

    def holds(self, text: str) -> bool:
        """Say whether the document with this text is trusted."""
        return self._file(hash_of(text)).exists()

    def all(self) -> list[TrustedDocument]:
        """All trusted documents, by hash."""
        keys = sorted(file.stem for file in self._folder.glob("*.graphql"))
        return [TrustedDocument(key, text) for key in keys if (text := self.text(key)) is not None]

    def add(self, documents: Iterable[TrustedDocument]) -> list[TrustedDocument]:
        """Trusts documents from now on, and returns those that were not trusted before.

        Raises:
            OSError: The folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        new = [each for each in {each.hash: each for each in documents}.values() if self.text(each.hash) is None]
        for each in new:
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as written:
                written.write(each.text.encode())
                written.flush()
                os.fsync(written.fileno())
            os.replace(written.name, self._file(each.hash))
        if new:
            _sync(self._folder)
        return new

    def remove(self, start: str) -> TrustedDocument:
        """Trusts a document no longer.

        Args:
            start: The beginning of its hash, long enough to mean one document.

        Raises:
            DomainError: `NOT_FOUND`, no trusted document has such a hash, or several have.
        """
        found = [each for each in self.all() if each.hash.startswith(start.removeprefix("sha256:").lower())]
        if len(found) != 1:
            said = f"{len(found)} trusted documents have" if found else "no trusted document has"
            raise DomainError(
                f"{said} a hash that begins with {start!r}; see mentorgraph documents list", code="NOT_FOUND"
            )
        self._file(found[0].hash).unlink()
        _sync(self._folder)
        return found[0]

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.graphql"


def _sync(folder: Path) -> None:
    """Makes what was renamed or removed in a folder outlast a loss of power."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def operations_of(document: TrustedDocument, schema: GraphQLSchema) -> list[str]:
    """What the operations of a document are called, such as `query WhoCouldHelp`.

    Raises:
        DomainError: `BAD_USER_INPUT`, the schema or the limits do not allow the document, or an operation has no name.
    """
    try:
        prepared = Documents(schema, Limits(allows_introspection=False, hides_suggestions=False)).prepare(document.text)
    except DocumentRefused as refused:
        raise DomainError(str(refused), code="BAD_USER_INPUT") from None
    operations = [node for node in prepared.document.definitions if isinstance(node, OperationDefinitionNode)]
    if any(node.name is None for node in operations):
        raise DomainError("an operation has no name; name it, so that logs and metrics can", code="BAD_USER_INPUT")
    return [f"{node.operation.value} {node.name.value}" for node in operations if node.name]
