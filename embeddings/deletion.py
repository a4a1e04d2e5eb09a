"""Why what was learned prefers somebody: what its score loses when one of their past pairings is taken away.

A pairing is taken away from all that the network looks along: the attention that flows through it, and the message that
it sends to the mentor's vector; and from the sum of what past goals tell: their likeness to the asking goal. Everything
else stays, the attention of the others and the counts in the features too.
Deletion is the test of an explanation that needs no model of the model (Samek et al. 2017, "Evaluating the
visualization of what a deep neural network has learned").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from mentorgraph.embeddings.evidence import Evidence
from mentorgraph.embeddings.fusion import LIKE_BEST, OF_LIKENESS, Fusion
from mentorgraph.embeddings.inference import (
    Attention,
    Encoded,
    Weights,
    convolve,
    link_of,
    of_arcs,
    of_vectors,
    scores_of,
    unit_length,
)
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.model import Model, together
from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.columns.table import Mask, Numbers, Reals

LEAST_DROP = 1e-9
"""A fall of less is one of rounding."""


@dataclass(frozen=True)
class Deletion:
    """One person's past pairings, to be taken away one at a time.

    Attributes:
        model: The model.
        known: What it knows.
        found: The evidence for the question.
        thought: What each network made of it.
        place: The person's place among those in question.
    """

    model: Model
    known: Knowledge
    found: Evidence
    thought: list[Attention]
    place: int

    def drops(self, most: int) -> list[tuple[int, float]]:
        """How far the logarithm of the person's share falls without each of their pairings.

        Args:
            most: So many are tried, those that most attention flows through.

        Returns:
            Row of the pairing in the table of pairings, and the drop; the largest first.
        """
        return _by_pairing(self.known, int(self.found.people[self.place]), self.by_precedent(most))

    def by_precedent(self, most: int) -> list[tuple[int, float]]:
        """The same by the precedent that the pairings belong to, in the order in which they are tried."""
        edge, mentor = self.found.mentor_arcs
        edges = edge[mentor == self.place]
        flow = sum((each.flow[edges].sum(axis=1) for each in self.thought), np.zeros(len(edges)))
        tried = dict.fromkeys(edges[np.argsort(-flow, kind="stable")[:most]].tolist())
        whole = self._share([each.scores for each in self.thought])
        kept = np.array([edges != one for one in tried], bool).reshape(len(tried), len(edges))
        precedents = self.found.precedents[np.array(list(tried), np.int64)]
        graph, encoded = self.model.encoded(self.known)
        person, left = int(self.found.people[self.place]), []
        for weights, vectors, thought in zip(self.model.networks, encoded, self.thought, strict=True):
            vector = unit_length(person_without(weights, vectors, graph, person, precedents[:, None]))
            left.append(scores_of(weights, self._inputs(thought, edges, kept, vector)))
        found = []
        for number, precedent in enumerate(precedents):
            changed = []
            for thought, scores in zip(self.thought, left, strict=True):
                changed.append(thought.scores.copy())
                changed[-1][self.place] = scores[number]
            found.append((int(precedent), whole - self._share(changed)))
        return found

    def _share(self, scores: Sequence[Floats]) -> float:
        return float(together(scores, self.found.correction)[self.place])

    def _inputs(self, thought: Attention, edges: Numbers, kept: Mask, vector: Floats) -> Floats:
        """The person's inputs with some arcs only, and with other vectors.

        Args:
            thought: What the network made of all arcs.
            edges: The arcs of the person: `int64[edges]`.
            kept: Which of them are left in each case: `bool[cases, edges]`.
            vector: The person's vector in each case: `float32[cases, ENCODED]`.

        Returns:
            `float32[cases, inputs]`.
        """
        flow, below, values = (
            np.where(kept[:, :, None], each[edges], np.float32(0))
            for each in (thought.flow, thought.below, thought.values)
        )
        mass = flow.sum(axis=1)
        others = np.delete(thought.mass, self.place, axis=0).max(axis=0, initial=0)
        arcs = of_arcs(
            mass,
            np.maximum(others, mass),
            below.max(axis=1, initial=0),
            values.sum(axis=1),
            values.max(axis=1, initial=0),
        )
        own = np.concatenate(arcs, axis=1)
        of_encoder = np.concatenate(of_vectors(vector, thought.asker), axis=1)
        rows = np.repeat(thought.inputs[[self.place]], len(kept), axis=0)
        rows[:, : own.shape[1]] = own
        rows[:, -of_encoder.shape[1] :] = of_encoder
        return rows


def drops_of_sum(
    ranking: Fusion, scores: Reals, likeness: Reals, known: Knowledge, found: Evidence, place: int, most: int
) -> list[tuple[int, float]]:
    """How far the logarithm of a person's share falls without each past pairing, where past goals count by a sum.

    Args:
        ranking: The sum.
        scores: What it gives to everybody in question, see `Fusion.of_precedents`: `float64[people]`.
        likeness: `likeness_of` the evidence.
        known: What is known.
        found: The evidence for the question.
        place: The person's place among those in question.
        most: So many are told at most, and only those that speak for the person.

    Returns:
        As `Deletion.drops`.
    """
    edge, mentor = found.mentor_arcs
    tried, times = np.unique(edge[mentor == place], return_counts=True)
    of_best, of_total = np.split(likeness[tried], [len(LIKE_BEST)], axis=1)
    *_, second, first = np.sort(np.concatenate([np.zeros((2, len(LIKE_BEST))), of_best]), axis=0)
    lost = np.concatenate([np.where(of_best == first, first - second, 0), of_total * times[:, None]], axis=1)
    own, others = scores + found.correction, np.delete(scores + found.correction, place)
    changed = own[place] - np.concatenate([[0], lost @ ranking.weights[OF_LIKENESS]])
    shares = changed - np.logaddexp(changed, logsumexp(others) if len(others) else -np.inf)
    drops = [
        (int(precedent), float(shares[0] - share))
        for precedent, share in zip(found.precedents[tried], shares[1:], strict=True)
    ]
    told = _by_pairing(known, int(found.people[place]), [each for each in drops if each[1] > LEAST_DROP])
    return told[:most]


def _by_pairing(known: Knowledge, person: int, by_precedent: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Row of each of a person's pairings in the table of pairings with the drop of its precedent, the largest first."""
    found = [
        (int(pairing), drop)
        for precedent, drop in by_precedent
        for pairing in known.precedents.pairings_of(precedent, person)
    ]
    return sorted(found, key=lambda each: (-each[1], each[0]))


def person_without(weights: Weights, vectors: Encoded, graph: MessageGraph, person: int, precedents: Numbers) -> Floats:
    """The vector of a person whom some precedents send no message, before it is scaled.

    Args:
        weights: The network's arrays.
        vectors: What the network makes of the graph.
        graph: The message graph.
        person: Number of the person.
        precedents: Which precedents, one row a case: `int64[cases, precedents]`.

    Returns:
        `float32[cases, ENCODED]`.
    """
    pairings = graph.pairings[[person]]
    gone = (pairings.indices[:, None] == precedents[:, None, :]).any(axis=2)
    left = np.where(gone, np.float32(0), pairings.data)
    left = left / np.maximum(left.sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(
        convolve(weights, link_of("offers"), graph.offers[[person]], vectors.skill)
        + convolve(weights, link_of("members"), graph.members[[person]], vectors.unit)
        + convolve(weights, link_of("pairings"), left, vectors.sent[pairings.indices]),
        np.float32,
    )
