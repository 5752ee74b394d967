"""Training data in VIGOR's layout, and lists of pairs: what is kept for validation, and caches at network size."""

from __future__ import annotations

import hashlib
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from crossfix_training.atomic_file import whole_file
from crossfix_training.counter import uniform
from crossfix_training.labels import DataError, Sample
from crossfix_training.pairs import ASPECT_TOLERANCE, Pair, image_size, read_list


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


SIDE_TOLERANCE = 0.05  # of the side, in metres, that the network's tiles have
FIELD_TOLERANCE = 0.5  # degrees between the fields of view of one camera's images


def _fits(pair: Pair, whole: bool, metres: float) -> tuple[float, float]:
    """A pair's heading and field of view, degrees. Raises DataError, one line, if a network cannot learn from it. The network takes whole panoramas, or pinhole
    images; its tiles are square, of a side of `metres`.
    """
    height, width = pair.size
    side = width * pair.gsd
    if abs(width - height) > ASPECT_TOLERANCE * height or abs(side - metres) > SIDE_TOLERANCE * metres:
        raise DataError(
            f"{pair.satellite}: a tile of {height * pair.gsd:.1f} x {side:.1f} m, where this preset takes squares of "
            f"{metres:.1f} m: cut them with readers.py --crop {metres:g}"
        )
    if pair.heading is None:
        raise DataError(f"{pair.ground}: its heading is unknown; to train, give it in the column heading")
    if whole:
        rows, cols = image_size(pair.ground)
        if not pair.panorama or abs(cols - 2 * rows) > ASPECT_TOLERANCE * cols:
            raise DataError(f"{pair.ground}: no whole panorama, which this preset takes; give panoramas twice as wide as high, or a preset of pinhole images")
        return pair.heading, 360.0
    if pair.camera is None or pair.camera.model != "pinhole" or pair.camera.distorted or pair.camera.hfov is None:
        raise DataError(f"{pair.ground}: no pinhole image without distortion, which this preset takes; give such a camera, or a preset of panoramas")
    if pair.heading % 360 != 0:
        raise DataError(f"{pair.satellite}: not turned to the camera, as this preset takes tiles: cut them with readers.py --crop {metres:g} --turn")
    return pair.heading, pair.camera.hfov


def read_lists(paths: list[Path], whole: bool, metres: float) -> tuple[list[Sample], float | None]:
    """The pairs of some lists to train on, and the field of view of pinhole images in degrees. Of a list with a column
    `split`, only lines of `train` are read. Raises DataError for what this network cannot learn from: see `_fits`.
    """
    samples: list[Sample] = []
    pairs: list[Pair] = []
    first: float | None = None  # field of view
    for path in paths:
        of_list = read_list(path)
        if any(pair.split for pair in of_list):
            of_list = [pair for pair in of_list if pair.split == "train"]
            if not of_list:
                raise DataError(f"{path}: no line has the split 'train'")
        pairs += of_list
    for pair in pairs:
        heading, field = _fits(pair, whole, metres)
        first = field if first is None else first
        if not whole and abs(field - first) > FIELD_TOLERANCE:
            raise DataError(
                f"{pair.ground}: a field of view of {field:.1f} degrees, and {first:.1f} before: this "
                "preset takes images of one field of view; train on each alone"
            )
        truth = pair.row / pair.size[0], pair.col / pair.size[1]
        samples.append(Sample("list", pair.ground.resolve(), (pair.satellite,), (truth,), True, heading))
    return samples, None if whole else first


def split_by_ground(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """(training, validation): a share of the ground images, at least one, goes to validation with all its tiles."""
    grounds = sorted({sample.panorama for sample in samples})
    if len(grounds) < 2:
        raise DataError(f"{grounds[0]}: the only ground image of the lists; two are needed, one of them for validation")
    order = np.argsort(uniform(f"validation {seed}", (len(grounds),)), kind="stable")
    count = min(max(1, round(share * len(grounds))), len(grounds) - 1)
    held = {grounds[index] for index in order[:count]}
    kept = [sample for sample in samples if sample.panorama not in held]
    return kept, [sample for sample in samples if sample.panorama in held]


def load_resized(path: Path, height: int, width: int, heading: float = 0.0) -> np.ndarray:
    """An image at network size, uint8 [height, width, 3], by Pillow's bilinear filter. A panorama whose centre looks to
    `heading` is first rolled, by whole columns, so that it looks north.
    """
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
            columns = round(heading * rgb.width / 360) % rgb.width
            if columns:
                rgb = Image.fromarray(np.roll(np.asarray(rgb), columns, axis=1))
            return np.asarray(rgb.resize((width, height), Image.Resampling.BILINEAR))
    except OSError as error:
        raise DataError(f"{path}: cannot be read as an image ({error})") from error


def _cached(
    paths: list[Path], height: int, width: int, folder: Path, name: str, headings: list[float] | None = None
) -> np.ndarray:
    """The images as one memory-mapped array [images, height, width, 3], made on first use. `headings` as for
    `load_resized`.
    """
    headings = headings or [0.0] * len(paths)
    words = [f"{path} {heading:g}" if heading else str(path) for path, heading in zip(paths, headings)]
    key = hashlib.sha256("\n".join([f"{height} {width}", *words]).encode()).hexdigest()
    target = folder / f"{name}-{key[:16]}.npy"
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (len(paths), height, width, 3)
        # Pillow releases the interpreter while it works.
        with whole_file(target) as unfinished, ThreadPoolExecutor() as pool:
            array = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
            load = partial(load_resized, height=height, width=width)
            for index, image in enumerate(pool.map(lambda one: load(one[0], heading=one[1]), zip(paths, headings))):
                array[index] = image
                if sys.stderr.isatty():
                    print(f"\r{name}: {index + 1}/{len(paths)} images", end="", file=sys.stderr)
            array.flush()
        if sys.stderr.isatty():
            print(file=sys.stderr)
    return np.load(target, mmap_mode="r")


class ImageSizes(Protocol):
    """What of a network's configuration its images depend on."""

    @property
    def satellite_size(self) -> int: ...

    @property
    def ground_size(self) -> tuple[int, int]: ...


class PairData:
    """Samples with their images at network size.

    `ground` [panoramas, H, W, 3] and `satellite` [tiles, S, S, 3] are uint8. For sample i, `panoramas[i]` is a row of
    `ground`, `tiles[i]` lists rows of `satellite`, and `truths[i]` has the camera's (row, col) as fractions of each of
    these tiles.
    """

    def __init__(self, samples: list[Sample], config: ImageSizes, cache: Path, name: str) -> None:
        if not samples:
            raise DataError(f"{name}: no samples")
        self.samples = samples
        paths = sorted({tile for sample in samples for tile in sample.tiles})
        index = {path: i for i, path in enumerate(paths)}
        size = config.satellite_size
        rows = {view: i for i, view in enumerate(dict.fromkeys((s.panorama, s.heading) for s in samples))}
        self.panoramas = np.array([rows[sample.panorama, sample.heading] for sample in samples])
        panoramas, headings = map(list, zip(*rows))
        self.satellite = _cached(paths, size, size, cache, f"{name}-satellite")
        self.ground = _cached(panoramas, *config.ground_size, cache, f"{name}-ground", headings)
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
        return self.satellite[tiles], self.ground[self.panoramas[rows]], truth
