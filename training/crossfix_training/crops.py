"""Crops of a tile at random about the camera. In published tiles the camera stands in the middle, which teaches and
measures nothing about position.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crossfix_training.counter import bits

MARGIN = 0.05  # of a crop's side: least distance of the camera from its edge
TRIES = 256  # of a turned crop, to lie within the tile


def crop_corner(
    camera: tuple[float, float], size: tuple[int, int], side: int, integer: Callable[[int, int], int]
) -> tuple[int, int]:
    """(row, col) of the first pixel of a square crop of `side` pixels that holds the camera: (row, col) in a tile of
    `size` (height, width). `integer(low, high)` draws from low up to, but not including, high; rows come first.
    """
    corner = []
    for at, extent in zip(camera, size):
        low = max(0, int(at - (1 - MARGIN) * side))
        high = max(low, min(extent - side, int(at - MARGIN * side)))
        corner.append(int(integer(low, high + 1)))
    return corner[0], corner[1]


class Draws:
    """Numbers of the counter-based stream `key`, one after the other."""

    def __init__(self, key: str) -> None:
        self.key, self.used, self.values = key, 0, bits(key, 2 * TRIES)

    def unit(self) -> float:
        """In [0, 1)."""
        self.used += 1
        return int(self.values[self.used - 1] >> np.uint64(40)) / 2**24

    def integer(self, low: int, high: int) -> int:
        """From low up to, but not including, high."""
        return low + int(self.unit() * (high - low))


def turned_crop(
    camera: tuple[float, float], size: tuple[int, int], side: int, heading: float, draws: Draws
) -> tuple[tuple[float, float], tuple[float, float, float, float, float, float]] | None:
    """A square crop whose upper edge is the side that the camera looks to: the camera's (row, col) in it, and the map
    from its (col, row) to those of the tile, as Pillow's affine transform takes it. None if none of TRIES lies within
    the tile. `heading` in degrees clockwise from the tile's upper edge.
    """
    cosine, sine = np.cos(np.radians(heading)), np.sin(np.radians(heading))
    for _ in range(TRIES):
        row, col = ((MARGIN + (1 - 2 * MARGIN) * draws.unit()) * side for _ in range(2))
        # Right in the crop is (cos, sin) in (col, row) of the tile; down is (-sin, cos).
        left = camera[1] - cosine * col + sine * row
        top = camera[0] - sine * col - cosine * row
        cols = [left + cosine * x * side - sine * y * side for x in (0, 1) for y in (0, 1)]
        rows = [top + sine * x * side + cosine * y * side for x in (0, 1) for y in (0, 1)]
        if min(rows) >= 0 and min(cols) >= 0 and max(rows) <= size[0] and max(cols) <= size[1]:
            return (row, col), (cosine, -sine, left, sine, cosine, top)
    return None
