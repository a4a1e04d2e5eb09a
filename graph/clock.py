"""The one clock: whoever needs the present instant asks it, so tests and rehearsals can put it at another time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Tells an instant, in UTC."""


def _of_the_machine() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _of_the_machine


def present() -> datetime:
    """The present instant, in UTC."""
    return _clock()


@contextmanager
def set_to(clock: Clock) -> Iterator[None]:
    """Puts another clock in the place of the machine's, for this whole process, and takes it back.

    Args:
        clock: The other one.
    """
    global _clock
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before
