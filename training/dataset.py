"""Training data in VIGOR's layout: spatial validation blocks, and caches at network size."""

from __future__ import annotations

import hashlib
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from config import Config
from labels import DataError, Sample


def validation_split(
    samples: list[Sample], share: float, block_metres: float = 150.0, margin_metres: float = 80.0
) -> tuple[list[Sample], list[Sample]]:
    """(training, validation): whole blocks of a city go to validation, and training keeps a margin.

    A block is chosen by a hash of its position, so the split does not depend on the order of samples. Training
    panoramas within `margin_metres` (a little more than a tile) of a validation panorama are dropped.
    """
    metres_per_degree = 111_320.0
    training, validation = [], []
    for city in dict.fromkeys(sample.city for sample in samples):
        members = [sample for sample in samples if sample.city == city]
        degrees = np.array([sample.latitude_longitude for sample in members])
        shrink = math.cos(math.radians(degrees[:, 0].mean()))  # one value for the whole city: no skew
        places = degrees * metres_per_degree * (1, shrink)
        held = []
        for north, east in places:
            block = f"{city} {math.floor(north / block_metres)} {math.floor(east / block_metres)}"
            digest = int.from_bytes(hashlib.sha256(block.encode()).digest()[:4], "big")
            held.append(digest < share * 2**32)
        chosen = places[np.array(held)]
        for place, sample, is_held in zip(places, members, held):
            if is_held:
                validation.append(sample)
            elif not len(chosen) or np.hypot(*(chosen - place).T).min() > margin_metres:
                training.append(sample)
    return training, validation


def load_resized(path: Path, height: int, width: int) -> np.ndarray:
    """An image at network size, uint8 [height, width, 3], by Pillow's bilinear filter."""
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
            return np.asarray(rgb.resize((width, height), Image.Resampling.BILINEAR))
    except OSError as error:
        raise DataError(f"{path}: cannot be read as an image ({error})") from error


def _cached(paths: list[Path], height: int, width: int, folder: Path, name: str) -> np.ndarray:
    """The images as one memory-mapped array [images, height, width, 3], made on first use."""
    key = hashlib.sha256("\n".join([f"{height} {width}", *map(str, paths)]).encode()).hexdigest()
    target = folder / f"{name}-{key[:16]}.npy"
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".partial")
        shape = (len(paths), height, width, 3)
        array = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
        with ThreadPoolExecutor() as pool:  # Pillow releases the interpreter while it works
            load = partial(load_resized, height=height, width=width)
            for index, image in enumerate(pool.map(load, paths)):
                array[index] = image
                if sys.stderr.isatty():
                    print(f"\r{name}: {index + 1}/{len(paths)} images", end="", file=sys.stderr)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        array.flush()
        unfinished.rename(target)
    return np.load(target, mmap_mode="r")


class PairData:
    """Samples with their images at network size.

    `ground` [panoramas, H, W, 3] and `satellite` [tiles, S, S, 3] are uint8. For sample i, `tiles[i]` lists rows of
    `satellite`, and `truths[i]` has the camera's (row, col) as fractions of each of these tiles.
    """

    def __init__(self, samples: list[Sample], config: Config, cache: Path, name: str) -> None:
        if not samples:
            raise DataError(f"{name}: no samples")
        self.samples = samples
        paths = sorted({tile for sample in samples for tile in sample.tiles})
        index = {path: i for i, path in enumerate(paths)}
        size = config.satellite_size
        panoramas = [sample.panorama for sample in samples]
        self.satellite = _cached(paths, size, size, cache, f"{name}-satellite")
        self.ground = _cached(panoramas, *config.ground_size, cache, f"{name}-ground")
        self.tiles = [np.array([index[tile] for tile in sample.tiles]) for sample in samples]
        self.truths = [np.array(sample.truths, dtype=np.float32) for sample in samples]

    def __len__(self) -> int:
        return len(self.samples)

    def batch(
        self, rows: np.ndarray, choices: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Satellite [B, S, S, 3], ground [B, H, W, 3], truth [B, 2] for samples `rows`.

        `choices` [B] says which of a sample's tiles to take, modulo their number.
        """
        picks = [choice % len(self.tiles[row]) for row, choice in zip(rows, choices)]
        tiles = np.array([self.tiles[row][pick] for row, pick in zip(rows, picks)])
        truth = np.stack([self.truths[row][pick] for row, pick in zip(rows, picks)])
        return self.satellite[tiles], self.ground[rows], truth
