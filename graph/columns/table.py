"""A table of facts of one kind, and the numbers that stand for uids in it."""

import copy
import sys
from array import array
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from struct import iter_unpack
from typing import Any, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from mentorgraph.graph.facts.model import Kind, Record

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]
Column: TypeAlias = "list[Any] | array[Any]"

NONE = -1
"""Index number of an absent link."""

MOST_CHANGES = 1_000
"""So many changes of a table are known one by one."""

SHORT = 100
"""Texts of at most so many letters, many of which recur, are kept once however often they are told."""

_COPIES = count(1)


class Numbering:
    """uid ↔ index number, given in the order of first sight."""

    def __init__(self) -> None:
        self.uids: list[str] = []
        self._number: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.uids)

    def add(self, uid: str) -> int:
        """The number of a uid, new where it was not known."""
        number = self._number.setdefault(uid, len(self.uids))
        if number == len(self.uids):
            self.uids.append(uid)
        return number

    def copy(self) -> "Numbering":
        """The same numbers, to which others can be added."""
        numbering = Numbering()
        numbering.uids, numbering._number = list(self.uids), dict(self._number)
        return numbering

    def find(self, uid: str) -> int:
        """The number of a uid, or `NONE`."""
        return self._number.get(uid, NONE)


class Packed(Sequence[str]):
    """The same in a sixth of the memory, for uids that are looked at one by one; as a sequence it is those uids.

    Their 16 bytes each lie side by side. Numbers are found by linear probing (Knuth 1973, volume 3, section 6.4): from
    the place on that the hash of a uid names, up to a free one.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._places = array("i", [NONE] * 8)
        self._odd: dict[int, str] = {}
        """Those that are no UUIDs, by number; their digests stand among the bytes."""

    @property
    def uids(self) -> "Packed":
        """All uids, in the order of their numbers."""
        return self

    def __len__(self) -> int:
        return len(self._bytes) // 16

    @overload
    def __getitem__(self, number: SupportsIndex) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> list[str]: ...

    def __getitem__(self, number: SupportsIndex | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        place = range(len(self))[number]
        return self._odd[place] if place in self._odd else _spelt(self._bytes[16 * place : 16 * place + 16])

    def add(self, uid: str) -> int:
        """The number of a uid, new where it was not known."""
        own = _bytes_of(uid)
        place, number = self._seek(own)
        if number == NONE:
            number = self._places[place] = len(self)
            self._bytes += own
            if _spelt(own) != uid:
                self._odd[number] = uid
            if 3 * len(self) > 2 * len(self._places):
                self._spread()
        return number

    def find(self, uid: str) -> int:
        """The number of a uid, or `NONE`."""
        return self._seek(_bytes_of(uid))[1]

    def copy(self) -> "Packed":
        """The same numbers, to which others can be added."""
        numbering = Packed()
        numbering._bytes, numbering._places, numbering._odd = self._bytes[:], self._places[:], dict(self._odd)
        return numbering

    def _seek(self, own: bytes) -> tuple[int, int]:
        """The place of a uid and its number, or the free place where it belongs and `NONE`."""
        places, known = self._places, self._bytes
        place = hash(own) % len(places)
        while (number := places[place]) != NONE and known[16 * number : 16 * number + 16] != own:
            place = (place + 1) % len(places)
        return place, number

    def _spread(self) -> None:
        """Doubles the places. Whoever finds theirs taken goes on to the next one."""
        places = np.full(2 * len(self._places), NONE, np.int32)
        rest = np.arange(len(self), dtype=np.int32)
        wanted = np.array([hash(own) % len(places) for (own,) in iter_unpack("16s", self._bytes)], np.int64)
        while len(rest):
            is_free = places[wanted] == NONE
            places[wanted[is_free]] = rest[is_free]
            left = places[wanted] != rest
            rest, wanted = rest[left], (wanted[left] + 1) % len(places)
        self._places = array("i", places.tobytes())


class Table:
    """The facts of one kind, one row each.

    Columns are `since` and `until` (seconds since 1970; no end is infinity), one column of index numbers per link and
    one per further property. Times and index numbers lie side by side in 8 bytes each; objects of their own would take
    four times as much.
    """

    def __init__(self, kind: Kind, numberings: Mapping[str, Numbering]) -> None:
        self.kind = kind
        self.version = 0
        self.rows: Numbering | Packed = numberings.get(kind.name, Packed())
        self._numberings = numberings
        self._targets = {link.name: numberings[link.target] for link in kind.links if link.target in numberings}
        self._values: dict[str, Column] = {"since": array("d"), "until": array("d")}
        self._values |= {link.name: array("q") if link.name in self._targets else [] for link in kind.links}
        self._values |= {each.name: [] for each in kind.fields if each.name not in ("since", "until")}
        self._links = frozenset(link.name for link in kind.links)
        self._arrays: dict[str, NDArray[Any]] = {}
        self._masks: dict[str, tuple[float, Mask]] = {}
        self._state: tuple[float, tuple[int, int, int]] | None = None
        self._by: dict[str, dict[Any, array[int]]] = {}
        self._changed: deque[int] = deque(maxlen=MOST_CHANGES)

    def __len__(self) -> int:
        return len(self._values["since"])

    def put(self, record: Record) -> None:
        """Adds a fact, or replaces what is known of it."""
        row, has_moved = self.rows.add(record.uid), False
        for name, column in self._values.items():
            # A numbering may hold uids that other facts named first; their rows stay empty until they are put.
            while len(column) <= row:
                column.append(np.inf if name in ("since", "until") else NONE if name in self._targets else None)
            before, column[row] = column[row], self._value(name, record)
            if name in self._links and before != column[row]:
                has_moved |= before not in (None, NONE)
                if name in self._by:
                    self._move(self._by[name], row, before, column[row])
        if has_moved:
            self._changed.clear()
        else:
            self._changed.append(row)
        self._forget()
        self.version += 1

    def changed_since(self, version: int) -> list[int] | None:
        """The rows that were added or changed since a version; None where that is not known.

        It is known of the last `MOST_CHANGES`, but not beyond a change of what a fact is linked to.
        """
        changes = self.version - version
        if not 0 <= changes <= len(self._changed):
            return None
        return sorted(set(list(self._changed)[len(self._changed) - changes :]))

    @staticmethod
    def _move(rows: dict[Any, "array[int]"], row: int, before: Any, after: Any) -> None:
        held = rows.get(before, array("q"))
        place = bisect_left(held, row)
        if place < len(held) and held[place] == row:
            del held[place]
        insort(rows.setdefault(after, array("q")), row)

    def _value(self, name: str, record: Record) -> Any:
        if name in self._targets:
            uid = record.links.get(name)
            return NONE if uid is None else self._targets[name].add(uid)
        value = record.links.get(name) if name in self._links else record.properties.get(name)
        if name in ("since", "until"):
            return _seconds(value, -np.inf if name == "since" else np.inf)
        return sys.intern(value) if type(value) is str and len(value) <= SHORT else value

    def record(self, row: int) -> Record:
        """The fact of a row, without its source."""
        properties: dict[str, Any] = {"uid": self.rows.uids[row]}
        links: dict[str, str] = {}
        for name, column in self._values.items():
            value = column[row]
            if name in ("since", "until"):
                if np.isfinite(value):
                    properties[name] = _instant(value)
            elif name in self._targets:
                if value != NONE:
                    links[name] = self._targets[name].uids[value]
            elif value is not None:
                (links if name in self._links else properties)[name] = value
        return Record(self.kind.name, self.rows.uids[row], properties, links)

    def copy(self) -> "Table":
        """A table with the same facts that can be changed by itself; it never has the version of another one."""
        table = copy.copy(self)
        table._values = {name: column[:] for name, column in self._values.items()}
        table._arrays, table._masks, table._by, table._state = {}, {}, {}, None
        table._changed = deque(maxlen=MOST_CHANGES)
        table.version = -next(_COPIES)
        if self.kind.name not in self._numberings:
            table.rows = self.rows.copy()
        return table

    def set(self, row: int, name: str, value: float) -> None:
        """Changes one number of a fact: a link (a number or `NONE`) or an end of its time (seconds since 1970)."""
        self._values[name][row] = value
        self._forget()
        self._by.pop(name, None)

    def rows_of(self, link: str, value: int | str) -> Sequence[int]:
        """The rows in which a link holds a value, ascending: a number, or a uid where its target is not numbered.

        Kept as facts come in, so that asking after few of them costs nothing that grows with the table.
        """
        if link not in self._by:
            rows: dict[Any, array[int]] = {}
            for row, held in enumerate(self._values[link]):
                rows.setdefault(held, array("q")).append(row)
            self._by[link] = rows
        return self._by[link].get(value, ())

    def holds(self, row: int, now: float) -> bool:
        """Whether a fact held just before an instant, as `valid` tells of all of them."""
        holds: bool = self._values["since"][row] < now <= self._values["until"][row]
        return holds

    def held(self, rows: Numbers, now: float) -> Mask:
        """Which of some facts held just before an instant: `bool[n]`."""
        found: Mask = (self.reals("since")[rows] < now) & (self.reals("until")[rows] >= now)
        return found

    def turned(self, begin: float, end: float) -> Numbers:
        """The facts that may hold at one of two instants and not at the other: `int64[n]`."""
        since, until = self.reals("since"), self.reals("until")
        found: Numbers = np.flatnonzero(((since >= begin) & (since < end)) | ((until >= begin) & (until < end)))
        return found

    def strings(self, name: str) -> Column:
        """A column as it was given; None where a fact lacks it."""
        return self._values[name]

    def reals(self, name: str) -> Reals:
        """A column of numbers: `float64[rows]`, NaN where a fact lacks it."""
        return self._array(name, _reals)

    def numbers(self, name: str) -> Numbers:
        """A column of index numbers: `int64[rows]`, `NONE` where a fact lacks the link."""
        return self._array(name, lambda column: np.array(column, np.int64))

    def _array(self, name: str, build: Callable[[Column], NDArray[Any]]) -> NDArray[Any]:
        if name not in self._arrays:
            self._arrays[name] = build(self._values[name])
        return self._arrays[name]

    def begun(self, now: float) -> Mask:
        """Facts that began before an instant: `bool[rows]`."""
        return self._mask("begun", now, lambda: self.reals("since") < now)

    def valid(self, now: float) -> Mask:
        """Facts that held just before an instant: `bool[rows]`.

        So of two facts of which one ends at an instant and the other begins there, exactly one holds.
        """
        return self._mask("valid", now, lambda: self.begun(now) & (self.reals("until") >= now))

    def _mask(self, name: str, now: float, build: Callable[[], Mask]) -> Mask:
        """What is told of all facts as of an instant; many who ask after each other mean the same one."""
        known = self._masks.get(name)
        if known is None or known[0] != now:
            known = self._masks[name] = (now, build())
            known[1].flags.writeable = False
        return known[1]

    def _forget(self) -> None:
        self._arrays.clear()
        self._masks.clear()
        self._state = None

    def state(self, now: float) -> tuple[int, int, int]:
        """What tells apart two states of the table: equal ones mean equal rows of which the same hold.

        A count of those that hold would not do: from one instant to the next one may end and another begin.
        """
        if self._state is None or self._state[0] != now:
            begun, ended = (np.searchsorted(self._sorted(name), now) for name in ("since", "until"))
            self._state = now, (self.version, int(begun), int(ended))
        return self._state[1]

    def _sorted(self, name: str) -> Reals:
        """A column of numbers in ascending order."""
        if (key := f"{name} sorted") not in self._arrays:
            self._arrays[key] = np.sort(self.reals(name))
        return self._arrays[key]


class Groups:
    """Rows of a table by the number that a link of theirs holds."""

    def __init__(self, numbers: Numbers, groups: int) -> None:
        self._rows = np.argsort(numbers, kind="stable")
        self._starts = np.searchsorted(numbers[self._rows], np.arange(groups + 1))

    def of(self, number: int) -> Numbers:
        """The rows of one number, ascending: `int64[rows]`."""
        if not 0 <= number < len(self._starts) - 1:
            return self._rows[:0]
        return self._rows[self._starts[number] : self._starts[number + 1]]


def _bytes_of(uid: str) -> bytes:
    """The 16 bytes of a UUID, or of the digest of what is none."""
    try:
        found = bytes.fromhex(uid.replace("-", ""))
    except ValueError:
        found = b""
    return found if _spelt(found) == uid else sha256(uid.encode()).digest()[:16]


def _spelt(uid: bytes | bytearray) -> str:
    digits = uid.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _reals(column: Column) -> Reals:
    told = column if isinstance(column, array) else [np.nan if value is None else value for value in column]
    return np.array(told, np.float64)


def _seconds(value: object, absent: float) -> float:
    return value.timestamp() if isinstance(value, datetime) else absent


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
