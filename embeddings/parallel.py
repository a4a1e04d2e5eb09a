"""Several processes that teach one network together, as torchrun starts them: one machine's cores, or several machines.

Each process holds the graph and its share of the lessons. What a step needs of all of them is summed: the statistics of
the normalisation, the gradients and the loss. So the processes teach the network that one alone would have taught.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from mentorgraph.graph.errors import DomainError

ItemT = TypeVar("ItemT")

CPU, CUDA = "cpu", "cuda"
DEVICES = (CPU, CUDA)


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the lessons one process has: each `size`-th one, from `rank` on.

    Attributes:
        rank: Number of the process, from 0 on; the first one tells and publishes.
        size: How many there are.
        device: Where it computes.
    """

    rank: int = 0
    size: int = 1
    device: str = CPU

    @property
    def is_first(self) -> bool:
        """Whether this process tells how far they are and does what is done once."""
        return self.rank == 0

    def owns(self, place: int) -> bool:
        """Whether the lesson at a place of the whole is this process's."""
        return place % self.size == self.rank

    def own(self, items: Sequence[ItemT]) -> Sequence[ItemT]:
        """Of some items, those at the places that this process owns."""
        return items[self.rank :: self.size]

    def gathered(self, own: Sequence[ItemT]) -> list[ItemT]:
        """The items of all processes in the order of the whole, as each process gets them."""
        if self.size == 1:
            return list(own)
        parts: list[Any] = [None] * self.size
        distributed.all_gather_object(parts, list(own))
        return [parts[place % self.size][place // self.size] for place in range(sum(map(len, parts)))]

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, through which gradients flow."""
        if self.size == 1:
            return values
        found: Tensor = _Sum.apply(values)
        return found

    def sum_gradients(self, network: nn.Module) -> None:
        """Gives each parameter the sum of its gradients over all processes."""
        if self.size == 1:
            return
        parameters = [each for each in network.parameters() if each.requires_grad]
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
        whole = torch.cat([each.flatten() for each in gradients])
        distributed.all_reduce(whole)
        for parameter, gradient in zip(
            parameters, torch.split(whole, [each.numel() for each in parameters]), strict=True
        ):
            parameter.grad = gradient.view_as(parameter)


ALONE = Share()


class _Sum(torch.autograd.Function):
    """A sum over processes; each process's values have a part in every process's loss, so gradients are summed too."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


class SharedNorm(nn.BatchNorm1d):
    """Batch normalisation without scale and shift whose batch is that of all processes (Ioffe and Szegedy 2015).

    torch's own synchronised one works on GPUs only.
    """

    def normalised(self, values: Tensor, counted: Tensor, share: Share) -> Tensor:
        """`float32[rows, features]`, normalised.

        Args:
            values: `float32[rows, features]`.
            counted: 1 for the rows that count, 0 for others: `float32[rows, 1]`.
            share: Of what these rows are a part.
        """
        if share.size == 1 or not self.training:
            found: Tensor = self(values)
            return found
        rows = share.sum(counted.sum())
        mean = share.sum((values * counted).sum(dim=0)) / rows
        variance = share.sum(((values - mean).square() * counted).sum(dim=0)) / rows
        momentum = self.momentum or 0.0
        with torch.no_grad():
            assert self.running_mean is not None  # noqa: S101
            assert self.running_var is not None  # noqa: S101
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * rows / (rows - 1), momentum)
        return (values - mean) / torch.sqrt(variance + self.eps)


@contextmanager
def shared(device: str = CPU) -> Iterator[Share]:
    """This process's share in what torchrun started, or all of it where nothing did.

    Args:
        device: `cpu`, or `cuda` for a GPU.

    Raises:
        DomainError: `NO_DEVICE`, there is no such device here.
    """
    if device == CUDA and not torch.cuda.is_available():
        raise DomainError(
            "there is no GPU that this torch can use, so nothing can be taught on cuda; leave --device away",
            code="NO_DEVICE",
        )
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Share(device=device)
        return
    if device == CUDA:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if device == CUDA else "gloo")
    try:
        yield Share(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()
