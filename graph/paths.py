"""Evidence paths: items of evidence, found again in the graph, as steps, a sentence and a query that returns them.

An item that the graph does not confirm is dropped. Paths are found in full; whoever may not see third people is shown
counts in place of their goals, pairings and sessions, be it now or when the answer is looked up later.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from mentorgraph.graph.signals.signal import Evidence
from mentorgraph.graph.store import Store
from mentorgraph.graph.transported import native
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
class Step:
    """One node of a path, with the relationship that leads to it.

    Attributes:
        kind: Label of the node.
        node_uid: The node; empty where the viewer may not see it.
        label: Its name or title, if it has one and the viewer may see it.
        relationship_uid: The relationship from the step before; empty for the first step and for a computed one.
        relationship_type: Its type.
        forward: Whether it points from the step before to this one.
        since: When it began.
        source: Where it is known from.
        holds_now: Whether it holds still.
        count: Number of facts that the step stands for, where they are counted and not named.
        owner: uid of the person of whom the label tells; empty for nobody.
    """

    kind: str
    node_uid: str = ""
    label: str = ""
    relationship_uid: str = ""
    relationship_type: str = ""
    forward: bool = True
    since: datetime | None = None
    source: str = ""
    holds_now: bool = True
    count: int | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class EvidencePath:
    """One reason for a recommendation.

    Attributes:
        signal: The signal that it is evidence for.
        metapath: Its kind.
        weight: By how much the score would fall without its edge to the mentor; the sum where it stands for several.
        sentence: What it says, in English.
        steps: The path.
        cypher: A query that returns exactly this path; empty where the viewer may not see all of it.
        strength: How strong the likeness is that it tells of, 0 to 1.
    """

    signal: str
    metapath: str
    weight: float
    sentence: str
    steps: tuple[Step, ...]
    cypher: str = ""
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Item:
    """Evidence of one signal for one mentor, weighted in units of the score."""

    mentor: str
    signal: str
    weight: float
    evidence: Evidence


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
        uid of the mentor → paths in full, heaviest first.
    """
    edges, starts = await _read_edges(store, items)
    found: dict[str, list[EvidencePath]] = defaultdict(list)
    for item in items:
        steps = _steps(item, edges, starts, now)
        if steps:
            steps = tuple(replace(step, owner=_owner(step, owner_of)) for step in steps)
            found[item.mentor].append(_path(item, steps))
    return {mentor: _heaviest_first(paths) for mentor, paths in found.items()}


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
    item: Item, edges: Mapping[str, Mapping[str, Any]], starts: Mapping[str, Mapping[str, Any]], now: datetime
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
    steps = []
    if item.evidence.start:
        steps.append(_step(starts[item.evidence.start]))
        steps.append(replace(_step(nodes[first]), relationship_type=COMPUTED[steps[0].kind]))
    else:
        steps.append(_step(nodes[first]))
    for row, [uid] in zip(rows, joints, strict=True):
        if row is None or row["start"]["uid"] != (steps[-1].node_uid if row["end"]["uid"] == uid else uid):
            return ()
        until = native(row["until"])
        steps.append(
            replace(
                _step(nodes[uid]),
                relationship_uid=row["uid"],
                relationship_type=row["type"],
                forward=row["end"]["uid"] == uid,
                since=native(row["since"]),
                source=row["source"],
                holds_now=until is None or until >= now,
            )
        )
    if item.evidence.count > 1:
        steps[0] = replace(steps[0], count=item.evidence.count)
    return tuple(steps)


def _step(node: Mapping[str, Any]) -> Step:
    return Step(node["kind"], node["uid"], node["name"] or "")


def _owner(step: Step, owner_of: Callable[[str], str]) -> str:
    if step.kind == "Goal":
        return owner_of(step.node_uid)
    return step.node_uid if step.kind == "Person" else ""


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


# --- sentences ------------------------------------------------------------------------------------------------------


