"""The two systems that the published tables compare with, in PyTorch.

- MCC: Xia et al., Visual Cross-View Metric Localization with Dense Uncertainty Estimates, ECCV 2022.
- VIGOR: Zhu et al., VIGOR: Cross-View Image Geo-localization beyond One-to-one Retrieval, CVPR 2021.

Shapes: B pairs; satellite image [B, 3, S, S], ground image [B, 3, H, W], RGB in [0, 1]; a network prepares its own
input. A position is (row, col) in [0, 1] of the tile. `planes` is 64 in the published networks; smaller networks keep
every ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

VGG_CONVOLUTIONS = (2, 2, 3, 3, 3)
VGG_WIDENING = (1, 2, 4, 8, 8)
VGG_MEAN_BGR = (103.939, 116.779, 123.6)  # grey levels
GREY_DEVIATION = 64.0  # grey levels: the rough deviation of a photo
ATTENTION_HEADS = 8
MATCHING_GRID = 8
# MCC's decoder, by how much smaller than the tile the output of a stage is: channels of the transposed and of the other
# convolutions, in planes.
DECODER_WIDTHS = {32: (16, 8), 16: (4, 4), 8: (2, 2), 4: (1, 1), 2: (1 / 2, 1 / 2), 1: (1 / 4, 1 / 4)}


@dataclass(frozen=True)
class BaselineConfig:
    """What differs between the networks of a family."""

    satellite_size: int = 512  # pixels, square
    ground_size: tuple[int, int] = (320, 640)  # (height, width), pixels
    planes: int = 64
    tile_metres: float = 72.96  # side of the tile: 640 pixels of 0.114 m
    ground_projection: str = "equirectangular"  # or `pinhole`
    batch_norm: bool = False  # in the backbones during training; removed by `folded` when saved

    @property
    def channels(self) -> int:
        """Channels of conv5_3."""
        return VGG_WIDENING[-1] * self.planes

    @property
    def descriptor(self) -> int:
        """Length of a descriptor."""
        return ATTENTION_HEADS * self.channels


MCC = BaselineConfig()
MCC_ROBOTCAR = BaselineConfig(ground_size=(154, 231), tile_metres=73.92, ground_projection="pinhole")  # 512 pixels of 0.144375 m
VIGOR_BASELINE = BaselineConfig(satellite_size=320)
# With the tile and panorama of the small reference network. (As published, MCC's tile has twice the pixels of the
# others' tile.)
VIGOR_BASELINE_SMALL = BaselineConfig(satellite_size=128, ground_size=(80, 160), planes=16, tile_metres=72.0)
MCC_SMALL = VIGOR_BASELINE_SMALL


def pool(x: Tensor) -> Tensor:
    """2x2 max pool, [..., H, W] -> [..., ceil(H / 2), ceil(W / 2)]: an odd last row or column is kept."""
    return F.max_pool2d(x, 2, ceil_mode=True)


def prepare(images: Tensor) -> Tensor:
    """RGB in [0, 1] to what VGG weights expect: BGR grey levels minus their mean, [B, 3, H, W]."""
    mean = torch.tensor(VGG_MEAN_BGR, dtype=images.dtype, device=images.device).view(1, 3, 1, 1)
    return images.flip(1) * 255 - mean


class Vgg16(nn.Module):
    """The convolutions of VGG-16: 3x3 with bias and ReLU, and a 2x2 max pool before every stage except the first.

    The input is grey levels, so the random weights of the first convolution are He's divided by `GREY_DEVIATION`: then
    features are about 1. With `batch_norm`, for training from random weights, BatchNorm follows each convolution;
    `folded` removes it.
    """

    def __init__(self, planes: int, batch_norm: bool = False) -> None:
        super().__init__()
        channels = 3
        self.stages, self.norms = nn.ModuleList(), nn.ModuleList()
        for count, widening in zip(VGG_CONVOLUTIONS, VGG_WIDENING):
            stage = nn.ModuleList()
            for _ in range(count):
                convolution = nn.Conv2d(channels, widening * planes, 3, padding=1)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                nn.init.zeros_(convolution.bias)
                stage.append(convolution)
                channels = widening * planes
            self.stages.append(stage)
            self.norms.append(nn.ModuleList(nn.BatchNorm2d(channels) if batch_norm else nn.Identity() for _ in stage))
        with torch.no_grad():
            self.stages[0][0].weight /= GREY_DEVIATION

    def forward(self, x: Tensor) -> list[Tensor]:
        """Prepared image [B, 3, H, W] -> conv1_2, conv2_2, conv3_3, conv4_3, conv5_3, at H, H/2, ... H/16."""
        features = []
        for number, (stage, norms) in enumerate(zip(self.stages, self.norms)):
            if number > 0:
                x = pool(x)
            for convolution, norm in zip(stage, norms):
                x = F.relu(norm(convolution(x)))
            features.append(x)
        return features


def folded(state: dict[str, Tensor], epsilon: float = 1e-5) -> dict[str, Tensor]:
    """The tensors of a network without BatchNorm: its running statistics and affine map are folded into the
    convolutions before it."""
    state = dict(state)
    for mean_key in [key for key in state if key.endswith(".running_mean")]:
        norm = mean_key.removesuffix("running_mean")
        mean, variance, gain, shift = (state.pop(norm + name) for name in ("running_mean", "running_var", "weight", "bias"))
        state.pop(norm + "num_batches_tracked")
        scale = gain / (variance + epsilon).sqrt()
        convolution = norm.replace(".norms.", ".stages.")
        state[convolution + "weight"] = state[convolution + "weight"] * scale[:, None, None, None]
        state[convolution + "bias"] = (state[convolution + "bias"] - mean) * scale + shift
    return state


class SpatialAttention(nn.Module):
    """Sums of the features over positions. The weights come from two linear maps of the channel mean or maximum.

    Weights of a head over positions: w2 (w1 m + b1) + b2, without an activation; m [positions].
    """

    def __init__(self, positions: int, by_maximum: bool) -> None:
        super().__init__()
        self.by_maximum = by_maximum
        hidden = max(1, positions // 2)
        self.weight1 = nn.Parameter(torch.randn(ATTENTION_HEADS, positions, hidden) * 0.005)
        self.bias1 = nn.Parameter(torch.full((ATTENTION_HEADS, 1, hidden), 0.1))
        self.weight2 = nn.Parameter(torch.randn(ATTENTION_HEADS, hidden, positions) * 0.005)
        self.bias2 = nn.Parameter(torch.full((ATTENTION_HEADS, 1, positions), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, C, positions] -> descriptors [B, heads * C], of any length."""
        summary = x.amax(dim=1) if self.by_maximum else x.mean(dim=1)
        hidden = summary @ self.weight1 + self.bias1  # [heads, B, hidden]
        weights = hidden @ self.weight2 + self.bias2  # [heads, B, positions]
        return torch.einsum("bcp,hbp->bhc", x, weights).flatten(1)


