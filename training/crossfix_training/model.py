"""The reference network in PyTorch, with the key names of the reference checkpoint.

Shapes: B pairs; satellite image [B, 3, S, S], ground image [B, 3, H, W], both normalised; tokens are
[B, tokens, d] in row-major order of the feature map; the grid is N x N cells.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossfix_training.compatible import attention
from crossfix_training.config import Config, Trunk

EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions, each with BatchNorm, around a shortcut: [B, C, H, W] -> [B, 4 planes, H', W']."""

    def __init__(self, channels: int, planes: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        out = planes * EXPANSION
        self.conv1 = nn.Conv2d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(
            planes, planes, 3, stride=stride, padding=dilation, dilation=dilation, bias=False
        )
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Sequential | None = None

    def add_downsample(self, channels: int, out: int, stride: int) -> Bottleneck:
        """Gives the shortcut a 1x1 convolution, as in the first block of a layer."""
        self.downsample = nn.Sequential(
            nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
        )
        return self

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(self.bn3(self.conv3(x)) + shortcut)


def _layer(channels: int, planes: int, blocks: int, stride: int, dilation: int) -> nn.Sequential:
    """A ResNet layer; stride and dilation are those of its first block only."""
    out = planes * EXPANSION
    first = Bottleneck(channels, planes, stride, dilation).add_downsample(channels, out, stride)
    return nn.Sequential(first, *(Bottleneck(out, planes) for _ in range(blocks - 1)))


class TrunkNetwork(nn.Module):
    """ResNet up to layer3 at stride 8: [B, 3, H, W] -> [B, 16 planes, H/8, W/8]."""

    def __init__(self, config: Trunk) -> None:
        super().__init__()
        planes = config.planes
        self.conv1 = nn.Conv2d(3, planes, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.layer1 = _layer(planes, planes, config.blocks[0], stride=1, dilation=1)
        self.layer2 = _layer(4 * planes, 2 * planes, config.blocks[1], stride=2, dilation=1)
        self.layer3 = _layer(8 * planes, 4 * planes, config.blocks[2], stride=1, dilation=2)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(image)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        return self.layer3(self.layer2(self.layer1(x)))


def position_encoding(rows: int, columns: int, width: int) -> Tensor:
    """The fixed encoding [rows * columns, width] in float64, tokens in row-major order.

    Channels 4k..4k+3 are sin(x w_k), cos(x w_k), sin(y w_k), cos(y w_k) with column x and row y counted
    from 1 and w_k = exp(-2k ln(10000) / (width / 2)).
    """
    k = torch.arange(width // 4, dtype=torch.float64)
    frequency = torch.exp(-2 * k * math.log(10000) / (width / 2))
    x = torch.arange(1, columns + 1, dtype=torch.float64)[None, :, None] * frequency
    y = torch.arange(1, rows + 1, dtype=torch.float64)[:, None, None] * frequency
    x, y = x.expand(rows, -1, -1), y.expand(-1, columns, -1)
    parts = torch.stack([x.sin(), x.cos(), y.sin(), y.cos()], dim=-1)
    return parts.reshape(rows * columns, width)


class Attention(nn.Module):
    """Multi-head attention with packed input projections (rows of `in_proj_weight`: q, k, v)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """query [B, Nq, d], key and value [B, Nk, d] -> [B, Nq, d]."""
        projected = [
            F.linear(x, weight, bias).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x, weight, bias in zip(
                (query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
            )
        ]
        mixed = attention(*projected)  # [B, heads, Nq, d / heads]
        return self.out_proj(mixed.transpose(1, 2).flatten(-2))


def _ffn(width: int, hidden: int, dropout: float) -> nn.Sequential:
    """Linear, ReLU, dropout, linear: the linear maps are `.0` and `.3`."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width)
    )


class FusionLayer(nn.Module):
    """One encoder layer: self-attention in both views, then cross-attention and FFN, satellite first."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn_source1 = Attention(width, heads)
        self.self_attn_source2 = Attention(width, heads)
        self.cros_attn_source1 = Attention(width, heads)
        self.cros_attn_source2 = Attention(width, heads)
        self.source_1_FFN = _ffn(width, hidden, dropout)
        self.source_2_FFN = _ffn(width, hidden, dropout)
        self.sa_norm1 = nn.LayerNorm(width)
        self.sa_norm2 = nn.LayerNorm(width)
        self.ca_norm1_1 = nn.LayerNorm(width)
        self.ca_norm1_2 = nn.LayerNorm(width)
        self.ca_norm2_1 = nn.LayerNorm(width)
        self.ca_norm2_2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, s: Tensor, g: Tensor, pos_s: Tensor, pos_g: Tensor) -> tuple[Tensor, Tensor]:
        """s [B, Ns, d], g [B, Ng, d], encodings [Ns, d] and [Ng, d] -> updated s, g."""
        drop = self.dropout
        qs, qg = s + pos_s, g + pos_g
        s = self.sa_norm1(s + drop(self.self_attn_source1(qs, qs, s)))
        g = self.sa_norm2(g + drop(self.self_attn_source2(qg, qg, g)))
        s = self.ca_norm1_1(s + drop(self.cros_attn_source1(s + pos_s, g + pos_g, g)))
        s = self.ca_norm1_2(s + drop(self.source_1_FFN(s)))
        g = self.ca_norm2_1(g + drop(self.cros_attn_source2(g + pos_g, s + pos_s, s)))
        g = self.ca_norm2_2(g + drop(self.source_2_FFN(g)))
        return s, g


class DecoderLayer(nn.Module):
    """Cross-attention from satellite to ground tokens, then an FFN: s [B, Ns, d] -> [B, Ns, d]."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.cross_attn = Attention(width, heads)
        self.FFN = _ffn(width, hidden, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, s: Tensor, g: Tensor, pos_s: Tensor, pos_g: Tensor) -> Tensor:
        s = self.norm1(s + self.dropout(self.cross_attn(s + pos_s, g + pos_g, g)))
        return self.norm2(s + self.dropout(self.FFN(s)))


class FusionNetwork(nn.Module):
    """The encoder layers, one decoder layer and the last norm."""

    def __init__(self, config: Config, dropout: float) -> None:
        super().__init__()
        sizes = (config.model_width, config.heads, config.ffn_width, dropout)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(
            FusionLayer(*sizes) for _ in range(config.encoder_layers)
        )
        self.decoder = nn.Module()
        self.decoder.layers = nn.ModuleList([DecoderLayer(*sizes)])
        self.decoder.norm = nn.LayerNorm(config.model_width)

    def forward(self, s: Tensor, g: Tensor, pos_s: Tensor, pos_g: Tensor) -> Tensor:
        """Projected tokens s [B, Ns, d] and g [B, Ng, d] -> fused satellite tokens [B, Ns, d]."""
        for layer in self.encoder.layers:
            s, g = layer(s, g, pos_s, pos_g)
        for layer in self.decoder.layers:
            s = layer(s, g, pos_s, pos_g)
        return self.decoder.norm(s)


class Head(nn.Module):
    """Three linear maps with ReLU between: [..., d] -> [..., out]."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, out)]
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class CrossFix(nn.Module):
    """The whole network. `state_dict` of the default configuration has the reference's 690 keys."""

    def __init__(self, config: Config = Config(), dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.sat_extractor = TrunkNetwork(config.trunk)
        if not config.trunk.shared:
            self.grd_extractor = TrunkNetwork(config.trunk)
        self.sat_proj = nn.Conv2d(config.trunk.out_channels, config.model_width, 1)
        self.grd_proj = nn.Conv2d(config.trunk.out_channels, config.model_width, 1)
        self.feature_fusion_network = FusionNetwork(config, dropout)
        self.location_head = Head(config.model_width, 1)
        self.coordinator_head = Head(config.model_width, 2)
        height, width = (side // 8 for side in config.ground_size)
        for name, rows, columns in (("satellite", config.grid, config.grid), ("ground", height, width)):
            encoding = position_encoding(rows, columns, config.model_width)
            self.register_buffer(f"{name}_encoding", encoding.float(), persistent=False)

    def double(self) -> CrossFix:
        """Double precision throughout; position encodings are computed in it, not widened."""
        super().double()
        height, width = (side // 8 for side in self.config.ground_size)
        grid, channels = self.config.grid, self.config.model_width
        self.satellite_encoding = position_encoding(grid, grid, channels)
        self.ground_encoding = position_encoding(height, width, channels)
        return self

    def tokens(self, satellite: Tensor, ground: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised images -> projected tokens [B, N * N, d] and [B, H/8 * W/8, d]."""
        ground_trunk = self.sat_extractor if self.config.trunk.shared else self.grd_extractor
        s = F.adaptive_max_pool2d(self.sat_extractor(satellite), self.config.grid)
        g = ground_trunk(ground)
        s, g = self.sat_proj(s), self.grd_proj(g)
        return s.flatten(2).transpose(1, 2), g.flatten(2).transpose(1, 2)

    def fuse(self, s: Tensor, g: Tensor) -> Tensor:
        """Projected tokens -> fused satellite tokens [B, N * N, d]."""
        encodings = self.satellite_encoding.to(s.dtype), self.ground_encoding.to(g.dtype)
        return self.feature_fusion_network(s, g, *encodings)

    def locate(self, s: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        """Projected tokens -> logits [B, N * N], offsets (ty, tx) in [0, 1] of a cell [B, N * N, 2]."""
        fused = self.fuse(s, g)
        logits = self.location_head(fused).squeeze(-1)
        return logits, torch.sigmoid(self.coordinator_head(fused))

    def forward(self, satellite: Tensor, ground: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised images -> logits and offsets, as in `locate`."""
        return self.locate(*self.tokens(satellite, ground))


def cell_corners(config: Config) -> Tensor:
    """(row, col) of each cell's upper left corner, in cells, [cells, 2]."""
    cell = torch.arange(config.cells)
    return torch.stack([cell // config.grid, cell % config.grid], dim=1)


def decode(logits: Tensor, offsets: Tensor, config: Config) -> Tensor:
    """The fix, (row, col) in satellite network pixels, [B, 2].

    By the best cell and its offset; or, if the configuration says `neighbourhood`, the mean of the positions that this
    cell and its up to eight neighbours give, weighted by exp(logit).
    """
    best = logits.argmax(dim=1, keepdim=True)
    corner = cell_corners(config).to(logits.device)
    away = (corner - corner[best]).abs().amax(dim=2)  # [B, cells], in cells
    near = away <= (1 if config.fix == "neighbourhood" else 0)
    weight = logits.masked_fill(~near, -math.inf).softmax(dim=1)
    return (weight[:, :, None] * (corner + offsets)).sum(dim=1) * config.cell_pixels
