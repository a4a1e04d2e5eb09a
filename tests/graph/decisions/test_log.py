"""Keeping answers: what comes back is what was answered, from whichever process, whatever the disk does."""

import asyncio
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.keys import Keys
from mentorgraph.graph.decisions.log import KEYS, NOT_KEPT, DecisionLog
from mentorgraph.graph.decisions.reading import INDEX, Records
from mentorgraph.graph.decisions.segments import last_anchor, segments_in
from mentorgraph.graph.decisions.verify import Finding, verify
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.viewer import COORDINATOR, Viewer

from .conftest import slate_of

Keep = Callable[..., list[Slate]]

WRITER = """
import asyncio, sys
from pathlib import Path
from mentorgraph.graph.decisions.log import DecisionLog
sys.path.insert(0, sys.argv[1])
from slates import slate_of

async def main():
    async with DecisionLog(Path(sys.argv[2])) as log:
        for seed in range(int(sys.argv[3]), int(sys.argv[4])):
            slate = await log.keep(slate_of(seed))
            print(slate.recommendations[0].uid, flush=True)

asyncio.run(main())
"""


def records(folder: Path) -> Records:
    return Records(folder, Keys(folder / KEYS))


def writer(folder: Path, tmp_path: Path, first: int, last: int) -> subprocess.Popen[str]:
    """A process of its own that keeps the answers of some seeds and prints the id of one of each when it is kept."""
    (tmp_path / "slates.py").write_text((Path(__file__).with_name("conftest.py")).read_text("utf-8"), "utf-8")
    arguments = [str(tmp_path), str(folder), str(first), str(last)]
    return subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True)


def test_an_answer_comes_back_as_it_was_given(keep: Keep, folder: Path) -> None:
    slates = keep(1, 2, 3)
    for slate in slates:
        for each in slate.recommendations:
            decision = records(folder).find(each.uid)
            assert decision is not None
            found = decision.find(each.uid)
            assert found is not None
            assert found.recommendation == each
            assert found.recommendation.propensity == 1.0
            assert (decision.slate, decision.mentee, decision.goal) == (slate.uid, slate.asked.mentee, slate.goal)
            assert (decision.at, decision.scored_at) == (slate.asked.at, slate.asked.scored_at)
            assert decision.names == slate.asked.names
            assert decision.viewer == COORDINATOR
    assert records(folder).find(slate_of(4).recommendations[0].uid) is None
    assert [each.slate for each in records(folder).all()] == [slate.uid for slate in slates]


def test_a_participant_is_shown_counts_of_third_people_as_live_answers_show_them(keep: Keep, folder: Path) -> None:
    [slate] = keep(1)
    decision = records(folder).find(slate.recommendations[0].uid)
    assert decision is not None
    shown = decision.recommended[0].shown_to(Viewer(person=decision.mentee), decision.mentee)
    assert "Foreign" not in str(shown.paths) + str(shown.sentences)
    assert "has helped with a goal in words that are 40% alike" in shown.sentences[0]
    assert shown.sentences[1:] == ("Both are free at the same time for 3 hours this week.",)
    assert shown.paths[0].cypher == ""
    assert "Foreign" in str(decision.recommended[0].shown_to(COORDINATOR, decision.mentee).sentences)
    assert not decision.may_be_seen_by(Viewer(person=slate.recommendations[0].mentor))
    assert decision.may_be_seen_by(Viewer(person=decision.mentee))


def test_files_are_for_their_owner_only_and_hold_no_name(keep: Keep, folder: Path) -> None:
    keep(1, 2)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    everything = b"".join(file.read_bytes() for file in folder.iterdir())
    for secret in (b"Number1", b"Foreign", b"Mentor of", b"free at the same time"):
        assert secret not in everything
    assert slate_of(1).asked.mentee.encode() in everything


def test_the_same_answer_twice_is_two_entries_with_one_id(keep: Keep, folder: Path) -> None:
    one, two = keep(1, 1)
    assert one.uid == two.uid
    assert len(list(records(folder).all())) == 2
    found = records(folder).find(one.recommendations[0].uid)
    assert found is not None


