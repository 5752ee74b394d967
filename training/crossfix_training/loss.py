"""The training loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from crossfix_training.config import Config
from crossfix_training.model import cell_corners


def at_least_single(x: Tensor) -> Tensor:
    """bf16 and f16 as float32; float64 stays, for checks."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def cell_targets(truth: Tensor, config: Config, sigma: float) -> Tensor:
    """Target distribution over cells, [B, N * N], for truth (row, col) in [0, 1] of the tile.

    sigma is the standard deviation, in cells, of a Gaussian about the truth, sampled at cell centres. 0 puts everything
    on the true cell, as in the reference.
    """
    position = truth * config.grid
    if sigma == 0:
        row, col = position.floor().long().clamp(0, config.grid - 1).unbind(-1)
        return F.one_hot(row * config.grid + col, config.cells).to(truth.dtype)
    centres = torch.arange(config.grid, dtype=truth.dtype, device=truth.device) + 0.5
    squares = (position[:, :, None] - centres) ** 2  # [B, axis, N]
    scores = -(squares[:, 0, :, None] + squares[:, 1, None, :]).flatten(1) / (2 * sigma**2)
    return scores.softmax(dim=1)


def cell_entropy(logits: Tensor, truth: Tensor, config: Config, sigma: float) -> Tensor:
    """Cross-entropy of logits [B, N * N] against `cell_targets`, mean over the batch."""
    target = cell_targets(truth, config, sigma)
    return -(target * F.log_softmax(at_least_single(logits), dim=1)).sum(dim=1).mean()


def location_loss(
    logits: Tensor, offsets: Tensor, truth: Tensor, config: Config, sigma: float
) -> tuple[Tensor, Tensor]:
    """(cross-entropy, squared offset error), means over the batch.

    Offsets are compared at each cell, weighted by the target distribution, with the truth clamped to that cell. With
    sigma 0 this is the reference's error at the true cell.
    """
    target = cell_targets(truth, config, sigma)
    wanted = (truth[:, None] * config.grid - cell_corners(config).to(truth.device)).clamp(0, 1)
    squares = (at_least_single(offsets) - wanted).square().mean(dim=2)
    offset = (target * squares).sum(dim=1).mean()
    return cell_entropy(logits, truth, config, sigma), offset
