"""Looks at the whole graph: whether every fact follows the model, and one hash of all facts.

Community editions of Neo4j keep uniqueness only, so presence, type and range are counted again here, by reading every
fact and taking it through the same check as when it was written.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mentorgraph.graph.facts.course import Course, in_order
from mentorgraph.graph.facts.kinds import KINDS, label_of
from mentorgraph.graph.facts.model import InvalidFact, Kind, Record, link_uid, role_uid
from mentorgraph.graph.facts.outcomes import SCALES, settled
from mentorgraph.graph.facts.records import record_of
from mentorgraph.graph.facts.rows import row_of
from mentorgraph.graph.skills.taxonomy import TOLD_BY, Taxonomy
from mentorgraph.graph.store.store import Store, StoredFact
from mentorgraph.graph.vocabulary import ROLES

FIXED_LABELS = ("Role", "ChangeCounter", "Migration", "IdempotencyKey")
"""Labels of nodes that are no facts."""

_NODE_KINDS = {kind.label: kind for kind in KINDS.values() if not kind.is_relationship}
_SHAPES: dict[tuple[str, str, str], list[Kind]] = defaultdict(list)
"""Type, label of the start and label of the end of every relationship of the model → the kinds that it belongs to."""
for _kind in KINDS.values():
    if _kind.is_relationship:
        _SHAPES[_kind.label, label_of(_kind.links[0]), label_of(_kind.links[1])].append(_kind)
    else:
        for _link in _kind.links:
            _ends = (_kind.label, label_of(_link))
            _SHAPES[_link.type, *(reversed(_ends) if _link.incoming else _ends)].append(_kind)

Progress = Callable[[str, int], None]
"""Told the name of a kind and how many more of its facts were read."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of the model that some facts break.

    Attributes:
        rule: What is wrong with them.
        kind: Their kind, or the label or type of what is no fact of the model.
        count: How many they are.
        example_uid: One of them; empty where none has a uid.
    """

    rule: str
    kind: str
    count: int
    example_uid: str


# --- the hash -------------------------------------------------------------------------------------------------------


async def graph_hash(store: Store, *, on_progress: Progress = lambda _kind, _facts: None) -> str:
    """A hash over label or type, ends, properties and valid time of all nodes and relationships, in hexadecimal.

    Equal facts give an equal hash, in whatever order and by whichever route they were written: it is the sum of the
    SHA-256 digests of each of them modulo 2^256, so it needs no sorting and no memory. It leaves out the number of the
    last change, and the fixed nodes that every graph has.

    Source: AdHash of Bellare and Micciancio, A New Paradigm for Collision-Free Hashing, EUROCRYPT 1997.
    """
    total = 0
    for kind in KINDS.values():
        async for fact in store.facts(kind):
            total += sum(map(_digest, _elements(kind, fact)))
            on_progress(kind.name, 1)
    return f"{total % 2**256:064x}"


def _elements(kind: Kind, fact: StoredFact) -> Iterator[Mapping[str, Any]]:
    """What a fact is in the graph: a relationship, or a node with the relationships that carry its links."""
    ends = [fact.record.links[link.name] for link in kind.links] if kind.is_relationship else []
    yield {"label": kind.label, "ends": ends, "properties": fact.record.properties}
    for link in fact.links:
        yield {"label": link["type"], "ends": [link["start"], link["end"]], "properties": link["properties"]}


def _digest(element: Mapping[str, Any]) -> int:
    text = orjson.dumps(element, default=_tagged, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    return int.from_bytes(hashlib.sha256(text).digest(), "big")


def _tagged(value: object) -> dict[str, str]:
    """A value that JSON does not know, so that it differs from the same text."""
    return {type(value).__name__: value.isoformat() if isinstance(value, datetime) else str(value)}


# --- the check ------------------------------------------------------------------------------------------------------


async def count_facts(store: Store) -> dict[str, int]:
    """How many facts of each kind the graph holds."""
    counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    for row in await store.count_nodes():
        for label in row["labels"]:
            if label in _NODE_KINDS:
                counts[_NODE_KINDS[label].name] += row["count"]
    for row in await store.count_relationships():
        for kind in _kinds_of(row):
            if kind.is_relationship:
                counts[kind.name] += row["count"]
    return counts


async def check(store: Store, *, on_progress: Progress = lambda _kind, _facts: None) -> list[Violation]:
    """Finds everything in the graph that does not follow the model; nothing where all is well.

    Writes that happen meanwhile may be seen or not.
    """
    found = _Found()
    unreadable = await _check_shapes(store, found)
    await _check_fixed_nodes(store, found)
    counts = await count_facts(store)
    newest: dict[str, tuple[int, str]] = {}
    taxonomy = Taxonomy()
    standing: dict[str, tuple[str, str]] = {}
    moves: dict[str, tuple[Any, str, str]] = {}
    pairs = _Pairs()
    for kind in KINDS.values():
        if kind.name in unreadable:
            continue
        listed = 0
        async for fact in store.facts(kind):
            listed += 1
            newest[kind.name] = fact.changed, fact.record.uid  # listings are in the order of changes
            for rule in _broken_rules(kind, fact):
                found.add(rule, kind.name, fact.record.uid)
            if kind.name in TOLD_BY and "until" not in fact.record.properties:
                taxonomy.put(fact.record)
            _note_state(fact.record, standing, moves)
            pairs.note(fact.record)
            on_progress(kind.name, 1)
        if listed < counts[kind.name]:
            found.add("does not appear in listings", kind.name, "", counts[kind.name] - listed)
    changes = await store.read_changes()  # after the facts: what is written meanwhile is counted by then
    for name, (change, uid) in newest.items():
        if change > changes.by_kind.get(name, 0):
            found.add("changed after the last change that was counted", name, uid)
    for uid, (_, _, state) in moves.items():
        kind_name, status = standing.get(uid, ("", state))
        if status != state:
            found.add("has another status than the state of its last move", kind_name, uid)
    _check_taxonomy(taxonomy, found)
    pairs.check(found)
    return found.violations()


class _Pairs:
    """What was answered about pairings, and what follows from it."""

    def __init__(self) -> None:
        self._pairings: dict[str, Record] = {}
        self._charters: dict[str, list[Record]] = defaultdict(list)
        self._told: dict[str, list[Record]] = defaultdict(list)

    def note(self, record: Record) -> None:
        """Keeps what an outcome follows from; answers without a scale and without a round say nothing here."""
        if record.kind == "pairings":
            self._pairings[record.uid] = record
        elif record.kind == "charters":
            self._charters[record.links.get("programme", "")].append(record)
        elif record.kind == "co_mentors" or (
            record.kind == "feedback" and any(name in record.properties for name in ("round", *SCALES))
        ):
            self._told[record.links.get("pairing", "")].append(record)

    def check(self, found: "_Found") -> None:
        """Finds outcomes that differ from the answers, rounds that somebody answered twice, and shares of a whole."""
        for uid, told in self._told.items():
            if uid not in self._pairings:
                continue
            pairing = self._pairings[uid]
            charters = in_order(self._charters.get(pairing.links.get("programme", "none"), ()))
            course = Course(pairing, charters=charters).told(told)
            if settled(course) != pairing:
                found.add("has another outcome than its answers say", "pairings", uid)
            rounds = Counter(
                (each.links.get("person"), each.properties["round"])
                for each in course.answers
                if "round" in each.properties
            )
            found.add(
                "is answered more than once by a person in a round",
                "pairings",
                uid,
                max(rounds.values(), default=1) > 1,
            )


def _note_state(record: Record, standing: dict[str, tuple[str, str]], moves: dict[str, tuple[Any, str, str]]) -> None:
    """Notes where a request or pairing stands, and the last move of each."""
    if record.kind in ("requests", "pairings"):
        standing[record.uid] = record.kind, str(record.properties.get("status"))
    elif record.kind == "moves" and "since" in record.properties:
        moved = record.links.get("request") or record.links.get("pairing") or ""
        last = record.properties["since"], record.uid, str(record.properties.get("state"))
        moves[moved] = max(moves.get(moved, last), last)


def _check_taxonomy(taxonomy: Taxonomy, found: "_Found") -> None:
    """Finds circles, and skills that were merged into more than one."""
    merged = taxonomy.merged()
    for skill, others in merged.items():
        found.add("is merged into more than one", "skills", skill, int(len(others) > 1))
    for cycle in _cycles([(skill, other) for skill, others in merged.items() for other in others]):
        found.add("is merged into itself, by way of others", "skills", min(cycle))
    for cycle in _cycles(taxonomy.steps()):
        found.add("is broader than itself, by way of others", "skills", min(cycle))


class _Found:
    """What was found so far: one entry per rule and kind, however many facts break it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], str] = {}

    def add(self, rule: str, kind: str, uid: str, count: int = 1) -> None:
        if count:
            self._counts[rule, kind] += count
            self._examples[rule, kind] = self._examples.get((rule, kind)) or uid

    def violations(self) -> list[Violation]:
        return [
            Violation(rule, kind, count, self._examples[rule, kind]) for (rule, kind), count in self._counts.items()
        ]


