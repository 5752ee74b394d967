"""Trains a crossfix network, or one of the baselines, on data in VIGOR's layout (for example from `crossfix world`), or
on lists of pairs (for example from readers.py).

Example:
    python training/train.py --data build/world --out build/train-s --minutes 90
    torchrun --nproc-per-node 4 training/train.py --data build/world --out build/train-s --minutes 90
    python training/train.py --data VIGOR --out build/vigor --preset vigor-published --trunk resnet50.pth --steps 100000
Stop it at any time; the same command with --resume goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from crossfix_training import augment, compatible
from crossfix_training.atomic_file import whole_file
from crossfix_training.dataset import PairData, read_lists, split_by_ground, validation_split
from crossfix_training.fresh import FreshWorlds, first_seed
from crossfix_training.labels import TRAIN_SPLIT, DataError, Sample, cities_of, read_split, refuse_reserved
from crossfix_training.ranks import Ranks
from crossfix_training.sam import ascended
from crossfix_training.systems import RECIPES, SYSTEMS, CrossFixSystem, make_system
from crossfix_training.trunk import BACKBONES, INPUTS, start_backbones
from crossfix_training.weights import load_weights
from plot_log import validations, write_picture

VALIDATION_PAIRS = 512  # at most; of --data and --list each at least half, if there are as many


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, nargs="+", default=[], help="VIGOR-layout folders")
    add("--list", type=Path, action="append", default=[], metavar="FILE", help="list of pairs, as for locate --pairs; may be repeated")
    add("--out", type=Path, required=True, help="folder for checkpoints, log and weights")
    add(
        "--fresh",
        type=Path,
        metavar="PROGRAM",
        help="draw worlds like --data's (of `crossfix world`) while training, by this program: build/bin/crossfix",
    )
    add("--fresh-panoramas", type=int, default=2000, help="of each (default: 2000)")
    add("--cache", type=Path, help="folder for the images at network size (default: OUT/cache)")
    add(
        "--preset",
        choices=SYSTEMS,
        default="small",
        help="network (default: small); vigor-published also sets the options below to the published recipe's, "
        "unless they are given",
    )
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--steps", type=int, help="length of the run in steps")
    budget.add_argument("--minutes", type=float, help="length of the run in minutes")
    add("--resume", action="store_true", help="go on from OUT/last.pt")
    add("--start", type=Path, help="weights to start from: a checkpoint, or a weights file (not of a baseline)")
    add(
        "--trunk",
        type=Path,
        metavar="FILE",
        help="start the backbones from this pretrained ResNet-50 (the baselines: VGG-16) with the names of torchvision "
        "or timm, .pth or .safetensors",
    )
    add(
        "--trunk-input",
        choices=INPUTS,
        help="what a VGG-16 of --trunk has seen: rgb, normalised as torchvision's (default), or grey levels minus "
        "their mean, as the first VGG-16",
    )
    add("--batch", type=int, default=16, help="pairs a step, of all processes together")
    add("--rate", type=float, default=6e-4, help="peak learning rate")
    add("--trunk-rate", type=float, metavar="RATE", help="that of the backbones (default: --rate)")
    add("--last-rate", type=float, default=0.01, metavar="SHARE", help="of the peak, at the end (default: 0.01)")
    add("--warm-up", type=int, default=300, help="steps")
    add("--decay", type=float, default=0.02, help="weight decay")
    add("--sam", type=float, default=0.0, metavar="RHO", help="sharpness-aware steps of this radius (published: 0.05)")
    add("--clip", type=float, metavar="NORM", help="of the gradient (default: 1; inf for the baselines)")
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
    add("--crop", type=float, default=0.0, metavar="SHARE", help="cut up to this share off a tile's side")
    add("--validation", type=float, default=0.05, help="share of blocks, and of ground images of lists, kept for validation")
    add("--every", type=int, default=250, help="steps between validations")
    add("--precision", choices=("bf16", "f32"), default="bf16")
    add("--threads", type=int, default=0, help="CPU threads (0: all)")
    add("--seed", type=int, default=1)
    add("--trained-on", default="unknown", help="text for the weights file")
    options = parser.parse_args()
    if not options.data and not options.list:
        parser.error("give --data, --list, or both")
    if options.fresh and (options.list or not options.data):
        parser.error("--fresh goes with --data alone: its worlds take the place of the pairs")
    if options.preset in RECIPES:
        parser.set_defaults(**RECIPES[options.preset].settings)
        options = parser.parse_args()
    if options.trunk and options.start:
        parser.error("--trunk and --start: both give the backbones their first weights")
    if options.trunk_input and not options.trunk:
        parser.error("--trunk-input says what the file of --trunk has seen")
    if options.trunk_rate is not None and not options.trunk_rate >= 0:
        parser.error(f"--trunk-rate {options.trunk_rate}: must be 0 or more")
    return options


class Average:
    """Exponential moving average of a network's parameters and buffers."""

    def __init__(self, model: torch.nn.Module, decay: float = 0.999) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: torch.nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        state = model.state_dict()
        for key, mean in self.model.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(state[key], 1 - decay)
            else:
                mean.copy_(state[key])


