"""The relationships near a question and a mentor: those that a path of evidence between the two could run along."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge
from mentorgraph.graph.columns.table import NONE
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What lies around one question and one mentor, as of an instant.

    Attributes:
        edges: All relationships that evidence could run along, but for the taxonomy, in a fixed order.
        to_mentor: Those of them that lead to the mentor: offers, memberships, profiles, requests, and the pairings that
            they mentored in.
    """

    edges: tuple[Edge, ...]
    to_mentor: tuple[Edge, ...]

    @classmethod
    def of(cls, columns: Columns, mentee: str, goal: str, mentor: str, at: datetime) -> "Neighbourhood":
        """Looks around.

        Args:
            columns: The columns of the graph.
            mentee: uid of the person who seeks a mentor.
            goal: uid of the goal, empty for none.
            mentor: uid of the mentor.
            at: The instant.
        """
        number = columns.people.find(mentor)
        asking, person = columns.goals.find(goal) if goal else NONE, columns.people.find(mentee)
        to_mentor = [
            *_facts(columns, "offers", "person", number, at),
            *_facts(columns, "unit_membership", "person", number, at),
        ]
        for kind, link in (("profiles", "person"), ("requests", "mentor")):
            begun = columns.tables[kind].begun(at.timestamp())
            for row in columns.rows_by(kind, link).of(number):
                to_mentor += _links(columns, kind, int(row), link) if begun[row] else []
        edges = [
            *_facts(columns, "wants", "person", person, at),
            *_facts(columns, "unit_membership", "person", person, at),
            *_facts(columns, "goal_skills", "goal", asking, at),
        ]
        if asking != NONE:
            edges += [*_links(columns, "goals", asking, "unit"), *_links(columns, "goals", asking, "priority")]
        pairings, sessions = columns.tables["pairings"], columns.tables["sessions"]
        begun, held = pairings.begun(at.timestamp()), sessions.begun(at.timestamp())
        for row in np.flatnonzero(begun & (pairings.numbers("mentor") == number)):
            to_mentor += _links(columns, "pairings", int(row), "mentor")
            for name in ("mentee", "goal", "unit"):
                edges += _links(columns, "pairings", int(row), name)
            past = int(pairings.numbers("goal")[row])
            edges += [*_facts(columns, "goal_skills", "goal", past, at), *_links(columns, "goals", past, "priority")]
            for one in columns.rows_by("sessions", "pairing").of(int(row)):
                edges += _links(columns, "sessions", int(one), "pairing") if held[one] else []
        return cls(tuple(sorted({*edges, *to_mentor})), tuple(sorted({*to_mentor})))


def _facts(columns: Columns, kind: str, link: str, number: int, at: datetime) -> Iterator[Edge]:
    """The facts of a kind that are somebody's or something's and hold."""
    table = columns.tables[kind]
    valid = table.valid(at.timestamp())
    for row in columns.rows_by(kind, link).of(number):
        if valid[row]:
            yield Edge(table.kind.label, table.rows.uids[row])


def _links(columns: Columns, kind: str, row: int, name: str) -> list[Edge]:
    """The relationship that carries a link of a fact, if it has that link."""
    table = columns.tables[kind]
    link = next(each for each in KINDS[kind].links if each.name == name)
    target = int(table.numbers(name)[row]) if row != NONE else NONE
    if target == NONE:
        return []
    return [Edge(link.type, link_uid(table.rows.uids[row], link, columns.numberings[link.target].uids[target]))]