class Upsampling(nn.Module):
    """A transposed convolution that doubles height and width, then two convolutions on its output and a skip
    connection."""

    def __init__(self, channels: int, skip: int, up: int, out: int, last: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, up, 3, stride=2, padding=1, output_padding=1)
        self.conv1 = nn.Conv2d(up + skip, out, 3, padding=1)
        self.conv2 = nn.Conv2d(out, last, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """[B, channels, H, W] and, if there is a skip connection, [B, skip, 2 H, 2 W] -> [B, last, 2 H, 2 W], no last
        ReLU."""
        x = F.relu(self.up(x))
        if skip is not None:
            x = torch.cat([x, skip], dim=1)
        return self.conv2(F.relu(self.conv1(x)))


class Mcc(nn.Module):
    """Matches the descriptor of the panorama with those of 8 x 8 blocks of the tile, and decodes a heat map from that.

    A stage of the decoder has a skip connection if the backbone of the tile has features of its size.
    """

    def __init__(self, config: BaselineConfig = MCC) -> None:
        super().__init__()
        self.config = config
        if config.satellite_size % (16 * MATCHING_GRID):
            raise ValueError(
                f"satellite_size {config.satellite_size} must be a multiple of {16 * MATCHING_GRID}"
            )
        height, width = (math.ceil(side / 32) for side in config.ground_size)
        self.sat_extractor = Vgg16(config.planes, config.batch_norm)
        self.grd_extractor = Vgg16(config.planes, config.batch_norm)
        self.grd_attention = SpatialAttention(height * width, by_maximum=False)
        self.block = config.satellite_size // 16 // MATCHING_GRID
        self.sat_attention = SpatialAttention(self.block**2, by_maximum=False)
        skips = {config.satellite_size >> i: VGG_WIDENING[i] * config.planes for i in range(len(VGG_WIDENING))}
        self.decoder = nn.ModuleList()
        side, channels = MATCHING_GRID, config.descriptor + 1
        while side < config.satellite_size:
            side *= 2
            up, out = (int(width * config.planes) for width in DECODER_WIDTHS[config.satellite_size // side])
            last = 1 if side == config.satellite_size else out
            self.decoder.append(Upsampling(channels, skips.get(side, 0), up, out, last))
            channels = out

    def descriptors(self, satellite: Tensor, ground: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Descriptors of unit length, of the blocks [B, heads * C, 8, 8] and of the panorama [B, heads * C]; tile
        features."""
        features = self.sat_extractor(prepare(satellite))
        count, channels = features[-1].shape[:2]
        blocks = features[-1].unflatten(3, (MATCHING_GRID, self.block)).unflatten(2, (MATCHING_GRID, self.block))
        blocks = blocks.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, self.block**2)
        tile = F.normalize(self.sat_attention(blocks), dim=1)
        tile = tile.view(count, MATCHING_GRID, MATCHING_GRID, -1).permute(0, 3, 1, 2)
        panorama = self.grd_attention(pool(self.grd_extractor(prepare(ground))[-1]).flatten(2))
        return tile, F.normalize(panorama, dim=1), features

    def forward(self, satellite: Tensor, ground: Tensor) -> tuple[Tensor, Tensor]:
        """Images -> logits over the pixels of the tile [B, S, S], cosines of the blocks [B, 8, 8]."""
        tile, panorama, features = self.descriptors(satellite, ground)
        cosines = torch.einsum("bcyx,bc->byx", tile, panorama)
        x = torch.cat([cosines[:, None], tile], dim=1)
        by_side = {feature.shape[-1]: feature for feature in features}
        for number, stage in enumerate(self.decoder):
            x = stage(x, by_side.get(2 * x.shape[-1]))
            if number + 1 < len(self.decoder):
                x = F.relu(x)
        return x[:, 0], cosines

    def fix(self, outputs: tuple[Tensor, Tensor]) -> Tensor:
        """The centre of the most likely pixel, (row, col) in [0, 1], [B, 2]; the first of equals."""
        side = self.config.satellite_size
        best = outputs[0].flatten(1).argmax(dim=1)
        return (torch.stack([best // side, best % side], dim=1) + 0.5) / side


class VigorBaseline(nn.Module):
    """One descriptor a view, and the position of the camera from both by two linear maps."""

    def __init__(self, config: BaselineConfig = VIGOR_BASELINE) -> None:
        super().__init__()
        self.config = config
        side = math.ceil(config.satellite_size / 32)
        height, width = (math.ceil(extent / 32) for extent in config.ground_size)
        self.sat_extractor = Vgg16(config.planes, config.batch_norm)
        self.grd_extractor = Vgg16(config.planes, config.batch_norm)
        self.sat_attention = SpatialAttention(side * side, by_maximum=True)
        self.grd_attention = SpatialAttention(height * width, by_maximum=True)
        self.offset1 = nn.Linear(2 * config.descriptor, 8 * config.planes)
        self.offset2 = nn.Linear(8 * config.planes, 2)
        for layer in (self.offset1, self.offset2):
            nn.init.normal_(layer.weight, std=0.005)
            nn.init.constant_(layer.bias, 0.1)

    def tile_descriptor(self, satellite: Tensor) -> Tensor:
        """[B, 3, S, S] -> [B, heads * C], of any length."""
        return self.sat_attention(pool(self.sat_extractor(prepare(satellite))[-1]).flatten(2))

    def ground_descriptor(self, ground: Tensor) -> Tensor:
        """[B, 3, H, W] -> [B, heads * C], of any length."""
        return self.grd_attention(pool(self.grd_extractor(prepare(ground))[-1]).flatten(2))

    def forward(self, satellite: Tensor, ground: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images -> VIGOR's (delta_row, delta_col) in halves of the tile's side [B, 2]; descriptors of unit length, of
        the tile and of the panorama, [B, heads * C] each. The linear maps get the descriptors before they are scaled
        to unit length.
        """
        tile, panorama = self.tile_descriptor(satellite), self.ground_descriptor(ground)
        delta = self.offset2(F.relu(self.offset1(torch.cat([tile, panorama], dim=1))))
        return delta, F.normalize(tile, dim=1), F.normalize(panorama, dim=1)

    def fix(self, outputs: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """(row, col) in [0, 1], [B, 2]; a delta counts rows down from the centre, and columns to the left."""
        return 0.5 + 0.5 * outputs[0] * outputs[0].new_tensor([1.0, -1.0])
