"""What clients did and were told while things broke, and whether that can be true.

Each client notes when it asked, when it was answered and what, all on one clock. Afterwards `History.faults` says in
words what no service that keeps its promises could have answered. Two kinds of things are written:

* A *register* holds one value at a time, like somebody's consent. One client alone writes it, one value after the
  other, and goes on only once a value is acknowledged; anybody reads it. A read may see the last value that was
  acknowledged before it began, or any that was asked for since, before it ended. It may never go back behind what
  another read saw that had ended before it began. For registers with one writer this is linearizability: each read is
  given the earliest place in the order of values that fits, and there is a fault where none fits.
* A *collection* gets one more thing with each addition, like somebody's goals. A listing holds each thing that was
  acknowledged before it began, nothing twice, nothing that nobody had asked for when it ended or that was refused every
  time, and nothing of which only a part is there.

A write that was not acknowledged is tried again under the same idempotency key until it is. An attempt is `DONE`;
`REFUSED`, which promises that it wrote nothing; or `UNKNOWN`, like a broken connection. A write that is never
acknowledged, though all was well at the end, is a fault too, and so is an answer that took longer than it may.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

WELL = {"OK", "ANSWER_LOST"}
"""Codes of answers that are as they should be."""
STEADY = 20


class Outcome(Enum):
    """What a client knows of an attempt to write."""

    DONE = auto()
    REFUSED = auto()
    UNKNOWN = auto()


@dataclass
class Attempt:
    """One request.

    Attributes:
        asked: When it was sent.
        answered: When its answer was there, or the connection broke; infinite before.
        outcome: How it ended.
    """

    asked: float
    answered: float = math.inf
    outcome: Outcome = Outcome.UNKNOWN


@dataclass
class Write:
    """A value of a register, or a thing in a collection, with all attempts to write it."""

    value: object
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def acknowledged(self) -> float:
        """When it was acknowledged first; never: infinite."""
        return min((each.answered for each in self.attempts if each.outcome is Outcome.DONE), default=math.inf)

    @property
    def possible(self) -> float:
        """From when on it may be seen: when it was first sent without being refused; never: infinite."""
        return min((each.asked for each in self.attempts if each.outcome is not Outcome.REFUSED), default=math.inf)


@dataclass(frozen=True)
class Read:
    """A value that was seen in a register, or the things that were seen in a collection and how often each."""

    asked: float
    answered: float
    seen: object
    halves: frozenset[object] = frozenset()


@dataclass
class Register:
    """What happened to a register. The first value was there before anybody looked."""

    first: object
    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    def faults(self) -> Iterable[str]:
        """What cannot be true of it."""
        values = [self.first, *(each.value for each in self.writes)]
        acknowledged = [-math.inf, *(each.acknowledged for each in self.writes)]
        possible = [-math.inf, *(each.possible for each in self.writes)]
        placed: list[tuple[float, int]] = []
        for read in sorted(self.reads, key=lambda each: each.answered):
            least = max(place for place, at in enumerate(acknowledged) if at < read.asked)
            known = max((place for answered, place in placed if answered < read.asked), default=0)
            fitting = [
                place
                for place in range(max(least, known), len(values))
                if values[place] == read.seen and possible[place] < read.answered
            ]
            if fitting:
                placed.append((read.answered, fitting[0]))
                continue
            why = f"was acknowledged {read.asked - acknowledged[least]:.3f} s before"
            if known > least:
                why = "had been read before"
            yield f"a read saw {read.seen!r} where {values[max(least, known)]!r} {why}"


@dataclass
class Collection:
    """What happened to a collection, which was empty at first."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    def faults(self) -> Iterable[str]:
        """What cannot be true of it."""
        writes = {each.value: each for each in self.writes}
        for read in self.reads:
            seen = read.seen if isinstance(read.seen, Counter) else Counter()
            for value, times in seen.items():
                if value not in writes:
                    yield f"{value!r} is there, which nobody has added"
                elif writes[value].possible >= read.answered:
                    yield f"{value!r} is there, though every attempt until then was refused"
                if times > 1:
                    yield f"{value!r} is there {times} times"
            for value, write in writes.items():
                if write.acknowledged < read.asked and value not in seen:
                    yield f"{value!r} is lost: it was acknowledged {read.asked - write.acknowledged:.3f} s before"
            for value in read.halves:
                yield f"only a part of {value!r} is there"


class History:
    """All that clients note.

    Args:
        longest_s: How long an answer may take.
        clock: Tells seconds, the same for all.
    """

    def __init__(self, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.codes: Counter[str] = Counter()
        """How often something was answered with which code; `OK`, or `LOST` for a broken connection."""
        self.answers: list[tuple[float, float, str]] = []
        """When each thing was asked and answered, and with which code."""
        self.marks: dict[str, float] = {}
        """When something happened that is no answer; `well` is when nothing was broken any more."""
        self._may_take_s = longest_s
        self._registers: dict[str, Register] = {}
        self._collections: dict[str, Collection] = {}
        self._oddities: list[str] = []
        self._open: dict[int, tuple[float, str]] = {}
        self._number = 0

    def register(self, name: str, first: object) -> Register:
        """A register that holds a value."""
        return self._registers.setdefault(name, Register(first))

    def collection(self, name: str) -> Collection:
        """A collection that holds nothing."""
        return self._collections.setdefault(name, Collection())

    def begin(self, what: str) -> tuple[int, float]:
        """Notes that something is asked for; returns a number for its end, and the time."""
        self._number += 1
        now = self.clock()
        self._open[self._number] = (now, what)
        return self._number, now

    def end(self, number: int, code: str) -> float:
        """Notes the answer and returns the time."""
        now = self.clock()
        asked, what = self._open.pop(number)
        self.codes[code] += 1
        self.answers.append((asked, now, code))
        if now - asked > self._may_take_s:
            self.odd(f"{what} took {now - asked:.1f} s ({code})")
        return now

    def odd(self, what: str) -> None:
        """Notes what should not have happened, whatever else did."""
        self._oddities.append(what)

    def faults(self) -> list[str]:
        """What cannot be true, or may not be; nothing where all promises were kept."""
        found = list(self._oddities)
        found += [f"{what} was never answered" for _, what in self._open.values()]
        things: dict[str, Register | Collection] = {**self._registers, **self._collections}
        for name, thing in things.items():
            found += [f"{name}: {each}" for each in thing.faults()]
            found += [
                f"{name}: {each.value!r} was never acknowledged, in {len(each.attempts)} attempts"
                for each in thing.writes
                if each.acknowledged == math.inf
            ]
        return found

    @property
    def longest_s(self) -> float:
        """How long the slowest answer took."""
        return max((answered - asked for asked, answered, _ in self.answers), default=0.0)

    def recovery_s(self) -> float:
        """Seconds from when nothing was broken any more to the last bad answer before `STEADY` good ones in a row."""
        well, last, good = self.marks["well"], self.marks["well"], 0
        for _, at, code in sorted(self.answers, key=lambda each: each[1]):
            if at < well:
                continue
            last, good = (last, good + 1) if code in WELL else (at, 0)
            if good == STEADY:
                break
        return last - well

    @property
    def counts(self) -> dict[str, int]:
        """How much was noted: acknowledged writes, repetitions, reads."""
        things: list[Register | Collection] = [*self._registers.values(), *self._collections.values()]
        writes = [write for thing in things for write in thing.writes]
        return {
            "acknowledged": sum(each.acknowledged < math.inf for each in writes),
            "repeated": sum(len(each.attempts) > 1 for each in writes),
            "reads": sum(len(thing.reads) for thing in things),
        }
