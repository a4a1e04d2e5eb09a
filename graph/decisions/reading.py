"""Finding decisions again: by the uid of a recommendation, whichever process wrote them, or all of them in order.

An index beside the segments says where each recommendation stands. It holds nothing that the segments do not, is
brought up to date by whoever misses something in it, and is made anew where it is gone or broken.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from mentorgraph.graph.decisions.chain import ANSWER, ANSWERS, MENTEES, Line, read_lines
from mentorgraph.graph.decisions.decision import Decision, MenteeDecision
from mentorgraph.graph.decisions.entry import decision_of, keys_named_in
from mentorgraph.graph.decisions.keys import Keys
from mentorgraph.graph.decisions.mentee_entry import mentee_decision_of
from mentorgraph.graph.decisions.segments import SUFFIX, segments_in
from mentorgraph.graph.errors import DomainError

INDEX = "index.sqlite"
PATIENCE_S = 5.0
_TABLES = """
CREATE TABLE IF NOT EXISTS segments (number INTEGER PRIMARY KEY, name TEXT UNIQUE, read_to INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS recommendations (uid BLOB NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS by_uid ON recommendations (uid);
CREATE TABLE IF NOT EXISTS models (version TEXT PRIMARY KEY);
"""


class Records:
    """The decisions of a log, for reading.

    Every method raises `DomainError`: `SERVICE_UNAVAILABLE` where the files cannot be read, `DECISION_LOG_DAMAGED`
    where what is asked for was changed.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder = folder
        self._keys = keys

    def find(self, recommendation: str) -> Decision | None:
        """The newest decision that holds a recommendation, a pair of a mentor's list alone; None for an unknown one."""
        with _readable():
            if not self._folder.is_dir():
                return None
            try:
                place = self._place(recommendation)
            except sqlite3.Error:
                place = self._place_by_reading(recommendation)  # a disk that is full takes no index
            if place is None:
                return None
            segment, offset = place
            with segment.open("rb") as stream:
                line = next(read_lines(stream, offset), None)
            if line is None or not line.is_intact:
                raise _damaged(segment.stem)
            found = self._decision(line.content)
            return found.about(recommendation) if isinstance(found, MenteeDecision) else found

    def all(self) -> Iterator[Decision | MenteeDecision]:
        """Every decision, oldest first; lines that were changed or torn are left to `audit verify`."""
        with _readable():
            for segment in segments_in(self._folder):
                with segment.open("rb") as stream:
                    for line in read_lines(stream):
                        if line.is_intact and line.content["kind"] in ANSWERS:
                            yield self._decision(line.content)

    def entries(self, since: datetime) -> Iterator[dict[str, Any]]:
        """The entries of lists of mentors given from an instant on, oldest first, with what is sealed unread."""
        begin = since.isoformat()[:10]
        with _readable():
            for segment in segments_in(self._folder):
                with segment.open("rb") as stream:
                    for line in read_lines(stream):
                        if line.is_intact and line.content["kind"] == ANSWER and line.content["at"][:10] >= begin:
                            if datetime.fromisoformat(line.content["at"]) >= since:
                                yield line.content

    def policies(self) -> dict[str, list[Any]]:
        """The content of every policy that decisions name, by version."""
        found: dict[str, list[Any]] = {}
        with _readable():
            for segment in segments_in(self._folder):
                with segment.open("rb") as stream:
                    for line in read_lines(stream):
                        if b'"kind":"policy"' in line.text and line.is_intact and line.content["kind"] == "policy":
                            found[line.content["policy"]] = line.content["content"]
        return found

    def versions_named(self) -> set[str]:
        """The versions of models that kept decisions name; none of them may be thrown away."""
        with _readable():
            if not self._folder.is_dir():
                return set()
            try:
                with self._index() as index:
                    self._catch_up(index)
                    return {version for (version,) in index.execute("SELECT version FROM models")}
            except sqlite3.Error:
                return {decision.model_version for decision in self.all()}

    def _decision(self, entry: dict[str, Any]) -> Decision | MenteeDecision:
        secrets = self._keys.named(keys_named_in(entry))
        return mentee_decision_of(entry, secrets) if entry["kind"] == MENTEES else decision_of(entry, secrets)

    # --- where recommendations stand ----------------------------------------------------------------------------------

    def _place(self, recommendation: str) -> tuple[Path, int] | None:
        key = UUID(recommendation).bytes
        query = (
            "SELECT name, offset FROM recommendations JOIN segments ON number = segment WHERE uid = ?"
            " ORDER BY recommendations.rowid DESC LIMIT 1"
        )
        with self._index() as index:
            row = index.execute(query, (key,)).fetchone()
            if row is None:
                self._catch_up(index)
                row = index.execute(query, (key,)).fetchone()
        if row is None:
            return None
        segment = self._folder / f"{row[0]}{SUFFIX}"
        if not segment.exists():
            raise _damaged(row[0])
        return segment, row[1]

    def _place_by_reading(self, recommendation: str) -> tuple[Path, int] | None:
        wanted = recommendation.encode()
        for segment in reversed(segments_in(self._folder)):
            with segment.open("rb") as stream:
                for line in read_lines(stream):
                    if wanted in line.text and recommendation in _recommendations_in(line):
                        return segment, line.offset
        return None

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        file = self._folder / INDEX
        try:
            with self._opened(file) as index:
                yield index
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError):
                file.unlink(missing_ok=True)  # it is no index; the next reader makes it anew
            raise

    @contextmanager
    def _opened(self, file: Path) -> Iterator[sqlite3.Connection]:
        file.touch(mode=0o600)
        with closing(sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None)) as index:
            index.execute("PRAGMA synchronous = OFF")  # what a crash spoils is made anew
            index.executescript(_TABLES)
            yield index

    def _catch_up(self, index: sqlite3.Connection) -> None:
        """Reads what was added to the segments since the last time."""
        index.execute("BEGIN IMMEDIATE")
        known = {name: (number, to) for number, name, to in index.execute("SELECT number, name, read_to FROM segments")}
        for segment in segments_in(self._folder):
            number, read_to = known.get(segment.stem, (None, 0))
            size = segment.stat().st_size
            if size == read_to:
                continue
            if number is None:
                number = index.execute("INSERT INTO segments (name, read_to) VALUES (?, 0)", (segment.stem,)).lastrowid
            if size < read_to:
                index.execute("DELETE FROM recommendations WHERE segment = ?", (number,))
                read_to = 0
            with segment.open("rb") as stream:
                for line in read_lines(stream, read_to):
                    if not line.is_complete:
                        break
                    read_to = line.offset + len(line.text) + 1
                    rows = [(UUID(uid).bytes, number, line.offset) for uid in _recommendations_in(line)]
                    index.executemany("INSERT INTO recommendations VALUES (?, ?, ?)", rows)
                    if rows:
                        index.execute("INSERT OR IGNORE INTO models VALUES (?)", (line.content["model"],))
            index.execute("UPDATE segments SET read_to = ? WHERE number = ?", (read_to, number))
        index.execute("COMMIT")


def _recommendations_in(line: Line) -> list[str]:
    if not line.is_intact or line.content["kind"] not in ANSWERS:
        return []
    return [each["uid"] for each in line.content["recommendations"]]


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (OSError, orjson.JSONDecodeError) as error:
        raise DomainError("the decision log cannot be read", code="SERVICE_UNAVAILABLE") from error


def _damaged(segment: str) -> DomainError:
    return DomainError(
        f"the record of this answer in segment {segment} was changed or is gone; mentorgraph audit verify says more",
        code="DECISION_LOG_DAMAGED",
    )
