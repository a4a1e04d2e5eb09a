"""Verifying: whatever is changed in the files is named, and nothing else; what crashes leave is no accusation."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mentorgraph.graph.decisions.chain import Chain, Line, read_lines
from mentorgraph.graph.decisions.segments import ANCHORS, segments_in
from mentorgraph.graph.decisions.verify import Finding, verify
from mentorgraph.graph.ranking.listing import Slate

from .conftest import slate_of

Keep = Callable[..., list[Slate]]
FIRST_ANSWER = 3
"""Line of a segment's first answer: the segment itself and the policy come before."""


@pytest.fixture
def segment(keep: Keep, folder: Path) -> Path:
    """A segment with the answers 0 to 9, between two others."""
    keep(20)
    keep(*range(10))
    keep(21)
    return segments_in(folder)[1]


def named(folder: Path) -> list[tuple[str, int, str, str]]:
    return [(each.file, each.line, each.slate, each.what) for each in verify(folder).findings]


def answer(seed: int) -> str:
    return slate_of(seed).uid


def test_a_whole_log_is_found_whole(segment: Path, folder: Path) -> None:
    verdict = verify(folder)
    assert (verdict.findings, verdict.notes, verdict.segments, verdict.answers) == ((), (), 3, 12)
    assert verify(folder, anchor=verdict.anchor).findings == ()
    other = "0" * 63 + "1"
    assert [each.what for each in verify(folder, anchor=other).findings] == [f"the anchor {other} is not there"]
    assert verify(folder / "none").segments == 0


def test_one_flipped_bit_names_exactly_its_record(
    segment: Path, folder: Path, count: Callable[[int, int], int]
) -> None:
    whole = segment.read_bytes()
    draw = random.Random(1)  # noqa: S311
    starts = [0, *(place + 1 for place, byte in enumerate(whole) if byte == 0x0A)]
    for _ in range(count(40, 5_000)):
        place, bit = draw.randrange(len(whole)), 1 << draw.randrange(8)
        line = sum(start <= place for start in starts)
        segment.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        found = named(folder)
        lines = {line for _, line, _, _ in found}
        assert {file for file, *_ in found} <= {segment.stem}, (place, bit)
        if whole[place] ^ bit == 0x0A:  # a new line feed in the last line makes two of it
            assert {line} <= lines <= {line, line + 1}, (place, bit, found)
            continue
        # Without the line feed between two lines, both are gone.
        assert lines == ({line, line + 1} - {13} if whole[place] == 0x0A else {line}), (place, bit, found)
    segment.write_bytes(whole)
    assert named(folder) == []


def test_a_changed_answer_is_named_by_its_id(segment: Path, folder: Path) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    place = FIRST_ANSWER - 1 + 4
    lines[place] = lines[place].replace(b'"rank":1', b'"rank":2')
    segment.write_bytes(b"".join(lines))
    assert named(folder) == [(segment.stem, place + 1, answer(4), "was changed")]
    assert str(verify(folder).findings[0]) == f"{segment.stem}, line 7, answer {answer(4)}: was changed"


def test_a_changed_answer_with_a_hash_that_fits_is_named(segment: Path, folder: Path) -> None:
    """Whoever changes a line and computes its hash anew would have to change all lines after it, and the anchors."""
    lines = segment.read_bytes().splitlines(keepends=True)
    line = next(iter_lines(segment, 5))
    content = {key: value for key, value in line.content.items() if key != "line"}
    lines[4] = Chain(4, line.previous).add([{**content, "notice": "forged"}])
    segment.write_bytes(b"".join(lines))
    assert named(folder) == [(segment.stem, 5, "", "was replaced")]
    rest = [{key: value for key, value in each.content.items() if key != "line"} for each in iter_lines(segment, 5)]
    segment.write_bytes(b"".join(lines[:4]) + Chain(4, line.previous).add(rest))
    [finding] = named(folder)
    assert finding == (segment.stem, 12, answer(9), "is not the line that the anchors know")


def iter_lines(segment: Path, first: int) -> Iterator[Line]:
    with segment.open("rb") as stream:
        yield from [line for line in read_lines(stream) if line.number >= first]


