"""Keys with which programs act as a person: made once, shown once, kept as a hash, and revoked at any time."""

import hashlib
import hmac
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mentorgraph.graph.errors import DomainError

PREFIX = "mgk_"
FILE = "api-keys.sqlite"
PATIENCE_S = 5.0
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept, without its secret.

    Attributes:
        name: By which it is revoked; it is the first part of the key.
        person: uid of the person as whom it acts.
        roles: The roles in which it acts at most, as far as the person has them; empty for all of theirs.
        scopes: What it may do at most, of `viewer.SCOPES`; empty for everything.
        made_at: When it was made.
        expires_at: When it ends by itself; None for never.
        revoked_at: When it was revoked; None where it was not.
        note: What it is for.
    """

    name: str
    person: str
    roles: frozenset[str]
    scopes: frozenset[str]
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    note: str

    def holds(self, now: datetime) -> bool:
        """Whether it is neither expired nor revoked."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiKeys:
    """The keys of a home, in one file that only its owner can read; several processes may use it.

    A secret is 256 random bits, so that one round of SHA-256 keeps it: there is nothing to guess. Every method raises
    `OSError` where the file cannot be read or written.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / FILE

    def add(
        self,
        person: str,
        now: datetime,
        *,
        roles: frozenset[str] = frozenset(),
        scopes: frozenset[str] = frozenset(),
        expires_at: datetime | None = None,
        note: str = "",
    ) -> str:
        """Makes a key and returns it; nobody can read it again."""
        name, secret = secrets.token_hex(6), secrets.token_urlsafe(SECRET_BYTES)
        row = (name, _hash(secret), person, _joined(roles), _joined(scopes), _told(now), _told(expires_at), note)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as database:
            database.execute(
                "INSERT INTO keys (name, hash, person, roles, scopes, made_at, expires_at, note) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        return f"{PREFIX}{name}_{secret}"

    def all(self) -> list[ApiKey]:
        """Every key, the oldest first."""
        if not self._file.exists():
            return []
        with self._opened() as database:
            return [_read(row) for row in database.execute(f"SELECT {COLUMNS} FROM keys ORDER BY made_at, name")]  # noqa: S608

    def revoke(self, name: str, now: datetime) -> ApiKey:
        """Ends a key from now on, in every process.

        Raises:
            DomainError: `NOT_FOUND`.
        """
        found = [each for each in self.all() if each.name == name]
        if not found:
            raise DomainError(f"no key has the name {name}; mentorgraph keys list shows them", code="NOT_FOUND")
        with self._opened() as database:
            database.execute("UPDATE keys SET revoked_at = ? WHERE name = ? AND revoked_at = ''", (_told(now), name))
        return found[0]

    def find(self, text: str, now: datetime) -> ApiKey | None:
        """The key that a caller sent; None where there is no such key, or it holds no more."""
        name, _, secret = text.removeprefix(PREFIX).partition("_")
        if not (text.startswith(PREFIX) and secret and self._file.exists()):
            return None
        with self._opened() as database:
            query = f"SELECT {COLUMNS}, hash FROM keys WHERE name = ?"  # noqa: S608 (our own column names)
            row = database.execute(query, (name,)).fetchone()
        if row is None or not hmac.compare_digest(row[-1], _hash(secret)):
            return None
        key = _read(row[:-1])
        return key if key.holds(now) else None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            # SQLite gives its journal the permissions of the file, which must exist for that.
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self._file, timeout=PATIENCE_S, isolation_level=None)) as database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, hash TEXT NOT NULL, person TEXT NOT NULL, "
                    "roles TEXT NOT NULL, scopes TEXT NOT NULL, made_at TEXT NOT NULL, expires_at TEXT NOT NULL, "
                    "revoked_at TEXT NOT NULL DEFAULT '', note TEXT NOT NULL)"
                )
                yield database
        except sqlite3.Error as error:
            raise OSError(None, f"the API keys cannot be used: {error}", str(self._file)) from error


COLUMNS = "name, person, roles, scopes, made_at, expires_at, revoked_at, note"


def _read(row: tuple[str, ...]) -> ApiKey:
    name, person, roles, scopes, made_at, expires_at, revoked_at, note = row
    return ApiKey(
        name,
        person,
        frozenset(roles.split()),
        frozenset(scopes.split()),
        datetime.fromisoformat(made_at),
        datetime.fromisoformat(expires_at) if expires_at else None,
        datetime.fromisoformat(revoked_at) if revoked_at else None,
        note,
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _joined(words: frozenset[str]) -> str:
    return " ".join(sorted(words))


def _told(instant: datetime | None) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds") if instant else ""
