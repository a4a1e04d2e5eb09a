"""Keys of people, with which their personal values are sealed; destroying one makes what it sealed unreadable for good.

What concerns several people is sealed under the keys of all of them together, so that erasing any one suffices. SQLite
keeps the keys because several processes make and destroy them, and it overwrites what is deleted.
"""

import os
import secrets
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mentorgraph.graph.errors import DomainError

KEY_BYTES = 32
NONCE_BYTES = 12
PATIENCE_S = 5.0
_PURPOSE = b"mentorgraph decision log 1"


@dataclass(frozen=True, slots=True)
class Key:
    """A person's key.

    Attributes:
        name: By which what it sealed refers to it; it says nothing of the person.
        secret: The key itself.
    """

    name: str
    secret: bytes


class Keys:
    """The keys of all people, in one file that only its owner can read.

    Every method raises `OSError` where the file cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, people: Iterable[str]) -> dict[str, Key]:
        """The keys of some people by uid, made for those who have none."""
        wanted = sorted(set(people))
        with self._opened() as database:
            known = self._known(database, wanted)
            if len(known) < len(wanted):
                database.execute("BEGIN IMMEDIATE")
                known = self._known(database, wanted)
                new = {uid: Key(secrets.token_hex(8), secrets.token_bytes(KEY_BYTES)) for uid in wanted}
                new = {uid: key for uid, key in new.items() if uid not in known}
                rows = [(uid, key.name, key.secret) for uid, key in new.items()]
                database.executemany("INSERT INTO keys (person, name, secret) VALUES (?, ?, ?)", rows)
                database.execute("COMMIT")
                known |= new
        return known

    def named(self, names: Iterable[str]) -> dict[str, bytes]:
        """The secrets of some keys by name; what was destroyed is absent."""
        wanted = sorted(set(names))
        if not self._file.exists():
            return {}
        with self._opened() as database:
            query = f"SELECT name, secret FROM keys WHERE name IN ({','.join('?' * len(wanted))})"  # noqa: S608 (marks)
            return dict(database.execute(query, wanted).fetchall())

    def destroy(self, person: str) -> int:
        """Destroys the keys of a person and returns how many there were."""
        if not self._file.exists():
            return 0
        with self._opened() as database:
            return database.execute("DELETE FROM keys WHERE person = ?", (person,)).rowcount

    def _known(self, database: sqlite3.Connection, people: Sequence[str]) -> dict[str, Key]:
        query = f"SELECT person, name, secret FROM keys WHERE person IN ({','.join('?' * len(people))})"  # noqa: S608
        return {person: Key(name, secret) for person, name, secret in database.execute(query, people)}

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            # SQLite gives its journal the permissions of the file, which must exist for that.
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self._file, timeout=PATIENCE_S, isolation_level=None)) as database:
                database.execute("PRAGMA secure_delete = ON")
                database.execute(
                    "CREATE TABLE IF NOT EXISTS keys (person TEXT PRIMARY KEY, name TEXT UNIQUE, secret BLOB NOT NULL)"
                )
                yield database
        except sqlite3.Error as error:
            raise OSError(None, f"the keys of the decision log cannot be used: {error}", str(self._file)) from error


def seal(keys: Iterable[Key], personal: object, context: str) -> dict[str, Any]:
    """Seals values under the keys of all whom they concern.

    Args:
        keys: Their keys.
        personal: What is to be sealed, as JSON can hold it.
        context: What the box belongs to; it opens nowhere else.

    Returns:
        The names of the keys and the box, as JSON can hold them.
    """
    ordered = sorted(set(keys), key=lambda key: key.name)
    nonce = secrets.token_bytes(NONCE_BYTES)
    box = AESGCM(_joint(key.secret for key in ordered)).encrypt(nonce, orjson.dumps(personal), context.encode())
    return {"keys": [key.name for key in ordered], "box": b64encode(nonce + box).decode()}


def unseal(secrets_by_name: Mapping[str, bytes], sealed: Mapping[str, Any], context: str) -> Any:
    """What was sealed, or None where a key that it needs was destroyed.

    Raises:
        DomainError: `DECISION_LOG_DAMAGED`, the box was changed or belongs elsewhere.
    """
    if not set(sealed["keys"]) <= secrets_by_name.keys():
        return None
    box = b64decode(sealed["box"])
    try:
        key = _joint(secrets_by_name[name] for name in sealed["keys"])
        return orjson.loads(AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], context.encode()))
    except InvalidTag:
        raise DomainError("what this record seals was changed", code="DECISION_LOG_DAMAGED") from None


def _joint(secrets_of_all: Iterable[bytes]) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, _PURPOSE).derive(b"".join(secrets_of_all))