@pytest.mark.parametrize("place", [0, 1, 5, 10])
def test_a_deleted_line_is_named(segment: Path, folder: Path, place: int) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    del lines[place]
    segment.write_bytes(b"".join(lines))
    assert named(folder) == [(segment.stem, place + 1, "", "is missing")]


def test_two_swapped_lines_are_named(segment: Path, folder: Path) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[5], lines[6] = lines[6], lines[5]
    segment.write_bytes(b"".join(lines))
    found = named(folder)
    assert found == [
        (segment.stem, 6, "", "is missing"),
        (segment.stem, 6, answer(3), "stands after line 7: it was moved or repeated"),
    ]


def test_a_repeated_and_an_invented_line_are_named(segment: Path, folder: Path) -> None:
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines[:6], lines[4], *lines[6:]]))
    assert named(folder) == [(segment.stem, 5, answer(2), "stands after line 6: it was moved or repeated")]
    segment.write_bytes(b"".join([*lines[:6], b"invented\n", *lines[6:]]))
    assert named(folder) == [(segment.stem, 7, "", "something was put in before it")]


def test_a_segment_that_is_gone_is_named(segment: Path, folder: Path) -> None:
    segment.unlink()
    assert named(folder) == [(segment.stem, 0, "", "the segment is gone; it had 12 lines")]


def test_a_segment_under_the_name_of_another_is_named(segment: Path, folder: Path) -> None:
    first = segments_in(folder)[0]
    first.write_bytes(segment.read_bytes())
    assert (first.stem, 1, "", "this is the first line of another segment") in named(folder)


@pytest.mark.parametrize("bytes_left", [0, 1])
def test_a_segment_that_was_cut_is_named(segment: Path, folder: Path, bytes_left: int) -> None:
    """At the end of a line, or within one, which alone would look like a crash."""
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:9]) + lines[9][: 100 * bytes_left])
    assert named(folder) == [(segment.stem, 10, "", "lines 10 to 12 are missing at the end, which anchors know")]
    assert verify(folder).notes == ()


def test_anchors_that_were_changed_cut_or_removed_are_named(segment: Path, folder: Path) -> None:
    anchors = folder / ANCHORS
    lines = anchors.read_bytes().splitlines(keepends=True)
    assert len(lines) == 6
    anchors.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"lines":', b'"lanes":'), *lines[3:]]))
    assert (ANCHORS, 3, "", "was changed") in named(folder)
    anchors.write_bytes(b"".join(lines[:1]))
    last = segments_in(folder)[-1].stem
    assert (ANCHORS, 0, "", f"the anchor after which {last} was begun is not there") in named(folder)
    anchors.unlink()
    assert (ANCHORS, 0, "", "the anchors are gone") in named(folder)


def test_a_torn_anchor_is_no_accusation_and_is_written_over(keep: Keep, segment: Path, folder: Path) -> None:
    with (folder / ANCHORS).open("ab") as stream:
        stream.write(b"f" * 70)
    assert verify(folder).findings == ()
    assert [note.what for note in verify(folder).notes] == ["was torn by a crash while it was written"]
    keep(30)
    assert (verify(folder).findings, verify(folder).notes) == ((), ())


def test_answers_go_on_after_the_anchors_were_spoilt(keep: Keep, segment: Path, folder: Path) -> None:
    (folder / ANCHORS).write_bytes(b"spoilt\n" * 2_000)
    [slate] = keep(30)
    assert slate.notice == ""
    assert any(finding.file == ANCHORS for finding in verify(folder).findings)


def test_a_finding_about_a_file_says_so() -> None:
    assert str(Finding("x", 0, "", "is gone")) == "x: is gone"


def test_a_line_that_is_completed_while_it_is_read_is_not_read_in_two_halves(segment: Path) -> None:
    """As where another process writes: the reader has seen half of a line, goes on, and finds the rest."""
    content = segment.read_bytes()
    half = len(content) - 100
    segment.write_bytes(content[:half])
    with segment.open("rb") as stream:
        lines = read_lines(stream)
        seen = [next(lines) for _ in range(content.count(b"\n"))]
        assert [line.is_complete for line in seen] == [True] * (len(seen) - 1) + [False]
        segment.write_bytes(content)
        assert list(lines) == []
        assert stream.readline() == content[half:]  # what would have been taken for a line
    with segment.open("rb") as stream:
        assert all(line.is_intact for line in read_lines(stream))
