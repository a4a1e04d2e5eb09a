"""The network: the asking goal attends over precedents that are like it, and the attention flows on to people.

Each head weighs precedents by their likeness, its mass flows to those who mentored in them, to their co-mentors, and to
mentees who became mentors. What reaches a person, and what is known of the pair, becomes one score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch_geometric.utils import scatter, softmax

from mentorgraph.embeddings.evidence import EDGE_FEATURES, PAIR_FEATURES, Evidence

HEADS = 8
HIDDEN = 32
VALUES = 12
WIDTH = 64
DROPOUT = 0.3
LEAST_MASS = 1e-4
LEAST_LOGIT = -12.0


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
        questions: How many.
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
    questions: int

    @classmethod
    def of(cls, found: Sequence[Evidence]) -> "Batch":
        """Puts the evidence for several questions together."""
        edge_starts = np.cumsum([0, *(len(each.precedents) for each in found)])
        pair_starts = np.cumsum([0, *(len(each.people) for each in found)])

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
            len(found),
        )


class Network(nn.Module):
    """Scores of people for questions.

    Args:
        edge_scale: Mean and deviation of the edge features: `float32[2, EDGE_FEATURES]`.
    """

    def __init__(self, edge_scale: Tensor) -> None:
        super().__init__()
        features = len(EDGE_FEATURES)
        self.register_buffer("edge_scale", edge_scale)
        self.edge_hidden = nn.Linear(features, HIDDEN)
        self.attend = nn.Linear(features, HEADS, bias=False)
        self.attend_hidden = nn.Linear(HIDDEN, HEADS, bias=False)
        self.sharpness = nn.Parameter(torch.zeros(HEADS))
        self.team = nn.Parameter(torch.full((HEADS,), 0.3))
        self.value = nn.Linear(HIDDEN, VALUES)
        inputs = 5 * HEADS + 2 * VALUES + len(PAIR_FEATURES)
        self.norm = nn.BatchNorm1d(inputs, affine=False)
        self.first = nn.Linear(inputs, WIDTH)
        self.second = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, 1)
        self.skip = nn.Linear(inputs, 1, bias=False)
        self.drop = nn.Dropout(DROPOUT)
        nn.init.normal_(self.attend.weight, std=0.1)
        with torch.no_grad():
            self.attend.weight[:, EDGE_FEATURES.index("full scaled")] += 1.0
            self.skip.weight.zero_()

    def forward(self, batch: Batch) -> Tensor:
        """`float32[people]`: the score of each pair."""
        edges = (batch.edges - self.edge_scale[0]) / self.edge_scale[1]
        people = len(batch.pairs)
        hidden = nn.functional.gelu(self.edge_hidden(edges))
        logits = (self.attend(edges) + self.attend_hidden(hidden)) * torch.exp(self.sharpness)
        attention = softmax(logits, batch.edge_question, num_nodes=batch.questions)
        values = nn.functional.softplus(self.value(hidden))
        edge, person = batch.mentor_arcs
        share = torch.exp(-self.team * torch.log(batch.teams)[:, None])
        mass = scatter((attention * share)[edge], person, dim_size=people, reduce="sum")
        highest = scatter(logits, batch.edge_question, dim_size=batch.questions, reduce="max")
        below = (logits - highest[batch.edge_question]).clamp(min=LEAST_LOGIT) - LEAST_LOGIT
        nearest = scatter(below[edge], person, dim_size=people, reduce="max")
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
                torch.log(beside + LEAST_MASS),
                torch.log(as_mentee + LEAST_MASS),
                torch.log1p(scatter(values[edge], person, dim_size=people, reduce="sum")),
                scatter(values[edge], person, dim_size=people, reduce="max"),
                batch.pairs,
            ],
            dim=1,
        )
        inputs = self.norm(inputs)
        deep = self.drop(nn.functional.gelu(self.first(self.drop(inputs))))
        deep = self.drop(nn.functional.gelu(self.second(deep)))
        return (self.last(deep) + self.skip(inputs))[:, 0]
