"""A training step along `Links` beside the same step of torch-geometric's LightGCN along `edge_index`.

Both have the same graph, the same beginning, the same layers and size, and the loss of LightGCN (BPR, Rendle et al.
2009). What differs is how messages are sent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch_geometric.nn.models import LightGCN

from mentorgraph.embeddings.products import Links

RATE, PAIRS = 1e-3, 8_192
WARMING_UP = 2


@dataclass(frozen=True)
class Steps:
    """What was measured.

    Attributes:
        ours: Seconds of each step along `Links`.
        peer: Seconds of each step along `edge_index`, taken in turns with ours.
        apart: The largest difference between the two in the first step, of vectors and of gradients, each over the
            largest of them.
        edges: Number of directed edges.
        threads: Threads that torch had.
    """

    ours: list[float]
    peer: list[float]
    apart: float
    edges: int
    threads: int


class _AlongLinks(torch.nn.Module):
    """LightGCN (He et al. 2020): the mean of the embeddings and of what each further hop makes of them."""

    def __init__(self, beginning: Tensor, layers: int, links: Links) -> None:
        super().__init__()
        self.embedding = torch.nn.Parameter(beginning.clone())
        self.layers, self.links = layers, links

    def forward(self) -> Tensor:
        """`float32[nodes, dimensions]`."""
        hop: Tensor = self.embedding
        total: Tensor = self.embedding
        for _ in range(self.layers):
            hop = self.links.product(hop)
            total = total + hop
        return total / (self.layers + 1)


def measure(
    people: int, pairings: int, dimensions: int, layers: int, steps: int, seed: int, progress: Callable[[int], None]
) -> Steps:
    """Times steps in turns, on a random bipartite graph with a skewed number of pairings per mentor.

    Args:
        people: Nodes, a tenth of them mentors.
        pairings: Undirected edges.
        dimensions: Size of the embeddings.
        layers: Number of hops.
        steps: How many steps of each are timed, after two to warm up.
        seed: Decides the graph and the beginning.
        progress: Told how many steps are done.
    """
    draws = np.random.default_rng(seed)
    mentors = max(2, people // 10)
    mentor = (mentors * draws.random(pairings) ** 2).astype(np.int64)
    mentee = draws.integers(mentors, people, pairings)
    ends = np.unique(np.stack([mentor, mentee]), axis=1)
    both = np.concatenate([ends, ends[::-1]], axis=1)
    degree = np.bincount(both[0], minlength=people)
    weight = (1 / np.sqrt(degree[both[0]] * degree[both[1]])).astype(np.float32)
    links = Links.of(sparse.csr_array((weight, (both[1], both[0])), shape=(people, people)))
    torch.manual_seed(seed)
    theirs = LightGCN(people, dimensions, layers)
    torch.nn.init.normal_(theirs.embedding.weight, std=0.3)
    edges = torch.from_numpy(both)
    ours = _AlongLinks(theirs.embedding.weight.detach(), layers, links)

    def ours_forward() -> Tensor:
        return ours()  # type: ignore[no-any-return]

    def peer_forward() -> Tensor:
        return theirs.get_embedding(edges)  # type: ignore[no-any-return]

    optimizers = [torch.optim.Adam(each.parameters(), lr=RATE) for each in (ours, theirs)]
    seconds: tuple[list[float], list[float]] = ([], [])
    apart = 0.0
    for number in range(WARMING_UP + steps):
        chosen = torch.from_numpy(draws.integers(0, ends.shape[1], PAIRS))
        other = torch.from_numpy(draws.integers(0, mentors, PAIRS))
        made: list[tuple[Tensor, Tensor]] = []
        for forward, optimizer, times in zip((ours_forward, peer_forward), optimizers, seconds, strict=True):
            began = time.perf_counter()
            vectors = forward()
            asking = vectors[torch.from_numpy(ends[1])[chosen]]
            better = (asking * vectors[torch.from_numpy(ends[0])[chosen]]).sum(dim=1)
            loss = torch.nn.functional.softplus((asking * vectors[other]).sum(dim=1) - better).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            times.append(time.perf_counter() - began)
            if number == 0:
                [embedding] = optimizer.param_groups[0]["params"]
                made.append((vectors.detach(), embedding.grad.clone()))
        for one, other in zip(*made, strict=True) if made else ():
            apart = max(apart, float((one - other).abs().max() / other.abs().max()))
        progress(number + 1)
    return Steps(seconds[0][WARMING_UP:], seconds[1][WARMING_UP:], apart, both.shape[1], torch.get_num_threads())
