"""Writes golden/resize.txt: what Pillow's bilinear resize gives for images made by a formula.

Each line has source height and width, target height and width, then either the FNV-1a hash of the result's bytes or,
for small results, the bytes in hexadecimal.

    python tests/io/make_resize_golden.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

HASHED = [
    # the presets' sizes
    (640, 640, 256, 256), (512, 1024, 256, 512), (1024, 2048, 256, 512), (640, 640, 512, 512),
    (800, 800, 512, 512), (960, 1280, 160, 240), (640, 640, 128, 128), (512, 1024, 128, 256),
    (1024, 2048, 128, 256),
    # odd ones, down and up, and axes that stay
    (317, 211, 101, 67), (101, 67, 317, 211), (333, 256, 256, 256), (256, 333, 256, 256), (1, 1, 9, 4),
]
# The third grows in width and shrinks in height. For such sizes Pillow's order of the axes depends on its release.
WHOLE = [(23, 31, 11, 7), (5, 7, 9, 13), (41, 9, 6, 17)]


def made_image(height: int, width: int) -> np.ndarray:
    """[height, width, 3] bytes: the top bytes of SplitMix64's outputs, in row-major order."""
    z = np.arange(1, height * width * 3 + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(56)).astype(np.uint8).reshape(height, width, 3)


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def main() -> None:
    lines = []
    for size in HASHED + WHOLE:
        height, width, out_height, out_width = size
        image = Image.fromarray(made_image(height, width))
        data = image.resize((out_width, out_height), Image.Resampling.BILINEAR).tobytes()
        text = data.hex() if size in WHOLE else f"{fnv1a(data):016x}"
        lines.append(" ".join(map(str, size)) + " " + text)
    path = Path(__file__).parent / "golden" / "resize.txt"
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
