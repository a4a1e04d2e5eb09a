"""Work that has begun, so that a bound on its time costs nothing where it does not wait at all.

A deadline is a timer of the event loop, and watching for a client that leaves is a task of its own. Most requests are
answered without waiting for anything, or wait so seldom that the first step tells what is needed.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Awaitable[T], Generic[T]):
    """A coroutine that has taken its first step, in the task that goes on with it.

    Attributes:
        is_over: Whether that was all; then `result` is what it returned.
        result: See there.
    """

    result: T

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        """Begins.

        Args:
            work: The coroutine; what it raises at once is raised here.
        """
        self._work = work
        self._waits_for: Any = None
        self.is_over = False
        try:
            self._waits_for = work.send(None)
        except StopIteration as end:
            self.is_over, self.result = True, end.value

    def __await__(self) -> Generator[Any, Any, T]:
        """Go on to the end."""
        waits_for = self._waits_for
        while not self.is_over:
            step: Callable[[], Any]
            try:
                step = partial(self._work.send, (yield waits_for))
            except BaseException as error:
                step = partial(self._work.throw, error)
            try:
                waits_for = step()
            except StopIteration as end:
                self.is_over, self.result = True, end.value
        return self.result
