"""The losses of the two systems of training/crossfix_training/baselines.py. truth is (row, col) in [0, 1] of the tile, [B, 2]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from crossfix_training.baselines import MATCHING_GRID

SIGMA = 4 / 512  # of the target heat map, in sides of a tile
MATCHING_TEMPERATURE = 0.1
MATCHING_WEIGHT = 1e4
MATCHING_SHARE = 1e-2  # of the Gaussian's peak: a block with less is not a positive
TRIPLET_GAMMA = 10.0
OVERLAP_WEIGHT = 1 / 10
DELTA_WEIGHT = 1 / 100


def heat_scores(truth: Tensor, side: int) -> Tensor:
    """Logarithm of a Gaussian of `SIGMA` and peak 1 about the truth, at the centres of pixels, [B, side, side]."""
    centres = (torch.arange(side, dtype=truth.dtype, device=truth.device) + 0.5) / side
    squares = (truth[:, :, None] - centres) ** 2  # [B, axis, side]
    return -(squares[:, 0, :, None] + squares[:, 1, None, :]) / (2 * SIGMA**2)


def heat_target(truth: Tensor, side: int) -> Tensor:
    """That Gaussian, [B, side, side], each scaled to sum to 1."""
    return heat_scores(truth, side).flatten(1).softmax(dim=1).view(len(truth), side, side)


def block_weights(truth: Tensor, side: int) -> Tensor:
    """The Gaussian's maximum in each block, 0 where that is no more than `MATCHING_SHARE`, [B, 8, 8].

    Ours: maxima are relative to the largest, which equals the peak only if the truth is at the centre of a pixel.
    """
    largest = F.max_pool2d(heat_scores(truth, side)[:, None], side // MATCHING_GRID).squeeze(1)
    largest = (largest - largest.amax(dim=(1, 2), keepdim=True)).exp()
    return largest * (largest > MATCHING_SHARE)


def heat_entropy(heat: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of heat [B, S, S] against `heat_target`, mean over the batch."""
    target = heat_target(truth, heat.shape[-1])
    return -(target.flatten(1) * F.log_softmax(heat.float().flatten(1), dim=1)).sum(dim=1).mean()


def matching_loss(cosines: Tensor, truth: Tensor, side: int) -> Tensor:
    """InfoNCE of cosines [B, 8, 8]: the mean over the batch's positive blocks, weighted by `block_weights`."""
    weights = block_weights(truth, side).flatten(1)
    scores = F.log_softmax(cosines.float().flatten(1) / MATCHING_TEMPERATURE, dim=1)
    return -(weights * scores).sum() / weights.sum()


def mcc_losses(heat: Tensor, cosines: Tensor, truth: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """(loss, its parts before they are weighted) of heat [B, S, S] and cosines [B, 8, 8]."""
    entropy = heat_entropy(heat, truth)
    matching = matching_loss(cosines, truth, heat.shape[-1])
    return entropy + MATCHING_WEIGHT * matching, {"cross_entropy": entropy, "matching": matching}


def triplet_loss(tile: Tensor, panorama: Tensor) -> Tensor:
    """Soft-margin triplets of descriptors [B, C] over all negatives of the batch, in both directions; 0 for one pair.
    """
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
    """Intersection over union of a tile with the tile whose centre is the camera's position, [B]."""
    kept = (1 - (truth - 0.5).abs()).clamp(min=0).prod(dim=1)
    return kept / (2 - kept)


def overlap_loss(
    tile: Tensor, semi: Tensor, panorama: Tensor, truth: Tensor, semi_truth: Tensor
) -> Tensor:
    """Squared error of the ratio of similarities, semi-positive to positive, against the ratio of overlaps.

    Descriptors [B, C] of unit length: `tile` is the positive of `panorama`, `semi` a semi-positive. Similarities of
    positives below 0.1 count as 0.1 (ours: random first weights need it).
    """
    positive = (tile.float() * panorama.float()).sum(dim=1)
    other = (semi.float() * panorama.float()).sum(dim=1)
    return (other / positive.clamp(min=0.1) - overlap(semi_truth) / overlap(truth)).square().mean()


def delta_loss(delta: Tensor, truth: Tensor) -> Tensor:
    """Squared error of delta [B, 2], in halves of the tile's side; columns count to the left."""
    wanted = (truth - 0.5) * 2 * truth.new_tensor([1.0, -1.0])
    return (delta.float() - wanted).square().sum(dim=1).mean()


def vigor_losses(
    delta: Tensor, tile: Tensor, semi: Tensor, panorama: Tensor, truth: Tensor, semi_truth: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """(loss, its parts before they are weighted); the weights are those of VIGOR's own code."""
    triplet = triplet_loss(tile, panorama)
    ratio = overlap_loss(tile, semi, panorama, truth, semi_truth)
    offset = delta_loss(delta, truth)
    loss = triplet + OVERLAP_WEIGHT * ratio + DELTA_WEIGHT * offset
    return loss, {"triplet": triplet, "overlap_ratio": ratio, "offset_error": offset}