def test_what_another_process_writes_is_found_while_it_goes_on(folder: Path, keep: Keep) -> None:
    keep(1)
    reader = records(folder)

    async def session() -> list[Decision | None]:
        async with DecisionLog(folder) as one, DecisionLog(folder) as two:
            await one.keep(slate_of(2))
            first = await two.find(slate_of(2).recommendations[0].uid)
            await one.keep(slate_of(3))
            return [first, await two.find(slate_of(3).recommendations[1].uid)]

    assert None not in asyncio.run(session())
    assert reader.find(slate_of(3).recommendations[0].uid) is not None


def test_who_verifies_while_a_segment_is_begun_accuses_nobody(
    keep: Keep, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Finding, ...]] = []

    def watched(of: Path) -> str:
        seen.append(verify(of).findings)
        return last_anchor(of)

    monkeypatch.setattr("mentorgraph.graph.decisions.segments.last_anchor", watched)
    keep(1)
    keep(2)
    assert seen == [(), ()]


def test_two_processes_that_write_at_once_lose_nothing(
    folder: Path, tmp_path: Path, count: Callable[[int, int], int]
) -> None:
    each = count(25, 1_000)
    writers = [writer(folder, tmp_path, start, start + each) for start in (0, each)]
    findings: list[Finding] = []
    while any(process.poll() is None for process in writers):
        findings += verify(folder).findings
    assert findings == []  # who verifies while others write accuses nobody
    printed = [process.communicate()[0].split() for process in writers]
    assert [process.returncode for process in writers] == [0, 0]
    assert [len(ids) for ids in printed] == [each, each]
    reader = records(folder)
    assert all(reader.find(uid) for ids in printed for uid in ids)
    verdict = verify(folder)
    assert (verdict.findings, verdict.notes, verdict.answers, verdict.segments) == ((), (), 2 * each, 2)


def test_many_answers_at_once_share_their_writes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    real = os.fsync

    def counting(file: int) -> None:
        syncs.append(file)
        real(file)

    monkeypatch.setattr(os, "fsync", counting)

    async def session() -> list[Slate]:
        async with DecisionLog(folder) as log:
            return await asyncio.gather(*(log.keep(slate_of(seed)) for seed in range(40)))

    assert [slate.notice for slate in asyncio.run(session())] == [""] * 40
    assert len(syncs) < 10
    assert verify(folder).answers == 40


def test_what_was_written_last_is_anchored_before_long(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mentorgraph.graph.decisions.log.ANCHOR_AFTER_S", 0.1)

    async def session() -> list[tuple[int, str]]:
        async with DecisionLog(folder) as log:
            for seed in (1, 2, 3):
                await log.keep(slate_of(seed))
            await asyncio.sleep(1)
            # As if the process were gone and somebody took the last line away: no anchor of a closing knows it.
            copy = folder.with_name("copy")
            shutil.copytree(folder, copy)
            [segment] = segments_in(copy)
            segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-1]))
            return [(each.line, each.what) for each in verify(copy).findings]

    assert asyncio.run(session()) == [(5, "this line is missing at the end, which anchors know")]


def test_a_segment_that_grew_large_is_followed_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mentorgraph.graph.decisions.segments.LARGEST_SEGMENT_BYTES", 20_000)

    async def session() -> list[Slate]:
        async with DecisionLog(folder) as log:
            return [await log.keep(slate_of(seed)) for seed in range(9)]

    slates = asyncio.run(session())
    assert len(segments_in(folder)) >= 3
    assert (verify(folder).findings, verify(folder).notes, verify(folder).answers) == ((), (), 9)
    assert all(records(folder).find(slate.recommendations[0].uid) for slate in slates)
    assert len(records(folder).policies()) == 1


