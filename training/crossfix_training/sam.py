"""Sharpness-aware minimisation: Foret et al., ICLR 2021."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def ascended(model: nn.Module, rho: float) -> Iterator[None]:
    """Inside it, the parameters are moved `rho` up their gradient; afterwards they are as before.

    A gradient that is computed inside it is the sharpness-aware one. BatchNorm's running statistics stay those of the
    parameters that are kept.
    """
    moved = [p for p in model.parameters() if p.grad is not None]
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    kept = [p.detach().clone() for p in moved]
    length = torch.stack([p.grad.norm() for p in moved]).norm()
    with torch.no_grad():
        for p in moved:
            p.add_(p.grad * (rho / (length + 1e-12)))
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        with torch.no_grad():
            for p, before in zip(moved, kept):
                p.copy_(before)
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
