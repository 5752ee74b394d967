"""Finds the temperature at which the cells of the truths are likeliest, then the scale of the radius with which 68 % of
the truths lie within radius68, and writes both to a weights file. Prints the share that lies within, in each fifth
of the pairs by radius.

It uses the validation blocks of the training split (those that train.py keeps from training), never the test split; of
lists the ground images that train.py keeps; and with `--unseen` also worlds whose cities training has not seen.

Example:
    python training/calibrate.py --weights build/train-s/best.safetensors --data build/world \
        --cache build/train-s/cache --out models/crossfix-s.safetensors --dtype f16
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from crossfix_training.config import Config
from crossfix_training.dataset import PairData, read_lists, split_by_ground, validation_split
from crossfix_training.labels import TRAIN_SPLIT, DataError, cities_of, read_split, refuse_reserved
from crossfix_training.loss import cell_entropy
from crossfix_training.model import CrossFix, cell_corners, decode
from crossfix_training.weights import DTYPES, load_weights, save_weights
from protocol import PLACE_SIDE
from train import to_network

SHARE = 0.68
TEMPERATURES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
POINTS = 6  # a cell's mass lies at POINTS x POINTS points of a square about the position that it gives


def validation_pairs(roots: list[Path], share: float) -> list:
    """The positives of the validation blocks of every city."""
    held = []
    for root in roots:
        refuse_reserved(root)
        for city in cities_of(root):
            held += validation_split(read_split(root, city, TRAIN_SPLIT), share)[1]
    return [sample for sample in held if sample.positive]


@torch.no_grad()
def outputs(model: CrossFix, data: PairData) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits [pairs, cells], offsets [pairs, cells, 2] in cells, fixes and truths [pairs, 2] in network pixels."""
    config = model.config
    mean = torch.tensor(config.normalization.mean).view(1, 3, 1, 1)
    std = torch.tensor(config.normalization.std).view(1, 3, 1, 1)
    logits, shifts, fixes, truths = [], [], [], []
    for begin in range(0, len(data), 64):
        rows = np.arange(begin, min(begin + 64, len(data)))
        satellite, ground, truth = data.batch(rows, np.zeros(len(rows), dtype=int))
        views = [(to_network(view, mean.device) - mean) / std for view in (satellite, ground)]
        scores, offsets = model(*views)
        logits.append(scores)
        shifts.append(offsets)
        fixes.append(decode(scores, offsets, config))
        truths.append(torch.from_numpy(truth) * config.satellite_size)
    return torch.cat(logits), torch.cat(shifts), torch.cat(fixes), torch.cat(truths)


def radius_holding(places: Tensor, mass: Tensor, fix: Tensor, cell: float) -> float:
    """The radius about a fix that holds 68 % of the mass [cells], each cell's even over a square about its place
    [cells, 2]. Places in cells; the fix and the radius in the unit that a cell is `cell` of."""
    steps = ((torch.arange(POINTS) + 0.5) / POINTS - 0.5) * PLACE_SIDE
    square = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1).flatten(0, 1)
    points = (places[:, None, :] + square).flatten(0, 1) * cell
    mass = mass.repeat_interleave(len(square)) / len(square)
    distance, order = (points - fix).norm(dim=1).sort()
    reached = torch.searchsorted(mass[order].cumsum(0), SHARE)
    return distance[min(int(reached), len(distance) - 1)].item()


def posterior_radii(logits: Tensor, offsets: Tensor, fixes: Tensor, temperature: float, config: Config) -> Tensor:
    """For each pair, the radius about the fix that holds 68 % of the posterior, network pixels [pairs]."""
    corners = cell_corners(config)
    return torch.tensor([
        radius_holding(corners + shifts, (scores / temperature).softmax(0), fix, config.cell_pixels)
        for scores, shifts, fix in zip(logits, offsets, fixes)
    ])


def fifths(inside: Tensor, radii: Tensor) -> list[float]:
    """Shares of truths within the radius, in each fifth of the pairs by radius, smallest first."""
    return [part.float().mean().item() for part in inside[radii.argsort()].tensor_split(5)]


def calibrated(
    logits: Tensor, offsets: Tensor, fixes: Tensor, truths: Tensor, config: Config
) -> tuple[float, float, list[float]]:
    """(temperature, radius scale, fifths): the temperature with the lowest negative log-likelihood of the cells of the
    truths, and the scale with which 68 % of the truths lie within the radius.
    """
    errors = (fixes - truths).norm(dim=1)
    best: tuple[float, float, float, list[float]] | None = None
    for temperature in TEMPERATURES:
        nats = cell_entropy(logits / temperature, truths / config.satellite_size, config, 0.0).item()
        radii = posterior_radii(logits, offsets, fixes, temperature, config)
        scale = round((errors / radii).quantile(SHARE).item(), 3)
        shares = fifths(errors <= scale * radii, radii)
        row_of_shares = " ".join(f"{share:.1%}" for share in shares)
        print(f"temperature {temperature}: {nats:.3f} nats, scale {scale}, fifths {row_of_shares}")
        if best is None or nats < best[0]:
            best = nats, temperature, scale, shares
    assert best is not None  # TEMPERATURES has some
    return best[1:]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, nargs="+", default=[])
    parser.add_argument("--list", type=Path, action="append", default=[], help="as given to train.py")
    parser.add_argument("--unseen", type=Path, nargs="*", default=[], help="worlds of other cities: all of their pairs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("build/calibration-cache"))
    parser.add_argument("--validation", type=float, default=0.05, help="as given to train.py")
    parser.add_argument("--seed", type=int, default=1, help="as given to train.py; it chooses the validation images of lists")
    parser.add_argument("--limit", type=int, default=512, help="pairs, as train.py takes")
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="f16")
    options = parser.parse_args()
    if not (options.data or options.list or options.unseen):
        parser.error("give --data, --list or --unseen")
    try:
        state, config = load_weights(options.weights)
        # The calibration is of the weights as they will be stored.
        dtype = DTYPES[options.dtype]
        state = {k: v.to(dtype).float() if v.is_floating_point() else v for k, v in state.items()}
        model = CrossFix(config).eval()
        model.load_state_dict(state)
        pairs = validation_pairs(options.data, options.validation)[: options.limit]
        pairs += validation_pairs(options.unseen, 1.0)[: options.limit]
        if options.list:
            metres = (config.metres_per_network_pixel or 1.0) * config.satellite_size
            samples, _ = read_lists(options.list, config.ground_projection.kind == "equirectangular", metres)
            pairs += split_by_ground(samples, options.validation, options.seed)[1][: options.limit]
        logits, offsets, fixes, truths = outputs(model, PairData(pairs, config, options.cache, "calibration"))
        temperature, scale, shares = calibrated(logits, offsets, fixes, truths, config)
        errors = (fixes - truths).norm(dim=1) * (config.metres_per_network_pixel or 1.0)
        save_weights(state, replace(config, temperature=temperature, radius_scale=scale), options.out, dtype)
    except (DataError, OSError, ValueError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 3
    print(
        f"{len(pairs)} pairs: mean {errors.mean():.2f} m, median {errors.median():.2f} m; "
        f"temperature {temperature}, radius scale {scale}, fifths {' '.join(f'{share:.1%}' for share in shares)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