def sentence_of(metapath: str, strength: float, steps: Sequence[Step], count: int = 1) -> str:
    """What a path says, made from its steps alone; what has no label is not named.

    A skill that was merged goes by the name of the one that it counts for.
    """
    steps = _by_present_names(steps)
    mentor = steps[-1].label
    asks = "the goal needs" if metapath.startswith("goal_") else f"{steps[0].label} wants to learn"
    if metapath.endswith("_wants_skill") or metapath == "goal_needs_skill":
        return f"{mentor} offers {steps[1].label}, which {asks}."
    if metapath.endswith("near_skill"):
        kinship = "the wider field of" if steps[2].forward else "a kind of"
        return f"{mentor} offers {steps[2].label}, {kinship} {steps[1].label}, which {asks}."
    if metapath.endswith("sibling_skill"):
        return f"{mentor} offers {steps[3].label}, a kind of {steps[2].label} like {steps[1].label}, which {asks}."
    if metapath.endswith("similar_goal"):
        asks = "as this goal does" if metapath.startswith("goal_") else f"which {asks}"
        return f"{mentor} has helped with {_goals(steps[2], count)} that needed {steps[1].label}, {asks}."
    if metapath == "similar_text":
        likeness = f"{'up to ' if count > 1 else ''}{strength:.0%} alike"
        return f"{mentor} has helped with {_goals(steps[1], count)} in words that are {likeness}."
    if metapath.endswith("unit_member"):
        whose = "the goal's unit" if steps[0].kind == "Goal" else f"the unit of {steps[0].label}"
        return f"{mentor} belongs to {steps[1].label}, {whose}."
    if metapath.endswith("unit_mentored"):
        whose = "the goal's unit" if steps[0].kind == "Goal" else f"the unit of {steps[0].label}"
        return f"{mentor} has mentored in {steps[1].label}, {whose}."
    if metapath in _OF_PROFILES:
        most, some = _OF_PROFILES[metapath]
        return f"{mentor} {most if strength == 1 else some}."
    if metapath == "mentored_before":
        return f"{mentor} has mentored {steps[0].label or 'the same person'} before."
    if metapath == "goal_priority":
        return f"{mentor} has helped with {_goals(steps[2], count)}, for “{steps[1].label}” as this goal is."
    if metapath == "unit_phase":
        return f"{mentor} belongs to {steps[1].label}, which has less time to meet in the phase “{steps[0].label}”."
    if metapath in ("request_accepted", "request_declined"):
        how = metapath.removeprefix("request_")
        return f"{mentor} has {how} {'a request' if count == 1 else f'{count} requests'}."
    times = max(count, steps[0].count or 1)
    return f"{mentor} has held {times} {'session' if times == 1 else 'sessions'}{_last(steps)}."


_OF_PROFILES = {
    "profile_pace": ("likes to go as fast as whoever asks", "likes to go nearly as fast as whoever asks"),
    "profile_communication": (
        "likes to talk in the same way as whoever asks",
        "likes to talk partly in the same way as whoever asks",
    ),
    "profile_coaching_style": ("coaches in the style that whoever asks likes",) * 2,
    "profile_format": (
        "likes the same formats as whoever asks",
        "likes some of the formats that whoever asks likes",
    ),
    "profile_seniority": (
        "is as far ahead of whoever asks in years of experience as helps most",
        "differs from whoever asks in years of experience by less or more than helps most",
    ),
    "profile_asynchronous": ("is never free at the same time as whoever asks, and both work without it",) * 2,
}
"""Kind of path → what is said where the value is 1, and where it is less."""


def _by_present_names(steps: Sequence[Step]) -> list[Step]:
    """The steps without those from or to a skill that was merged."""
    shown: list[Step] = []
    for step in steps:
        if step.relationship_type != "BECAME":
            shown.append(step)
        elif step.forward:
            shown[-1] = replace(step, relationship_type=shown[-1].relationship_type, forward=shown[-1].forward)
    return shown


def _goals(step: Step, count: int) -> str:
    if step.label:
        return f"the goal “{step.label}”"
    return "a goal" if count == 1 else f"{count} goals"


def _last(steps: Sequence[Step]) -> str:
    since = steps[1].since
    return f" in one pairing, the last on {since.date().isoformat()}" if since else ""
