"""The error of a weights file on a world's held-out pairs, by the built program. Needs no packages.

Writes the positives of the test split as a list for `crossfix locate --pairs`, runs it, and runs it again
on controls: the ground images shuffled among the pairs of each city, and the tile's centre as the guess.

Examples:
    python3 training/heldout.py --data build/world-11 build/world-12 --model models/crossfix-s.safetensors
    python3 training/heldout.py --data build/world --list-only build/heldout.csv
Exit codes: 2 wrong usage, 3 input, or the program failed.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import statistics
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from labels import LABEL_FRAME, TEST_SPLIT, DataError, cities_of, read_split


@dataclass(frozen=True)
class Pair:
    """A panorama and its positive tile, the truth in the tile's own pixels, metres a tile pixel."""

    ground: Path
    satellite: Path
    row: float
    col: float
    gsd: float
    size: int


def png_size(path: Path) -> int:
    """Side of a square PNG in pixels, from its header."""
    with open(path, "rb") as file:
        header = file.read(24)
    if header[:8] != b"\x89PNG\r\n\x1a\n" or len(header) < 24:
        raise DataError(f"{path}: not a PNG")
    width, height = struct.unpack(">II", header[16:24])
    if width != height:
        raise DataError(f"{path}: {width} x {height} where a square tile belongs")
    return width


def metres_per_label_pixel(root: Path) -> dict[str, float]:
    """Metres per pixel of the 640 frame, by city, from world.json."""
    try:
        world = json.loads((root / "world.json").read_text())
        return {city["name"]: city["metres_per_pixel"] for city in world["cities"]}
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{root}/world.json: cannot be read ({error})") from error


def held_out_pairs(root: Path, split: str) -> list[Pair]:
    """The positives of a split, cities in the order of their names, lines in file order."""
    scales, pairs = metres_per_label_pixel(root), []
    for city in cities_of(root):
        for sample in read_split(root, city, split):
            if sample.positive:
                tile, (row, col) = sample.tiles[0], sample.truths[0]
                size = png_size(tile)
                gsd = scales[city] * LABEL_FRAME / size
                pairs.append(Pair(sample.panorama, tile, row * size, col * size, gsd, size))
    return pairs


def shuffled(pairs: list[Pair], seed: int) -> list[Pair]:
    """The same tiles and truths, each with another pair's ground image of the same city."""
    numbers, result = random.Random(seed), []
    for folder in dict.fromkeys(pair.ground.parent for pair in pairs):  # one a city
        members = [pair for pair in pairs if pair.ground.parent == folder]
        order = list(range(len(members)))
        numbers.shuffle(order)  # then each takes its successor's image: nobody keeps its own
        for place, index in enumerate(order):
            other = members[order[(place + 1) % len(order)]]
            result.append(replace(members[index], ground=other.ground))
    return result


def write_list(pairs: list[Pair], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ground", "satellite", "row", "col", "gsd"])
        for pair in pairs:
            writer.writerow([pair.ground.resolve(), pair.satellite.resolve(), pair.row, pair.col, pair.gsd])


def locate(pairs: list[Pair], program: Path, model: Path, options: list[str]) -> list[dict]:
    """One JSON object a pair, from the program."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.csv"
        write_list(pairs, path)
        words = [program, "locate", "--pairs", path, "--model", model, *options]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DataError(f"{program} locate exited with {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def describe(name: str, errors: list[float], within: float | None = None) -> None:
    inside = f", {within:5.1%} within radius68" if within is not None else ""
    mean, median = statistics.fmean(errors), statistics.median(errors)
    print(f"{name:<24} {len(errors)} pairs: mean {mean:5.2f} m, median {median:5.2f} m{inside}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of worlds")
    parser.add_argument("--split", default=TEST_SPLIT)
    parser.add_argument("--model", type=Path, help="weights file")
    parser.add_argument("--program", type=Path, default=Path("build/bin/crossfix"))
    parser.add_argument("--limit", type=int, help="take this many pairs, spread evenly")
    parser.add_argument("--seed", type=int, default=0, help="of the shuffled control")
    parser.add_argument("--list-only", type=Path, metavar="CSV", help="write the list and stop")
    parser.add_argument("--option", action="append", default=[], help="passed on to `crossfix locate`")
    options = parser.parse_args()
    if not options.model and not options.list_only:
        parser.error("--model or --list-only is needed")
    try:
        pairs = [pair for root in options.data for pair in held_out_pairs(root, options.split)]
        if options.limit and options.limit < len(pairs):
            pairs = [pairs[i * len(pairs) // options.limit] for i in range(options.limit)]
        if options.list_only:
            write_list(pairs, options.list_only)
            return 0
        fixes = locate(pairs, options.program, options.model, options.option)
        inside = statistics.fmean(fix["within_radius68"] for fix in fixes)
        describe("held out", [fix["error_m"] for fix in fixes], inside)
        control = locate(shuffled(pairs, options.seed), options.program, options.model, options.option)
        describe("ground images shuffled", [fix["error_m"] for fix in control])
        centre = [math.hypot(p.row - p.size / 2, p.col - p.size / 2) * p.gsd for p in pairs]
        describe("the tile's centre", centre)
    except (DataError, OSError) as error:
        print(f"heldout: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
