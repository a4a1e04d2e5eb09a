"""Evidence paths: items of evidence, found again in the graph, as steps, a sentence and a query that returns them.

An item that the graph does not confirm is dropped. Paths are found in full; whoever may not see third people is shown
counts in place of their goals, pairings and sessions, be it now or when the answer is looked up later.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from mentorgraph.graph.ranking.sentences import EvidencePath, Step, sentence_of
from mentorgraph.graph.signals.signal import Evidence
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.store.transported import native
from mentorgraph.graph.viewer import Viewer

EDGE_TYPES = (
    "NEEDS",
    "WANTS",
    "OFFERS",
    "BROADER",
    "BECAME",
    "FOR_GOAL",
    "MENTOR",
    "MENTEE",
    "ASKS",
    "SERVES",
    "PHASE_OF",
    "DESCRIBED_BY",
    "IN_UNIT",
    "BELONGS_TO",
    "PART_OF",
)
"""Types of the relationships that evidence may run along."""

COMPUTED = {"Goal": "SIMILAR_TEXT", "Profile": "COMPARED"}
"""What stands between two nodes that are compared, by their label; it is computed, not stored."""

COORDINATORS_ONLY = frozenset({"request_declined"})
"""Kinds of path that participants are not shown: what mentors have declined is theirs."""


@dataclass(frozen=True, slots=True)
class Item:
    """Evidence of one signal for one mentor, weighted in units of the score.

    Attributes:
        mentor: uid of the mentor.
        signal: Name of the signal.
        weight: Its drop.
        evidence: The evidence.
        goal: uid of the goal that it is for, where items for several goals are looked for at once; else empty.
    """

    mentor: str
    signal: str
    weight: float
    evidence: Evidence
    goal: str = ""


async def find_paths(
    store: Store, items: Sequence[Item], now: datetime, owner_of: Callable[[str], str]
) -> dict[str, tuple[EvidencePath, ...]]:
    """Finds the paths of some evidence in the graph, in one round trip.

    Args:
        store: The graph.
        items: Evidence, for any number of mentors.
        now: The instant that `holds_now` refers to.
        owner_of: uid of a goal → uid of the person who set it.

    Returns:
        uid of the goal where items have one, else of the mentor → paths in full, heaviest first.
    """
    edges, starts = await _read_edges(store, items)
    found: dict[str, list[EvidencePath]] = defaultdict(list)
    for item in items:
        steps = _steps(item, edges, starts, now, owner_of)
        if steps:
            found[item.goal or item.mentor].append(_path(item, steps))
    return {uid: _heaviest_first(paths) for uid, paths in found.items()}


def shown_to(viewer: Viewer, paths: Sequence[EvidencePath], mentee: str, mentor: str) -> tuple[EvidencePath, ...]:
    """The paths between two people as a viewer may see them, heaviest first.

    Args:
        viewer: Who will see them.
        paths: All of them, in full.
        mentee: uid of the person who seeks a mentor.
        mentor: uid of the mentor.
    """
    if viewer.sees_everybody:
        return tuple(paths)
    told = [path for path in paths if path.metapath not in COORDINATORS_ONLY]
    return _heaviest_first(_without_third_people(told, {mentee, mentor}))


def _heaviest_first(paths: Iterable[EvidencePath]) -> tuple[EvidencePath, ...]:
    return tuple(sorted(paths, key=lambda path: (-path.weight, path.metapath, path.sentence)))


async def _read_edges(
    store: Store, items: Sequence[Item]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """The relationships that evidence names, and the nodes that stand alone, by uid; what does not exist is absent."""
    wanted: dict[str, set[str]] = {name: set() for name in EDGE_TYPES}
    for item in items:
        for edge in item.evidence.edges:
            wanted[edge.type].add(edge.uid)
    starts = {item.evidence.start for item in items if item.evidence.start}
    if not items:
        return {}, {}
    rows = await store.read_edges(wanted, starts)
    edges: dict[str, Mapping[str, Any]] = {row["uid"]: row for row in rows if row["type"]}
    return edges, {row["uid"]: row["start"] for row in rows if not row["type"]}


def _steps(
    item: Item,
    edges: Mapping[str, Mapping[str, Any]],
    starts: Mapping[str, Mapping[str, Any]],
    now: datetime,
    owner_of: Callable[[str], str],
) -> tuple[Step, ...]:
    """The steps of one item, ending at the mentor; empty where the graph does not hold the path."""
    rows = [edges.get(edge.uid) for edge in item.evidence.edges]
    ends = [{row["start"]["uid"], row["end"]["uid"]} if row else set() for row in rows]
    joints = [first & second for first, second in pairwise(ends)] + [{item.mentor} & ends[-1]]
    if not all(len(joint) == 1 for joint in joints) or (item.evidence.start and item.evidence.start not in starts):
        return ()
    nodes = {node["uid"]: node for row in rows if row for node in (row["start"], row["end"])}
    [first] = ends[0] - joints[0] or {""}
    if not first:
        return ()

    def step(node: Mapping[str, Any], **told: Any) -> Step:
        kind, uid = node["kind"], node["uid"]
        owner = owner_of(uid) if kind == "Goal" else uid if kind == "Person" else ""
        return Step(kind, uid, node["name"] or "", owner=owner, **told)

    count = item.evidence.count if item.evidence.count > 1 else None
    if item.evidence.start:
        start = starts[item.evidence.start]
        steps = [step(start, count=count), step(nodes[first], relationship_type=COMPUTED[start["kind"]])]
    else:
        steps = [step(nodes[first], count=count)]
    for row, [uid] in zip(rows, joints, strict=True):
        if row is None or row["start"]["uid"] != (steps[-1].node_uid if row["end"]["uid"] == uid else uid):
            return ()
        until = native(row["until"])
        steps.append(
            step(
                nodes[uid],
                relationship_uid=row["uid"],
                relationship_type=row["type"],
                forward=row["end"]["uid"] == uid,
                since=native(row["since"]),
                source=row["source"],
                holds_now=until is None or until >= now,
            )
        )
    return tuple(steps)


def steps_hold(steps: Sequence[Step], edges: Mapping[str, Mapping[str, Any]], starts: Collection[str]) -> bool:
    """Whether the graph holds a path: each relationship is there, of its type, and leads from node to node as told.

    Args:
        steps: The path, in full.
        edges: The relationships by uid, as `Store.read_edges` gives them.
        starts: The nodes that are there and stand alone.
    """
    for before, step in pairwise(steps):
        if not step.relationship_uid:
            if before.node_uid not in starts or step.relationship_type != COMPUTED.get(before.kind):
                return False
            continue
        row = edges.get(step.relationship_uid)
        ends = (before, step) if step.forward else (step, before)
        if row is None or row["type"] != step.relationship_type:
            return False
        if [row["start"]["uid"], row["end"]["uid"]] != [each.node_uid for each in ends]:
            return False
    return len(steps) > 1


def _path(item: Item, steps: tuple[Step, ...]) -> EvidencePath:
    evidence = item.evidence
    sentence = sentence_of(evidence.metapath, evidence.strength, steps)
    return EvidencePath(
        item.signal, evidence.metapath, item.weight, sentence, steps, _cypher(steps), float(evidence.strength)
    )


def _cypher(steps: Sequence[Step]) -> str:
    """A query that returns exactly this path, to be run by whoever wants to check it.

    It holds nothing but labels, types and uids, all of which are ours.
    """
    texts = []
    for number, step in enumerate(steps):
        node = f"(n{number}:{step.kind} {{uid: '{step.node_uid}'}})"
        if step.relationship_uid:
            edge = f"[r{number}:{step.relationship_type} {{uid: '{step.relationship_uid}'}}]"
            texts.append(f"-{edge}->{node}" if step.forward else f"<-{edge}-{node}")
        else:
            texts.append(f", {node}" if texts else node)
    return f"MATCH {''.join(texts)} RETURN *"


THIRD_KINDS = frozenset({"Goal", "Pairing", "Request", "Session", "Person"})
"""Kinds of node that may belong to third people."""


def _without_third_people(paths: Iterable[EvidencePath], known: set[str]) -> list[EvidencePath]:
    """Paths in which what belongs to third people is counted, not named; alike ones become one."""
    alike: dict[tuple[str, str, tuple[Step, ...]], list[EvidencePath]] = defaultdict(list)
    for path in paths:
        own = known | _own_pairings(path.steps, known)
        shown = tuple(_redacted(step, place, path.steps, own) for place, step in enumerate(path.steps))
        alike[(path.signal, path.metapath, shown)].append(path)
    counted_paths = []
    for (_, metapath, shown), members in alike.items():
        first = members[0]
        hidden = any(not step.node_uid for step in shown)
        counted = tuple(
            step if step.node_uid else replace(step, count=_counted(place, step, members))
            for place, step in enumerate(shown)
        )
        count = max((step.count or 1 for step in counted), default=1)
        counted_paths.append(
            replace(
                first,
                weight=sum(member.weight for member in members),
                sentence=sentence_of(metapath, first.strength, counted, count) if hidden else first.sentence,
                steps=counted,
                cypher="" if hidden else first.cypher,
            )
        )
    return counted_paths


def _own_pairings(steps: Sequence[Step], known: set[str]) -> set[str]:
    """The pairings on a path that stand between two people who are known."""
    return {
        step.node_uid
        for before, step, after in zip(steps, steps[1:], steps[2:], strict=False)
        if step.kind == "Pairing"
        and before.kind == after.kind == "Person"
        and {before.node_uid, after.node_uid} <= known
    }


def _counted(place: int, step: Step, members: Sequence[EvidencePath]) -> int:
    """How many facts a hidden step stands for."""
    if step.kind == "Session":
        return sum(member.steps[0].count or 1 for member in members)
    return len({member.steps[place].node_uid for member in members})


def _redacted(step: Step, place: int, steps: Sequence[Step], known: set[str]) -> Step:
    """A step as a participant may see it."""
    asking = place == 0 and step.kind == "Goal"
    if step.kind not in THIRD_KINDS or step.node_uid in known or asking:
        beside_hidden = place > 0 and steps[place - 1].kind in THIRD_KINDS and steps[place - 1].node_uid not in known
        first_goal = place == 1 and steps[0].kind == "Goal"
        if beside_hidden and not first_goal:
            return replace(step, relationship_uid="", since=None, source="")
        return step
    return Step(step.kind, relationship_type=step.relationship_type, forward=step.forward, holds_now=step.holds_now)
