"""The decision log as a process uses it: each answer is on the disk before anybody reads it.

Answers that come while others are being written wait and go to the disk together, in a thread, so that many askers pay
for one `fsync`. Where the log cannot be written, answers go on and say so: people who seek a mentor are not turned away
because a disk is full, but nobody is left to believe that the answer can be looked up.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from mentorgraph.graph.clock import present
from mentorgraph.graph.decisions.decision import Decision
from mentorgraph.graph.decisions.entry import entry_of, people_of
from mentorgraph.graph.decisions.keys import Key, Keys
from mentorgraph.graph.decisions.mentee_entry import entry_of_mentees, people_of_mentees
from mentorgraph.graph.decisions.reading import Records
from mentorgraph.graph.decisions.segments import ANCHOR_AFTER_S, Segment
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.mentees import MenteeList
from mentorgraph.graph.rules.policy import Policy

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer", Slate, MenteeList)

FOLDER = "decisions"
"""Name of the log's folder in the home of mentorgraph."""

KEYS = "keys.sqlite"
MOST_AT_ONCE = 64
NOT_KEPT = "This answer could not be written to the decision log, so it cannot be looked up later."


kept_slates: ContextVar[list[str] | None] = ContextVar("kept_slates", default=None)
"""While set to a list, the uid of every slate that is kept is added to it."""


class DecisionLog:
    """The log of one home, as one process writes and reads it.

    Use it as an asynchronous context manager; leaving the block closes the segment with its last anchor.
    """

    def __init__(self, folder: Path) -> None:
        self.keys = Keys(folder / KEYS)
        self.records = Records(folder, self.keys)
        self._folder = folder
        self._code_version = version("mentorgraph")
        self._segment: Segment | None = None
        self._waiting: list[tuple[Slate | MenteeList, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._anchoring: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._failure = ""

    async def __aenter__(self) -> "DecisionLog":
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._writing is not None:
            await self._writing
        if self._anchoring is not None:
            self._anchoring.cancel()
            with suppress(asyncio.CancelledError):
                await self._anchoring
        async with self._turn:
            await asyncio.to_thread(self._close_segment)

    async def keep(self, slate: Answer) -> Answer:
        """Writes an answer to the disk and returns it, with a notice where that failed."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((slate, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        if await kept:
            told = kept_slates.get()
            if told is not None:
                told.append(slate.uid)
            return slate
        return replace(slate, notice=f"{slate.notice} {NOT_KEPT}".strip())

    async def find(self, recommendation: str) -> Decision | None:
        """The newest decision that holds a recommendation, or None for an unknown one.

        Raises:
            DomainError: `SERVICE_UNAVAILABLE` or `DECISION_LOG_DAMAGED`.
        """
        return await asyncio.to_thread(self.records.find, recommendation)

    async def _write_all(self) -> None:
        async with self._turn:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                written = await asyncio.to_thread(self._write, [slate for slate, _ in some])
                for _, kept in some:
                    if not kept.done():  # else whoever asked has left
                        kept.set_result(written)
        if self._anchoring is None or self._anchoring.done():
            self._anchoring = asyncio.create_task(self._anchor_later())

    async def _anchor_later(self) -> None:
        """Anchors what is written last, so that it is not without an anchor until the next answer."""
        await asyncio.sleep(ANCHOR_AFTER_S)
        async with self._turn:
            await asyncio.to_thread(self._anchor)

    def _write(self, slates: Sequence[Slate | MenteeList]) -> bool:
        """Whether the disk has taken the answers."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            now = present()
            keys = self.keys.of(uid for slate in slates for uid in _people_of(slate))
            entries = [_entry_of(slate, keys, self._code_version, now) for slate in slates]
            policies = {each.version: each.content for slate in slates for each in _policies_of(slate)}
            if self._segment is not None and (self._segment.is_broken or self._segment.is_full):
                self._close_segment()
            if self._segment is None:
                self._segment = Segment(self._folder, self._code_version)
            self._segment.write(entries, policies)
        except Exception as error:
            # Whatever it is, the answer is right and someone waits for it.
            self._failed(error)
            return False
        if self._failure:
            logger.info("Answers are kept in the decision log again.")
            self._failure = ""
        if self._segment.wants_an_anchor:
            self._anchor()
        return True

    def _failed(self, error: Exception) -> None:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        if reason != self._failure:
            logger.warning("Answers are given but not kept in the decision log: %s", reason)
            self._failure = reason

    def _anchor(self) -> None:
        if self._segment is not None and not self._segment.is_anchored:
            try:
                self._segment.anchor()
            except OSError as error:
                self._failed(error)

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                segment.close()
            except OSError as error:
                self._failed(error)


def _people_of(answer: Slate | MenteeList) -> set[str]:
    return people_of_mentees(answer) if isinstance(answer, MenteeList) else people_of(answer)


def _entry_of(
    answer: Slate | MenteeList, keys: Mapping[str, Key], code_version: str, recorded_at: datetime
) -> dict[str, Any]:
    if isinstance(answer, MenteeList):
        return entry_of_mentees(answer, keys, code_version, recorded_at)
    return entry_of(answer, keys, code_version, recorded_at)


def _policies_of(answer: Slate | MenteeList) -> Sequence[Policy]:
    if isinstance(answer, MenteeList):
        return list(answer.asked.policies.values())
    return [answer.asked.policy]
