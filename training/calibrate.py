"""Finds the temperature at which 68 % of the truths lie within radius68, and writes it to a weights file.

Uses the training split's validation blocks (the ones train.py keeps from training), never the test split.

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

from config import Config
from dataset import PairData, validation_split
from labels import TRAIN_SPLIT, DataError, cities_of, read_split, refuse_reserved
from model import CrossFix, decode
from train import to_network
from weights import DTYPES, load_weights, save_weights

SHARE = 0.68
POINTS = 6  # a cell's mass is spread over POINTS x POINTS places


def validation_pairs(roots: list[Path], share: float) -> list:
    """The positives of the validation blocks of every city."""
    held = []
    for root in roots:
        refuse_reserved(root)
        for city in cities_of(root):
            held += validation_split(read_split(root, city, TRAIN_SPLIT), share)[1]
    return [sample for sample in held if sample.positive]


@torch.no_grad()
def outputs(model: CrossFix, data: PairData) -> tuple[Tensor, Tensor, Tensor]:
    """Logits [pairs, cells], fixes and truths [pairs, 2] in network pixels."""
    config = model.config
    mean = torch.tensor(config.normalization.mean).view(1, 3, 1, 1)
    std = torch.tensor(config.normalization.std).view(1, 3, 1, 1)
    logits, fixes, truths = [], [], []
    for begin in range(0, len(data), 64):
        rows = np.arange(begin, min(begin + 64, len(data)))
        satellite, ground, truth = data.batch(rows, np.zeros(len(rows), dtype=int))
        views = [(to_network(view, mean.device) - mean) / std for view in (satellite, ground)]
        scores, offsets = model(*views)
        logits.append(scores)
        fixes.append(decode(scores, offsets, config))
        truths.append(torch.from_numpy(truth) * config.satellite_size)
    return torch.cat(logits), torch.cat(fixes), torch.cat(truths)


def share_within_radius(
    logits: Tensor, fixes: Tensor, truths: Tensor, temperature: float, config: Config
) -> tuple[float, float]:
    """(share of truths within radius68, median radius68 in network pixels)."""
    steps = (torch.arange(config.grid * POINTS) + 0.5) * config.cell_pixels / POINTS
    places = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1).flatten(0, 1)
    inside, radii = 0, []
    for scores, fix, truth in zip(logits, fixes, truths):
        mass = (scores / temperature).softmax(0).unflatten(0, (config.grid, config.grid))
        mass = mass.repeat_interleave(POINTS, 0).repeat_interleave(POINTS, 1).flatten() / POINTS**2
        distance, order = (places - fix).norm(dim=1).sort()
        reached = torch.searchsorted(mass[order].cumsum(0), SHARE)
        radii.append(distance[min(int(reached), len(distance) - 1)].item())
        inside += (truth - fix).norm().item() <= radii[-1]
    return inside / len(fixes), float(np.median(radii))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("build/calibration-cache"))
    parser.add_argument("--validation", type=float, default=0.05, help="as given to train.py")
    parser.add_argument("--limit", type=int, default=512, help="pairs, as train.py takes")
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="f16")
    options = parser.parse_args()
    try:
        state, config = load_weights(options.weights)
        # What will be stored is what is calibrated.
        dtype = DTYPES[options.dtype]
        state = {k: v.to(dtype).float() if v.is_floating_point() else v for k, v in state.items()}
        model = CrossFix(config).eval()
        model.load_state_dict(state)
        pairs = validation_pairs(options.data, options.validation)[: options.limit]
        logits, fixes, truths = outputs(model, PairData(pairs, config, options.cache, "validation"))
        low, high = 0.1, 10.0
        for _ in range(12):  # the share grows with the temperature
            middle = (low * high) ** 0.5
            share, radius = share_within_radius(logits, fixes, truths, middle, config)
            low, high = (middle, high) if share < SHARE else (low, middle)
        temperature = round(middle, 3)
        metres = config.metres_per_network_pixel or 1.0
        errors = (fixes - truths).norm(dim=1) * metres
        save_weights(state, replace(config, temperature=temperature), options.out, dtype)
    except (DataError, OSError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 3
    print(
        f"{len(pairs)} validation pairs: mean {errors.mean():.2f} m, median {errors.median():.2f} m; "
        f"temperature {temperature}: {share:.1%} within radius68 (median {radius * metres:.2f} m)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
