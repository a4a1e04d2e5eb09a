"""What lies where in the folder of one embedded database, and how it comes into being."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mentorgraph.graph.embedded.errors import EmbeddedDatabaseError
from mentorgraph.graph.embedded.lines import LINES, Line

USER = "neo4j"
DATABASE = "neo4j"
HASH_ROUNDS = 1024
SOCKET_PATH_LIMIT = 100
"""Bytes: macOS allows 103 for the path of a socket, Linux 107."""

SETTINGS = (
    "server.default_listen_address=127.0.0.1",
    "server.default_advertised_address=127.0.0.1",
    "server.http.enabled=false",
    "server.https.enabled=false",
    "dbms.usage_report.enabled=false",
    "dbms.security.allow_csv_import_from_file_urls=false",
    # Else a statement is planned anew for each order of magnitude of its lists and texts, up to a second each time.
    "internal.cypher.use_parameter_size=false",
    "server.memory.pagecache.size=128m",
    "db.tx_log.preallocate=false",
    "db.tx_log.rotation.size=16m",
    "db.tx_log.rotation.retention_policy=1 files",
)
OWN_SETTINGS = "MENTORGRAPH_NEO4J_SETTINGS"
"""The variable with further settings, as name=value with blanks between them; they prevail over all but the port."""


@dataclass(frozen=True)
class DatabaseFolder:
    """One embedded database: the server's own files in `server/`, the guardian's beside it.

    Attributes:
        path: The folder; only its owner may enter it.
    """

    path: Path

    @property
    def server(self) -> Path:
        """Neo4j's home: replaced as a whole when a dump is loaded."""
        return self.path / "server"

    @property
    def password_file(self) -> Path:
        """Where the password is kept."""
        return self.server / "password"

    @property
    def store_lock(self) -> Path:
        """The file that a running Neo4j holds a lock on."""
        return self.server / "data" / "databases" / "store_lock"

    @property
    def output(self) -> Path:
        """What Java itself prints."""
        return self.server / "logs" / "java.log"

    @property
    def guardian_lock(self) -> Path:
        """The file that a living guardian holds a lock on."""
        return self.path / "guardian.lock"

    @property
    def guardian_log(self) -> Path:
        """What the guardian did."""
        return self.path / "guardian.log"

    @property
    def guardian_state(self) -> Path:
        """What a next guardian needs to know should this one be killed."""
        return self.path / "guardian.json"

    def guardian_pid(self) -> int | None:
        """The process that guards the folder, as it noted itself; None where none has."""
        try:
            return int(json.loads(self.guardian_state.read_text())["guardian_pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def guardian_address(self) -> Path:
        """Where the path of the guardian's socket is kept, as other processes may have another temporary folder."""
        return self.path / "guardian.address"

    @property
    def socket(self) -> Path:
        """Where the guardian listens: in the folder, or in a private temporary folder if that path is too long."""
        here = self.path / "guardian.socket"
        if len(os.fsencode(here)) <= SOCKET_PATH_LIMIT:
            return here
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"mentorgraph-{os.getuid()}" / name

    def create(self) -> None:
        """Make the folders that the guardian needs, for their owner only.

        Raises:
            EmbeddedDatabaseError: If one belongs to somebody else or cannot be made.
        """
        for folder in (self.path, self.socket.parent):
            try:
                folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
            except OSError as error:
                raise EmbeddedDatabaseError(
                    f"Cannot use the folder {folder}: {error.strerror}; set MENTORGRAPH_HOME to a folder of yours "
                    "with room.",
                    "start_failed",
                ) from error

    def line(self) -> Line | None:
        """The line that this database belongs to, None where there is no database yet.

        Raises:
            EmbeddedDatabaseError: If a newer mentorgraph wrote it, or it cannot be read.
        """
        record = self.server / "line.json"
        try:
            recorded = json.loads(record.read_text())
            line, version = LINES[recorded["line"]], recorded["version"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError) as error:
            raise EmbeddedDatabaseError(
                f"Cannot read {record} ({error}); set MENTORGRAPH_HOME to a folder of yours, or put the file back.",
                "start_failed",
            ) from error
        if _as_numbers(version) > _as_numbers(line.version):
            raise EmbeddedDatabaseError(
                f"{self.path} was last opened by Neo4j {version}, which is newer than the {line.version} "
                "of this mentorgraph; update mentorgraph, or choose another MENTORGRAPH_HOME.",
                "another_line",
            )
        return line

    def password(self) -> str:
        """The password of the only user.

        Raises:
            EmbeddedDatabaseError: If its file is gone.
        """
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            raise EmbeddedDatabaseError(
                f"The password file {self.password_file} is gone; put it back, or run mentorgraph db dump FILE and "
                "mentorgraph db load FILE, which sets a new password.",
                "wrong_password",
            ) from None

    def size_bytes(self) -> int:
        """How much the database takes on disk."""
        size_bytes = 0
        for folder, _, names in os.walk(self.server):
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # a running server removes files
                    size_bytes += (Path(folder) / name).stat().st_size
        return size_bytes

    def check_line(self, line: Line) -> None:
        """Check that the database, if there is one, belongs to this line.

        Raises:
            EmbeddedDatabaseError: If it belongs to another one.
        """
        found = self.line()
        if found is not None and found != line:
            raise EmbeddedDatabaseError(
                f"{self.path} holds a database of {found}, and {line} was asked for: dump it with "
                f"MENTORGRAPH_NEO4J_LINE={found.name} mentorgraph db dump FILE, then load it with "
                f"MENTORGRAPH_NEO4J_LINE={line.name} mentorgraph db load FILE.",
                "another_line",
            )

    def create_server(self, line: Line, password: str) -> None:
        """Create a server folder with its password already set, whole or not at all.

        Neo4j reads `auth.ini` at its first start. Its own command for that takes the password as an argument, where
        every user of the machine can read it, so the file is written here.
        """
        new = self.path / "server.new"
        shutil.rmtree(new, ignore_errors=True)
        for folder in (new / "conf", new / "logs", new / "data" / "dbms"):
            folder.mkdir(mode=0o700, parents=True)
        salt = secrets.token_bytes(32)
        digest = hashlib.sha256(salt + password.encode()).digest()
        for _ in range(HASH_ROUNDS - 1):
            digest = hashlib.sha256(digest).digest()
        _write_private(
            new / "data" / "dbms" / "auth.ini",
            f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{HASH_ROUNDS}:\n",
        )
        _write_private(new / "password", password + "\n")
        _write_private(new / "line.json", json.dumps({"line": line.name, "version": line.version}))
        new.rename(self.server)

    def prepare_server(self, line: Line, port: int) -> None:
        """Create the database if there is none yet, and write the settings for this start."""
        if self.line() is None:
            self.create_server(line, new_password())
        _write_private(self.server / "line.json", json.dumps({"line": line.name, "version": line.version}))
        bolt = (f"server.bolt.listen_address=127.0.0.1:{port}", f"server.bolt.advertised_address=127.0.0.1:{port}")
        # A server refuses to start on a setting that stands there twice.
        settings = dict(each.split("=", 1) for each in (*SETTINGS, *line.settings, *_own_settings(), *bolt))
        rows = [f"{name}={value}\n" for name, value in settings.items()]
        _write_private(self.server / "conf" / "neo4j.conf", "".join(rows))

    def swap_server(self, new: Path) -> None:
        """Put the finished server folder `new` in place of the present one; a kill leaves one of the two in place."""
        old = self.path / "server.old"
        if self.server.exists():
            self.server.rename(old)
        new.rename(self.server)
        shutil.rmtree(old, ignore_errors=True)

    def finish_swap(self) -> None:
        """Put back what a killed `swap_server` moved aside, or remove what it left behind."""
        old = self.path / "server.old"
        if old.exists() and not self.server.exists():
            old.rename(self.server)
        shutil.rmtree(old, ignore_errors=True)


def _own_settings() -> list[str]:
    """What the user wants Neo4j to be told as well."""
    told = os.environ.get(OWN_SETTINGS, "")
    wrong = next((each for each in told.split() if not re.fullmatch(r"[a-z][\w.]+=.+", each)), None)
    if wrong is not None:
        raise EmbeddedDatabaseError(
            f"{OWN_SETTINGS} holds {wrong!r}, which is no name=value; correct it or unset it.", "start_failed"
        )
    return told.split()


def new_password() -> str:
    """A password that nobody can guess."""
    return secrets.token_urlsafe(24)


def _write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)


def _as_numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
