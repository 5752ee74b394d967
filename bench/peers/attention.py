"""PyTorch's scaled dot-product attention, with each backend forced in turn, on slices of fused projections."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import contest
import timing

HEADS = 8
BACKENDS = ("FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION")
# Each result and each weight is rounded to bf16, with a relative error of 2^-9.
BOUND = 1e-2
L2_MULTIPLE = 3  # inputs rotate through this many times the L2 size, so that none is found there


@dataclass(frozen=True)
class Shape:
    dim: int
    queries: int
    keys: int
    batch: int

    @property
    def name(self) -> str:
        return f"D{self.dim}/{self.queries}x{self.keys}/batch:{self.batch}"

    @property
    def flop(self) -> float:
        """Two products of 2 x queries x keys x dim each."""
        return 4.0 * self.batch * HEADS * self.queries * self.keys * self.dim

    @property
    def bytes(self) -> int:
        """Bytes of the fused projections that are read, and of the output."""
        fused = self.batch * (self.queries + 2 * self.keys) * HEADS * self.dim
        return 2 * (fused + self.batch * self.queries * HEADS * self.dim)


SHAPES = (
    *(
        Shape(32, queries, keys, batch)
        for queries, keys in ((2048, 2048), (1024, 1024), (600, 1024))
        for batch in (1, 8, 32, 64)
    ),
    Shape(64, 2048, 2048, 8),
    Shape(128, 2048, 2048, 8),
)


def input_sets(shape: Shape, l2_bytes: int) -> int:
    """Number of input sets that the timed launches rotate through."""
    return max(1, min(64, -(-L2_MULTIPLE * l2_bytes // shape.bytes)))


class Peer:
    """One backend at one shape."""

    def __init__(self, shape: Shape, backend: str, l2_bytes: int) -> None:
        self.shape, self.backend, self.l2_bytes = shape, backend, l2_bytes
        self.replay: Callable[[], object] | None = None
        self.sets = 0

    def views(self, seed: int):
        """q, k, v [batch, head, token, dim], as slices of [batch, token, 3, head, dim]."""
        import torch

        shape = self.shape
        generator = torch.Generator("cuda").manual_seed(seed)

        def fused(tokens: int):
            size = (shape.batch, tokens, 3, HEADS, shape.dim)
            values = torch.randn(size, generator=generator, device="cuda")
            return values.bfloat16()

        source = fused(shape.queries)
        target = source if shape.queries == shape.keys else fused(shape.keys)
        parts = source[:, :, 0], target[:, :, 1], target[:, :, 2]
        return [part.transpose(1, 2) for part in parts]

    def attend(self, q, k, v):
        import torch.nn.functional as F
        from torch.nn.attention import SDPBackend, sdpa_kernel

        with sdpa_kernel(getattr(SDPBackend, self.backend)):
            return F.scaled_dot_product_attention(q, k, v)

    def prepare(self) -> float:
        """Returns the error over some heads; afterwards the launches are in a graph."""
        import torch

        self.sets = input_sets(self.shape, self.l2_bytes)
        inputs = [self.views(seed) for seed in range(self.sets)]
        q, k, v = inputs[0]
        out = self.attend(q, k, v)
        errors = []
        for batch, head in {(0, 0), (self.shape.batch - 1, HEADS - 1), (self.shape.batch // 2, 3)}:
            scores = q[batch, head].double() @ k[batch, head].double().T / self.shape.dim**0.5
            expected = torch.softmax(scores, dim=-1) @ v[batch, head].double()
            errors.append(timing.relative_error(out[batch, head], expected))
        self.replay = timing.graph_of([functools.partial(self.attend, *each) for each in inputs])
        return max(errors, key=lambda error: (error != error, error))

    def time(self) -> float:
        assert self.replay is not None  # prepare() ran
        return timing.samples(self.replay, self.sets)


def fastest_backend(shape: Shape, l2_bytes: int) -> str:
    """The fastest backend at a shape, of those that take it and give right answers."""
    seconds = {}
    for backend in BACKENDS:
        peer = Peer(shape, backend, l2_bytes)
        try:
            if peer.prepare() <= BOUND:
                seconds[backend] = peer.time()
        except Exception:  # it does not take this shape
            continue
    if not seconds:
        raise RuntimeError(f"no attention of PyTorch takes {shape.name}")
    return min(seconds, key=seconds.__getitem__)


def run(shapes, rounds: int, ours, l2_bytes: int) -> Iterator[dict[str, Any]]:
    """Every shape: this project's kernel (`ours(name)` gives its contender, or None) and the peers."""
    import torch

    kernel = "hopper" if torch.cuda.get_device_capability() == (9, 0) else "ampere"
    for shape in shapes:
        peers = [Peer(shape, backend, l2_bytes) for backend in BACKENDS]
        contenders = [contest.Contender(peer.backend, peer.prepare, peer.time) for peer in peers]
        own = ours(f"attention/{kernel}/{shape.name}/bf16")
        entry = contest.run(([own] if own else []) + contenders, rounds, BOUND)
        yield {"shape": shape.name, "flop": shape.flop, "bytes": shape.bytes, **entry}
        del peers, contenders
        torch.cuda.empty_cache()
