"""Trains a crossfix network on VIGOR-layout data (such as `crossfix world` makes).

Example:
    python training/train.py --data build/world --out build/train-s --minutes 90
Stop it at any time; the same command with --resume goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

import augment
from auxiliary import MatchingHead
from config import PRESETS, Config
from dataset import PairData, validation_split
from labels import TRAIN_SPLIT, DataError, cities_of, read_split, refuse_reserved
from loss import cell_entropy, error_metres, location_loss
from model import CrossFix
from weights import DTYPES, save_weights


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, help="VIGOR-layout folders")
    add("--out", type=Path, required=True, help="folder for checkpoints, log and weights")
    add("--preset", choices=sorted(PRESETS), default="small", help="network (default: small)")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--steps", type=int, help="length of the run in steps")
    budget.add_argument("--minutes", type=float, help="length of the run in minutes")
    add("--resume", action="store_true", help="go on from OUT/last.pt")
    add("--start", type=Path, help="checkpoint whose weights to start from")
    add("--batch", type=int, default=16)
    add("--rate", type=float, default=6e-4, help="peak learning rate")
    add("--warm-up", type=int, default=300, help="steps")
    add("--decay", type=float, default=0.02, help="weight decay")
    add("--dropout", type=float, default=0.0)
    add(
        "--sigma",
        type=float,
        nargs=2,
        default=(1.0, 0.5),
        metavar=("FIRST", "LAST"),
        help="target softening in cells, at the run's start and end",
    )
    add(
        "--auxiliary",
        type=float,
        default=0.5,
        help="weight of the direct matching loss at the start; falls to 0",
    )
    add("--positives", type=float, default=0.6, help="share of pairs drawn as positives")
    add("--validation", type=float, default=0.05, help="share of blocks kept for validation")
    add("--every", type=int, default=250, help="steps between validations")
    add("--precision", choices=("bf16", "f32"), default="bf16")
    add("--threads", type=int, default=0, help="CPU threads (0: all)")
    add("--seed", type=int, default=1)
    add("--trained-on", default="unknown", help="text for the weights file")
    return parser.parse_args()


class Average:
    """Exponential moving average of a network's parameters and buffers."""

    def __init__(self, model: CrossFix, decay: float = 0.999) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: CrossFix, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        state = model.state_dict()
        for key, mean in self.model.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(state[key], 1 - decay)
            else:
                mean.copy_(state[key])


@dataclass
class Progress:
    """What a checkpoint carries besides tensors."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf  # metres, median on validation


def to_network(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    """uint8 [B, H, W, 3] -> float [B, 3, H, W] in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(0, 3, 1, 2).float() / 255


