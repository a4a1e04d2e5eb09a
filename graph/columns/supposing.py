"""What scoring would see if some facts were otherwise: without some relationships, or with some facts in addition.

The graph is not touched. Explanations are tested this way: an edge that is named as a reason has to be missed.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge
from mentorgraph.graph.columns.table import NONE, Table
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import Record, link_uid

_FACTS = {
    "NEEDS": "goal_skills",
    "WANTS": "wants",
    "OFFERS": "offers",
    "BROADER": "broader",
    "BECAME": "successions",
    "BELONGS_TO": "unit_membership",
}
"""Type of a relationship that is a fact → its kind."""

_LINKS = {
    "MENTOR": (("pairings", "mentor"),),
    "MENTEE": (("pairings", "mentee"),),
    "ASKS": (("requests", "mentor"),),
    "SERVES": (("goals", "priority"),),
    "PHASE_OF": (("phases", "unit"),),
    "DESCRIBED_BY": (("profiles", "person"),),
    "FOR_GOAL": (("pairings", "goal"),),
    "IN_UNIT": (("pairings", "unit"), ("goals", "unit")),
    "PART_OF": (("sessions", "pairing"),),
}
"""Type of a relationship that is the link of a fact → the kinds that have such a link, and its name."""

_OPTIONAL = {"goal": ("pairings",), "unit": ("pairings", "goals"), "priority": ("goals",)}
"""Links that a fact can do without, with the kinds that can."""


def without(columns: Columns, edges: Iterable[Edge]) -> Columns:
    """The columns of a graph that never had some relationships.

    A pairing that loses its mentor or mentee goes to somebody who has never mentored. What is of one person or pairing
    alone, such as a profile, a request or a session, never was: it cannot do without.

    Args:
        columns: The columns of the graph as it is.
        edges: Relationships as evidence names them; those that the graph does not have are passed over.
    """
    gone = sorted(set(edges))
    kinds = {_FACTS[edge.type] for edge in gone if edge.type in _FACTS}
    kinds |= {kind for edge in gone for kind, _ in _LINKS.get(edge.type, ())}
    changed = columns.supposed(kinds)
    for edge in gone:
        if edge.type in _FACTS:
            _never(changed.tables[_FACTS[edge.type]], changed.tables[_FACTS[edge.type]].rows.find(edge.uid))
        for kind, name in _LINKS.get(edge.type, ()):
            table = changed.tables[kind]
            row = link_rows(columns, kind, name).get(edge.uid, NONE)
            if row != NONE and kind in _OPTIONAL.get(name, ()):
                table.set(row, name, NONE)
            elif row != NONE and kind == "pairings" and (nobody := _without_pairings(columns)) != NONE:
                table.set(row, name, nobody)
            else:
                _never(table, row)
    return changed


def with_facts(columns: Columns, records: Sequence[Record]) -> Columns:
    """The columns of a graph that holds some facts as well, or holds them in this form.

    Args:
        columns: The columns of the graph as it is.
        records: Facts of any kind but goals and skills; those that scoring does not look at are passed over.
    """
    changed = columns.supposed(record.kind for record in records)
    for record in records:
        if record.kind in changed.tables:
            changed.tables[record.kind].put(record)
    return changed


def link_rows(columns: Columns, kind: str, name: str) -> dict[str, int]:
    """Row of the fact that each relationship of some kind is a link of, by the relationship's uid."""
    table = columns.tables[kind]
    link = next(each for each in KINDS[kind].links if each.name == name)

    def build() -> dict[str, int]:
        targets = columns.numberings[link.target].uids
        numbers = table.numbers(name)
        return {
            link_uid(table.rows.uids[row], link, targets[numbers[row]]): int(row)
            for row in np.flatnonzero(numbers != NONE)
        }

    return columns.remember(f"rows of {kind} by their {name}", table.version, build)


def _without_pairings(columns: Columns) -> int:
    """Number of somebody who has never mentored, or `NONE`."""
    table = columns.tables["pairings"]

    def build() -> int:
        free = np.setdiff1d(np.arange(len(columns.people)), table.numbers("mentor"))
        return int(free[0]) if len(free) else NONE

    return columns.remember("without pairings", (table.version, len(columns.people)), build)


def _never(table: Table, row: int) -> None:
    """Has a fact never begun."""
    if row != NONE:
        table.set(row, "since", np.inf)
        table.set(row, "until", -np.inf)
