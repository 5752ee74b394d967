"""Compares the program with PyTorch: the whole network at both presets, fusion alone, the baselines, image resizing.

Makes a random checkpoint of the reference network with non-trivial BatchNorm statistics, converts it with convert.py,
runs the built program, and prints relative L2 errors with their bounds.

Example:
    python training/parity.py --bin build/bin
Exit codes: 0 all within bounds, 1 something outside, 3 a program failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from crossfix_training import tensors_file
from crossfix_training.config import PRESETS, Config
from crossfix_training.dataset import load_resized
from crossfix_training.generator import features, fill, image, weight
from crossfix_training.model import CrossFix
from crossfix_training.systems import BaselineSystem, make_system

PRECISIONS = ("f32", "bf16")
# Bounds on the relative L2 error, (f32, bf16). Logits of random weights vary little from cell to cell, so once their
# mean is subtracted the same absolute error is a larger relative one.
BOUNDS = {
    "logits": (2e-5, 2e-2),
    "logits less mean": (1e-3, 1e-1),
    "offsets": (2e-5, 2e-2),
    "fusion": (1e-5, 2e-2),
}
BASELINES = ("mcc", "mcc-small", "vigor-baseline", "vigor-baseline-small")
BASELINE_BOUNDS = {"logits": (2e-5, 2e-2), "logits less mean": (2e-5, 5e-2), "place": (2e-5, 2e-2)}
# Sizes of the source images, (height, width): a VIGOR pair, a RobotCar pair.
SOURCES = {"vigor": ((640, 640), (1024, 2048)), "robotcar": ((800, 800), (960, 1280))}
SOURCES["small"] = SOURCES["vigor"]
PUBLISHED = ("vigor", "robotcar")
SMALL = (("small",), ("mcc-small", "vigor-baseline-small"))  # presets and baselines that take seconds
# (source, target) sizes of single resizes. Those of the presets are exact, odd ones within a grey level.
ODD_SIZES = [((641, 640), (256, 256)), ((97, 131), (256, 512)), ((333, 777), (160, 240))]


class ProgramError(Exception):
    """One of our programs failed; the message is one line."""


@dataclass
class Table:
    """Prints rows of (what, error, bound) and counts failures: a row passes if error <= bound."""

    failed: int = 0

    def add(self, what: str, error: float, bound: float) -> None:
        within = error <= bound
        self.failed += not within
        print(f"{what:<44} {error:10.2e}  {bound:8.0e}  {'ok' if within else 'OUTSIDE'}", flush=True)


def run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        message = (done.stderr.strip() or "no message").splitlines()[-1]
        raise ProgramError(f"{Path(str(words[0])).name} exited with {done.returncode}: {message}")


def relative_error(ours: Tensor, reference: Tensor) -> float:
    """|ours - reference| / |reference|, L2 over all elements; shapes must agree."""
    if ours.shape != reference.shape:
        raise ProgramError(f"shape {list(ours.shape)} where {list(reference.shape)} belongs")
    reference = reference.double()
    return ((ours.double() - reference).norm() / reference.norm()).item()


def network_input(path: Path, size: tuple[int, int], config: Config) -> Tensor:
    """An image file as the network sees it, [1, 3, *size] in float64."""
    pixels = torch.from_numpy(load_resized(path, *size).copy()).permute(2, 0, 1)[None]
    mean = torch.tensor(config.normalization.mean, dtype=torch.float64).view(1, 3, 1, 1)
    std = torch.tensor(config.normalization.std, dtype=torch.float64).view(1, 3, 1, 1)
    return (pixels.double() / 255 - mean) / std


def located(
    programs: Path, weights: Path, pictures: dict[str, Path], precision: str, folder: Path
) -> dict[str, Tensor]:
    """What `crossfix locate --dump` writes for a pair: logits and offsets."""
    dump = folder / "raw.safetensors"
    run(
        programs / "crossfix", "locate", "--model", weights, "--precision", precision,
        "--ground", pictures["ground"], "--satellite", pictures["satellite"], "--dump", dump,
    )  # fmt: skip
    return tensors_file.read(dump)[0]


def compare_network(preset: str, folder: Path, programs: Path, table: Table) -> None:
    """The whole network through `crossfix locate --dump`, and the fusion network on varied tokens."""
    config = PRESETS[preset]
    model = fill(CrossFix(config)).eval()
    checkpoint, weights = folder / f"{preset}.pth", folder / f"{preset}.safetensors"
    torch.save({"state_dict": {f"module.{k}": v for k, v in model.state_dict().items()}}, checkpoint)
    convert = Path(__file__).with_name("convert.py")
    run(sys.executable, convert, checkpoint, weights, "--preset", preset)
    model.double()

    pictures = {}
    for view, size in zip(("satellite", "ground"), SOURCES[preset]):
        pictures[view] = folder / f"{preset}-{view}.png"
        Image.fromarray(image(f"parity/{view}", *size)).save(pictures[view])
    satellite = network_input(pictures["satellite"], (config.satellite_size, config.satellite_size), config)
    ground = network_input(pictures["ground"], config.ground_size, config)
    ground_tokens = config.ground_size[0] * config.ground_size[1] // 64
    tokens = {
        "satellite": features("parity/satellite", (1, config.cells, config.model_width)),
        "ground": features("parity/ground", (1, ground_tokens, config.model_width)),
    }
    tensors_file.write(folder / "tokens.safetensors", tokens)
    with torch.no_grad():
        logits, offsets = model(satellite, ground)
        fused = model.fuse(tokens["satellite"].double(), tokens["ground"].double())

    out = folder / "fused.safetensors"
    for index, precision in enumerate(PRECISIONS):
        raw = located(programs, weights, pictures, precision, folder)
        errors = {
            "logits": relative_error(raw["logits"], logits),
            "logits less mean": relative_error(
                raw["logits"] - raw["logits"].double().mean(), logits - logits.mean()
            ),
            "offsets": relative_error(raw["offsets"], offsets),
        }
        run(programs / "crossfix-fusion", weights, folder / "tokens.safetensors", out, precision)
        errors["fusion"] = relative_error(tensors_file.read(out)[0]["fused"], fused)
        for name, error in errors.items():
            table.add(f"{preset} {precision}: {name}", error, BOUNDS[name][index])


def baseline(preset: str) -> BaselineSystem:
    """A baseline with generated weights, biases included, whose descriptors differ from position to position."""
    torch.manual_seed(1)
    nothing = argparse.Namespace(preset=preset, trained_on="noise")
    system = make_system(nothing)
    assert isinstance(system, BaselineSystem)
    with torch.no_grad():
        for key, value in system.model.named_parameters():
            value.copy_(weight(key, tuple(value.shape)) if "extractor" not in key or value.dim() == 1 else value)
    return system


def compare_baseline(preset: str, folder: Path, programs: Path, table: Table) -> None:
    """Compares a baseline, through `crossfix locate --dump`."""
    system = baseline(preset)
    weights = folder / f"{preset}.safetensors"
    system.save(system.model.state_dict(), weights)
    pictures, images = {}, {}
    sizes = {"satellite": (system.size.satellite_size,) * 2, "ground": system.size.ground_size}
    for (view, size), source in zip(sizes.items(), SOURCES["vigor"]):
        pictures[view] = folder / f"baseline-{view}.png"
        Image.fromarray(image(f"parity/{view}", *source)).save(pictures[view])
        pixels = load_resized(pictures[view], *size).copy()
        images[view] = torch.from_numpy(pixels).permute(2, 0, 1)[None].double() / 255
    with torch.no_grad():
        outputs = system.model.double().eval()(images["satellite"], images["ground"])
        place = system.model.fix(outputs)
    for index, precision in enumerate(PRECISIONS):
        raw = located(programs, weights, pictures, precision, folder)
        if system.grid == 1:
            errors = {"place": relative_error(raw["offsets"].flatten(), place.flatten())}
        else:
            ours, theirs = raw["logits"].flatten(), outputs[0].flatten()
            less_mean = relative_error(ours - ours.double().mean(), theirs - theirs.mean())
            errors = {"logits": relative_error(ours, theirs), "logits less mean": less_mean}
        for name, error in errors.items():
            table.add(f"{preset} {precision}: {name}", error, BASELINE_BOUNDS[name][index])


def compare_resizing(folder: Path, programs: Path, table: Table) -> None:
    """Largest difference from Pillow in grey levels, at the sizes of the presets and at odd ones."""
    exact = []
    for preset in PUBLISHED:
        satellite, ground = SOURCES[preset]
        config = PRESETS[preset]
        exact += [(satellite, (config.satellite_size,) * 2), (ground, config.ground_size)]
    source, target = folder / "resize-in.png", folder / "resize-out.png"
    for bound, sizes in ((0, exact), (1, ODD_SIZES)):
        for given, wanted in sizes:
            Image.fromarray(image("parity/resize", *given)).save(source)
            run(programs / "crossfix-resize", source, *wanted, target)
            with Image.open(target) as resized:
                ours = np.asarray(resized.convert("RGB")).astype(int)
            reference = load_resized(source, *wanted).astype(int)
            worst = np.abs(ours - reference).max() if ours.shape == reference.shape else np.inf
            name = "resize {}x{} to {}x{}, grey levels".format(*given, *wanted)
            table.add(name, float(worst), bound)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", type=Path, default=Path("build/bin"), help="folder of the programs")
    parser.add_argument("--presets", nargs="+", choices=sorted(SOURCES), default=PUBLISHED)
    parser.add_argument("--baselines", nargs="*", choices=BASELINES, default=BASELINES)
    parser.add_argument("--small", action="store_true", help="the small networks alone, whose comparison takes seconds")
    options = parser.parse_args()
    if options.small:
        options.presets, options.baselines = SMALL
    table = Table()
    print(f"{'relative L2 error':<44} {'measured':>10}  {'bound':>8}")
    try:
        with tempfile.TemporaryDirectory() as name:
            compare_resizing(Path(name), options.bin, table)
            for preset in options.presets:
                compare_network(preset, Path(name), options.bin, table)
            for preset in options.baselines:
                compare_baseline(preset, Path(name), options.bin, table)
    except (ProgramError, OSError) as error:
        print(f"parity: {error}", file=sys.stderr)
        return 3
    if table.failed:
        print(f"parity: {table.failed} outside their bounds", file=sys.stderr)
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