async def _check_shapes(store: Store, found: _Found) -> set[str]:
    """Finds labels and relationships that the model does not know; returns the kinds that cannot be listed."""
    unreadable: set[str] = set()
    for row in await store.count_nodes():
        labels, example = row["labels"], row["example"] or ""
        if len(labels) != 1 or labels[0] not in {*_NODE_KINDS, *FIXED_LABELS}:
            found.add("is a label that the model does not know", ":".join(labels), example, row["count"])
        for kind in (_NODE_KINDS[label] for label in labels if label in _NODE_KINDS):
            found.add("has no number of its last change", kind.name, example, row["without_change"])
            unreadable |= _check_listed(row, [kind], kind.name, found)
    for row in await store.count_relationships():
        kinds, example = _kinds_of(row), row["example"] or ""
        if not kinds:
            shape = f"({':'.join(row['start'])})-[{row['type']}]->({':'.join(row['end'])})"
            found.add("is a relationship that the model does not know", shape, example, row["count"])
            continue
        if kinds[0].is_relationship:
            found.add("has no number of its last change", kinds[0].name, example, row["without_change"])
        unreadable |= _check_listed(row, kinds, kinds[0].name if kinds[0].is_relationship else row["type"], found)
    return unreadable


def _check_listed(row: Mapping[str, Any], kinds: Iterable[Kind], name: str, found: _Found) -> set[str]:
    """Notes what listings stumble over; returns the names of the kinds that it keeps from being listed."""
    found.add("has no uid", name, "", row["without_uid"])
    found.add("has a date that is no instant", name, row["example"] or "", row["without_instant"])
    return {kind.name for kind in kinds} if row["without_uid"] or row["without_instant"] else set()


