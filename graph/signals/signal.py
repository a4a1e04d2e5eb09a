"""What a signal is: for one question, a value for all who are ranked, and the evidence behind anybody's value.

Every signal is computed for all of them at once from columns in memory. `explain` gives, for one person, the items that
the value is made of, each with its *drop*: by how much the value falls when the item's edge to that person is taken
away and everything else stays. Values, drops and the paths shown are thus one and the same thing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Edge, PastPairings, Question
from mentorgraph.graph.columns.table import Reals, Table
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import link_uid


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item that a signal's value is made of.

    Attributes:
        metapath: Which kind of path it is.
        edges: The relationships along the path, in order.
        start: uid of a first node without an edge, to which the next one is compared: a goal or a profile.
        drop: By how much the signal's value falls without the item.
        strength: How strong the likeness is, 0 to 1, for the sentence.
        count: Number of alike facts that the item stands for.
    """

    metapath: str
    edges: tuple[Edge, ...]
    drop: float
    start: str = ""
    strength: float = 1.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal for one question.

    Attributes:
        name: One of `policy.SIGNALS`.
        unit: What a value of 1 means.
        values: `float64[pool]`, see `Question.pool`; NaN where nothing is known, which contributes nothing.
        explain: Number of a person → the evidence behind their value, strongest first; no edge to that person twice.
    """

    name: str
    unit: str
    values: Reals
    explain: Callable[[int], list[Evidence]]


def pairing_uid(columns: Columns, past: PastPairings, place: int) -> str:
    """Uid of the pairing at a place among the past ones."""
    return columns.numberings["pairings"].uids[int(past.rows[place])]


_OF_PAIRING = {link.name: link for link in KINDS["pairings"].links}
_TARGETS = {"mentor": "people", "mentee": "people", "goal": "goals", "unit": "units"}


def pairing_links(columns: Columns, past: PastPairings, place: int, *names: str) -> tuple[Edge, ...]:
    """The relationships that carry some links of a pairing."""
    uid, found = pairing_uid(columns, past, place), []
    for name in names:
        link, numbers = _OF_PAIRING[name], getattr(past, name)
        target = columns.numberings[_TARGETS[name]].uids[numbers[place]]
        found.append(Edge(link.type, link_uid(uid, link, target)))
    return tuple(found)


def lead(rank: int, strengths: Sequence[float]) -> float:
    """By how much a maximum falls without its item of this rank: the first one's lead over the second, else nothing."""
    return float(strengths[0] - (strengths[1] if len(strengths) > 1 else 0.0)) if rank == 0 else 0.0


def strongest_first(found: Sequence[Evidence]) -> list[Evidence]:
    """Items of evidence in the order of their drops."""
    return sorted(found, key=lambda each: (-each.drop, -each.strength, each.edges))


def back(columns: Columns, asked: Question, table: Table, row: int) -> tuple[Edge, ...]:
    """The edges from the skill that a fact counts for back to the one that it names; none where they are the same."""
    way = columns.merges(asked.seconds).steps.get(int(table.numbers("skill")[row]), ())
    return tuple(Edge(*each) for each in reversed(way))


def direct(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """A path without the steps that it takes there and back again at once."""
    found: list[Edge] = []
    for edge in edges:
        if found and found[-1] == edge:
            found.pop()
        else:
            found.append(edge)
    return tuple(found)
