"""The reference network in PyTorch with every advantage: frozen BatchNorm folded into the convolutions, channels last,
bf16, CUDA graphs, the attention that is fastest at these shapes, and for torch.compile the search for the best
kernels."""

from __future__ import annotations

import contextlib
import copy
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attention
import contest
import timing

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))

# The names that --modes and the tables use. max-autotune compiles for minutes.
MODES = {
    "eager": "eager",
    "graph": "eager, CUDA graph",
    "reduce-overhead": "torch.compile, reduce-overhead",
    "max-autotune": "torch.compile, max-autotune",
}
COMPILED = ("reduce-overhead", "max-autotune")
USUAL_MODES = ("eager", "graph", "max-autotune")
PARTS = ("network", "fusion")
# The bound of the tests on logits in bf16, times 1.5, because PyTorch rounds tokens between layers.
BOUND = 3e-2


def fold(module) -> None:
    """Folds every frozen BatchNorm into the convolution before it, in place."""
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for child in module.modules():
        names = dict(child.named_children())
        pairs = [(f"conv{i}", f"bn{i}") for i in (1, 2, 3)]
        if isinstance(child, torch.nn.Sequential) and len(child) == 2:
            pairs.append(("0", "1"))
        for conv, norm in pairs:
            if isinstance(names.get(norm), torch.nn.BatchNorm2d):
                setattr(child, conv, fuse_conv_bn_eval(names[conv], names[norm]))
                setattr(child, norm, torch.nn.Identity())


@functools.cache
def generated():
    from crossfix_training.generator import fill
    from crossfix_training.model import CrossFix

    return fill(CrossFix()).eval()


def reference():
    """The network with generated weights, frozen, for this caller alone."""
    return copy.deepcopy(generated())


def work_of(model, part: str):
    """The work that is timed, as a module: images to probabilities and fixes, or tokens to fused tokens."""
    import torch

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, satellite, ground):
            logits, offsets = self.model(satellite, ground)
            cell = logits.argmax(dim=1)
            offset = offsets.gather(1, cell[:, None, None].expand(-1, 1, 2)).squeeze(1)
            grid = self.model.config.grid
            fix = torch.stack([cell // grid, cell % grid], dim=1) + offset.float()
            return logits, torch.softmax(logits.float(), dim=1), fix

    class Fusion(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, satellite, ground):
            return (self.model.fuse(satellite, ground),)

    return {"network": Whole, "fusion": Fusion}[part]()


def inputs_of(config, part: str, batch: int, seed: int, device: str = "cuda"):
    """Normalised images [batch, 3, H, W], or tokens [batch, tokens, d], float64 on the device."""
    import torch

    generator = torch.Generator(device).manual_seed(seed)
    height, width = config.ground_size
    side = config.satellite_size
    shapes = {
        "network": ((batch, 3, side, side), (batch, 3, height, width)),
        "fusion": (
            (batch, config.cells, config.model_width),
            (batch, height * width // 64, config.model_width),
        ),
    }[part]
    return [
        torch.randn(shape, generator=generator, device=device, dtype=torch.float64)
        for shape in shapes
    ]


def as_bf16(tensors):
    import torch

    def laid_out(tensor):
        tensor = tensor.bfloat16()
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor

    return [laid_out(tensor) for tensor in tensors]


class Peer:
    """One mode at one batch size."""

    def __init__(self, part: str, mode: str, batch: int, backend: str) -> None:
        self.part, self.mode, self.batch, self.backend = part, mode, batch, backend
        self.run: Callable[[], object] | None = None

    def quietly(self) -> contextlib.ExitStack:
        """Runs without gradients, with the chosen attention."""
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel

        stack = contextlib.ExitStack()
        stack.enter_context(torch.no_grad())
        stack.enter_context(sdpa_kernel(getattr(SDPBackend, self.backend)))
        return stack

    def prepare(self) -> float:
        import torch

        torch.backends.cudnn.benchmark = True
        model = reference()
        config = model.config
        sample = inputs_of(config, self.part, 1, seed=1)
        with torch.no_grad():
            exact = work_of(reference().double().cuda(), self.part)(*sample)[0]
        fold(model)
        model = model.cuda().bfloat16().to(memory_format=torch.channels_last)
        work = work_of(model, self.part)
        if self.mode in COMPILED:
            work = torch.compile(work, mode=self.mode, dynamic=False)
        # The sample fills every slot of the batch, so that one answer checks all of them.
        repeated = [tensor.expand(self.batch, *tensor.shape[1:]) for tensor in sample]
        inputs = as_bf16(repeated)
        with self.quietly():
            results = work(*inputs)[0]
            error = max(
                (timing.relative_error(result[None], exact) for result in results),
                key=lambda value: (value != value, value),
            )
            inputs = as_bf16(inputs_of(config, self.part, self.batch, seed=2))
            if self.mode == "graph":
                self.run = timing.graph_of([lambda: work(*inputs)])
            else:
                self.run = lambda: work(*inputs)
        return error

    def time(self) -> float:
        assert self.run is not None  # prepare() ran
        with self.quietly():
            return timing.samples(self.run, 1)


def run(part: str, batch: int, modes, rounds: int, ours, l2_bytes: int) -> Iterator[dict[str, Any]]:
    """One batch size: this project's program (`ours(name)` gives its contender, or None) and the peers."""
    backend = attention.fastest_backend(attention.Shape(32, 2048, 2048, batch), l2_bytes)
    peers = [Peer(part, mode, batch, backend) for mode in modes]
    contenders = [contest.Contender(MODES[peer.mode], peer.prepare, peer.time) for peer in peers]
    own = ours(f"gpu/{'device_images' if part == 'network' else part}/reference/batch:{batch}/bf16")
    entry = contest.run(([own] if own else []) + contenders, rounds, BOUND)
    yield {"part": part, "batch": batch, "attention": backend, **entry}
