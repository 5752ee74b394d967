"""What train.py trains: one interface over the reference network and the two baselines.

A system has `model` (its average is kept and saved), `helper` (a module used only in training), `size` (which has the
sizes of its images), `clip` (the largest norm of the gradient) and `semi_positives` (whether it learns from two tiles a
panorama). Images are RGB in [0, 1]; positions are (row, col) in [0, 1] of the tile.
"""

from __future__ import annotations

import argparse
import json
import math
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from crossfix_training import baselines
from crossfix_training.auxiliary import MatchingHead
from crossfix_training.baseline_loss import mcc_losses, vigor_losses
from crossfix_training.config import FORMAT, METADATA_KEY, PRESETS, Config, GroundProjection
from crossfix_training.loss import cell_entropy, location_loss
from crossfix_training.model import CrossFix, decode
from crossfix_training.weights import DTYPES, save_tensors, save_weights


@dataclass(frozen=True)
class Recipe:
    """A network, and how it is trained: the defaults of train.py's options."""

    network: str  # a preset
    settings: dict[str, object]


# What the authors published about the training of the reference network on VIGOR. From `positives` on it is what we
# assume, because we know of no clipping, schedule or mixed precision, and not how tiles are drawn.
RECIPES = {
    "vigor-published": Recipe(
        "vigor",
        {
            "rate": 1e-4,
            "trunk_rate": 1e-5,
            "decay": 1e-4,
            "sam": 0.05,
            "batch": 4,
            "sigma": (0.0, 0.0),
            "auxiliary": 0.0,
            "positives": 0.25,
            "warm_up": 1,
            "last_rate": 1.0,
            "clip": math.inf,
            "precision": "f32",
        },
    )
}


def network_of(preset: str) -> str:
    """The preset whose network a preset trains: its own, unless it is a recipe."""
    return RECIPES[preset].network if preset in RECIPES else preset


