"""Compares the ground-plane matcher of `crossfix locate` with its counterpart in PyTorch, on generated images and the
bundled weights.

The scores of every cell must agree to a relative L2 error of 2e-5 in f32 and 2e-2 in bf16: at several headings, with a
panorama whose lower part is padding, and with ratios of height and scale.

    python training/parity_ground.py [--program build/bin/crossfix]
Exit codes: 1 the two differ, 3 the program failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from crossfix_training import ground_match, tensors_file
from crossfix_training.config import METADATA_KEY
from crossfix_training.generator import image

REPOSITORY = Path(__file__).resolve().parents[1]
BUNDLED = REPOSITORY / "models/crossfix-ground.safetensors"
BOUNDS = {"f32": 2e-5, "bf16": 2e-2}
TILE, PANORAMA = 301, (256, 512)  # pixels at 0.2 m; height, width


def settings_of(fields: dict) -> ground_match.Settings:
    known = {**fields["ground_match"], "metres_per_pixel": fields["metres_per_network_pixel"]}
    return replace(ground_match.Settings(), temperature=fields["temperature"], **known)


def features(tensors: dict[str, torch.Tensor], levels: np.ndarray, settings: ground_match.Settings, kind: str) -> torch.Tensor:
    """The backbone and the adapters of a kind (view or tile), from the tensors of a weights file (BatchNorm is folded
    already), in float64."""

    def convolve(x, name, **how):
        return F.conv2d(x, tensors[name + ".weight"], tensors[name + ".bias"], **how)

    x = F.relu6(convolve(ground_match.to_tensor(levels).double(), "trunk.stem", stride=2, padding=1))
    plan = ground_match.Trunk(ground_match.LITE0, settings.blocks, True, 0.0).blocks
    for i, block in enumerate(plan):
        name = f"trunk.blocks.{i}"
        y = F.relu6(convolve(x, name + ".expand")) if block.expand else x
        how = block.conv1
        depthwise = tensors[name + ".depthwise.weight"][:, None]
        y = F.conv2d(y, depthwise, tensors[name + ".depthwise.bias"], how.stride, how.padding, how.dilation, how.groups)
        y = convolve(F.relu6(y), name + ".project")
        x = x + y if block.residual else y
    for i in range(settings.adapters):
        name = f"adapters.{kind}.{i}"
        y = F.relu6(convolve(x, name + ".expand"))
        depthwise = tensors[name + ".depthwise.weight"][:, None]
        y = F.relu6(F.conv2d(y, depthwise, tensors[name + ".depthwise.bias"], padding=2, groups=y.shape[1]))
        x = x + convolve(y, name + ".project")
    return x


def with_adapters(tensors: dict[str, torch.Tensor], count: int) -> dict[str, torch.Tensor]:
    """The tensors and those of random adapters, for a backbone of five blocks."""
    random = torch.Generator().manual_seed(1)
    shapes = {"expand.weight": (80, 40, 1, 1), "expand.bias": (80,), "depthwise.weight": (80, 5, 5), "depthwise.bias": (80,)}
    shapes |= {"project.weight": (40, 80, 1, 1), "project.bias": (40,)}
    found = dict(tensors)
    for kind in ("view", "tile"):
        for i in range(count):
            for name, shape in shapes.items():
                found[f"adapters.{kind}.{i}.{name}"] = torch.randn(shape, generator=random).mul(0.1).half()
    return found


def expected(tensors: dict[str, torch.Tensor], tile: np.ndarray, panorama: np.ndarray, settings: ground_match.Settings, heading: float | None) -> np.ndarray:
    """temperature x the log of the mass of every cell over headings and ratios, minus its largest value. heading: None
    means searched for."""
    seen = features(tensors, tile, settings, "tile")
    weights = ground_match.view_weights(settings, ground_match.nearest_seen(panorama, settings.height)).double()

    def score_of(heading: float) -> torch.Tensor:
        views = [ground_match.ground_view(panorama, settings, heading, settings.ratio(i)) for i in range(settings.ratios)]
        return torch.stack([ground_match.score(seen, features(tensors, view, settings, "view"), weights) for view in views])

    if heading is None:
        scores, prior = ground_match.search(score_of, settings.headings, settings.temperature)
    else:
        scores = score_of(heading)
        prior = torch.zeros(len(scores), dtype=torch.float64)
    logits = settings.temperature * torch.logsumexp(scores / settings.temperature + prior[:, None, None], 0)
    return (logits - logits.max()).numpy()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build/bin/crossfix")
    options = parser.parse_args()
    stored, metadata = tensors_file.read(BUNDLED)
    fields = json.loads(metadata[METADATA_KEY])
    tile, panorama = image("parity/tile", TILE, TILE), image("parity/panorama", *PANORAMA)
    padded = panorama.copy()
    padded[200:] = 117  # nothing is seen from 26.6 degrees below the horizon on: 5.2 m
    cases: list[tuple[str, np.ndarray, str, dict]] = [
        ("heading 0", panorama, "0", {}),
        ("heading -123.4", panorama, "-123.4", {}),
        ("near ground cut away", padded, "40", {}),
        ("five ratios", panorama, "10", {"ratios": 5}),
        ("six headings, coarse to fine", panorama, "unknown", {"headings": 6}),
        ("four headings, two ratios", padded, "unknown", {"headings": 4, "ratios": 2}),
        ("two adapters", panorama, "20", {"adapters": 2}),
        ("weights by range", panorama, "30", {"range_weights": [0.5, 1.0, 0.6, 0.3, 0.1], "farthest": 20}),
    ]
    worst = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(tile).save(folder / "tile.png")
        for what, picture, heading, changed in cases:
            Image.fromarray(picture).save(folder / "panorama.png")
            own = json.loads(json.dumps(fields))
            own["ground_match"].update(changed)
            kept = with_adapters(stored, changed["adapters"]) if "adapters" in changed else stored
            tensors = {key: value.double() for key, value in kept.items()}
            tensors_file.write(folder / "weights.safetensors", kept, {METADATA_KEY: json.dumps(own)})
            settings = settings_of(own)
            wanted = expected(tensors, tile, picture, settings, None if heading == "unknown" else float(heading))
            for precision, bound in BOUNDS.items():
                command = [options.program, "locate", "--model", folder / "weights.safetensors", "--ground", folder / "panorama.png"]
                command += ["--satellite", folder / "tile.png", "--gsd", settings.metres_per_pixel, "--heading", heading]
                command += ["--dump", folder / "raw.safetensors", "--precision", precision]
                run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
                if run.returncode == 4 and precision == "bf16":
                    print("skipped: parity of bf16: this CPU has no bf16 instructions")
                    continue
                if run.returncode != 0:
                    print(run.stderr.strip(), file=sys.stderr)
                    return 3
                raw, _ = tensors_file.read(folder / "raw.safetensors")
                logits = raw["logits"][0].double().numpy().reshape(wanted.shape)
                error = float(np.linalg.norm(logits - logits.max() - wanted) / np.linalg.norm(wanted))
                good = error <= bound
                worst |= not good
                print(f"{'good' if good else 'BAD'}: {what}, {precision}: relative error {error:.1e}, allowed {bound:.0e}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
