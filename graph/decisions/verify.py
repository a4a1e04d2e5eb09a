"""Verifying the decision log: every line against its hash and its neighbours, every segment against its anchors.

What a crash leaves, a torn last line or a segment that nobody closed, is told from what only somebody's hand does. Who
can write all files can also write a whole new log that is right in itself; against that, keep the hash of an anchor
elsewhere and have it looked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mentorgraph.graph.decisions.chain import ANSWERS, GENESIS, Line, read_lines
from mentorgraph.graph.decisions.segments import ANCHORS, SUFFIX, is_being_written, segments_in

_SLATE = re.compile(rb'"slate":"([0-9a-f-]{36})"')


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        file: The segment, or the anchors.
        line: Number of the line, counted from 1; 0 where it is about the file.
        slate: uid of the answer that the line holds, as far as it can still be read.
        what: What is the case.
    """

    file: str
    line: int
    slate: str
    what: str

    def __str__(self) -> str:
        place = f", line {self.line}" if self.line else ""
        answer = f", answer {self.slate}" if self.slate else ""
        return f"{self.file}{place}{answer}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        findings: What somebody has changed; none where all is well.
        notes: What looks unusual and is not: traces of crashes and of processes that still write.
        segments: Number of segments.
        answers: Number of answers that are as they were written.
        anchor: Hash of the newest anchor.
    """

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    segments: int
    answers: int
    anchor: str


def verify(folder: Path, *, anchor: str | None = None) -> Verdict:
    """Verifies the log of a folder.

    Args:
        folder: Where the log is.
        anchor: Hash of an anchor that was kept elsewhere, which must be there still.

    Raises:
        OSError: A file cannot be read.
    """
    segments = {path.stem: path for path in segments_in(folder)}
    if not segments and not (folder / ANCHORS).exists():
        return Verdict((), (), 0, 0, GENESIS)
    # Anchors are read before segments: what they know was on the disk before them. Processes may write meanwhile, so
    # what seems to be missing is looked for once more.
    anchors, anchor_walk = _anchors(folder)
    findings, notes, answers = [*anchor_walk.findings], [*anchor_walk.notes], 0
    known = {GENESIS, *anchors.hashes}
    if anchor is not None and anchor not in known:
        findings.append(Finding(ANCHORS, 0, "", f"the anchor {anchor} is not there"))
    for name, heads in anchors.heads.items():
        if name not in segments and not (folder / f"{name}{SUFFIX}").exists():
            findings.append(Finding(name, 0, "", f"the segment is gone; it had {max(heads)} lines"))
    for name, path in segments.items():
        walk = _Walk(name, anchors.heads.get(name, {}))
        for line in walk.through(path):
            if line.number == 1 and (line.content.get("segment") != name):
                walk.find(1, "", "this is the first line of another segment")
            elif line.number == 1 and line.content["anchors"] not in known:
                known |= _anchors(folder)[0].hashes
                if line.content["anchors"] not in known:
                    findings.append(Finding(ANCHORS, 0, "", f"the anchor after which {name} was begun is not there"))
            answers += line.content["kind"] in ANSWERS
        findings += walk.findings
        notes += walk.notes
        if name not in anchors.closed:
            state = "it is being written" if is_being_written(path) else "its process ended without closing it"
            notes.append(Finding(name, 0, "", state))
    return Verdict(tuple(findings), tuple(notes), len(segments), answers, anchors.newest)


@dataclass(slots=True)
class _Anchors:
    """What all anchors say.

    Attributes:
        heads: Segment → number of a line → its hash.
        closed: Segments that were closed.
        hashes: The hashes of the anchors themselves.
        newest: The last of them.
    """

    heads: dict[str, dict[int, str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    newest: str = GENESIS


def _anchors(folder: Path) -> tuple[_Anchors, "_Walk"]:
    found, walk = _Anchors(), _Walk(ANCHORS, {})
    path = folder / ANCHORS
    if not path.exists():
        walk.find(0, "", "the anchors are gone")
        return found, walk
    for line in walk.through(path):
        content = line.content
        found.heads.setdefault(content["segment"], {})[content["lines"]] = content["head"]
        if content["closes"]:
            found.closed.add(content["segment"])
        found.hashes.add(line.hash)
        found.newest = line.hash
    return found, walk


class _Walk:
    """Goes through the lines of one file in order and takes down what is wrong with them."""

    def __init__(self, file: str, heads: Mapping[int, str]) -> None:
        self.findings: list[Finding] = []
        self.notes: list[Finding] = []
        self._file = file
        self._heads = heads
        self._last, self._head = 0, GENESIS
        self._changed: list[Line] = []

    def find(self, line: int, slate: str, what: str) -> None:
        """Takes something down."""
        self.findings.append(Finding(self._file, line, slate, what))

    def through(self, path: Path) -> Iterator[Line]:
        """Yields the lines that are as they were written and stand where they belong."""
        torn = False
        with path.open("rb") as stream:
            for line in read_lines(stream):
                if not line.is_complete:
                    torn = True
                elif not line.is_intact:
                    self._changed.append(line)
                elif self._belongs(line):
                    yield line
        self._end(torn)

    def _belongs(self, line: Line) -> bool:
        number, changed, self._changed = line.number, self._changed, []
        gap = range(self._last + 1, number)
        if number <= self._last:
            self.find(number, _slate_in(line), f"stands after line {self._last}: it was moved or repeated")
            return False
        for place, missing in enumerate(gap):
            if changed:
                self.find(missing, _slate_in(changed[place]) if place < len(changed) else "", "was changed")
            else:
                self.find(missing, "", "is missing")
        if changed and not gap:
            self.find(number, "", "something was put in before it")
        if not gap and line.previous != self._head:
            self.find(self._last or number, "", "was replaced" if self._last else "does not begin the chain")
        if self._heads.get(number, line.hash) != line.hash:
            self.find(number, _slate_in(line), "is not the line that the anchors know")
        self._last, self._head = number, line.hash
        return True

    def _end(self, torn: bool) -> None:
        for line in self._changed:
            self._last += 1
            self.find(self._last, _slate_in(line), "was changed")
        anchored = max(self._heads, default=0)
        if anchored > self._last:
            which = f"lines {self._last + 1} to {anchored} are" if anchored > self._last + 1 else "this line is"
            self.find(self._last + 1, "", f"{which} missing at the end, which anchors know")
        elif torn:
            self.notes.append(Finding(self._file, self._last + 1, "", "was torn by a crash while it was written"))


def _slate_in(line: Line) -> str:
    found = _SLATE.search(line.text)
    return found[1].decode() if found else ""
