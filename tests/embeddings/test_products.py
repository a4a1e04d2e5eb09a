"""Products along links are the messages that torch-geometric sends along `edge_index`, in both directions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch_geometric.nn import GraphConv

from mentorgraph.embeddings.products import LinkConv, Links


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40), st.floats(0, 0.6))
def test_along_links_and_along_edge_index_it_is_the_same(seed: int, sources: int, targets: int, share: float) -> None:
    draws = np.random.default_rng(seed)
    matrix = sparse.random_array((targets, sources), density=share, dtype=np.float32, rng=draws).tocsr()
    torch.manual_seed(seed)
    ours, peer = LinkConv(6, 4), GraphConv(6, 4)
    peer.load_state_dict(ours.state_dict())
    rows, columns = matrix.tocoo().coords
    edges = torch.from_numpy(np.stack([columns, rows]).astype(np.int64))
    found = []
    for conv in (ours, peer):
        draws = np.random.default_rng(seed)
        nodes = (torch.from_numpy(draws.normal(size=(n, 6)).astype(np.float32)) for n in (sources, targets))
        source, target = (each.requires_grad_() for each in nodes)
        sent = (
            conv((source, target), Links.of(matrix))
            if conv is ours
            else conv((source, target), edges, torch.from_numpy(matrix.tocoo().data))
        )
        (sent**2).sum().backward()
        found.append([sent.detach(), source.grad, target.grad, conv.lin_rel.weight.grad])
    for one, other in zip(*found, strict=True):
        assert one is not None
        assert other is not None
        assert (one - other).abs().max() <= 1e-5 * max(1, other.abs().max())


def test_a_transpose_that_is_none_would_be_seen() -> None:
    """The control: gradients that go the wrong way are others."""
    matrix = sparse.csr_array(np.array([[0, 1, 0], [0, 0, 2], [0, 0, 0]], np.float32))
    right, wrong = Links.of(matrix), Links(Links.of(matrix).forth, Links.of(matrix).forth)
    gradients = []
    for links in (right, wrong):
        values = torch.ones(3, 1, requires_grad=True)
        links.product(values)[0].sum().backward()  # type: ignore[no-untyped-call]
        assert values.grad is not None
        gradients.append(values.grad[:, 0].tolist())
    assert gradients[0] == [0, 1, 0] == pytest.approx(matrix.toarray()[0])
    assert gradients[1] != gradients[0]
