"""Writes fixtures/robotcar (splits and yaws in RobotCar's layout, for made-up positions), and what NumPy and OpenCV
compute from them by the published protocol.

golden/robotcar_truth.txt has lines of split, line, degrees, then the window's (row, col) on the map, the reference's
truth (row, col) in 512ths of the tile, and the true one in the tile's 800 pixels. golden/robotcar_tile.txt has lines of
window row, column, degrees, then in hexadecimal the pixels (15 i, 15 j) of the 512 x 512 image that is cut from a
generated map. The test runs stay within a map of that size.

    python tests/data/make_robotcar_golden.py     (numpy, opencv-python-headless 4.7)
"""

import math
from pathlib import Path

import cv2
import numpy as np

UTM = [(619400, 5736195), (619400, 5734600), (620795, 5736195), (620795, 5734600), (620100, 5735400)]
MAP = [(900, 900), (492, 18168), (15966, 1260), (15553, 18528), (8255, 9688)]  # (col, row)
RUNS = {"training": 9, "validation": 6, "test1_j": 7, "test2_j": 8, "test3_j": 9}  # samples
YAWS = {"train_yaw": ["training"], "val_yaw": ["validation"],
        "test_yaw": ["test1_j", "test2_j", "test3_j"]}  # fmt: skip
CASES = [(100, 150, 0.0), (0, 0, -33.25), (-200, 600, 90.0), (317, -100, 171.7), (400, 300, -89.99)]


def made_map(height: int, width: int) -> np.ndarray:
    """[height, width, 3] bytes: blocks of 8 pixels of one random colour each, with a slope added."""
    z = np.arange(1, (height // 8 + 1) * (width // 8 + 1) * 3 + 1, dtype=np.uint64)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    blocks = (z >> np.uint64(57)).astype(np.int64).reshape(height // 8 + 1, width // 8 + 1, 3)
    rows, cols = np.mgrid[:height, :width]
    slope = (3 * rows + 5 * cols) % 128
    return (blocks[rows // 8, cols // 8] + slope[..., None]).astype(np.uint8)


def cut_tile(whole: np.ndarray, row: int, col: int, degrees: float) -> np.ndarray:
    window = np.zeros((1200, 1200, 3), np.uint8)
    top, left = max(row, 0), max(col, 0)
    part = whole[top : row + 1200, left : col + 1200]
    window[top - row : top - row + part.shape[0], left - col : left - col + part.shape[1]] = part
    matrix = cv2.getRotationMatrix2D((600, 600), degrees, 1)
    turned = cv2.warpAffine(window, matrix, (1200, 1200))
    return cv2.resize(turned[200:1000, 200:1000], (512, 512), interpolation=cv2.INTER_AREA)


def truth(fit: np.ndarray, easting: float, northing: float, yaw: float) -> str:
    coordinate = np.array([easting, northing, 1]) @ fit  # (col, row)
    start, rough = [], []
    for value in coordinate:
        tile = math.floor(value / 400)
        if np.round(value - 400 * tile) < 200:
            tile -= 1
        start.append(400 * tile - 200)
        rough.append(np.round(value - 400 * tile) + 200)
    degrees = yaw / np.pi * 180 - 90
    matrix = cv2.getRotationMatrix2D((600, 600), degrees, 1)
    reference = [int(int(value - 200) / 800 * 512) for value in matrix @ [*rough, 1]]
    # A pixel's index is its centre, half a pixel from its corner.
    exact = matrix @ [coordinate[0] - start[0] - 0.5, coordinate[1] - start[1] - 0.5, 1] + 0.5 - 200
    numbers = f"{degrees:.9f} {start[1]} {start[0]} {reference[1]} {reference[0]}"
    return f"{numbers} {exact[1]:.9f} {exact[0]:.9f}"


def main() -> None:
    folder = Path(__file__).parent
    positions = np.hstack([np.array(UTM, float), np.ones((5, 1))])
    fit = np.linalg.lstsq(positions, np.array(MAP, float), rcond=None)[0]
    numbers = np.random.default_rng(5)
    lines = []
    splits = folder / "fixtures" / "robotcar" / "Oxford_split"
    splits.mkdir(parents=True, exist_ok=True)
    for name, runs in YAWS.items():
        yaws = []
        for run in runs:
            text = []
            for line in range(1, RUNS[run] + 1):
                limits = ((450, 450), (1350, 1450)) if run.startswith("test") else ((450, 450), (16000, 18000))
                pixel = numbers.uniform(*limits)  # (col, row)
                easting, northing = np.linalg.solve(fit[:2].T, pixel - fit[2]).tolist()
                yaw = numbers.uniform(-math.pi, math.pi)
                lines.append(f"{run} {line} {truth(fit, easting, northing, yaw)}")
                paths = " ".join(f"{run}/{view}/{easting}_{northing}.png" for view in ("ground", "satellite"))
                text.append(f"{paths} {easting!r} {northing!r}")
                yaws.append(yaw)
            (splits / f"{run}.txt").write_text("\n".join(text) + "\n")
        np.save(splits / f"{name}.npy", np.array(yaws))
    folder /= "golden"
    folder.mkdir(exist_ok=True)
    (folder / "robotcar_truth.txt").write_text("\n".join(lines) + "\n")

    whole = made_map(1500, 1400)
    lines = []
    for row, col, degrees in CASES:
        pixels = cut_tile(whole, row, col, degrees)[::15, ::15]
        lines.append(f"{row} {col} {degrees} {pixels.tobytes().hex()}")
    (folder / "robotcar_tile.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