def test_a_killed_process_leaves_at_most_a_torn_line_and_the_next_goes_on(folder: Path, tmp_path: Path) -> None:
    with writer(folder, tmp_path, 0, 10_000) as process:
        assert process.stdout is not None
        kept = [process.stdout.readline().strip() for _ in range(8)]
        process.send_signal(signal.SIGKILL)
        kept += process.stdout.read().split()
    verdict = verify(folder)
    assert verdict.findings == ()
    assert "its process ended without closing it" in [note.what for note in verdict.notes]
    [segment] = segments_in(folder)
    with segment.open("ab") as stream:
        stream.write(b"a" * 64 + b" torn in the mid")
    torn = verify(folder)
    assert torn.findings == ()
    assert "was torn by a crash while it was written" in [note.what for note in torn.notes]
    reader = records(folder)
    assert all(reader.find(uid) for uid in kept)

    async def session() -> Slate:
        async with DecisionLog(folder) as log:
            return await log.keep(slate_of(-1))

    slate = asyncio.run(session())
    assert len(segments_in(folder)) == 2
    assert reader.find(slate.recommendations[0].uid) is not None
    assert verify(folder).findings == ()


def test_a_full_disk_is_said_once_and_answers_go_on(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The disk is played by a limit on the size of files, which any user can set on themselves."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def session() -> list[Slate]:
        async with DecisionLog(folder) as log:
            slates = [await log.keep(slate_of(seed)) for seed in range(10, 22)]  # so long that the keys are shorter
            size = segments_in(folder)[0].stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1_000, before[1]))
            try:
                slates += [await log.keep(slate_of(seed)) for seed in (1, 2)]
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return [*slates, await log.keep(slate_of(3))]

    with caplog.at_level("INFO"):
        slates = asyncio.run(session())
    assert [slate.notice for slate in slates] == [*[""] * 12, NOT_KEPT, NOT_KEPT, ""]
    said = [(record.levelname, record.getMessage()) for record in caplog.records if "mentorgraph" in record.name]
    assert said == [
        ("WARNING", "Answers are given but not kept in the decision log: File too large"),
        ("INFO", "Answers are kept in the decision log again."),
    ]
    assert verify(folder).findings == ()
    assert verify(folder).answers == 13


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_disk_that_is_really_full_does_not_end_anything(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mounted], capture_output=True).returncode:
        pytest.skip("this container may not mount")
    try:

        async def session() -> list[Slate]:
            async with DecisionLog(mounted / "decisions") as log:
                slates = [await log.keep(slate_of(seed)) for seed in range(40)]
                assert await log.find(slates[0].recommendations[0].uid) is not None
                return slates

        notices = [slate.notice for slate in asyncio.run(session())]
        kept = notices.index(NOT_KEPT)
        assert kept > 1
        assert set(notices[kept:]) == {NOT_KEPT}
        verdict = verify(mounted / "decisions")
        assert (verdict.findings, verdict.answers) == ((), kept)
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_a_log_that_is_no_folder_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "decisions").write_text("in the way")

    async def session() -> Slate:
        async with DecisionLog(tmp_path / "decisions") as log:
            return await log.keep(slate_of(1))

    assert asyncio.run(session()).notice == NOT_KEPT


def test_an_index_that_is_gone_or_broken_is_made_anew(keep: Keep, folder: Path) -> None:
    [slate] = keep(1)
    uid = slate.recommendations[0].uid
    assert records(folder).find(uid) is not None
    (folder / INDEX).unlink()
    assert records(folder).find(uid) is not None
    (folder / INDEX).write_bytes(b"no index at all" * 500)
    assert records(folder).find(uid) is not None
    assert not (folder / INDEX).exists()  # thrown away by whoever met it, made anew by the next
    assert records(folder).find(uid) is not None
    assert (folder / INDEX).read_bytes()[:6] == b"SQLite"
    assert records(folder).versions_named() == {"rules"}


def test_a_record_that_was_changed_is_refused_by_whoever_looks_it_up(keep: Keep, folder: Path) -> None:
    [slate] = keep(1)
    [segment] = segments_in(folder)
    uid = slate.recommendations[0].uid
    assert records(folder).find(uid) is not None
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"rank":1', b'"rank":7'))
    with pytest.raises(DomainError, match="audit verify") as caught:
        records(folder).find(uid)
    assert caught.value.code == "DECISION_LOG_DAMAGED"
    segment.unlink()
    with pytest.raises(DomainError, match="audit verify"):
        records(folder).find(uid)


def test_every_model_that_a_kept_answer_names_is_told(keep: Keep, folder: Path) -> None:
    assert records(folder).versions_named() == set()
    keep(1)
    keep(2, model="net@1")
    keep(3, model="net@2")
    assert records(folder).versions_named() == {"rules", "net@1", "net@2"}


