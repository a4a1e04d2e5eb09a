"""What subscriptions wait for: sources that one poller per process asks, however many subscribers there are.

A subscriber is told that something has changed, and looks for itself at what it follows. So whoever is slow misses
steps in between and never the last one, nothing queues up, and a process needs no message broker to hear of what
another one has written: both read the same change counter.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Generic, TypeAlias, TypeVar

from mentorgraph.graph.errors import DomainError

logger = logging.getLogger(__name__)

T = TypeVar("T")

Mark: TypeAlias = tuple[int, int]
"""Of a feed: its version, and how often its source had come back."""

EVERY_S = 0.5
LONGEST_REST_S = 0.25


class Feed(Generic[T]):
    """Asks a source again and again while somebody listens, and tells all listeners when its answer differs.

    Args:
        name: What the source is called in the log.
        read: Asks it. While it raises, the source is away; that is logged once.
        every_s: The pause between two questions.
    """

    def __init__(self, name: str, read: Callable[[], Awaitable[T]], *, every_s: float = EVERY_S) -> None:
        self._name = name
        self._read = read
        self._every_s = every_s
        self._poller: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.listeners = 0
        self.version = 0
        """Number of differences that were seen."""
        self.returns = 0
        """How often the source has come back."""

    @property
    def is_asked(self) -> bool:
        """Whether the poller is at work."""
        return self._poller is not None

    def mark(self) -> Mark:
        """What to give to `listen` later, to hear of whatever changes from now on."""
        return self.version, self.returns

    @contextmanager
    def listen(self, mark: Mark) -> Iterator["Listener"]:
        """A listener, which hears of what has changed since a mark; the first one starts the poller, the last ends it.

        It may be told of a change that it has seen already, and is never left without one that it has not.
        """
        self.listeners += 1
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            yield Listener(self, mark)
        finally:
            self.listeners -= 1
            if not self.listeners and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    async def wait(self) -> None:
        """Waits for the next difference."""
        await self._changed.wait()

    async def _poll(self) -> None:
        known: list[T] = []
        away = ""
        while True:
            try:
                found = await self._read()
            except Exception as error:
                if not away:
                    away = error.message if isinstance(error, DomainError) else type(error).__name__
                    logger.warning("Subscriptions to the %s wait: %s", self._name, away)
            else:
                if away:
                    self.returns += 1
                    logger.info("Subscriptions to the %s go on.", self._name)
                if away or known != [found]:
                    self._tell()
                known, away = [found], ""
            await asyncio.sleep(self._every_s)

    def _tell(self) -> None:
        self.version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Listener:
    """What one subscriber knows of a feed."""

    def __init__(self, feed: Feed[T], mark: Mark) -> None:
        self._feed = feed
        self._mark = mark

    async def next(self, within_s: float) -> bool:
        """Waits until something has changed, or for so long; returns whether the source was away meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._feed.version == self._mark[0]:
                    await self._feed.wait()
        before, self._mark = self._mark, self._feed.mark()
        return before[1] != self._mark[1]


class Turn:
    """Lets one subscriber at a time do what takes a processor, and leaves as much time to whoever asks meanwhile."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Waits for the turn, and rests after the block for about as long as it took."""
        async with self._lock:
            began = time.monotonic()
            yield
            await asyncio.sleep(min(time.monotonic() - began, LONGEST_REST_S))
