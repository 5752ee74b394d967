"""Augmentations that keep the geometry of the pair right.

A quarter turn of the tile goes with a roll of the panorama by a quarter of its width, and a mirrored tile with a
mirrored panorama. Colours change in each view separately.
"""

from __future__ import annotations

import torch
from torch import Tensor


def quarter_turn(satellite: Tensor, ground: Tensor, truth: Tensor, turns: int) -> tuple[Tensor, Tensor, Tensor]:
    """Turns the scene clockwise: satellite [..., S, S], ground [..., H, W], truth (row, col) in [0, 1].

    North in the tile becomes east; the panorama's content moves right by W / 4 a turn.
    """
    turns %= 4
    row, col = truth[..., 0], truth[..., 1]
    for _ in range(turns):
        row, col = col, 1 - row
    satellite = torch.rot90(satellite, -turns, (-2, -1))
    ground = torch.roll(ground, turns * ground.shape[-1] // 4, -1)
    return satellite, ground, torch.stack([row, col], dim=-1)


def mirror(satellite: Tensor, ground: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Swaps east and west in both views; truth (row, col) in [0, 1]."""
    mirrored = torch.stack([truth[..., 0], 1 - truth[..., 1]], dim=-1)
    return satellite.flip(-1), ground.flip(-1), mirrored


def geometric(
    satellite: Tensor, ground: Tensor, truth: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """One of the eight turns and mirrors at random for each pair of the batch (equirectangular only)."""
    draws = torch.randint(8, (len(truth),), generator=generator).tolist()
    satellite, ground, truth = satellite.clone(), ground.clone(), truth.clone()
    for i, draw in enumerate(draws):
        pair = quarter_turn(satellite[i], ground[i], truth[i], draw % 4)
        if draw >= 4:
            pair = mirror(*pair)
        satellite[i], ground[i], truth[i] = pair
    return satellite, ground, truth


def crop(satellite: Tensor, truth: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cuts a random square that holds the camera from each tile, and enlarges it to the size of the tile.

    At most `share` of a side is cut off, so the scale changes by at most this share. satellite [B, 3, S, S], truth
    (row, col) in [0, 1] [B, 2].
    """
    kept = 1 - share * torch.rand(len(truth), 1, generator=generator).to(truth)
    slack = torch.minimum(1 - kept, truth), torch.maximum(truth - kept, torch.zeros_like(truth))
    corner = slack[1] + (slack[0] - slack[1]) * torch.rand(truth.shape, generator=generator).to(truth)
    size = satellite.shape[-1]
    steps = (torch.arange(size, device=truth.device, dtype=truth.dtype) + 0.5) / size
    rows, cols = ((corner[:, axis, None] + kept * steps) * 2 - 1 for axis in (0, 1))
    grid = torch.stack([cols[:, None, :].expand(-1, size, -1), rows[:, :, None].expand(-1, -1, size)], dim=-1)
    cut = torch.nn.functional.grid_sample(satellite, grid, padding_mode="border", align_corners=False)
    return cut, (truth - corner) / kept


def colour(images: Tensor, generator: torch.Generator, strength: float = 0.2) -> Tensor:
    """Random brightness, contrast, channel gains, saturation and noise; images [B, 3, H, W] in [0, 1]."""

    def draw(*shape: int) -> Tensor:
        return 1 + strength * (2 * torch.rand(*shape, generator=generator).to(images.device) - 1)

    count = len(images)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - mean) * draw(count, 1, 1, 1) + mean * draw(count, 1, 1, 1)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * draw(count, 1, 1, 1)
    images = images * (1 + 0.4 * (draw(count, 3, 1, 1) - 1))
    sigma = 0.02 * torch.rand(count, 1, 1, 1, generator=generator).to(images.device)
    images = images + sigma * torch.randn(images.shape, generator=generator).to(images.device)
    return images.clamp(0, 1)
