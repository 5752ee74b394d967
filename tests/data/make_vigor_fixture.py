"""Writes fixtures/vigor (label files in VIGOR's layout, for made-up positions) and golden/vigor_truth.txt.

A line of the latter has the label set, same-area split, city, line and choice, then the true (row, col) in the tile's
640 pixels, the reference's in its 256, and whether the camera stands in the tile (1) or not (0).

    python tests/data/make_vigor_fixture.py     (Python alone)
"""

import math
import random
from pathlib import Path

FOLDER = Path(__file__).parent
CITIES = {"NewYork": (40.7, -74.0), "Seattle": (47.6, -122.3), "SanFrancisco": (37.8, -122.4),
          "Chicago": (41.9, -87.6)}  # fmt: skip
COUNTS = {"train": 6, "test": 5}  # panoramas of each city
WORLD = 256 * 2**20  # pixels of the world's image at zoom 20
STEP = 328.5  # between the centres of tiles


def world_pixel(latitude: float, longitude: float) -> tuple[float, float]:
    y = math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
    return (0.5 - y / (2 * math.pi)) * WORLD, (longitude / 360 + 0.5) * WORLD


def position(row: float, col: float) -> tuple[float, float]:
    latitude = 2 * math.atan(math.exp((0.5 - row / WORLD) * 2 * math.pi)) - math.pi / 2
    return math.degrees(latitude), (col / WORLD - 0.5) * 360


def satellite(row: float, col: float) -> str:
    latitude, longitude = position(row, col)
    return f"satellite_{latitude!r}_{longitude!r}.png"


def name_deltas(panorama: str, tile: str) -> tuple[float, float]:
    """(delta_row, delta_col) from the coordinates in the names."""
    row, col = world_pixel(*map(float, panorama.split(",")[1:3]))
    tile_row, tile_col = world_pixel(*map(float, tile[: -len(".png")].split("_")[1:]))
    return row - tile_row, tile_col - col


def truth(delta_row: float, delta_col: float) -> str:
    row, col = 320 + delta_row, 320 - delta_col
    reference_row = 127 + round(delta_row / 640 * 256)  # Python rounds halves to even
    reference_col = 127 - round(delta_col / 640 * 256)
    inside = int(max(abs(delta_row), abs(delta_col)) < 320)
    return f"{row:.6f} {col:.6f} {reference_row} {reference_col} {inside}"


def main() -> None:
    numbers = random.Random(3)
    golden = []
    for city, (latitude, longitude) in CITIES.items():
        top, left = world_pixel(latitude, longitude)
        tiles = {}
        samples = {"train": [], "test": []}
        for split, count in COUNTS.items():
            for _ in range(count):
                row, col = top + numbers.uniform(400, 1600), left + numbers.uniform(400, 1600)
                camera = position(row, col)
                panorama = f"{numbers.getrandbits(64):016x},{camera[0]:.6f},{camera[1]:.6f},.jpg"
                cells = [(math.floor((row - top) / STEP) + i, math.floor((col - left) / STEP) + j)
                         for i in (0, 1) for j in (0, 1)]  # fmt: skip
                centres = [(top + i * STEP, left + j * STEP) for i, j in cells]
                centres.sort(key=lambda c: math.hypot(c[0] - row, c[1] - col))
                entry = {"panorama": panorama, "tiles": []}
                for centre in centres:
                    name = satellite(*centre)
                    tiles[name] = None
                    exact = name_deltas(panorama, name)
                    corrected = tuple(float(round(value)) for value in exact)
                    original = tuple(round(value + numbers.uniform(-9, 9), 4) for value in exact)
                    entry["tiles"].append((name, original, corrected, exact))
                samples[split].append(entry)
        lists = {"same_area_balanced_train": samples["train"],
                 "same_area_balanced_test": samples["test"],
                 "pano_label_balanced": samples["train"] + samples["test"]}  # fmt: skip
        for which in (0, 1):  # original, corrected
            folder = FOLDER / "fixtures" / "vigor" / ("splits__corrected" if which else "splits") / city
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "satellite_list.txt").write_text("\n".join(tiles) + "\n" * (1 - which))
            end = "\r\n" if which else "\n"
            for name, entries in lists.items():
                lines = []
                for entry in entries:
                    words = [entry["panorama"]]
                    for tile in entry["tiles"]:
                        words += [tile[0], *map(str, tile[1 + which])]
                    lines.append(" ".join(words))
                path = folder / f"{name}{'__corrected' if which else ''}.txt"
                path.write_bytes(end.join(lines).encode() + (b"" if which else b"\n"))
        for split, entries in samples.items():
            for number, entry in enumerate(entries, start=1):
                for choice, (_, *deltas) in enumerate(entry["tiles"]):
                    for label_set, delta in zip(("original", "corrected", "mercator"), deltas):
                        golden.append(f"{label_set} {split} {city} {number} {choice} {truth(*delta)}")
    (FOLDER / "golden").mkdir(exist_ok=True)
    (FOLDER / "golden" / "vigor_truth.txt").write_text("\n".join(golden) + "\n")


if __name__ == "__main__":
    main()
