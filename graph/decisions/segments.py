"""Segments: the files of the decision log, one at a time per process, and the anchors that hold them together.

A process writes to a segment of its own and never to one that another has left, so that nothing but a torn last line
can remain of a crash. Anchors are a chain of their own to which all processes add: each says how long a segment was and
which hash its last line had. A segment that is gone, or that was cut, is known by its anchors, and the first line of
each segment names the newest anchor of its time, by which missing anchors are known.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mentorgraph.graph.clock import present
from mentorgraph.graph.decisions.chain import GENESIS, Chain, Line, read_lines

ANCHORS = "anchors.log"
SUFFIX = ".segment"
FORMAT = 1
LARGEST_SEGMENT_BYTES = 64 * 2**20
"""When a segment is closed and another one begun."""

LAST_BYTES = 4096
"""In so many bytes at the end of the anchors, the last one is found."""

ANCHOR_AFTER_LINES = 200
ANCHOR_AFTER_S = 60.0


def segments_in(folder: Path) -> list[Path]:
    """The segments of a log, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


class Segment:
    """A segment that this process writes.

    Every method raises `OSError` where the disk does not take what is written; the segment then holds what it held
    before, and can be tried again unless it is broken.

    Attributes:
        name: Its name.
        is_broken: Whether what was written in part could not be taken back; nothing may follow it.
    """

    def __init__(self, folder: Path, code_version: str) -> None:
        now = present()
        self.name = f"{now:%Y%m%dT%H%M%S%f}Z-{os.getpid()}-{secrets.token_hex(3)}"
        self.is_broken = False
        self._folder = folder
        self._chain = Chain()
        self._policies: set[str] = set()
        self._anchored_at, self._anchored_lines = -ANCHOR_AFTER_S, 0
        self._path = folder / f"{self.name}{SUFFIX}"
        anchor = last_anchor(folder)  # before the segment is there: one without anchors looks as if they were gone
        self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # tells whoever verifies that it is being written
            header = {"kind": "segment", "segment": self.name, "format": FORMAT, "code": code_version, "begun": now}
            self._append([{**header, "anchors": anchor}])
            _sync_folder(folder)
        except BaseException:
            os.close(self._file)
            self._path.unlink(missing_ok=True)
            raise

    @property
    def is_full(self) -> bool:
        """Whether another one should be begun."""
        return os.fstat(self._file).st_size >= LARGEST_SEGMENT_BYTES

    @property
    def is_anchored(self) -> bool:
        """Whether an anchor knows all of it."""
        return self._anchored_lines == self._chain.length

    def write(self, contents: Sequence[Mapping[str, Any]], policies: Mapping[str, Any]) -> None:
        """Adds contents, and the policies among them that it does not hold yet, and waits until the disk has them."""
        new = {version: content for version, content in policies.items() if version not in self._policies}
        self._append([*({"kind": "policy", "policy": version, "content": new[version]} for version in new), *contents])
        self._policies |= new.keys()

    @property
    def wants_an_anchor(self) -> bool:
        """Whether enough was written since the last anchor, or long enough ago."""
        lines, age_s = self._chain.length - self._anchored_lines, time.monotonic() - self._anchored_at
        return lines >= ANCHOR_AFTER_LINES or (lines > 0 and age_s >= ANCHOR_AFTER_S)

    def anchor(self, *, closes: bool = False) -> None:
        """Adds an anchor that knows all of the segment."""
        add_anchor(
            self._folder,
            {
                "kind": "anchor",
                "segment": self.name,
                "lines": self._chain.length,
                "head": self._chain.head,
                "at": present(),
                "closes": closes,
            },
        )
        self._anchored_at, self._anchored_lines = time.monotonic(), self._chain.length

    def close(self) -> None:
        """Anchors the segment for the last time."""
        try:
            self.anchor(closes=True)
        finally:
            os.close(self._file)

    def _append(self, contents: Sequence[Mapping[str, Any]]) -> None:
        chain, before = Chain(self._chain.length, self._chain.head), os.fstat(self._file).st_size
        try:
            _append(self._file, chain.add(contents))
        except OSError:
            self.is_broken = os.fstat(self._file).st_size != before
            raise
        self._chain = chain


def add_anchor(folder: Path, content: Mapping[str, Any]) -> None:
    """Adds an anchor to the chain of all processes."""
    with _locked_anchors(folder) as file:
        last = _last_line(folder / ANCHORS)
        end = 0 if last is None else last.offset + len(last.text) + 1
        os.ftruncate(file, end)  # what a crash tore was never relied on
        chain = Chain(last.number, last.hash) if last is not None and last.is_intact else Chain()
        _append(file, chain.add([content]))


def last_anchor(folder: Path) -> str:
    """Hash of the newest anchor."""
    with _locked_anchors(folder):
        last = _last_line(folder / ANCHORS)
        return last.hash if last is not None else GENESIS


def is_being_written(segment: Path) -> bool:
    """Whether a process has the segment open for writing."""
    with segment.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _locked_anchors(folder: Path) -> Iterator[int]:
    file = os.open(folder / ANCHORS, os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _last_line(path: Path) -> Line | None:
    """The last complete line of a file of short lines."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        start = max(0, size - LAST_BYTES)
        stream.seek(start)
        if start:
            start += len(stream.readline())
        complete = [line for line in read_lines(stream, start) if line.is_complete]
    if start and not complete:
        raise OSError(None, "the end of the anchors was changed; mentorgraph audit verify says more", str(path))
    return complete[-1] if complete else None


def _append(file: int, content: bytes) -> None:
    """Writes at the end of a file and waits for the disk; takes back what was written in part."""
    before = os.fstat(file).st_size
    try:
        written = 0
        while written < len(content):
            written += os.write(file, content[written:])
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, before)
        raise


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