@dataclass
class Progress:
    """What a checkpoint holds besides tensors."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf  # metres, median on validation
    trunk: str = ""  # SHA-256 of the file that the backbones started from


def to_network(pixels: np.ndarray, device: torch.device) -> torch.Tensor:
    """uint8 [B, H, W, 3] -> float [B, 3, H, W] in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(0, 3, 1, 2).float() / 255


class Trainer:
    """A run: network, its average, optimiser, data and log."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.ranks = Ranks()
        self.ranks.share(options.batch)  # refuses a bad batch size before anything is read
        self.device = self.ranks.device
        torch.manual_seed(options.seed)
        self.seed_draws(0)
        self.system = make_system(options)
        self.clip = self.system.clip if options.clip is None else options.clip
        self.progress = Progress()
        if options.trunk:
            self.start_trunk(options.trunk)  # refuses a bad file before images are read
        elif options.preset in RECIPES and not (options.start or options.resume) and self.ranks.first:
            print("the backbones are random: the published ones start from ImageNet (--trunk)", flush=True)
        self.load_data()
        self.model = self.system.model.to(self.device, memory_format=torch.channels_last)
        self.helper = self.system.helper.to(self.device)
        self.peaks, groups = self.parameter_groups()
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.decay)
        if options.start:
            self.model.load_state_dict(self.start(options.start))
        self.average = Average(self.model)
        if options.resume:
            self.restore(options.out / "last.pt")
        self.ranks.same_weights((self.model, self.helper, self.average.model))
        self.fresh = None
        if options.fresh:
            seed = first_seed(options.seed, self.ranks.rank, self.progress.step)
            folder = options.out / f"fresh-{self.ranks.rank}"
            self.fresh = FreshWorlds(options.fresh, options.data[0], folder, seed, options.fresh_panoramas)
        self.started = time.monotonic() - self.progress.seconds

    def seed_draws(self, step: int) -> None:
        """Random numbers from `step` on are this rank's own."""
        self.numbers = np.random.default_rng((self.options.seed, step, self.ranks.rank))
        self.generator = torch.Generator().manual_seed(int(self.numbers.integers(2**62)))

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
        kept, held = self.load_lists()
        training += kept
        limit = VALIDATION_PAIRS - min(len(held), VALIDATION_PAIRS // 2)
        validation = validation[:limit] + held[: VALIDATION_PAIRS - min(len(validation), limit)]
        cache = self.options.cache or self.options.out / "cache"
        with self.ranks.first_alone():
            self.training = PairData(training, self.system.size, cache, "training")
            self.validation = PairData(validation, self.system.size, cache, "validation")
        print(f"{len(training)} training panoramas, {len(self.validation)} validation pairs", flush=True)

    def load_lists(self) -> tuple[list[Sample], list[Sample]]:
        """(training, validation) of --list."""
        if not self.options.list:
            return [], []
        if self.system.semi_positives:
            raise DataError(f"--list: preset {self.options.preset} learns from several tiles a panorama, and a list has one; give --data")
        whole = self.system.equirectangular
        if not whole and self.options.data:
            raise DataError(f"--data: preset {self.options.preset} takes pinhole images, and --data has panoramas; give --list alone")
        samples, hfov = read_lists(self.options.list, whole, self.system.tile_metres)
        if hfov is not None and isinstance(self.system, CrossFixSystem):
            self.system.photographed(hfov)
        return split_by_ground(samples, self.options.validation, self.options.seed)

    def renew(self) -> None:
        """From here on trains on the next fresh world, if it is done."""
        world = self.fresh.take() if self.fresh else None
        if not world:
            return
        samples = [sample for city in cities_of(world) for sample in read_split(world, city, TRAIN_SPLIT)]
        self.training = PairData(samples, self.system.size, world / "cache", "training")
        shutil.rmtree(world)  # what is mapped into memory stays until it is released
        print(f"from step {self.progress.step} on {len(samples)} panoramas of {world.name}", flush=True)

    def fraction(self) -> float:
        """The share of the budget that is used, in [0, 1]."""
        if self.options.steps:
            return min(1.0, self.progress.step / self.options.steps)
        return min(1.0, self.progress.seconds / (60 * self.options.minutes))

    def parameter_groups(self) -> tuple[list[float], list[dict[str, list[torch.nn.Parameter]]]]:
        """Peak learning rates and parameters: of everything, or of the backbones apart from the rest."""
        if self.options.trunk_rate is None:
            return [self.options.rate], [{"params": [*self.model.parameters(), *self.helper.parameters()]}]
        backbones: list[torch.nn.Parameter] = []
        rest = list(self.helper.parameters())
        for key, parameter in self.model.named_parameters():
            (backbones if key.split(".")[0] in BACKBONES else rest).append(parameter)
        return [self.options.rate, self.options.trunk_rate], [{"params": rest}, {"params": backbones}]

    def rate_share(self) -> float:
        """The share of the peak learning rates: linear warm-up, then a cosine down to the last one over the budget."""
        warm = min(1.0, (self.progress.step + 1) / self.options.warm_up)
        cosine = 0.5 * (1 + math.cos(math.pi * self.fraction()))
        return warm * (self.options.last_rate + (1 - self.options.last_rate) * cosine)

    def autocast(self) -> torch.autocast:
        enabled = self.options.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def pairs(self, rows: np.ndarray, choices: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images and truths of the training samples `rows`, with the tiles `choices`."""
        satellite, ground, truth = self.training.batch(rows, choices)
        return (
            to_network(satellite, self.device),
            to_network(ground, self.device),
            torch.from_numpy(truth).to(self.device),
        )

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """An augmented batch: satellite [B, 3, S, S], ground [B, 3, H, W], truth (row, col) [B, 2], all in [0, 1].

        With semi-positives, satellite [B, 2, 3, S, S] and truth [B, 2, 2]: the positive of each panorama and another
        tile.
        """
        count = self.ranks.share(self.options.batch)
        rows = self.numbers.integers(len(self.training), size=count)
        positive = self.numbers.random(count) < self.options.positives
        choices = np.where(positive, 0, self.numbers.integers(1, 4, size=count))
        rows = np.sort(rows)
        if self.system.semi_positives:
            satellite, ground, truth = self.pairs(rows, np.zeros_like(rows))
            other, _, other_truth = self.pairs(rows, self.numbers.integers(1, 4, size=len(rows)))
            satellite, truth = torch.stack([satellite, other], 1), torch.stack([truth, other_truth], 1)
        else:
            satellite, ground, truth = self.pairs(rows, choices)
        if self.options.crop > 0 and not self.system.semi_positives:
            satellite, truth = augment.crop(satellite, truth, self.options.crop, self.generator)
        if self.system.equirectangular:
            satellite, ground, truth = augment.geometric(satellite, ground, truth, self.generator)
        tiles = augment.colour(satellite.reshape(-1, *satellite.shape[-3:]), self.generator)
        return tiles.reshape(satellite.shape), augment.colour(ground, self.generator), truth

    def backward(self, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Puts the gradient of the loss into the parameters; returns the parts of the loss for the log."""
        loss, parts = self.system.loss(*batch, self.fraction(), self.autocast())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.ranks.average_gradients([*self.model.parameters(), *self.helper.parameters()])
        return parts

    def step(self) -> dict[str, float]:
        """One optimiser step -> the parts of the loss."""
        batch = self.draw()
        for group, peak in zip(self.optimizer.param_groups, self.peaks):
            group["lr"] = peak * self.rate_share()
        losses = self.backward(batch)
        if self.options.sam > 0:
            with ascended(self.model, self.options.sam):
                self.backward(batch)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.progress.step += 1
        self.progress.seconds = self.ranks.agree(time.monotonic() - self.started)
        self.average.update(self.model, self.progress.step)
        return {name: loss.item() for name, loss in losses.items()}

    @torch.no_grad()
    def validate(self) -> np.ndarray:
        """Errors in metres of the averaged network on the validation positives."""
        errors = []
        for begin in range(0, len(self.validation), 64):
            rows = np.arange(begin, min(begin + 64, len(self.validation)))
            satellite, ground, truth = self.validation.batch(rows, np.zeros(len(rows), dtype=int))
            with self.autocast():
                images = to_network(satellite, self.device), to_network(ground, self.device)
                fixes = self.system.fix(self.average.model, *images)
            difference = fixes - torch.from_numpy(truth).to(self.device)
            errors.append(difference.norm(dim=1).cpu() * self.system.tile_metres)
        return torch.cat(errors).numpy()

    def save(self) -> None:
        """Writes OUT/last.pt, whole or not at all."""
        path = self.options.out / "last.pt"
        state = {
            "model": self.model.state_dict(),
            "matching": self.helper.state_dict(),
            "average": self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "config": self.system.describe(),
        }
        with whole_file(path) as file:
            torch.save(state, file)

    def start(self, path: Path) -> dict[str, torch.Tensor]:
        """Loads the weights of another run of this network."""
        if path.suffix == ".safetensors":
            state, config = load_weights(path)
            description = config.to_json()
        else:
            saved = compatible.load(path, self.device)
            state, description = saved["average"], saved["config"]
        self.check_network(path, description)
        return state

    def start_trunk(self, path: Path) -> None:
        """Starts the backbones from a pretrained classifier; a run that is resumed must have started from it."""
        with open(path, "rb") as file:
            self.progress.trunk = hashlib.file_digest(file, "sha256").hexdigest()
        if self.options.resume:  # the checkpoint has the backbones
            return
        for line in start_backbones(self.system.model, path, self.options.trunk_input):
            if self.ranks.first:
                print(line, flush=True)

    def check_network(self, path: Path, description: str) -> None:
        if not self.system.made(description):
            raise DataError(f"{path}: made with another network than --preset {self.options.preset}")

    def restore(self, path: Path) -> None:
        state = compatible.load(path, self.device)
        self.check_network(path, state["config"])
        progress = Progress(**state["progress"])
        if self.options.trunk and progress.trunk != self.progress.trunk:
            began = "another file" if progress.trunk else "no file"
            raise DataError(f"{path}: this run's backbones started from {began}, not from --trunk {self.options.trunk}")
        if len(state["optimizer"]["param_groups"]) != len(self.peaks):
            was = "without" if self.options.trunk_rate is not None else "with"
            raise DataError(f"{path}: this run began {was} --trunk-rate")
        self.model.load_state_dict(state["model"])
        self.helper.load_state_dict(state["matching"])
        self.average.model.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = progress
        self.seed_draws(self.progress.step)

    def log(self, losses: dict[str, float], **more: float) -> dict[str, float]:
        """Adds a line to OUT/log.jsonl, and returns it."""
        line = {
            "step": self.progress.step,
            "samples": self.progress.step * self.options.batch,
            "minutes": round(self.progress.seconds / 60, 2),
            "rate": float(f"{self.options.rate * self.rate_share():.3g}"),
            **{name: round(loss, 4) for name, loss in losses.items()},
            **more,
        }
        with open(self.options.out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        return line

    def report(self, losses: list[dict[str, float]]) -> None:
        """Validates, logs, saves; keeps the best averaged weights as OUT/best.safetensors."""
        errors = self.validate()
        line = self.log(
            {name: float(np.mean([part[name] for part in losses])) for name in losses[0]},
            samples_per_second=round(self.progress.step * self.options.batch / self.progress.seconds, 1),
            mean_metres=round(float(errors.mean()), 2),
            median_metres=round(float(np.median(errors)), 2),
        )
        if sys.stderr.isatty():
            print(file=sys.stderr)
        print(json.dumps(line), flush=True)
        if line["median_metres"] < self.progress.best:
            self.progress.best = line["median_metres"]
            self.system.save(self.average.model.state_dict(), self.options.out / "best.safetensors")
        self.save()
        write_picture({self.options.preset: validations(self.options.out / "log.jsonl")}, self.options.out / "log.svg")

    def close(self) -> None:
        """Stops what runs in parallel to the training."""
        if self.fresh:
            self.fresh.close()

    def run(self) -> None:
        losses: list[dict[str, float]] = []
        while self.fraction() < 1:
            self.renew()
            losses.append(self.step())
            if not self.ranks.first:
                continue
            self.log(losses[-1])
            if sys.stderr.isatty():
                done = int(30 * self.fraction())
                bar = "#" * done + "." * (30 - done)
                state = f"\r[{bar}] step {self.progress.step} loss {next(iter(losses[-1].values())):.3f}"
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
        trainer = Trainer(options)
        try:
            trainer.run()
        finally:
            trainer.close()
    except (DataError, OSError, ValueError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
