"""VIGOR-layout data: label files, spatial validation blocks, and caches at network size.

A label line is a panorama's name and four times (satellite name, delta_row, delta_col) in the frame of a
640 px tile: the first tile is the positive, the others are semi-positives. The camera stands at
(320 + delta_row, 320 - delta_col) tile pixels; tiles with |delta| >= 320 do not hold it and are skipped.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from config import Config

LABEL_FRAME = 640  # pixels of the tile that labels are written for
TRAIN_SPLIT = "same_area_balanced_train"


class DataError(Exception):
    """The data set is not what was asked for; the message is one line."""


@dataclass(frozen=True)
class Sample:
    """One panorama and the tiles that hold its camera, the positive first if it does."""

    city: str
    panorama: Path
    tiles: tuple[Path, ...]
    truths: tuple[tuple[float, float], ...]  # (row, col) as fractions of the tile's side
    positive: bool  # whether tiles[0] is the positive

    @property
    def latitude_longitude(self) -> tuple[float, float]:
        """Degrees, from the panorama's name `ID,LAT,LON,.jpg`."""
        parts = self.panorama.name.split(",")
        return float(parts[1]), float(parts[2])


def label_file(root: Path, city: str, split: str) -> Path:
    """The label file of a split, corrected labels first."""
    candidates = [
        root / "splits__corrected" / city / f"{split}__corrected.txt",
        root / "splits" / city / f"{split}.txt",
    ]
    for path in candidates:
        if path.is_file():
            return path
    raise DataError(f"{candidates[1]}: no such label file (nor a corrected one)")


def cities_of(root: Path) -> list[str]:
    """Cities that have label files, sorted by name."""
    folder = root / "splits"
    if not folder.is_dir():
        raise DataError(f"{root}: no folder `splits`, so this is no VIGOR-layout data set")
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir())


def read_split(root: Path, city: str, split: str) -> list[Sample]:
    """Samples of one city's label file, in file order. Raises DataError for a malformed line."""
    path = label_file(root, city, split)
    samples = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 13:
            raise DataError(f"{path}:{number}: {len(fields)} fields where a label line has 13")
        tiles, truths, positive = [], [], False
        for index in range(4):
            name, row, col = fields[1 + 3 * index : 4 + 3 * index]
            delta_row, delta_col = float(row), float(col)
            if max(abs(delta_row), abs(delta_col)) >= LABEL_FRAME / 2:
                continue
            positive |= index == 0
            tiles.append(root / city / "satellite" / name)
            truths.append((0.5 + delta_row / LABEL_FRAME, 0.5 - delta_col / LABEL_FRAME))
        if tiles:
            panorama = root / city / "panorama" / fields[0]
            samples.append(Sample(city, panorama, tuple(tiles), tuple(truths), positive))
    return samples


def validation_split(
    samples: list[Sample], share: float, block_metres: float = 150.0, margin_metres: float = 80.0
) -> tuple[list[Sample], list[Sample]]:
    """(training, validation): whole blocks of a city go to validation, and training keeps a margin.

    A block is chosen by a hash of its place, so the split does not depend on the order of samples.
    Training panoramas within `margin_metres` (a tile and a bit) of a validation panorama are dropped.
    """
    metres_per_degree = 111_320.0
    training, validation = [], []
    for city in dict.fromkeys(sample.city for sample in samples):
        members = [sample for sample in samples if sample.city == city]
        degrees = np.array([sample.latitude_longitude for sample in members])
        shrink = math.cos(math.radians(degrees[:, 0].mean()))  # one for the city: no skew
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


def _load(job: tuple[Path, int, int]) -> np.ndarray:
    return load_resized(*job)


def _cached(paths: list[Path], height: int, width: int, folder: Path, name: str) -> np.ndarray:
    """The images as one memory-mapped array [images, height, width, 3], made on first use."""
    key = hashlib.sha256("\n".join([f"{height} {width}", *map(str, paths)]).encode()).hexdigest()
    target = folder / f"{name}-{key[:16]}.npy"
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        shape = (len(paths), height, width, 3)
        array = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
        with ProcessPoolExecutor() as pool:
            jobs = ((path, height, width) for path in paths)
            for index, image in enumerate(pool.map(_load, jobs, chunksize=32)):
                array[index] = image
                if sys.stderr.isatty():
                    print(f"\r{name}: {index + 1}/{len(paths)} images", end="", file=sys.stderr)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        array.flush()
        partial.rename(target)
    return np.load(target, mmap_mode="r")


class PairData:
    """Samples with their images at network size.

    `ground` [panoramas, H, W, 3] and `satellite` [tiles, S, S, 3] are uint8; for sample i, `tiles[i]` lists
    rows of `satellite` and `truths[i]` the camera's (row, col) as fractions of that tile.
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

        `choices` [B] says which of a sample's tiles to take, modulo how many it has.
        """
        picks = [choice % len(self.tiles[row]) for row, choice in zip(rows, choices)]
        tiles = np.array([self.tiles[row][pick] for row, pick in zip(rows, picks)])
        truth = np.stack([self.truths[row][pick] for row, pick in zip(rows, picks)])
        return self.satellite[tiles], self.ground[rows], truth


def refuse_reserved(root: Path) -> None:
    """Raises DataError when the data was made with a seed reserved for tests (world.json says so)."""
    path = root / "world.json"
    if not path.is_file():
        return
    try:
        world = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    if world.get("reserved", False):
        raise DataError(f"{root}: made with seed {world.get('seed')}, reserved for tests; use another")
