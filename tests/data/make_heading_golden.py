"""Writes golden/heading_noise.txt: the draws of training/protocol.py for the VIGOR fixture's panoramas.

A line: degrees, seed, the panorama's width, what its centre looks at in columns clockwise from north, its name.

    python tests/data/make_heading_golden.py     (numpy)
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "training"))

from protocol import heading_columns, read_labels  # noqa: E402

SETTINGS = ((45, 0, 2048), (45, 1, 2048), (180, 0, 2048), (22.5, 18446744073709551615, 512), (180, 3, 10))


def main() -> None:
    ground = read_labels(FOLDER / "fixtures" / "vigor", "same", "original", "positives", False).ground
    ground.append("City/panorama/Größe,é.jpg")  # bytes beyond ASCII
    with (FOLDER / "golden" / "heading_noise.txt").open("w") as file:
        for degrees, seed, width in SETTINGS:
            for name in ground:
                print(degrees, seed, width, heading_columns(degrees, seed, name, width), name, file=file)


if __name__ == "__main__":
    main()
