"""The losses of the two systems of training/baselines.py. truth is (row, col) in [0, 1] of the tile, [B, 2]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines import MATCHING_GRID

SIGMA = 4 / 512  # of the heat map's target, in sides of a tile
MATCHING_TEMPERATURE = 0.1
MATCHING_WEIGHT = 1e4
TRIPLET_GAMMA = 10.0


def heat_target(truth: Tensor, side: int) -> Tensor:
    """A Gaussian of `SIGMA` about the truth at the centres of side x side pixels, [B, side, side]; sums to 1."""
    centres = (torch.arange(side, dtype=truth.dtype, device=truth.device) + 0.5) / side
    squares = (truth[:, :, None] - centres) ** 2  # [B, axis, side]
    scores = -(squares[:, 0, :, None] + squares[:, 1, None, :]) / (2 * SIGMA**2)
    return scores.flatten(1).softmax(dim=1).view(len(truth), side, side)


def mcc_loss(heat: Tensor, cosines: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of heat [B, S, S] + `MATCHING_WEIGHT` x InfoNCE of cosines [B, 8, 8], each block weighted by its share
    of the target (how shares weigh is ours: the target's sum over a block)."""
    target = heat_target(truth, heat.shape[-1])
    entropy = -(target.flatten(1) * F.log_softmax(heat.float().flatten(1), dim=1)).sum(dim=1).mean()
    block = heat.shape[-1] // MATCHING_GRID
    shares = F.avg_pool2d(target[:, None], block).flatten(1) * block**2
    scores = F.log_softmax(cosines.float().flatten(1) / MATCHING_TEMPERATURE, dim=1)
    return entropy + MATCHING_WEIGHT * -(shares * scores).sum(dim=1).mean()


def triplet_loss(tile: Tensor, panorama: Tensor) -> Tensor:
    """Soft-margin triplets of descriptors [B, C] over all negatives of the batch, both ways round; 0 for one pair."""
    count = len(tile)
    if count < 2:
        return tile.sum() * 0
    squares = 2 - 2 * panorama.float() @ tile.float().T  # of unit vectors; rows: panoramas
    positive = squares.diagonal()
    others = ~torch.eye(count, dtype=torch.bool, device=tile.device)
    by_panorama = F.softplus(TRIPLET_GAMMA * (positive[:, None] - squares))[others].mean()
    by_tile = F.softplus(TRIPLET_GAMMA * (positive[None, :] - squares))[others].mean()
    return (by_panorama + by_tile) / 2


def overlap(truth: Tensor) -> Tensor:
    """Intersection over union of a tile with the one whose centre is the camera's place, [B]."""
    kept = (1 - (truth - 0.5).abs()).clamp(min=0).prod(dim=1)
    return kept / (2 - kept)


def overlap_loss(tile: Tensor, panorama: Tensor, truth: Tensor) -> Tensor:
    """VIGOR's IoU ratio: similarities of two pairs should be in the ratio of their tiles' overlaps.

    VIGOR compares a panorama's semi-positive with its positive; here each pair with the batch's mean, which needs no
    second tile of the panorama (ours).
    """
    similarity = (tile.float() * panorama.float()).sum(dim=1)
    wanted = overlap(truth)
    return (similarity / similarity.mean().clamp(min=0.1) - wanted / wanted.mean()).square().mean()


def vigor_loss(delta: Tensor, tile: Tensor, panorama: Tensor, truth: Tensor) -> Tensor:
    """Triplets + IoU ratio + squared error of delta [B, 2], in halves of the tile's side."""
    wanted = (truth - 0.5) * 2 * truth.new_tensor([1.0, -1.0])
    error = (delta.float() - wanted).square().sum(dim=1).mean()
    return triplet_loss(tile, panorama) + overlap_loss(tile, panorama, truth) + error