def _kinds_of(row: Mapping[str, Any]) -> list[Kind]:
    """The kinds that relationships of a counted type between such nodes belong to."""
    shapes = ((row["type"], start, end) for start in row["start"] for end in row["end"])
    return [kind for shape in shapes for kind in _SHAPES.get(shape, ())]


async def _check_fixed_nodes(store: Store, found: _Found) -> None:
    roles = {row["uid"]: row["name"] for row in await store.read_roles()}
    expected = {role_uid(role): role for role in ROLES}
    for uid in roles.keys() | expected.keys():
        if uid not in roles:
            found.add("is missing", "Role", uid)
        elif roles[uid] != expected.get(uid):
            found.add("is not one of the fixed roles", "Role", uid or "")
    changes = await store.read_changes()
    counted = set(changes.by_kind) | ({"graph"} if changes.last >= 0 else set())
    for name in {"graph", *KINDS} - counted:
        found.add(f"is missing for {name}", "ChangeCounter", "")
    if changes.last < max(changes.by_kind.values(), default=-1):
        found.add("counts fewer changes of the graph than of one kind", "ChangeCounter", "")


def _broken_rules(kind: Kind, fact: StoredFact) -> Iterator[str]:
    """What is wrong with one fact."""
    record = fact.record
    if not isinstance(record.properties.get("source"), str):
        yield "source is missing"
        return
    try:
        again = record_of(kind, row_of(record), "")
    except InvalidFact as error:
        yield from (f"{problem.column} {problem.message}" for problem in error.problems)
        return
    for name in sorted(record.properties.keys() | again.properties.keys()):
        stored, read = record.properties.get(name), again.properties.get(name)
        if name not in again.properties:
            yield f"{name} is not a property of the model"
        elif type(stored) is not type(read) or stored != read:
            yield f"{name} is stored in another form than the model's"
    yield from _broken_links(kind, fact)


def _broken_links(kind: Kind, fact: StoredFact) -> Iterator[str]:
    """What is wrong with the relationships that carry a fact's links; too few show as a missing column."""
    record = fact.record
    for link in kind.links:
        carriers = [each for each in fact.links if each["type"] == link.type]
        if len(carriers) > 1:
            yield f"has {link.type} more than once"
        for carrier in carriers:
            target = carrier["start"] if link.incoming else carrier["end"]
            expected = {
                "uid": link_uid(record.uid, link, target),
                "since": record.properties["since"],
                "source": record.properties["source"],
            }
            for name in sorted(expected.keys() | carrier["properties"].keys()):
                if name not in carrier["properties"]:
                    yield f"{link.type} has no {name}"
                elif carrier["properties"][name] != expected.get(name):
                    yield f"{link.type} has another {name} than its fact"


def _cycles(edges: list[tuple[str, str]]) -> list[list[str]]:
    """Groups of nodes that can all reach each other."""
    if not edges:
        return []
    names, ends = np.unique(np.array(edges), return_inverse=True)
    start, end = ends.reshape(-1, 2).T
    graph = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(len(names), len(names)))
    _, component = connected_components(graph, directed=True, connection="strong")
    sizes = np.bincount(component)
    return [names[component == number].tolist() for number in np.flatnonzero(sizes > 1)]
