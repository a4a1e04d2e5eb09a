"""The checker itself: it finds nothing in what can be true, and names whatever cannot."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .history import Attempt, Collection, History, Outcome, Read, Register, Write

DONE, REFUSED, UNKNOWN = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN


def write(value: object, *attempts: tuple[float, float, Outcome]) -> Write:
    return Write(value, [Attempt(*each) for each in attempts])


def listing(asked: float, answered: float, *seen: str, halves: tuple[str, ...] = ()) -> Read:
    return Read(asked, answered, Counter(seen), frozenset(halves))


def of_register(*reads: Read) -> list[str]:
    """A register that was 0, then 1 (acknowledged at 2), then 2 (lost at 4, acknowledged at 7)."""
    writes = [write(1, (1, 2, DONE)), write(2, (3, 4, UNKNOWN), (6, 7, DONE))]
    return list(Register(0, writes, list(reads)).faults())


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([Read(0, 0.5, 0)], id="before"),
        pytest.param([Read(1.2, 1.5, 0), Read(1.6, 1.8, 1)], id="while it is written, before and after"),
        pytest.param([Read(1.2, 1.8, 1), Read(1.3, 1.7, 0)], id="two at once that see different values"),
        pytest.param([Read(2.5, 2.6, 1)], id="what was acknowledged"),
        pytest.param([Read(5, 5.5, 1), Read(8, 9, 2)], id="a lost write that was not carried out at first"),
        pytest.param([Read(5, 5.5, 2), Read(5.6, 5.7, 2)], id="a lost write that was carried out"),
    ],
)
def test_what_can_be_true_of_a_register_is_no_fault(reads: list[Read]) -> None:
    assert of_register(*reads) == []


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        pytest.param([Read(2.5, 2.6, 0)], "saw 0 where 1 was acknowledged 0.500 s before", id="a stale read"),
        pytest.param([Read(0, 0.5, 1)], "saw 1", id="what nobody had asked for yet"),
        pytest.param([Read(8, 9, 1)], "saw 1 where 2 was acknowledged", id="a lost write"),
        pytest.param([Read(5, 5.1, 2), Read(5.2, 5.3, 1)], "saw 1 where 2 had been read", id="back in time"),
        pytest.param([Read(8, 9, 7)], "saw 7", id="what nobody ever wrote"),
    ],
)
def test_what_cannot_be_true_of_a_register_is_told(reads: list[Read], told: str) -> None:
    [fault] = of_register(*reads)
    assert told in fault


def of_collection(*reads: Read) -> list[str]:
    """`a` was acknowledged at 2; `b` was lost at 4 and acknowledged at 7; `c` was refused at 4 and sent again at 8."""
    writes = [
        write("a", (1, 2, DONE)),
        write("b", (3, 4, UNKNOWN), (6, 7, DONE)),
        write("c", (3, 4, REFUSED), (8, 9, DONE)),
    ]
    return list(Collection(writes, list(reads)).faults())


def test_what_can_be_true_of_a_collection_is_no_fault() -> None:
    reads = [listing(0, 0.5), listing(1.1, 1.2, "a"), listing(5, 5.5, "a"), listing(5, 5.5, "a", "b")]
    assert of_collection(*reads, listing(8.1, 8.2, "a", "b", "c"), listing(10, 11, "a", "b", "c")) == []


@pytest.mark.parametrize(
    ("read", "told"),
    [
        pytest.param(listing(3, 3.5), "'a' is lost", id="a lost write"),
        pytest.param(listing(10, 11, "a", "b", "b", "c"), "'b' is there 2 times", id="a doubled write"),
        pytest.param(listing(5, 5.5, "a", "c"), "'c' is there, though every attempt", id="written though refused"),
        pytest.param(listing(5, 5.5, "a", "x"), "'x' is there, which nobody", id="from nowhere"),
        pytest.param(listing(5, 5.5, "a", halves=("b",)), "only a part of 'b'", id="half written"),
    ],
)
def test_what_cannot_be_true_of_a_collection_is_told(read: Read, told: str) -> None:
    [fault] = of_collection(read)
    assert told in fault


def ticking(*times: float) -> Iterator[float]:
    yield from times


def test_what_takes_too_long_or_has_no_end_is_told() -> None:
    clock = ticking(0, 9, 10, 21, 30)
    history = History(10, lambda: next(clock))
    number, _ = history.begin("goals")
    history.end(number, "OK")
    assert history.faults() == []
    number, _ = history.begin("person")
    history.end(number, "TIMEOUT")
    history.begin("list")
    assert history.faults() == ["person took 11.0 s (TIMEOUT)", "list was never answered"]
    assert history.answers == [(0, 9, "OK"), (10, 21, "TIMEOUT")]
    history.marks["well"] = 15
    assert (dict(history.codes), history.longest_s, history.recovery_s()) == ({"OK": 1, "TIMEOUT": 1}, 11, 6)


def test_a_write_that_nobody_ever_acknowledges_is_told() -> None:
    history = History(10)
    history.collection("goals").writes += [write("a", (1, 2, REFUSED), (3, 4, UNKNOWN)), write("b", (1, 2, DONE))]
    assert history.faults() == ["goals: 'a' was never acknowledged, in 2 attempts"]
    assert history.counts == {"acknowledged": 1, "repeated": 1, "reads": 0}


def true_register(seed: int, reads: int) -> Register:
    """What clients of a register note that takes each value at one instant between asking and acknowledging it."""
    chance = random.Random(seed)  # noqa: S311
    register, now, takes = Register(0), 0.0, [(-1.0, 0)]
    for value in range(1, 8):
        asked = now + chance.random()
        took = asked + chance.random()
        now = took + chance.random()
        takes.append((took, value))
        register.writes.append(write(value, (asked, now, DONE)))
    for _ in range(reads):
        looked = chance.uniform(0, now)
        seen = max(value for took, value in takes if took <= looked)
        register.reads.append(Read(looked - chance.random(), looked + chance.random(), seen))
    return register


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_register_that_keeps_its_promises_has_no_fault_and_one_that_is_late_has_one(seed: int) -> None:
    register = true_register(seed, reads=30)
    assert list(register.faults()) == []
    last = register.writes[-1]
    register.reads.append(Read(last.acknowledged + 0.001, last.acknowledged + 1, 6))
    assert len(list(register.faults())) == 1
