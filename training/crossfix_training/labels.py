"""Label files in VIGOR's layout. Needs only Python, no packages.

A label line is a panorama's name and four times (satellite name, delta_row, delta_col), in the frame of a 640 px tile.
The first tile is the positive, the others are semi-positives. The camera stands at (320 + delta_row, 320 - delta_col)
tile pixels. Tiles with |delta| >= 320 do not hold it and are skipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LABEL_FRAME = 640  # pixels of the tile that labels are written for
TRAIN_SPLIT = "same_area_balanced_train"
TEST_SPLIT = "same_area_balanced_test"


class DataError(Exception):
    """The data set cannot be used; the message is one line."""


@dataclass(frozen=True)
class Sample:
    """One panorama and the tiles that hold its camera, the positive first if it does."""

    city: str
    panorama: Path
    tiles: tuple[Path, ...]
    truths: tuple[tuple[float, float], ...]  # (row, col) as fractions of the tile's side
    positive: bool  # whether tiles[0] is the positive
    heading: float = 0.0  # of the panorama's centre, degrees clockwise from the tile's upper edge

    @property
    def latitude_longitude(self) -> tuple[float, float]:
        """Degrees, from the panorama's name `ID,LAT,LON,.jpg`."""
        parts = self.panorama.name.split(",")
        return float(parts[1]), float(parts[2])


def label_file(root: Path, city: str, split: str) -> Path:
    """The label file of a split; corrected labels are preferred."""
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


def metres_per_label_pixel(root: Path) -> dict[str, float]:
    """Metres per pixel of the 640-pixel frame, by city, from world.json."""
    try:
        world = json.loads((root / "world.json").read_text())
        return {city["name"]: city["metres_per_pixel"] for city in world["cities"]}
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{root}/world.json: cannot be read ({error})") from error


def refuse_reserved(root: Path) -> None:
    """Raises DataError if the data was made with a seed reserved for tests (world.json says so)."""
    path = root / "world.json"
    if not path.is_file():
        return
    try:
        world = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    if world.get("reserved", False):
        raise DataError(f"{root}: made with seed {world.get('seed')}, reserved for tests; use another")