class Trainer:
    """The run: network, its average, optimiser, data and log."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.config = replace(PRESETS[options.preset], trained_on=options.trained_on)
        torch.manual_seed(options.seed)
        self.generator = torch.Generator().manual_seed(options.seed)
        self.numbers = np.random.default_rng(options.seed)
        self.load_data()
        self.model = CrossFix(self.config, options.dropout).to(
            self.device, memory_format=torch.channels_last
        )
        self.matching = MatchingHead(self.config).to(self.device)
        self.optimizer = torch.optim.AdamW(
            [*self.model.parameters(), *self.matching.parameters()], lr=options.rate, weight_decay=options.decay
        )
        self.progress = Progress()
        if options.start:
            self.model.load_state_dict(torch.load(options.start, weights_only=True)["average"])
        self.average = Average(self.model)
        if options.resume:
            self.restore(options.out / "last.pt")
        statistics = self.config.normalization
        self.mean = torch.tensor(statistics.mean, device=self.device).view(1, 3, 1, 1)
        self.std = torch.tensor(statistics.std, device=self.device).view(1, 3, 1, 1)
        self.started = time.monotonic() - self.progress.seconds

    def load_data(self) -> None:
        training, validation = [], []
        for root in self.options.data:
            refuse_reserved(root)
            for city in cities_of(root):
                kept, held = validation_split(
                    read_split(root, city, TRAIN_SPLIT), self.options.validation
                )
                training += kept
                validation += [sample for sample in held if sample.positive]
        cache = self.options.out / "cache"
        self.training = PairData(training, self.config, cache, "training")
        self.validation = PairData(validation[:512], self.config, cache, "validation")
        print(f"{len(training)} training panoramas, {len(self.validation)} validation pairs", flush=True)

    def fraction(self) -> float:
        """How much of the budget is used, in [0, 1]."""
        if self.options.steps:
            return min(1.0, self.progress.step / self.options.steps)
        return min(1.0, self.progress.seconds / (60 * self.options.minutes))

    def rate(self) -> float:
        """Linear warm-up, then a cosine to 1 % of the peak over the budget."""
        warm = min(1.0, (self.progress.step + 1) / self.options.warm_up)
        cosine = 0.5 * (1 + math.cos(math.pi * self.fraction()))
        return self.options.rate * warm * (0.01 + 0.99 * cosine)

    def normalised(self, images: torch.Tensor) -> torch.Tensor:
        images = (images - self.mean) / self.std
        return images.contiguous(memory_format=torch.channels_last)

    def autocast(self) -> torch.autocast:
        enabled = self.options.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """An augmented batch: satellite and ground in [0, 1], truth (row, col) in [0, 1]."""
        rows = self.numbers.integers(len(self.training), size=self.options.batch)
        positive = self.numbers.random(self.options.batch) < self.options.positives
        choices = np.where(positive, 0, self.numbers.integers(1, 4, size=self.options.batch))
        satellite, ground, truth = self.training.batch(np.sort(rows), choices)
        batch = to_network(satellite, self.device), to_network(ground, self.device)
        truth = torch.from_numpy(truth).to(self.device)
        if self.config.ground_projection.kind == "equirectangular":
            batch = augment.geometric(*batch, truth, self.generator)
            truth = batch[2]
        return (
            augment.colour(batch[0], self.generator),
            augment.colour(batch[1], self.generator),
            truth,
        )

    def step(self) -> tuple[float, float, float]:
        """One optimiser step -> (cross-entropy, offset error, cross-entropy of direct matching)."""
        satellite, ground, truth = self.draw()
        rate = self.rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        first, last = self.options.sigma
        sigma = first + (last - first) * self.fraction()
        with self.autocast():
            tokens = self.model.tokens(self.normalised(satellite), self.normalised(ground))
            logits, offsets = self.model.locate(*tokens)
            direct = self.matching(*tokens)
        entropy, offset = location_loss(logits, offsets, truth, self.config, sigma)
        matching = cell_entropy(direct, truth, self.config, sigma)
        weight = self.options.auxiliary * (1 - self.fraction())
        self.optimizer.zero_grad(set_to_none=True)
        (entropy + offset + weight * matching).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.progress.step += 1
        self.progress.seconds = time.monotonic() - self.started
        self.average.update(self.model, self.progress.step)
        return entropy.item(), offset.item(), matching.item()

    @torch.no_grad()
    def validate(self) -> np.ndarray:
        """Errors in metres of the averaged network on the validation positives."""
        errors = []
        for begin in range(0, len(self.validation), 64):
            rows = np.arange(begin, min(begin + 64, len(self.validation)))
            satellite, ground, truth = self.validation.batch(rows, np.zeros(len(rows), dtype=int))
            with self.autocast():
                logits, offsets = self.average.model(
                    self.normalised(to_network(satellite, self.device)),
                    self.normalised(to_network(ground, self.device)),
                )
            truth = torch.from_numpy(truth).to(self.device)
            errors.append(error_metres(logits, offsets, truth, self.config).cpu())
        return torch.cat(errors).numpy()

    def save(self) -> None:
        """Writes OUT/last.pt, whole or not at all."""
        path = self.options.out / "last.pt"
        partial = path.with_suffix(".partial")
        state = {
            "model": self.model.state_dict(),
            "matching": self.matching.state_dict(),
            "average": self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "config": self.config.to_json(),
        }
        torch.save(state, partial)
        os.replace(partial, path)

    def restore(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        made_with = replace(Config.from_json(state["config"]), trained_on=self.config.trained_on)
        if made_with != self.config:
            raise DataError(f"{path}: made with another network than --preset {self.options.preset}")
        self.model.load_state_dict(state["model"])
        self.matching.load_state_dict(state["matching"])
        self.average.model.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])
        self.numbers = np.random.default_rng((self.options.seed, self.progress.step))
        self.generator.manual_seed(self.options.seed + self.progress.step)

    def report(self, losses: list[tuple[float, float, float]]) -> None:
        """Validates, logs, saves; keeps the best averaged weights as OUT/best.safetensors."""
        errors = self.validate()
        entropy, offset, matching = np.mean(losses, axis=0)
        line = {
            "step": self.progress.step,
            "minutes": round(self.progress.seconds / 60, 2),
            "samples_per_second": round(
                self.progress.step * self.options.batch / self.progress.seconds, 1
            ),
            "rate": float(f"{self.rate():.3g}"),
            "cross_entropy": round(float(entropy), 4),
            "offset_error": round(float(offset), 4),
            "matching_cross_entropy": round(float(matching), 4),
            "mean_metres": round(float(errors.mean()), 2),
            "median_metres": round(float(np.median(errors)), 2),
        }
        with open(self.options.out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if sys.stderr.isatty():
            print(file=sys.stderr)
        print(json.dumps(line), flush=True)
        if line["median_metres"] < self.progress.best:
            self.progress.best = line["median_metres"]
            weights = self.average.model.state_dict()
            save_weights(weights, self.config, self.options.out / "best.safetensors", DTYPES["f32"])
        self.save()

    def run(self) -> None:
        losses: list[tuple[float, float, float]] = []
        while self.fraction() < 1:
            losses.append(self.step())
            if sys.stderr.isatty():
                done = int(30 * self.fraction())
                bar = "#" * done + "." * (30 - done)
                state = f"\r[{bar}] step {self.progress.step} loss {losses[-1][0]:.3f}"
                print(state, end="", file=sys.stderr)
            if self.progress.step % self.options.every == 0 or self.fraction() >= 1:
                self.report(losses)
                losses = []


def main() -> int:
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        Trainer(options).run()
    except (DataError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
