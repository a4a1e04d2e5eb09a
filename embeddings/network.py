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

from mentorgraph.embeddings.evidence import EDGE_FEATURES, PAIR_FEATURES, Evidence
from mentorgraph.embeddings.inference import (
    FURTHEST,
    GROUPS,
    HEADS,
    HIDDEN,
    LEAST_LOGIT,
    LEAST_MASS,
    LEAST_SUM,
    LINKS,
    NORM_EPSILON,
    VALUES,
    WIDTH,
)
from mentorgraph.embeddings.message_graph import ENCODED, MessageGraph
from mentorgraph.embeddings.parallel import ALONE, Share, SharedNorm
from mentorgraph.embeddings.products import LinkConv, Links
from mentorgraph.graph.columns.table import Numbers

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
        edge_question: `int64[edges]`, ascending.
        teams: `float32[edges]`.
        mentor_arcs, mentee_arcs: Edge and person: `int64[2, arcs]`, by ascending person.
        pairs: `float32[people, PAIR_FEATURES]`.
        pair_question: `int64[people]`, ascending.
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
            shifted = np.concatenate(
                [
                    getattr(each, name) + np.array([[edge], [pair]])
                    for each, edge, pair in zip(found, edge_starts, pair_starts, strict=False)
                ],
                axis=1,
            )
            return torch.from_numpy(shifted[:, np.argsort(shifted[1], kind="stable")])

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
        skill, unit: What tells them apart: `float32[skills, ENCODED]`, `float32[units, ENCODED]`.
        person: Row of each person among those whom messages reach: `int64[people]`.
        links: By the names of `LINKS`.
    """

    text: Tensor
    skill: Tensor
    unit: Tensor
    person: Tensor
    links: Mapping[str, Links]

    @classmethod
    def of(cls, graph: MessageGraph, *, among: Numbers | None = None, kept: float = 1.0) -> "Graph":
        """Takes a message graph.

        Args:
            graph: The graph.
            among: Numbers of those whom messages reach, ascending; everybody by default.
            kept: The share of the pairings that carry messages, chosen by chance.
        """
        people = graph.pairings.shape[0]
        row = np.arange(people)
        if among is not None:
            row[among] = np.arange(len(among))
        links = {}
        for name, (_, target) in LINKS.items():
            matrix: sparse.csr_array = getattr(graph, name)
            if among is not None and target == "person":
                matrix = sparse.csr_array(matrix[among])
            if name == "pairings" and kept < 1:
                drawn = (torch.rand(matrix.nnz) < kept).numpy()
                data = (matrix.data * drawn / kept).astype(np.float32)
                matrix = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
            links[name] = Links.of(matrix)
        text, skill, unit, person = (torch.from_numpy(each) for each in (graph.text, graph.skill, graph.unit, row))
        return cls(text, skill, unit, person, links)

    def to(self, device: str) -> "Graph":
        """The same on another device."""
        links = {name: each.to(device) for name, each in self.links.items()}
        text, skill, unit, person = (each.to(device) for each in (self.text, self.skill, self.unit, self.person))
        return Graph(text, skill, unit, person, links)


class Encoder(nn.Module):
    """Two hops: skills, units and texts make goals; offers, memberships and the goals of past pairings make people.

    Args:
        dimensions: Of the texts.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.text = nn.Linear(dimensions, ENCODED)
        self.send = nn.ModuleDict({name: LinkConv(ENCODED, ENCODED) for name in LINKS})

    def forward(self, graph: Graph, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors of the asking goals, the precedents and whom messages reach: `float32[…, ENCODED]`, of length 1."""
        skill, unit, links = graph.skill, graph.unit, graph.links
        skill = skill + self.send["broader"]((skill, skill), links["broader"])
        goal = self._goals(graph.text, skill, links["wishes"], unit, links["units"])
        wishes, units = (Links(each, each.T) for each in (batch.wishes, batch.units))
        asker = self._goals(batch.text, skill, wishes, unit, units)
        person = torch.zeros(links["offers"].forth.shape[0], ENCODED, device=skill.device)
        for name, nodes in (("offers", skill), ("members", unit), ("pairings", goal)):
            person = person + self.send[name]((nodes, None), links[name])
        normalize = nn.functional.normalize
        return normalize(asker, dim=1), normalize(goal, dim=1), normalize(person, dim=1)

    def _goals(self, text: Tensor, skill: Tensor, wishes: Links, unit: Tensor, units: Links) -> Tensor:
        """What goals become by their texts, wishes and units.

        The layer of the text and those of the goals themselves follow one another, so they are one product.
        """
        wish, unit_of = (self.send.get_parameter(f"{name}.lin_root.weight") for name in ("wishes", "units"))
        own = wish + unit_of
        sent = self.send["wishes"]((skill, None), wishes) + self.send["units"]((unit, None), units)
        return nn.functional.gelu(sent + nn.functional.linear(text, own @ self.text.weight, own @ self.text.bias))


class Network(nn.Module):
    """Scores of people for questions.

    Args:
        edge_scale: Mean and deviation of the features of edges: `float32[2, features]`.
        dimensions: Of the texts.
        share: Which part of each step this process has.
    """

    def __init__(self, edge_scale: Tensor, dimensions: int, share: Share = ALONE) -> None:
        super().__init__()
        self.share = share
        features = edge_scale.shape[1] + 1
        self.encoder = Encoder(dimensions)
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
        near = (goal @ asker.T).reshape(-1, 1).index_select(0, batch.precedents * batch.questions + batch.edge_question)
        scaled = (batch.edges - self.edge_scale[0]) / self.edge_scale[1]
        edges = torch.cat([scaled.clamp(-FURTHEST, FURTHEST), 2 * near], dim=1)
        groups = [each.reshape(-1, GROUPS, ENCODED // GROUPS).transpose(0, 1) for each in (person, asker)]
        dots = (groups[0] @ groups[1].transpose(1, 2)).permute(1, 2, 0).reshape(-1, GROUPS)
        parts = dots.index_select(0, graph.person[batch.people] * batch.questions + batch.pair_question)
        people = len(batch.pairs)
        hidden = nn.functional.gelu(self.edge_hidden(edges))
        logits = (self.attend(edges) + self.attend_hidden(hidden)) * torch.exp(self.sharpness)
        of_question = batch.edge_question
        below = logits - maxima(logits, of_question, batch.questions).index_select(0, of_question)
        odds = torch.exp(below)
        attention = odds / sums(odds, of_question, batch.questions).clamp(min=LEAST_SUM).index_select(0, of_question)
        values = nn.functional.softplus(self.value(hidden))
        flow = attention * torch.exp(-self.team * torch.log(batch.teams)[:, None])
        edge, mentor = batch.mentor_arcs
        carried = sums(torch.cat([flow, values], dim=1).index_select(0, edge), mentor, people)
        mass, summed = torch.split(carried, [HEADS, VALUES], dim=1)
        above = below.clamp(min=LEAST_LOGIT) - LEAST_LOGIT
        highest = maxima(torch.cat([above, values], dim=1).index_select(0, edge), mentor, people)
        nearest, strongest = torch.split(highest, [HEADS, VALUES], dim=1)
        greatest = maxima(mass, batch.pair_question, batch.questions).index_select(0, batch.pair_question)
        one, other = batch.together
        beside = sums(mass.index_select(0, one) * batch.together_weight[:, None], other, people)
        edge_of_mentee, mentee = batch.mentee_arcs
        as_mentee = sums(attention.index_select(0, edge_of_mentee), mentee, people)
        inputs = torch.cat(
            [
                torch.log(mass + LEAST_MASS),
                mass / (greatest + LEAST_MASS),
                nearest,
                torch.log1p(summed),
                strongest,
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
        return values * kept[list(batch.part.places)].to(values.device).index_select(0, batch.pair_question)


def sums(values: Tensor, rows: Tensor, number: int) -> Tensor:
    """Sums of values by their rows: `float32[number, features]`."""
    return values.new_zeros(number, values.shape[1]).index_add(0, rows, values)


def maxima(values: Tensor, rows: Tensor, number: int) -> Tensor:
    """Maxima of values by their rows, which ascend; 0 for rows without any: `float32[number, features]`."""
    lengths = torch.bincount(rows, minlength=number)
    found = torch.segment_reduce(values, "max", lengths=lengths, axis=0, unsafe=True)
    return torch.where(lengths[:, None] > 0, found, 0)
