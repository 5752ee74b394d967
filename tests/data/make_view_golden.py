"""Writes golden/view_draws.txt: the draws of training/crossfix_training/views.py for the VIGOR fixture's panoramas.

A line: heading noise, seed and tilt, then the heading, pitch and roll drawn, degrees, then the panorama's name.

    python tests/data/make_view_golden.py     (numpy)
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "training"))

from crossfix_training.views import draws  # noqa: E402
from protocol import read_labels  # noqa: E402

SETTINGS = ((180, 0, 2), (45, 1, 5), (0, 18446744073709551615, 0.5), (180, 3, 0))


def main() -> None:
    ground = read_labels(FOLDER / "fixtures" / "vigor", "same", "original", "positives", False).ground
    ground.append("City/panorama/Größe,é.jpg")  # bytes beyond ASCII
    with (FOLDER / "golden" / "view_draws.txt").open("w") as file:
        for noise, seed, tilt in SETTINGS:
            for name in ground:
                drawn = " ".join(f"{value:.15g}" for value in draws(name, seed, tilt, noise))
                print(noise, seed, tilt, drawn, name, file=file)


if __name__ == "__main__":
    main()
