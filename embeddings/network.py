"""The network: the asking goal attends over precedents that are like it, and the attention flows on to people.

Each head weighs precedents by their likeness, its mass flows to those who mentored in them, to their co-mentors, and to
mentees who became mentors. What reaches a person, and what is known of the pair, becomes one score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch_geometric.utils import scatter, softmax

from mentorgraph.embeddings.evidence import EDGE_FEATURES, PAIR_FEATURES, Evidence
from mentorgraph.embeddings.inference import (
    ENCODED,
    FURTHEST,
    GROUPS,
    HEADS,
    HIDDEN,
    LEAST_LOGIT,
    LEAST_MASS,
    LINKS,
    NORM_EPSILON,
    VALUES,
    WIDTH,
)
from mentorgraph.embeddings.message_graph import MessageGraph
from mentorgraph.embeddings.parallel import ALONE, Share, SharedNorm
from mentorgraph.embeddings.products import LinkConv, Links

DROPOUT = 0.3


@dataclass(frozen=True, slots=True)
class Part:
    """Which questions of a step a batch has, where several processes share the step.

    Attributes:
        whole: Number of the step's questions.
        places: Of each question its place among them.
        counts: Whether it counts; a process that has none of them looks at one that does not.
    """

    whole: int
    places: tuple[int, ...]
    counts: bool = True


@dataclass(frozen=True)
class Batch:
    """The evidence for several questions, numbered through.

    Attributes:
        edges: `float32[edges, EDGE_FEATURES]`.
        edge_question: `int64[edges]`.
        teams: `float32[edges]`.
        mentor_arcs, mentee_arcs: Edge and person: `int64[2, arcs]`.
        pairs: `float32[people, PAIR_FEATURES]`.
        pair_question: `int64[people]`.
        together: Person, person: `int64[2, links]`; `together_weight`: `float32[links]`.
        correction: `float32[people]`.
        precedents: Place of each edge's precedent: `int64[edges]`.
        people: Numbers of the people: `int64[people]`.
        text: `float32[questions, dimensions]`.
        wishes: `float32[questions, skills]`.
        units: `float32[questions, units]`, rows of sum 1 or 0.
        questions: How many.
        part: Which ones of the step.
    """

    edges: Tensor
    edge_question: Tensor
    teams: Tensor
    mentor_arcs: Tensor
    mentee_arcs: Tensor
    pairs: Tensor
    pair_question: Tensor
    together: Tensor
    together_weight: Tensor
    correction: Tensor
    precedents: Tensor
    people: Tensor
    text: Tensor
    wishes: Tensor
    units: Tensor
    questions: int
    part: Part

    @classmethod
    def of(cls, found: Sequence[Evidence], units: int, part: Part | None = None) -> "Batch":
        """Puts the evidence for several questions together, which are the whole step if no part is named."""
        edge_starts = np.cumsum([0, *(len(each.precedents) for each in found)])
        pair_starts = np.cumsum([0, *(len(each.people) for each in found)])

        own_units = np.zeros((len(found), units), np.float32)
        for place, each in enumerate(found):
            own_units[place, each.units] = 1 / max(1, len(each.units))

        def arcs(name: str) -> Tensor:
            shifted = [
                getattr(each, name) + np.array([[edge], [pair]])
                for each, edge, pair in zip(found, edge_starts, pair_starts, strict=False)
            ]
            return torch.from_numpy(np.concatenate(shifted, axis=1))

        links = [each.together.tocoo() for each in found]
        together = [np.stack(each.coords) + start for each, start in zip(links, pair_starts, strict=False)]

        def joined(values: list[np.ndarray]) -> Tensor:
            return torch.from_numpy(np.concatenate(values))

        return cls(
            joined([each.edges for each in found]).float(),
            torch.from_numpy(np.repeat(np.arange(len(found)), np.diff(edge_starts))),
            joined([each.teams for each in found]),
            arcs("mentor_arcs"),
            arcs("mentee_arcs"),
            joined([each.pairs for each in found]).float(),
            torch.from_numpy(np.repeat(np.arange(len(found)), np.diff(pair_starts))),
            torch.from_numpy(np.concatenate(together, axis=1).astype(np.int64)),
            joined([each.data for each in links]),
            joined([each.correction for each in found]),
            joined([each.precedents for each in found]),
            joined([each.people for each in found]),
            torch.from_numpy(np.stack([each.text for each in found])),
            torch.from_numpy(np.stack([each.wishes for each in found])),
            torch.from_numpy(own_units),
            len(found),
            part or Part(len(found), tuple(range(len(found)))),
        )

    def to(self, device: str) -> "Batch":
        """The same on another device."""
        told = ((each.name, getattr(self, each.name)) for each in fields(self))
        moved: dict[str, Any] = {name: value.to(device) for name, value in told if isinstance(value, Tensor)}
        return replace(self, **moved)


@dataclass(frozen=True)
class Graph:
    """The message graph as the encoder takes it.

    Attributes:
        text: `float32[precedents, dimensions]`.
        skill, unit: Row of each among the id embeddings, 0 if it is not there: `int64[skills]`, `int64[units]`.
        links: By the names of `LINKS`.
    """

    text: Tensor
    skill: Tensor
    unit: Tensor
    links: Mapping[str, Links]

    @classmethod
    def of(cls, graph: MessageGraph, skills: Tensor, units: Tensor, *, kept: float = 1.0) -> "Graph":
        """Takes a message graph.

        Args:
            graph: The graph.
            skills: See `Graph.skill`.
            units: See `Graph.unit`.
            kept: The share of the pairings that carry messages, chosen by chance.
        """
        links = {}
        for name in LINKS:
            matrix: sparse.csr_array = getattr(graph, name)
            if name == "pairings" and kept < 1:
                drawn = (torch.rand(matrix.nnz) < kept).numpy()
                data = (matrix.data * drawn / kept).astype(np.float32)
                matrix = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
            links[name] = Links.of(matrix)
        return cls(torch.from_numpy(graph.text), skills, units, links)

    def to(self, device: str) -> "Graph":
        """The same on another device."""
        links = {name: each.to(device) for name, each in self.links.items()}
        return Graph(self.text.to(device), self.skill.to(device), self.unit.to(device), links)


class Encoder(nn.Module):
    """Two hops: skills, units and texts make goals; offers, memberships and the goals of past pairings make people.

    Args:
        skills: Number of skills with an embedding of their own.
        units: The same of units.
        dimensions: Of the texts.
    """

    def __init__(self, skills: int, units: int, dimensions: int) -> None:
        super().__init__()
        self.skill = nn.Embedding(skills + 1, ENCODED, padding_idx=0)
        self.unit = nn.Embedding(units + 1, ENCODED, padding_idx=0)
        self.text = nn.Linear(dimensions, ENCODED)
        for table in (self.skill, self.unit):
            nn.init.normal_(table.weight, std=0.3)
            with torch.no_grad():
                table.weight[0] = 0
        self.send = nn.ModuleDict({name: LinkConv(ENCODED, ENCODED) for name in LINKS})

    def forward(self, graph: Graph, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors of the asking goals, of the precedents and of all people: `float32[…, ENCODED]`, of length 1."""
        skill, links = self.skill(graph.skill), graph.links
        skill = skill + self.send["broader"]((skill, skill), links["broader"])
        unit = self.unit(graph.unit)
        goal = self._goals(self.text(graph.text), skill, links["wishes"], unit, links["units"])
        wishes, units = (Links(each, each.T) for each in (batch.wishes, batch.units))
        asker = self._goals(self.text(batch.text), skill, wishes, unit, units)
        person = torch.zeros(links["offers"].forth.shape[0], ENCODED, device=skill.device)
        for name, nodes in (("offers", skill), ("members", unit), ("pairings", goal)):
            person = person + self.send[name]((nodes, None), links[name])
        normalize = nn.functional.normalize
        return normalize(asker, dim=1), normalize(goal, dim=1), normalize(person, dim=1)

    def _goals(self, own: Tensor, skill: Tensor, wishes: Links, unit: Tensor, units: Links) -> Tensor:
        """What goals become by their texts, wishes and units."""
        sent = self.send["wishes"]((skill, own), wishes) + self.send["units"]((unit, own), units)
        return nn.functional.gelu(sent)