def test_erasing_a_third_person_takes_their_title_out_of_the_evidence_and_nothing_else(
    keep: Keep, folder: Path
) -> None:
    [one] = keep(1)
    [segment] = folder.glob("*.segment")
    assert b"Foreign title" not in segment.read_bytes()
    path = one.recommendations[0].evidence[0]
    third = path.steps[1].owner
    before = records(folder).find(one.recommendations[0].uid)
    assert before is not None
    assert before.recommended[0].recommendation.evidence[0].sentence == path.sentence
    assert Keys(folder / KEYS).destroy(third) == 1
    after = records(folder).find(one.recommendations[0].uid)
    assert after is not None
    assert not after.recommended[0].is_redacted
    for viewer in (COORDINATOR, Viewer(person=after.mentee)):
        shown = after.recommended[0].shown_to(viewer, after.mentee)
        assert shown.sentences[0] == "Mentor of 1 has helped with a goal in words that are 40% alike."
        assert [step.label for step in shown.paths[0].steps] == ["Title Number1", "", "", path.steps[-1].label]
    assert after.names == before.names == one.asked.names
    assert verify(folder).findings == ()


def test_erasing_a_mentee_leaves_numbers_and_no_words(keep: Keep, folder: Path) -> None:
    one, two = keep(1, 2)
    assert Keys(folder / KEYS).destroy(one.asked.mentee) == 1
    gone = records(folder).find(one.recommendations[0].uid)
    assert gone is not None
    assert gone.is_redacted
    assert gone.names == {}
    found = gone.recommended[0]
    assert found.recommendation.score == one.recommendations[0].score
    for viewer in (COORDINATOR, Viewer(person=gone.mentee)):
        shown = found.shown_to(viewer, gone.mentee)
        assert (shown.sentences, shown.paths[0].sentence) == ((), "(erased)")
        assert {step.label for step in shown.paths[0].steps} == {""}
    kept = records(folder).find(two.recommendations[0].uid)
    assert kept is not None
    assert kept.names == two.asked.names
    assert verify(folder).findings == ()
    assert Keys(folder / KEYS).destroy(one.asked.mentee) == 0


def test_erasing_a_mentor_takes_their_words_out_of_everybodys_answers(keep: Keep, folder: Path) -> None:
    [slate] = keep(1)
    mentor = slate.recommendations[2].mentor
    secret = Keys(folder / KEYS).of([mentor])[mentor].secret
    assert secret in (folder / KEYS).read_bytes()
    assert Keys(folder / KEYS).destroy(mentor) == 1
    assert secret not in (folder / KEYS).read_bytes()
    decision = records(folder).find(slate.recommendations[0].uid)
    assert decision is not None
    assert [each.is_redacted for each in decision.recommended] == [False, False, True, False, False]
    assert mentor not in decision.names
    assert not decision.is_redacted


def test_an_entry_holds_what_score_and_order_are_made_of(keep: Keep, folder: Path) -> None:
    [slate] = keep(1)
    lines = [json.loads(line[130:]) for line in segments_in(folder)[0].read_bytes().splitlines()]
    assert [line["kind"] for line in lines] == ["segment", "policy", "answer"]
    entry = lines[2]
    assert entry["recommendations"][0]["signals"][0].keys() == {"name", "value", "unit", "weight", "contribution"}
    assert entry["recommendations"][0]["propensity"] == 1.0
    assert entry["question"]["mentee"] == slate.asked.mentee
    assert {"model", "policy", "code", "base", "viewer", "at"} <= entry.keys()


def test_a_lookup_needs_no_more_than_its_line(keep: Keep, folder: Path) -> None:
    """Not timed: that an answer is found is not paid with reading all others again."""
    slates = keep(*range(30))
    reader = records(folder)
    assert reader.find(slates[0].recommendations[0].uid) is not None
    opened: list[object] = []
    real = Path.open

    def counting(self: Path, *arguments: object, **options: object) -> object:
        opened.append(self)
        return real(self, *arguments, **options)  # type: ignore[call-overload]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", counting)
        assert reader.find(slates[29].recommendations[4].uid) is not None
    assert len(opened) == 1
