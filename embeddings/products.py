"""Messages as sparse matrix products: a matrix is kept with its transpose, so that both ways of a step are one product.

Gathering and scattering along `edge_index` moves each message through memory several times; a product of a matrix that
is compressed by row does not. With 32-bit numbers of rows the kernels of torch need no copy of it.
"""

from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch_geometric.nn import GraphConv


@dataclass(frozen=True, eq=False)
class Links:
    """Weighted links from some nodes to others.

    Attributes:
        forth: `float32[targets, sources]`, compressed by row.
        back: Its transpose.
    """

    forth: Tensor
    back: Tensor

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> "Links":
        """Takes a matrix `[targets, sources]`."""
        return cls(_compressed(matrix), _compressed(sparse.csr_array(matrix.T)))

    def to(self, device: str) -> "Links":
        """The same on another device."""
        return Links(self.forth.to(device), self.back.to(device))

    def product(self, values: Tensor) -> Tensor:
        """What arrives at the targets, of what the sources send: `float32[targets, features]`."""
        found: Tensor = _Product.apply(self.forth, self.back, values)
        return found


class _Product(torch.autograd.Function):
    """A product with a matrix that is not learned."""

    @staticmethod
    def forward(context: Any, forth: Tensor, back: Tensor, values: Tensor) -> Tensor:
        context.back = back
        found: Tensor = forth @ values
        return found

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[None, None, Tensor]:
        return None, None, context.back @ gradient


class LinkConv(GraphConv):  # type: ignore[misc]  # torch-geometric has no types
    """torch-geometric's GraphConv (Morris et al. 2019) along `Links`; along `edge_index` it is the same to 1e-5."""

    def forward(self, nodes: tuple[Tensor, Tensor | None], links: Links) -> Tensor:
        """What the targets become: `float32[targets, features]`."""
        sources, targets = nodes
        found: Tensor
        if len(sources) < links.forth.shape[0]:  # the linear layer goes over the fewer rows
            found = links.product(nn.functional.linear(sources, self.lin_rel.weight)) + self.lin_rel.bias
        else:
            found = self.lin_rel(links.product(sources))
        return found if targets is None else found + self.lin_root(targets)


def _compressed(matrix: sparse.csr_array) -> Tensor:
    ends, columns = (torch.from_numpy(each.astype(np.int32)) for each in (matrix.indptr, matrix.indices))
    with catch_warnings():
        simplefilter("ignore")  # torch calls its compressed tensors a beta
        return torch.sparse_csr_tensor(ends, columns, torch.from_numpy(matrix.data), size=matrix.shape)
