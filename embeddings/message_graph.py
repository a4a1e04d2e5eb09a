"""The graph along which the encoder passes messages, as of an instant: skills, units, precedents and people.

Only what had begun by then carries a message, and a past pairing's counts by its outcome, its age and its sessions.
People have no features of their own; they are what they offer, where they belong and whom they have mentored. Skills
and units are told apart by vectors of chance, which is enough to see what two of them have in common and leaves nothing
to learn by heart: vectors that are learned rank worse, and one that is new would have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.tasks import MESSAGES
from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.columns.proficiency import offer_levels
from mentorgraph.graph.columns.table import NONE, Numbers
from mentorgraph.graph.columns.text import row_numbers

ENCODED = 64
"""Length of an encoded vector."""

SCALE = np.float32(0.3)
"""Of the vectors of skills and units."""


@dataclass(frozen=True)
class MessageGraph:
    """Weighted links between nodes; the weights of each row sum to 1, or the row is empty.

    Attributes:
        text: What the precedents' goals say: `float32[precedents, dimensions]`.
        skill: What tells skills apart, see `by_chance`: `float32[skills, ENCODED]`.
        unit: The same of units: `float32[units, ENCODED]`.
        broader: From skills to those one `BROADER` step away: `float32[skills, skills]`.
        wishes: `float32[precedents, skills]`.
        units: `float32[precedents, units]`.
        offers: By level: `float32[people, skills]`.
        members: `float32[people, units]`.
        pairings: By outcome, age and sessions: `float32[people, precedents]`.
    """

    text: Floats
    skill: Floats
    unit: Floats
    broader: sparse.csr_array
    wishes: sparse.csr_array
    units: sparse.csr_array
    offers: sparse.csr_array
    members: sparse.csr_array
    pairings: sparse.csr_array

    @classmethod
    def of(cls, known: Knowledge) -> "MessageGraph":
        """Takes it out of what is known; empty where a setting switches messages off."""
        columns, precedents, seconds = known.columns, known.precedents, known.now.timestamp()
        people, skills, units = (len(columns.numberings[name]) for name in ("people", "skills", "units"))
        broader = columns.tables["broader"]
        step = broader.valid(seconds)
        narrow, wide = (columns.skills_of("broader", link, seconds)[step] for link in ("skill", "broader"))
        apart = narrow != wide
        narrow, wide = narrow[apart], wide[apart]
        offers = columns.tables["offers"]
        held = offers.valid(seconds)
        levels = np.nan_to_num(offer_levels(columns, seconds), nan=known.policy.signals.level_unknown)[held]
        members = columns.tables["unit_membership"]
        belongs = members.valid(seconds) & known.setting.unit
        with_unit = np.flatnonzero(precedents.unit != NONE)
        found = cls(
            known.dense,
            by_chance(columns.skills.uids),
            by_chance(columns.numberings["units"].uids),
            _links(np.concatenate([narrow, wide]), np.concatenate([wide, narrow]), None, (skills, skills)),
            means(known.wishes),
            _links(with_unit, precedents.unit[with_unit], None, (len(precedents), units)),
            _links(
                offers.numbers("person")[held],
                columns.skills_of("offers", "skill", seconds)[held],
                levels,
                (people, skills),
            ),
            _links(members.numbers("person")[belongs], members.numbers("unit")[belongs], None, (people, units)),
            _links(
                precedents.pairing_mentor,
                precedents.pairing_precedent,
                precedents.pairing_weight + 1e-3,
                (people, len(precedents)),
            ),
        )
        return found._silent() if MESSAGES in known.setting.without else found

    def _silent(self) -> "MessageGraph":
        """The same nodes without texts or links, so that nobody differs."""
        told = ((each.name, getattr(self, each.name)) for each in fields(self))
        links = ((name, each) for name, each in told if isinstance(each, sparse.csr_array))
        empty: dict[str, Any] = {name: sparse.csr_array(each.shape, dtype=np.float32) for name, each in links}
        return replace(self, text=np.zeros_like(self.text), **empty)


def by_chance(uids: Sequence[str]) -> Floats:
    """A vector for each uid, the same at any time and place, and nearly at right angles to any other.

    Its signs are the bits of a hash (Achlioptas 2003, "Database-friendly random projections").

    Returns:
        `float32[uids, ENCODED]`.
    """
    bits = b"".join(blake2b(uid.encode(), digest_size=ENCODED // 8).digest() for uid in uids)
    signs = np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(len(uids), ENCODED)
    return np.where(signs, SCALE, -SCALE)


def means(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows scaled to the sum 1; empty ones stay empty."""
    rows = row_numbers(matrix)
    sums = np.bincount(rows, matrix.data, minlength=matrix.shape[0])
    data = (matrix.data / np.maximum(sums, 1e-12)[rows]).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _links(
    rows: Numbers, columns: Numbers, weights: NDArray[np.floating] | None, shape: tuple[int, int]
) -> sparse.csr_array:
    values = np.ones(len(rows), np.float32) if weights is None else weights.astype(np.float32)
    matrix = sparse.csr_array((values, (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    return means(matrix)
