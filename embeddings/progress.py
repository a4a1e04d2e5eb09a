"""How far a training is, told in a small file of the home, so that whatever serves beside it can tell others.

Training is a process of its own and may be killed at any moment. It holds a lock on a second file while it lives, which
the system releases whatever becomes of it: a file that says `running` and is not locked was left by a run that ended.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import orjson

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError

FILE = "training.json"
"""Name of the file in the home."""

LEAST_PAUSE_S = 0.2
"""Between two writings, but for a new step and the end."""

TRIES, BETWEEN_TRIES_S = 10, 0.02

STATES = ("running", "promoted", "kept", "judged", "failed", "interrupted")
RUNNING, PROMOTED, KEPT, JUDGED, FAILED, INTERRUPTED = STATES


@dataclass(frozen=True, slots=True)
class Told:
    """What a run has told of itself.

    Attributes:
        run: Identity of the run.
        what: `train` or `evaluate`.
        state: One of `STATES`.
        doing: The step that it is at, or was when it ended.
        done: How much of the step is done.
        total: How much there is of it; 0 where nobody knows.
        began: When the run began.
        told: When it told this.
        version: The version of the model that it let serve; empty for none.
        verdict: What the gate says, or why it failed; empty before it is known.
    """

    run: str
    what: str
    state: str
    doing: str
    done: int
    total: int
    began: datetime
    told: datetime
    version: str = ""
    verdict: str = ""


class Telling:
    """Writes what one run tells. A home that cannot be written to ends no run: nobody hears of it then."""

    def __init__(self, file: Path | None, what: str) -> None:
        now = present()
        self._file = file
        self._told = Told(uuid4().hex, what, RUNNING, "Beginning", 0, 0, now, now)
        self._written = 0.0
        self._write()

    def step(self, doing: str, done: int = 0, total: int = 0) -> None:
        """Tell what is being done, how much is done, and how much there is (0 where nobody knows)."""
        is_new = doing != self._told.doing
        self._told = replace(self._told, doing=doing, done=done, total=total)
        if is_new or time.monotonic() - self._written >= LEAST_PAUSE_S:
            self._write()

    def end(self, state: str, *, version: str = "", verdict: str = "") -> None:
        """Tell how it ended."""
        self._told = replace(self._told, state=state, version=version, verdict=verdict)
        self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        self._told = replace(self._told, told=present())
        self._written = time.monotonic()
        beside = self._file.with_suffix(".new")
        with suppress(OSError):
            beside.write_bytes(orjson.dumps(asdict(self._told)))
            os.replace(beside, self._file)


@contextmanager
def telling(file: Path | None, what: str) -> Iterator[Telling]:
    """What a run tells while the block runs; that it failed is told here, how it went well by the block.

    Of two runs at once in one home, the first one is told of.

    Args:
        file: Where to; None for nowhere.
        what: `train` or `evaluate`.
    """
    lock = _locked(file) if file else None
    told = Telling(file if lock is not None else None, what)
    try:
        yield told
    except BaseException as error:
        is_fault = isinstance(error, Exception) and not isinstance(
            error, BrokenPipeError
        )  # whoever started it has gone
        verdict = error.message if isinstance(error, DomainError) else ""
        told.end(FAILED if is_fault else INTERRUPTED, verdict=verdict)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def read_told(file: Path) -> Told | None:
    """What the last run has told; None where there was none, or where it cannot be read."""
    told = _read(file)
    if told is None or told.state != RUNNING or _is_locked(file):
        return told
    again = _read(file)  # it may have ended between the two looks, or another one may have begun
    return replace(told, state=INTERRUPTED) if again == told else again


def _read(file: Path) -> Told | None:
    try:
        read = orjson.loads(file.read_bytes())
        return Told(**{**read, **{name: datetime.fromisoformat(read[name]) for name in ("began", "told")}})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _lock_of(file: Path) -> Path:
    return file.with_suffix(".lock")


def _locked(file: Path) -> int | None:
    """A descriptor that holds the lock; None where another run has it, or where there cannot be one."""
    try:
        descriptor = os.open(_lock_of(file), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    for _ in range(TRIES):
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        time.sleep(BETWEEN_TRIES_S)  # whoever looks holds it for a moment
    os.close(descriptor)
    return None


def _is_locked(file: Path) -> bool:
    try:
        descriptor = os.open(_lock_of(file), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
