"""Finds the temperature and the radius scale of a trained ground matcher, and writes its weights file.

Reads the checkpoint of training/ground_train.py, and validation pairs that training/ground_pairs.py drew several times,
with the same seed and different --assumed ratios of heights, which the matcher marginalises. The temperature is the one
at which the truths' cells are likeliest; the radius scale the one with which 68 % of the truths lie within radius68.
`training/nowhere.py` then fits what tells a wrong tile.

Example:
    python training/ground_fit.py --start build/ground/run/best.pt --ratio 0.87 build/ground/val-world-0.87 \
        --ratio 1 build/ground/val-world-1 --ratio 1.15 build/ground/val-world-1.15 --out build/ground/matcher.safetensors
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from calibrate import SHARE, radius_holding
from crossfix_training.config import METADATA_KEY
from crossfix_training.weights import DTYPES, save_tensors
from ground_train import CELL, SIGMA, Drawn, Matcher, load_matcher, target_of

NEIGHBOURHOOD = 2  # cells about the best one, over which the fix is the mean
TRAINED_ON = (
    "drawings of crossfix world and scenes made of orthophotos; the trunk is EfficientNet-Lite0, pretrained on ImageNet photographs"
)


@torch.no_grad()
def all_scores(model: Matcher, sets: list[list[Drawn]]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Scores [ratios, pairs, H, W] of each set of pairs, and the truths [pairs, 2] in cells. `sets` has the pairs of
    each ratio: pair i of one is pair i of the others."""
    found, truths = [], []
    for several in zip(*sets):
        for begin in range(0, several[0].count, 20):
            rows = np.arange(begin, min(begin + 20, several[0].count))
            scores = []
            for data in several:
                tile, view, seen, truth = data.batch(rows)
                scores.append(model.scores(model.tile(tile), model.view(view, seen)))
            found.append(torch.stack(scores))
            truths.append(truth)
    return found, torch.cat(truths)


def posterior(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    """[pairs, H, W], marginalised over ratios."""
    logits = torch.logsumexp(scores / temperature, 0)
    return torch.softmax(logits.flatten(1), 1).view(logits.shape)


def loss_at(found: list[torch.Tensor], truths: torch.Tensor, temperature: float) -> float:
    total, done = 0.0, 0
    for scores in found:
        p = posterior(scores, temperature).flatten(1)
        target = target_of(truths[done : done + len(p)], scores.shape[2:], SIGMA).flatten(1)
        total -= float((target * torch.log(p + 1e-30)).sum())
        done += len(p)
    return total / done


def errors_and_radii(found: list[torch.Tensor], truths: torch.Tensor, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances of the fix from the truth and radii of the circle about it that holds 68 % of the posterior, metres."""
    errors, radii, done = [], [], 0
    for scores in found:
        for p in posterior(scores, temperature):
            best = int(p.argmax())
            row, col = divmod(best, p.shape[1])
            rows = torch.arange(max(0, row - NEIGHBOURHOOD), min(p.shape[0], row + NEIGHBOURHOOD + 1))
            cols = torch.arange(max(0, col - NEIGHBOURHOOD), min(p.shape[1], col + NEIGHBOURHOOD + 1))
            near = p[rows][:, cols]
            fix = torch.stack([(near.sum(1) * rows).sum(), (near.sum(0) * cols).sum()]) / near.sum()
            errors.append(float(torch.linalg.vector_norm(fix - truths[done])) * CELL)
            cells = torch.cartesian_prod(torch.arange(p.shape[0]), torch.arange(p.shape[1]))
            radii.append(radius_holding(cells, p.flatten(), fix * CELL, CELL))
            done += 1
    return np.array(errors), np.array(radii)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--start", type=Path, required=True, help="checkpoint of ground_train.py")
    add("--ratio", nargs="+", action="append", required=True, metavar=("RATIO", "PAIRS"), help="a ratio of heights, and folders of pairs drawn with it")
    add("--trained-on", default=TRAINED_ON)
    add("--out", type=Path, required=True)
    add("--dtype", choices=sorted(DTYPES), default="f16")
    options = parser.parse_args()
    ratios = [float(values[0]) for values in options.ratio]
    sets = [[Drawn(Path(name)) for name in values[1:]] for values in options.ratio]
    if len(ratios) % 2 == 0 or sorted(ratios) != ratios or abs(ratios[0] * ratios[-1] - 1) > 0.01:
        parser.error("give an odd number of ratios, from the inverse of the largest to the largest")
    model = load_matcher(options.start).eval()
    found, truths = all_scores(model, sets)
    grid = np.exp(np.linspace(math.log(0.004), math.log(0.08), 40))
    losses = [loss_at(found, truths, float(t)) for t in grid]
    temperature = float(grid[int(np.argmin(losses))])
    errors, radii = errors_and_radii(found, truths, temperature)
    scale = float(np.quantile(errors / radii, SHARE))
    print(f"temperature {temperature:.4f}: {min(losses):.3f} nats a pair; within 5 m {np.mean(errors < 5):.3f}, median {np.median(errors):.2f} m")
    print(f"radius scale {scale:.3f}; truths within radius68 before {np.mean(errors <= radii):.3f}")
    for name, rows in zip(("smallest", "second", "third", "fourth", "largest"), np.array_split(np.argsort(radii), 5)):
        print(f"  {name} fifth by radius: {np.median(radii[rows]) * scale:.2f} m, truths within {np.mean(errors[rows] <= radii[rows] * scale):.2f}")
    settings = replace(
        model.settings_of(),
        temperature=round(temperature, 5),
        radius_scale=round(scale, 4),
        ratios=len(ratios),
        largest_ratio=ratios[-1] if len(ratios) > 1 else 1.25,
        trained_on=options.trained_on,
    )
    save_tensors(model.exported(), {METADATA_KEY: settings.to_json()}, options.out, DTYPES[options.dtype])
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
