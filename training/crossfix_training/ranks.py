"""The processes of one training run, one for each GPU: those that `torchrun` starts, or this process alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Ranks:
    """Every rank has a network with the same weights, and its own share of a batch."""

    def __init__(self) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(self.device)
        else:
            self.device = torch.device("cpu")
        if self.size > 1:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=timedelta(hours=2))  # rank 0 may fill a cache first

    @property
    def first(self) -> bool:
        """Whether this is the rank that validates, logs and saves."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """This rank's part of a batch, which all ranks share evenly."""
        if batch % self.size:
            raise ValueError(f"--batch {batch} does not divide among {self.size} processes")
        return batch // self.size

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Rank 0 runs the body before the others do, for example to write what they read."""
        if self.size > 1 and not self.first:
            dist.barrier()
        yield
        if self.size > 1 and self.first:
            dist.barrier()

    def agree(self, value: float) -> float:
        """Returns the value of rank 0."""
        if self.size == 1:
            return value
        agreed = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.broadcast(agreed, 0)
        return agreed.item()

    def same_weights(self, modules: Iterable[nn.Module]) -> None:
        """Gives all ranks the weights and buffers of rank 0."""
        if self.size > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    dist.broadcast(tensor, 0)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replaces gradients by their means over the ranks, in one message."""
        gradients = [p.grad for p in parameters if p.grad is not None] if self.size > 1 else []
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            parts = (flat / self.size).split([gradient.numel() for gradient in gradients])
            for gradient, part in zip(gradients, parts):
                gradient.copy_(part.view_as(gradient))
