"""A training-only head that compares the two views directly, so that the backbones get a short gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crossfix_training.config import Config


class MatchingHead(nn.Module):
    """Logits from the dot product of the descriptors of a satellite cell and of the panorama.

    The descriptor of the panorama keeps one part a column, so a cell must describe its surroundings by bearing. The
    fusion network needs to find the same in the tokens.
    """

    def __init__(self, config: Config, part: int = 16) -> None:
        super().__init__()
        self.rows, self.columns = (side // 8 for side in config.ground_size)
        width = config.model_width
        self.mix = nn.Parameter(torch.randn(self.rows, width, part) / (self.rows * width) ** 0.5)
        self.satellite = nn.Linear(width, self.columns * part)
        self.scale = (self.columns * part) ** -0.5
        self.norm_satellite = nn.LayerNorm(width)
        self.norm_ground = nn.LayerNorm(width)

    def forward(self, s: Tensor, g: Tensor) -> Tensor:
        """Projected tokens s [B, cells, d] and g [B, rows * columns, d] -> logits [B, cells]."""
        g = self.norm_ground(g).unflatten(1, (self.rows, self.columns))
        panorama = torch.einsum("brcd,rde->bce", g, self.mix.to(g.dtype)).flatten(1)
        cells = self.satellite(self.norm_satellite(s))
        return torch.einsum("bnf,bf->bn", cells, panorama) * self.scale
