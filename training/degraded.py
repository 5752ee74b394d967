"""Copies a world with panoramas as poorer cameras would take them in another season: blurred, recoloured, unevenly lit,
noisy, compressed. The tiles stay. What is fitted on drawings alone is too sure of itself on photographs.

Example:
    python training/degraded.py --world build/dev --out build/dev-degraded --strength 1
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from crossfix_training.counter import bits
from crossfix_training.effects import recoloured, smooth_noise, softened
from crossfix_training.labels import DataError, cities_of

LIGHT = 0.18  # deviation of the logarithm of the uneven light, at strength 1


def degraded(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """An image uint8 [h, w, 3]."""
    x = recoloured(softened(image.astype(np.float32), random.uniform(0.5, 1.5) * strength), strength, random)
    light = smooth_noise(image.shape[:2], 24, random)[..., None]
    x = x * np.exp(LIGHT * strength * light) + random.normal(0, 4 * strength, image.shape)
    return x.clip(0, 255).round().astype(np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--strength", type=float, default=1.0, help="0: as it is; 2 is far from a good photo (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not 0 <= options.strength <= 3:
        parser.error("--strength goes from 0 to 3")
    try:
        cities = cities_of(options.world)
        options.out.mkdir(parents=True)
    except FileExistsError:
        parser.error(f"{options.out} exists; choose a new folder")
    except DataError as error:
        print(f"degraded: {error}", file=sys.stderr)
        return 3
    shutil.copy(options.world / "world.json", options.out)
    shutil.copytree(options.world / "splits", options.out / "splits")
    for city in cities:
        (options.out / city / "panorama").mkdir(parents=True)
        os.symlink((options.world / city / "satellite").resolve(), options.out / city / "satellite")
        for number, path in enumerate(sorted((options.world / city / "panorama").iterdir())):
            random = np.random.default_rng(bits(f"degraded {options.seed} {city} {path.name}", 1))
            image = degraded(np.asarray(Image.open(path).convert("RGB")), options.strength, random)
            Image.fromarray(image).save(options.out / city / "panorama" / path.name, quality=85)
            if sys.stderr.isatty():
                print(f"\r{city}: {number + 1}  ", end="", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