class CrossFixSystem:
    """The reference network of a preset, with the matching head that helps it at the start."""

    clip = 1.0
    semi_positives = False

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.size = self.config = replace(PRESETS[network_of(options.preset)], trained_on=options.trained_on)
        self.equirectangular = self.config.ground_projection.kind == "equirectangular"
        self.tile_metres = (self.config.metres_per_network_pixel or 1.0) * self.config.satellite_size
        self.model = CrossFix(self.config, options.dropout)
        self.helper = MatchingHead(self.config)

    def describe(self) -> str:
        """What a checkpoint says about the network."""
        return self.config.to_json()

    def made(self, description: str) -> bool:
        """Whether a description is of this network, whatever it was trained on, whichever rule gives the fix, and
        whatever the field of view of pinhole images."""
        other, ours = Config.from_json(description), self.config.ground_projection
        if other.ground_projection.kind != ours.kind:
            return False
        read_off = {name: getattr(self.config, name) for name in ("trained_on", "temperature", "radius_scale", "fix")}
        return replace(other, ground_projection=ours, **read_off) == self.config

    def photographed(self, hfov: float) -> None:
        """From here on says that it was trained on pinhole images of this field of view, degrees."""
        self.config = replace(self.config, ground_projection=GroundProjection("pinhole", round(hfov, 3)))

    def normalised(self, images: Tensor) -> Tensor:
        statistics = self.config.normalization
        mean = images.new_tensor(statistics.mean).view(1, 3, 1, 1)
        std = images.new_tensor(statistics.std).view(1, 3, 1, 1)
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)

    def loss(
        self, satellite: Tensor, ground: Tensor, truth: Tensor, done: float, autocast: AbstractContextManager
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """(loss, parts for the log) of a batch: images [B, 3, S, S] and [B, 3, H, W], truth [B, 2].

        `done` is the share of the run that is over. The forward pass of the network runs in `autocast`.
        """
        first, last = self.options.sigma
        sigma = first + (last - first) * done
        with autocast:
            tokens = self.model.tokens(self.normalised(satellite), self.normalised(ground))
            logits, offsets = self.model.locate(*tokens)
            direct = self.helper(*tokens)
        entropy, offset = location_loss(logits, offsets, truth, self.config, sigma)
        matching = cell_entropy(direct, truth, self.config, sigma)
        loss = entropy + offset + self.options.auxiliary * (1 - done) * matching
        return loss, {"cross_entropy": entropy, "offset_error": offset, "matching_cross_entropy": matching}

    def fix(self, model: nn.Module, satellite: Tensor, ground: Tensor) -> Tensor:
        """The positions of the cameras by `model`, for example an average of `self.model`, [B, 2]."""
        logits, offsets = model(self.normalised(satellite), self.normalised(ground))
        return decode(logits.float(), offsets.float(), self.config) / self.config.satellite_size

    def save(self, state: dict[str, Tensor], path: Path) -> None:
        """Writes a weights file."""
        save_weights(state, self.config, path, DTYPES["f32"])


class BaselineSystem:
    """What the two baselines have in common; the methods are those of `CrossFixSystem`."""

    clip = math.inf  # as published; InfoNCE, 1e4 times as heavy, would leave MCC's decoder no gradient
    semi_positives = False
    network: type[nn.Module]
    name: str  # in a weights file

    def __init__(self, options: argparse.Namespace) -> None:
        self.size = BASELINES[options.preset][1]
        self.trained_on = options.trained_on
        self.tile_metres = self.size.tile_metres
        self.equirectangular = self.size.ground_projection == "equirectangular"
        self.model = self.network(self.size)
        self.helper = nn.Identity()

    @property
    def grid(self) -> int:
        """Cells along the side of the tile."""
        raise NotImplementedError

    def loss(
        self, satellite: Tensor, ground: Tensor, truth: Tensor, done: float, autocast: AbstractContextManager
    ) -> tuple[Tensor, dict[str, Tensor]]:
        raise NotImplementedError

    def describe(self) -> str:
        return json.dumps({"network": self.network.__name__, **asdict(self.size)})

    def made(self, description: str) -> bool:
        return description == self.describe()

    def fix(self, model: nn.Module, satellite: Tensor, ground: Tensor) -> Tensor:
        return model.fix(tuple(output.float() for output in model(satellite, ground)))

    def configuration(self) -> str:
        """The JSON of a weights file (docs/weights.md)."""
        size = self.size
        fields = {
            "format": FORMAT,
            "network": self.name,
            "trunk": {"planes": size.planes},
            "grid": self.grid,
            "satellite_size": size.satellite_size,
            "ground_size": size.ground_size,
            "normalization": {"mean": [m / 255 for m in reversed(baselines.VGG_MEAN_BGR)], "std": [1 / 255] * 3},
            "ground_projection": {"kind": size.ground_projection},
            "metres_per_network_pixel": size.tile_metres / size.satellite_size,
            "trained_on": self.trained_on,
        }
        return json.dumps(fields, separators=(",", ":"))

    def save(self, state: dict[str, Tensor], path: Path) -> None:
        """Writes a weights file."""
        save_tensors(baselines.folded(state), {METADATA_KEY: self.configuration()}, path, DTYPES["f32"])


class MccSystem(BaselineSystem):
    """Each pixel of the tile is a cell."""

    network = baselines.Mcc
    name = "mcc"

    @property
    def grid(self) -> int:
        return self.size.satellite_size

    def loss(
        self, satellite: Tensor, ground: Tensor, truth: Tensor, done: float, autocast: AbstractContextManager
    ) -> tuple[Tensor, dict[str, Tensor]]:
        with autocast:
            heat, cosines = self.model(satellite, ground)
        return mcc_losses(heat, cosines, truth)


class VigorSystem(BaselineSystem):
    """Learns from a positive and a semi-positive for each panorama: satellite [B, 2, 3, S, S], truth [B, 2, 2]."""

    network = baselines.VigorBaseline
    name = "vigor-baseline"
    semi_positives = True

    @property
    def grid(self) -> int:
        return 1

    def loss(
        self, satellite: Tensor, ground: Tensor, truth: Tensor, done: float, autocast: AbstractContextManager
    ) -> tuple[Tensor, dict[str, Tensor]]:
        with autocast:
            delta, tile, panorama = self.model(satellite[:, 0], ground)
            semi = nn.functional.normalize(self.model.tile_descriptor(satellite[:, 1]), dim=1)
        return vigor_losses(delta, tile, semi, panorama, truth[:, 0], truth[:, 1])


BASELINES = {
    "mcc": (MccSystem, baselines.MCC),
    "mcc-small": (MccSystem, replace(baselines.MCC_SMALL, batch_norm=True)),
    "mcc-small-256": (MccSystem, replace(baselines.MCC_SMALL, satellite_size=256, batch_norm=True)),
    "vigor-baseline": (VigorSystem, baselines.VIGOR_BASELINE),
    "vigor-baseline-small": (VigorSystem, replace(baselines.VIGOR_BASELINE_SMALL, batch_norm=True)),
}
SYSTEMS = sorted([*PRESETS, *BASELINES, *RECIPES])


def make_system(options: argparse.Namespace) -> CrossFixSystem | BaselineSystem:
    """The system of `options.preset`, one of `SYSTEMS`, with random weights."""
    kind = BASELINES[options.preset][0] if options.preset in BASELINES else CrossFixSystem
    return kind(options)
