"""Trains the ground matcher: the last blocks of the backbone, adapters of the two views, the weights of ground by
range, and the temperature. The rest of the backbone stays as it was pretrained.

Reads pairs that training/ground_pairs.py drew. Step 0 is the matcher of models/crossfix-ground.safetensors: adapters
are residual and start at zero. Each step takes a batch of pairs; the loss is the cross-entropy of the posterior over
the cells of a pair's own tile, another pair's tile, and of the own tile for a view turned by a quarter.

Example:
    python training/ground_train.py --train build/ground/train --validation build/ground/val-world build/ground/val-scenes \
        --out build/ground/run --minutes 30
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossfix_training import compatible
from crossfix_training.config import METADATA_KEY
from crossfix_training.ground_match import LITE0_EPSILON, Settings, folded, view_cells
from crossfix_training.weights import load_tensors
from ground_pairs import CACHED_BLOCKS, VIEW, pretrained_trunk
from protocol import area_under

KNOTS = 11  # of the weight by range, at even steps from 0 to the farthest ground
CELL = VIEW.cell * VIEW.metres_per_pixel  # metres
SIGMA = 0.7  # cells: of the target about the truth
FIRST_CENTRE = 0.5  # pixels of the first cell's middle, at 4 pixels a cell


class Block(nn.Module):
    """An inverted residual with BatchNorm folded in: expand, depthwise, project, ReLU6 after the first two."""

    def __init__(self, inputs: int, outputs: int, kernel: int, expand: int, dilation: int) -> None:
        super().__init__()
        middle = inputs * expand
        self.expand = nn.Conv2d(inputs, middle, 1)
        self.depthwise = nn.Conv2d(middle, middle, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=middle)
        self.project = nn.Conv2d(middle, outputs, 1)
        self.residual = inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(F.relu6(self.depthwise(F.relu6(self.expand(x)))))
        return x + y if self.residual else y

    def load(self, state: dict[str, Tensor], prefix: str) -> None:
        for name in ("expand", "depthwise", "project"):
            weight = state[f"{prefix}.{name}.weight"]
            getattr(self, name).weight.data.copy_(weight[:, None] if name == "depthwise" else weight)
            getattr(self, name).bias.data.copy_(state[f"{prefix}.{name}.bias"])

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        found = {}
        for name in ("expand", "depthwise", "project"):
            layer = getattr(self, name)
            found[f"{prefix}.{name}.weight"] = layer.weight.detach()[:, 0] if name == "depthwise" else layer.weight.detach()
            found[f"{prefix}.{name}.bias"] = layer.bias.detach()
        return found


def adapter(channels: int) -> Block:
    block = Block(channels, channels, 5, 2, 1)
    nn.init.zeros_(block.project.weight)
    nn.init.zeros_(block.project.bias)
    return block


class Matcher(nn.Module):
    """From the features of the first blocks to scores."""

    def __init__(self, settings: Settings, adapters: int) -> None:
        super().__init__()
        self.settings = settings
        self.first = folded(pretrained_trunk().state_dict(), settings.blocks, LITE0_EPSILON)
        plan = ((24, 40, 5, 6, 1), (40, 40, 5, 6, 2))
        self.blocks = nn.ModuleList(Block(*row) for row in plan[: settings.blocks - CACHED_BLOCKS])
        for i, block in enumerate(self.blocks):
            block.load(self.first, f"trunk.blocks.{CACHED_BLOCKS + i}")
        self.view_adapters = nn.ModuleList(adapter(40) for _ in range(adapters))
        self.tile_adapters = nn.ModuleList(adapter(40) for _ in range(adapters))
        knots = torch.linspace(0, settings.farthest, KNOTS)
        self.log_range = nn.Parameter(-knots / settings.range)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(settings.temperature)))
        m = view_cells(settings)
        row, col = np.mgrid[-m : m + 1, -m : m + 1] * CELL
        self.register_buffer("position", torch.from_numpy(np.hypot(row, col) / settings.farthest * (KNOTS - 1)).float())

    def features(self, x: Tensor, adapters: nn.ModuleList) -> Tensor:
        for block in self.blocks:
            x = block(x)
        for block in adapters:
            x = block(x)
        return x

    def range_weights(self) -> Tensor:
        low = self.position.floor().long().clamp_max(KNOTS - 2)
        share = self.position - low
        return torch.exp(self.log_range[low] * (1 - share) + self.log_range[low + 1] * share)

    def tile(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Standardized features [B, C, H, W] of tiles, and their energy [B, 1, H, W]."""
        x = self.features(x, self.tile_adapters)
        x = (x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True, correction=0) + 1e-6)
        return x, (x**2).sum(1, keepdim=True)

    def view(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Standardized features [B, C, h, w] of views, and weights [B, 1, h, w] of what is seen [B, h, w]."""
        x = self.features(x, self.view_adapters)
        w = (seen * self.range_weights())[:, None]
        w = w / w.sum((2, 3), keepdim=True)
        mean = (x * w).sum((2, 3), keepdim=True)
        x = (x - mean) / (((x - mean) ** 2 * w).sum((2, 3), keepdim=True).sqrt() + 1e-6)
        return x, w

    def scores(self, tile: tuple[Tensor, Tensor], view: tuple[Tensor, Tensor]) -> Tensor:
        """Normalised correlation [B, H, W], as `ground_match.score`."""
        (t, energy), (v, w) = tile, view
        (H, W), h = t.shape[-2:], v.shape[-1] // 2
        size = tuple(fast_size(n + h) for n in (H, W))

        def spectrum(x: Tensor) -> Tensor:
            return torch.fft.rfft2(x, s=size)

        ones = torch.ones_like(energy[:1])
        own = (v**2).sum(1, keepdim=True) * w
        a = spectrum(torch.cat([energy, ones.expand_as(energy), ones.expand_as(energy)], 1))
        b = spectrum(torch.cat([w, own, w], 1)).conj()
        product = (spectrum(t) * spectrum(v * w).conj()).sum(1, keepdim=True)
        found = torch.fft.irfft2(torch.cat([product, a * b], 1), s=size)
        found = torch.roll(found, (h, h), (-2, -1))[..., :H, :W]
        product, energy, own, share = found.unbind(1)
        norm = (energy.clamp_min(1e-3) * own.clamp_min(1e-3)).sqrt() + 1e-6
        return product / norm * share.clamp_min(1e-6).sqrt()

    def settings_of(self) -> Settings:
        """The settings with what was learned."""
        weights = tuple(round(float(w), 6) for w in self.log_range.detach().exp())
        return replace(self.settings, adapters=len(self.view_adapters), range_weights=weights, temperature=float(self.log_temperature.detach().exp()))

    def exported(self) -> dict[str, Tensor]:
        """Tensors of a weights file."""
        trained = tuple(f"trunk.blocks.{CACHED_BLOCKS + i}." for i in range(len(self.blocks)))
        found = {key: value for key, value in self.first.items() if not key.startswith(trained)}
        for i, block in enumerate(self.blocks):
            found |= block.tensors(f"trunk.blocks.{CACHED_BLOCKS + i}")
        for kind, adapters in (("view", self.view_adapters), ("tile", self.tile_adapters)):
            for i, block in enumerate(adapters):
                found |= block.tensors(f"adapters.{kind}.{i}")
        return found


def load_matcher(path: Path) -> Matcher:
    """A matcher from a checkpoint, or from a weights file (its first blocks must be the pretrained ones)."""
    if path.suffix == ".safetensors":
        tensors, metadata = load_tensors(path)
        fields = json.loads(metadata[METADATA_KEY])
        match = fields["ground_match"]
        model = Matcher(VIEW, match["adapters"])
        for kind, adapters in (("view", model.view_adapters), ("tile", model.tile_adapters)):
            for i, block in enumerate(adapters):
                block.load(tensors, f"adapters.{kind}.{i}")
        for i, block in enumerate(model.blocks):
            block.load(tensors, f"trunk.blocks.{CACHED_BLOCKS + i}")
        if len(match.get("range_weights", ())) == KNOTS and match["farthest"] == VIEW.farthest:
            model.log_range.data = torch.tensor(match["range_weights"]).log()
        model.log_temperature.data = torch.tensor(math.log(fields["temperature"]))
        return model
    state = compatible.load(path)
    adapters = {key.split(".")[1] for key in state if key.startswith("view_adapters.")}
    model = Matcher(VIEW, len(adapters))
    model.load_state_dict(state, strict=False)
    return model


def fast_size(n: int) -> int:
    """The least size from n on with factors 2, 3 and 5 alone."""
    while True:
        rest = n
        for p in (2, 3, 5):
            while rest % p == 0:
                rest //= p
        if rest == 1:
            return n
        n += 1


class Drawn:
    """Pairs that ground_pairs.py drew."""

    def __init__(self, folder: Path, count: int | None = None) -> None:
        self.tiles, self.views, self.weights, self.truths = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("tiles", "views", "weights", "truths"))
        self.name = folder.name
        self.count = len(self.truths) if count is None else min(count, len(self.truths))

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        images = [torch.from_numpy(array[rows].astype(np.float32)).permute(0, 3, 1, 2) for array in (self.tiles, self.views)]
        truths = (torch.from_numpy(self.truths[rows].copy()) - FIRST_CENTRE) / VIEW.cell  # in cells
        return *images, torch.from_numpy(self.weights[rows].astype(np.float32)), truths


def target_of(truths: Tensor, shape: tuple[int, int], sigma: float) -> Tensor:
    """Gaussian targets [B, H, W] about the truths, in cells."""
    row, col = torch.arange(shape[0]), torch.arange(shape[1])
    t = torch.exp(-0.5 * ((row[None] - truths[:, :1]) / sigma) ** 2)[:, :, None] * torch.exp(-0.5 * ((col[None] - truths[:, 1:]) / sigma) ** 2)[:, None]
    return t / t.sum((1, 2), keepdim=True)


@torch.no_grad()
def validate(model: Matcher, data: Drawn, batch: int = 20) -> dict[str, float]:
    errors: list[np.ndarray] = []
    losses: list[np.ndarray] = []
    standouts: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for begin in range(0, data.count, batch):
        tile, view, seen, truths = data.batch(np.arange(begin, min(begin + batch, data.count)))
        tiles, views = model.tile(tile), model.view(view, seen)
        temperature = model.log_temperature.exp()
        for wrong in (False, True):
            at = tuple(x.roll(2, 0) for x in tiles) if wrong else tiles
            scores = model.scores(at, views)
            flat = scores.flatten(1)
            standouts[wrong].append(((flat.max(1).values - flat.mean(1)) / flat.std(1)).numpy())
            if not wrong:
                best = flat.argmax(1)
                cells = torch.stack([best // scores.shape[2], best % scores.shape[2]], 1)
                errors.append((torch.linalg.vector_norm(cells - truths, dim=1) * CELL).numpy())
                target = target_of(truths, scores.shape[1:], SIGMA)
                losses.append(-(target.flatten(1) * torch.log_softmax(flat / temperature, 1)).sum(1).numpy())
    error = np.concatenate(errors)
    standing, lost = (np.concatenate(standouts[wrong]) for wrong in (False, True))
    return {
        "within5": float(np.mean(error < 5)),
        "within2": float(np.mean(error < 2)),
        "median": float(np.median(error)),
        "loss": float(np.mean(np.concatenate(losses))),
        "area": area_under(-standing, -lost),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--train", type=Path, nargs="+", required=True)
    add("--validation", type=Path, nargs="+", required=True)
    add("--out", type=Path, required=True)
    add("--minutes", type=float, default=30, help="the learning rate falls over them")
    add("--steps", type=int, help="instead of minutes")
    add("--source", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="of N caches that pairs were drawn from in turn, the I-th alone")
    add("--batch", type=int, default=16)
    add("--rate", type=float, default=1e-3)
    add("--trunk-rate", type=float, default=0.0, help="of the backbone's last blocks; 0 keeps them")
    add("--adapters", type=int, default=1)
    add("--start", type=Path, help="checkpoint of another run, or a weights file")
    add("--no-range", action="store_true")
    add("--decay", type=float, default=0.01)
    add("--wrong", type=float, default=1.0, help="share of batches with another pair's tile and a turned view")
    add("--threads", type=int, default=2)
    add("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = Matcher(VIEW, options.adapters).to(memory_format=torch.channels_last)
    if options.start:
        model.load_state_dict(load_matcher(options.start).state_dict(), strict=False)
    trunk = list(model.blocks.parameters())
    scalars = [model.log_temperature] + ([] if options.no_range else [model.log_range])
    rest = [p for name, p in model.named_parameters() if "adapters" in name]
    for p in model.parameters():
        p.requires_grad_(False)
    groups = [{"params": scalars, "rate": options.rate * 5, "weight_decay": 0.0}]
    if rest:
        groups.append({"params": rest, "rate": options.rate, "weight_decay": options.decay})
    if options.trunk_rate > 0:
        groups.append({"params": trunk, "rate": options.trunk_rate, "weight_decay": 0.0})
    for group in groups:
        for p in group["params"]:
            p.requires_grad_(True)
        group["lr"] = group["rate"]
    optimizer = torch.optim.AdamW(groups)
    average = copy.deepcopy(model).requires_grad_(False)
    train = [Drawn(folder) for folder in options.train]
    validation = [Drawn(folder) for folder in options.validation]
    options.out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(options.seed)
    counts = np.array([data.count for data in train])

    best = [math.inf]  # lowest mean loss on the validation pairs so far

    def log(entry: dict) -> None:
        with open(options.out / "log.jsonl", "a", encoding="utf-8") as file:
            print(json.dumps(entry), file=file)

    def report(step: int) -> None:
        found = {data.name: validate(average, data) for data in validation}
        entry = {"step": step, "seconds": round(time.monotonic() - begun), "temperature": float(average.log_temperature.exp()), **found}
        log(entry)
        figures = (
            f"{name}: {f['within5']:.3f} {f['within2']:.3f} {f['median']:.2f} m loss {f['loss']:.3f} area {f['area']:.3f}"
            for name, f in found.items()
        )
        print(f"step {step} {entry['seconds']} s; T {entry['temperature']:.4f}; " + "; ".join(figures), flush=True)
        torch.save(average.state_dict(), options.out / "last.pt")
        mean = float(np.mean([f["loss"] for f in found.values()]))
        if mean < best[0]:
            best[0] = mean
            torch.save(average.state_dict(), options.out / "best.pt")

    begun = time.monotonic()
    report(0)
    step, checked, running = 0, time.monotonic(), 0.0
    while True:
        share = step / options.steps if options.steps else (time.monotonic() - begun) / 60 / options.minutes
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        data = train[random.choice(len(train), p=counts / counts.sum())]
        first, of = options.source
        rows = np.sort(random.integers(0, data.count // of, options.batch)) * of + first
        tile, view, seen, truths = data.batch(rows)
        tiles, views = model.tile(tile), model.view(view, seen)
        scores = [model.scores(tiles, views)]
        if random.random() < options.wrong:
            scores.append(model.scores(tuple(x.roll(1, 0) for x in tiles), views))
            quarter = int(random.choice([1, 2, 2, 3]))  # streets look most alike turned by half
            turned = model.view(torch.rot90(view, quarter, (2, 3)), torch.rot90(seen, quarter, (1, 2)))
            scores.append(model.scores(tiles, turned))
        logits = torch.cat([s.flatten(1) for s in scores], 1) / model.log_temperature.exp()
        target = target_of(truths, scores[0].shape[1:], SIGMA).flatten(1)
        own = logits[:, : target.shape[1]]
        loss = (torch.logsumexp(logits, 1) - (target * own).sum(1)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 5.0)
        optimizer.step()
        step += 1
        running += (loss.item() - running) / min(step, 100)
        with torch.no_grad():
            keep = min(0.998, step / (step + 20))
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - keep)
        if step % 20 == 0:
            log({"step": step, "loss": round(running, 4), "seconds": round(time.monotonic() - begun, 1)})
        if time.monotonic() - checked > 120:
            report(step)
            print(f"   train loss {running:.3f}", flush=True)
            checked = time.monotonic()
    report(step)
    return 0


if __name__ == "__main__":
    sys.exit(main())
