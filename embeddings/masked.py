"""The networks' opinion of one person as torch-geometric's explainers take it: past pairings as one `edge_index`.

A past pairing carries two messages in a network: what flows from an attended precedent to whoever mentored in it, and
what the precedent's goal sends to the vector of that person. Here both pass through one `MessagePassing` layer, so that
one mask an edge takes both away, as a deletion does. Everything that no past pairing carries is a constant. The arrays
are those of the trained networks, and unmasked the opinion is theirs to 1e-4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import scatter

from mentorgraph.embeddings.evidence import Evidence
from mentorgraph.embeddings.inference import (
    FURTHEST,
    GROUPS,
    HEADS,
    LEAST_MASS,
    NORM_EPSILON,
    VALUES,
    Attention,
    Encoded,
    Weights,
    convolve,
    link_of,
)
from mentorgraph.embeddings.knowledge import Knowledge
from mentorgraph.embeddings.message_graph import ENCODED, MessageGraph
from mentorgraph.embeddings.model import FURTHEST as LOWEST_SCORE
from mentorgraph.embeddings.model import Model
from mentorgraph.graph.columns.table import NONE, Numbers


class _Pairings(MessagePassing):  # type: ignore[misc]  # torch-geometric has no types
    """Brings what past pairings carry to people: sums of the first columns, maxima of the others."""

    def __init__(self, summed: int) -> None:
        super().__init__(aggr=None)
        self._summed = summed

    def forward(self, x: Tensor, edge_index: Tensor, weight: Tensor, content: Tensor, people: int) -> Tensor:
        found: Tensor = self.propagate(edge_index, x=(x, None), weight=weight, content=content, size=(len(x), people))
        return found

    def message(self, x_j: Tensor, weight: Tensor, content: Tensor) -> Tensor:
        return torch.cat([x_j * weight[:, None], content], dim=1)

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> Tensor:
        sums = scatter(inputs[:, : self._summed], index, dim_size=dim_size, reduce="sum")
        maxima = scatter(inputs[:, self._summed :], index, dim_size=dim_size, reduce="max")
        return torch.cat([sums, maxima], dim=1)


@dataclass(frozen=True)
class Edges:
    """The past pairings of the people in question, one edge for each precedent and person.

    Attributes:
        precedent: Place of the precedent: `int64[edges]`, as the others.
        person: Place of the person among those in question.
        near: Which edge of the evidence leads to the precedent, or `NONE`.
        times: How many pairings it stands for, among those that are attended to.
        weight: How much its message counts in the encoder: `float32[edges]`.
    """

    precedent: Numbers
    person: Numbers
    near: Numbers
    times: Numbers
    weight: np.ndarray

    @classmethod
    def of(cls, graph: MessageGraph, found: Evidence) -> "Edges":
        """Takes them out of the message graph and the evidence for a question."""
        sent = graph.pairings[found.people].tocoo()
        person, precedent = (each.astype(np.int64) for each in sent.coords)
        place = np.full(graph.pairings.shape[1], NONE, np.int64)
        place[found.precedents] = np.arange(len(found.precedents))
        near = place[precedent]
        shape = (len(found.precedents), len(found.people))
        ones = np.ones(found.mentor_arcs.shape[1], np.int64)
        arcs = sparse.csr_array((ones, (found.mentor_arcs[0], found.mentor_arcs[1])), shape=shape)
        times = np.where(near == NONE, 0, arcs[np.maximum(near, 0), person])
        return cls(precedent, person, near, times, sent.data)


class MaskableOpinion(nn.Module):
    """ln(share) of one person by all networks together; see `mentorgraph.embeddings.model.together`.

    Args:
        model: The model.
        known: What it knows.
        found: The evidence for one question.
        thought: What each network made of it.
        place: The person's place among those in question.
    """

    def __init__(
        self, model: Model, known: Knowledge, found: Evidence, thought: Sequence[Attention], place: int
    ) -> None:
        super().__init__()
        graph, encoded = model.encoded(known)
        self.edges = Edges.of(graph, found)
        self.edge_index = torch.from_numpy(np.stack([self.edges.precedent, self.edges.person]))
        self.x = torch.from_numpy(np.concatenate([each.sent for each in encoded], axis=1))
        networks = [
            _OneNetwork(weights, graph, vectors, found, attended)
            for weights, vectors, attended in zip(model.networks, encoded, thought, strict=True)
        ]
        self.networks = nn.ModuleList(networks)
        carried = [network.carried(self.edges) for network in networks]
        sums, maxima = ([each[part] for each in carried] for part in (0, 1))
        self._content = torch.cat([*sums, *maxima], dim=1)
        self._weight = torch.from_numpy(self.edges.weight)
        summed = len(self.networks) * (ENCODED + HEADS + VALUES)
        self.pairings = _Pairings(summed)
        self._correction = torch.from_numpy(found.correction)
        self._place, self._people = place, len(found.people)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """`float32[1]`.

        Args:
            x: What the precedents send, one network beside the other: `float32[precedents, networks · ENCODED]`.
            edge_index: From which precedent to which person: `int64[2, edges]`.
        """
        number = len(self.networks)
        arrived = self.pairings(x, edge_index, self._weight, self._content, self._people)
        sizes = [ENCODED] * number + [HEADS + VALUES] * number + [HEADS + VALUES] * number
        parts = torch.split(arrived, sizes, dim=1)
        scores = [
            network(parts[place], parts[number + place], parts[2 * number + place])
            for place, network in enumerate(self.networks)
        ]
        mean = torch.stack([(each - each.max()).clamp(-LOWEST_SCORE, 0) for each in scores]).mean(dim=0)
        shares = torch.log_softmax(mean + self._correction, dim=0) - self._correction
        return shares[self._place : self._place + 1]


class _OneNetwork(nn.Module):
    """What one network makes of what arrives at the people in question."""

    def __init__(
        self, weights: Weights, graph: MessageGraph, vectors: Encoded, found: Evidence, attended: Attention
    ) -> None:
        super().__init__()
        self._weights = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
        people = found.people
        own = convolve(weights, link_of("offers"), graph.offers[people], vectors.skill)
        own = own + convolve(weights, link_of("members"), graph.members[people], vectors.unit)
        self._own = torch.from_numpy(np.asarray(own, np.float32))
        self._asker = torch.from_numpy(np.asarray(attended.asker, np.float32))
        self._pairs = torch.from_numpy(found.pairs)
        links = found.together.tocoo()
        self._together = torch.from_numpy(np.stack(links.coords).astype(np.int64))
        self._together_weight = torch.from_numpy(links.data)
        mentee = np.zeros((len(people), HEADS), np.float32)
        np.add.at(mentee, found.mentee_arcs[1], attended.attention[found.mentee_arcs[0]])
        self._as_mentee = torch.from_numpy(mentee)
        self._attended = attended

    def carried(self, edges: Edges) -> tuple[Tensor, Tensor]:
        """What the edges carry beside the precedents' own messages: what is summed, and what counts by its maximum."""
        near, seen = np.maximum(edges.near, 0), (edges.times > 0)[:, None]
        flow, values, below = (
            np.where(seen, each[near], 0).astype(np.float32)
            for each in (self._attended.flow, self._attended.values, self._attended.below)
        )
        times = edges.times[:, None].astype(np.float32)
        summed = np.concatenate([flow * times, values * times], axis=1)
        return torch.from_numpy(summed), torch.from_numpy(np.concatenate([below, values], axis=1))

    def forward(self, sent: Tensor, summed: Tensor, greatest: Tensor) -> Tensor:
        """`float32[people]`."""
        name = link_of("pairings")
        person = nn.functional.normalize(self._own + self._linear(f"{name}.lin_rel", sent), dim=1)
        parts = (person * self._asker).reshape(len(person), GROUPS, ENCODED // GROUPS).sum(dim=2)
        mass, values = torch.split(summed, [HEADS, VALUES], dim=1)
        nearest, strongest = torch.split(greatest, [HEADS, VALUES], dim=1)
        one, other = self._together
        carried = mass[one] * self._together_weight[:, None]
        beside = scatter(carried, other, dim_size=len(mass), reduce="sum")
        inputs = torch.cat(
            [
                torch.log(mass + LEAST_MASS),
                mass / (mass.max(dim=0).values + LEAST_MASS),
                nearest,
                torch.log1p(values),
                strongest,
                torch.log(beside + LEAST_MASS),
                torch.log(self._as_mentee + LEAST_MASS),
                self._pairs,
                parts,
                parts.sum(dim=1, keepdim=True),
            ],
            dim=1,
        )
        variance = self._weights["norm.running_var"] + NORM_EPSILON
        scaled = ((inputs - self._weights["norm.running_mean"]) / variance.sqrt()).clamp(-FURTHEST, FURTHEST)
        deep = torch.relu(self._linear("first", scaled))
        deep = torch.relu(self._linear("second", deep))
        scores: Tensor = (self._linear("last", deep) + scaled @ self._weights["skip.weight"].T)[:, 0]
        return scores

    def _linear(self, name: str, values: Tensor) -> Tensor:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
