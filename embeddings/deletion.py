"""Why the network prefers somebody: what its score loses when one of their past pairings is taken away.

A pairing is taken away from all that the network looks along: the attention that flows through it, and the message that
it sends to the mentor's vector. Everything else stays, the attention of the others and the counts in the features too.
Deletion is the test of an explanation that needs no model of the model (Samek et al. 2017, "Evaluating the
visualization of what a deep neural network has learned").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mentorgraph.embeddings.evidence import Evidence
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
from mentorgraph.embeddings.message_graph import MessageGraph, means
from mentorgraph.embeddings.model import Model, together
from mentorgraph.embeddings.texts import Floats
from mentorgraph.graph.columns.columns import Numbers


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
        person = int(self.found.people[self.place])
        found = [
            (int(pairing), drop)
            for precedent, drop in self.by_precedent(most)
            for pairing in self.known.precedents.pairings_of(precedent, person)
        ]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def by_precedent(self, most: int) -> list[tuple[int, float]]:
        """The same by the precedent that the pairings belong to, in the order in which they are tried."""
        edge, mentor = self.found.mentor_arcs
        edges = edge[mentor == self.place]
        flow = sum((each.flow[edges].sum(axis=1) for each in self.thought), np.zeros(len(edges)))
        tried = dict.fromkeys(edges[np.argsort(-flow, kind="stable")[:most]].tolist())
        whole = self._share([each.scores for each in self.thought])
        person = int(self.found.people[self.place])
        found = []
        for one in tried:
            precedent = int(self.found.precedents[one])
            found.append((precedent, whole - self._without(edges[edges != one], person, precedent)))
        return found

    def _without(self, edges: Numbers, person: int, precedent: int) -> float:
        """The logarithm of the share where only these edges lead to the person."""
        graph, encoded = self.model.encoded(self.known)
        changed = []
        for weights, vectors, thought in zip(self.model.networks, encoded, self.thought, strict=True):
            vector = unit_length(person_without(weights, vectors, graph, person, [precedent]))
            row = self._inputs(thought, edges, vector)
            scores = thought.scores.copy()
            scores[self.place] = scores_of(weights, row)[0]
            changed.append(scores)
        return self._share(changed)

    def _share(self, scores: Sequence[Floats]) -> float:
        return float(together(scores, self.found.correction)[self.place])

    def _inputs(self, thought: Attention, edges: Numbers, vector: Floats) -> Floats:
        """The person's inputs with some arcs only, and with another vector."""
        mass = thought.flow[edges].sum(axis=0, keepdims=True)
        others = np.delete(thought.mass, self.place, axis=0).max(axis=0, initial=0)
        arcs = of_arcs(
            mass,
            np.maximum(others, mass[0]),
            thought.below[edges].max(axis=0, initial=0)[None, :],
            thought.values[edges].sum(axis=0, keepdims=True),
            thought.values[edges].max(axis=0, initial=0)[None, :],
        )
        own = np.concatenate(arcs, axis=1)
        of_encoder = np.concatenate(of_vectors(vector, thought.asker), axis=1)
        row = thought.inputs[[self.place]].copy()
        row[:, : own.shape[1]] = own
        row[:, -of_encoder.shape[1] :] = of_encoder
        return row


def person_without(
    weights: Weights, vectors: Encoded, graph: MessageGraph, person: int, precedents: Sequence[int]
) -> Floats:
    """The vector of a person whom some precedents send no message, before it is scaled: `float32[1, ENCODED]`."""
    pairings = graph.pairings[[person]]
    pairings.data = np.where(np.isin(pairings.indices, precedents), np.float32(0), pairings.data)
    return np.asarray(
        convolve(weights, link_of("offers"), graph.offers[[person]], vectors.skill)
        + convolve(weights, link_of("members"), graph.members[[person]], vectors.unit)
        + convolve(weights, link_of("pairings"), means(pairings), vectors.sent),
        np.float32,
    )