class Network(nn.Module):
    """Scores of people for questions.

    Args:
        edge_scale: Mean and deviation of the edge features: `float32[2, EDGE_FEATURES]`.
        skills: Number of skills with an embedding of their own.
        units: The same of units.
        dimensions: Of the texts.
        share: Which part of each step this process has.
    """

    def __init__(self, edge_scale: Tensor, skills: int, units: int, dimensions: int, share: Share = ALONE) -> None:
        super().__init__()
        self.share = share
        features = len(EDGE_FEATURES) + 1
        self.encoder = Encoder(skills, units, dimensions)
        self.edge_scale: Tensor
        self.register_buffer("edge_scale", edge_scale)
        self.edge_hidden = nn.Linear(features, HIDDEN)
        self.attend = nn.Linear(features, HEADS, bias=False)
        self.attend_hidden = nn.Linear(HIDDEN, HEADS, bias=False)
        self.sharpness = nn.Parameter(torch.zeros(HEADS))
        self.team = nn.Parameter(torch.full((HEADS,), 0.3))
        self.value = nn.Linear(HIDDEN, VALUES)
        inputs = 5 * HEADS + 2 * VALUES + len(PAIR_FEATURES) + GROUPS + 1
        self.norm = SharedNorm(inputs, eps=NORM_EPSILON, affine=False)
        self.first = nn.Linear(inputs, WIDTH)
        self.second = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, 1)
        self.skip = nn.Linear(inputs, 1, bias=False)
        nn.init.normal_(self.attend.weight, std=0.1)
        with torch.no_grad():
            self.attend.weight[:, EDGE_FEATURES.index("full scaled")] += 1.0
            self.skip.weight.zero_()

    def forward(self, batch: Batch, graph: Graph) -> Tensor:
        """`float32[people]`: the score of each pair."""
        asker, goal, person = self.encoder(graph, batch)
        near = (asker[batch.edge_question] * goal[batch.precedents]).sum(dim=1, keepdim=True)
        scaled = (batch.edges - self.edge_scale[0]) / self.edge_scale[1]
        edges = torch.cat([scaled.clamp(-FURTHEST, FURTHEST), 2 * near], dim=1)
        parts = asker[batch.pair_question] * person[batch.people]
        parts = parts.reshape(len(parts), GROUPS, ENCODED // GROUPS).sum(dim=2)
        people = len(batch.pairs)
        hidden = nn.functional.gelu(self.edge_hidden(edges))
        logits = (self.attend(edges) + self.attend_hidden(hidden)) * torch.exp(self.sharpness)
        attention = softmax(logits, batch.edge_question, num_nodes=batch.questions)
        values = nn.functional.softplus(self.value(hidden))
        edge, mentor = batch.mentor_arcs
        share = torch.exp(-self.team * torch.log(batch.teams)[:, None])
        mass = scatter((attention * share)[edge], mentor, dim_size=people, reduce="sum")
        highest = scatter(logits, batch.edge_question, dim_size=batch.questions, reduce="max")
        below = (logits - highest[batch.edge_question]).clamp(min=LEAST_LOGIT) - LEAST_LOGIT
        nearest = scatter(below[edge], mentor, dim_size=people, reduce="max")
        greatest = scatter(mass, batch.pair_question, dim_size=batch.questions, reduce="max")
        one, other = batch.together
        beside = scatter(mass[one] * batch.together_weight[:, None], other, dim_size=people, reduce="sum")
        edge_of_mentee, mentee = batch.mentee_arcs
        as_mentee = scatter(attention[edge_of_mentee], mentee, dim_size=people, reduce="sum")
        inputs = torch.cat(
            [
                torch.log(mass + LEAST_MASS),
                mass / (greatest[batch.pair_question] + LEAST_MASS),
                nearest,
                torch.log1p(scatter(values[edge], mentor, dim_size=people, reduce="sum")),
                scatter(values[edge], mentor, dim_size=people, reduce="max"),
                torch.log(beside + LEAST_MASS),
                torch.log(as_mentee + LEAST_MASS),
                batch.pairs,
                parts,
                parts.sum(dim=1, keepdim=True),
            ],
            dim=1,
        )
        counted = torch.full((people, 1), float(batch.part.counts), device=inputs.device)
        inputs = self.norm.normalised(inputs, counted, self.share).clamp(-FURTHEST, FURTHEST)
        deep = self._drop(inputs, batch)
        deep = self._drop(torch.relu(self.first(deep)), batch)
        deep = self._drop(torch.relu(self.second(deep)), batch)
        scores: Tensor = (self.last(deep) + self.skip(inputs))[:, 0]
        return scores

    def _drop(self, values: Tensor, batch: Batch) -> Tensor:
        """Dropout with one mask a question: people are compared under the same mask, and little chance is drawn."""
        if not self.training:
            return values
        kept = (torch.rand(batch.part.whole, values.shape[1]) >= DROPOUT) / (1 - DROPOUT)
        return values * kept[list(batch.part.places)].to(values.device)[batch.pair_question]
