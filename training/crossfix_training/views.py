"""Views drawn from panoramas, as cameras of other kinds would have seen them: those of `crossfix evaluate --camera`.

Independent of the program's own code (src/data/view.cpp), which `crossfix-view` runs alone. Conventions are those of
docs/cameras.md: heading clockwise from north, pitch up, roll clockwise from behind, degrees; the heading first, then
the pitch, then the roll. A panorama is level and its centre column looks north.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossfix_training.counter import uniform
from crossfix_training.labels import DataError

MOST_SAMPLES = 8  # a pixel along each axis
TOLERANCE = 0.1  # panorama pixels that a view's pixel may be wider and still have one sample


@dataclass(frozen=True)
class Camera:
    """A camera without distortion. Lengths are pixels, counted from the outer corner of the first one."""

    model: str  # pinhole, fisheye (equidistant) or equirectangular
    width: int
    height: int
    focal: tuple[float, float] = (0, 0)  # (fx, fy)
    centre: tuple[float, float] = (0, 0)  # (cx, cy)
    azimuth: tuple[float, float] = (-180, 180)  # degrees at the left and the right edge, of panoramas
    elevation: tuple[float, float] = (-90, 90)  # at the lower and the upper edge
    height_m: float = 0  # above the ground
    heading: float = 0  # nominal
    pitch: float = 0
    roll: float = 0

    def rays(self, row: np.ndarray, col: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions (x right, y down, z forward) [..., 3] of continuous pixels, and where there is one."""
        if self.model == "equirectangular":
            azimuth = np.radians(self.azimuth[0] + (self.azimuth[1] - self.azimuth[0]) * col / self.width)
            up = np.radians(self.elevation[1] - (self.elevation[1] - self.elevation[0]) * row / self.height)
            level = np.cos(up)
            rays = np.stack([level * np.sin(azimuth), -np.sin(up), level * np.cos(azimuth)], axis=-1)
            return rays, np.ones(rays.shape[:-1], bool)
        x, y = (col - self.centre[0]) / self.focal[0], (row - self.centre[1]) / self.focal[1]
        if self.model == "pinhole":
            rays = np.stack([x, y, np.ones_like(x)], axis=-1)
            return rays / np.linalg.norm(rays, axis=-1, keepdims=True), np.ones(x.shape, bool)
        angle = np.hypot(x, y)  # from forward
        share = np.sinc(angle / np.pi)  # sin(angle) / angle
        return np.stack([x * share, y * share, np.cos(angle)], axis=-1), angle <= np.pi


def read_camera(path: Path) -> Camera:
    """A camera file of docs/cameras.md, without distortion."""
    values: dict[str, str] = {}
    for line in path.read_text().splitlines():
        key, found, value = line.partition("#")[0].partition(":")
        if found:
            values[key.strip()] = value.strip()
    model = values.get("model", "")
    if model not in ("pinhole", "fisheye", "equirectangular") or "distortion" in values:
        raise DataError(f"{path}: a pinhole, fisheye or equirectangular camera without distortion is expected")

    def number(key: str, otherwise: float = 0) -> float:
        return float(values.get(key, otherwise))

    def pair(key: str, otherwise: tuple[float, float]) -> tuple[float, float]:
        if key not in values:
            return otherwise
        low, high = (float(part) for part in values[key].strip("[]").split(","))
        return low, high

    width, height = int(values["width"]), int(values["height"])
    span = number("hfov_deg", 360)
    focal, centre = (number("fx"), number("fy")), (number("cx"), number("cy"))
    if model != "equirectangular" and "hfov_deg" in values:
        half = math.radians(span) / 2
        focal = (width / 2 / (math.tan(half) if model == "pinhole" else half),) * 2
        centre = (width / 2, height / 2)
    heading = 0.0 if values.get("heading_deg", "unknown") == "unknown" else number("heading_deg")
    return Camera(
        model,
        width,
        height,
        focal,
        centre,
        pair("azimuth_deg", (-span / 2, span / 2)),
        pair("elevation_deg", (-90, 90)),
        number("height_m"),
        heading,
        number("pitch_deg"),
        number("roll_deg"),
    )


def draws(name: str, seed: int, tilt: float, heading_noise: float, camera: Camera | None = None) -> tuple[float, ...]:
    """(heading, pitch, roll) that the view of a panorama is drawn with, degrees. `name` is the panorama's,
    CITY/panorama/NAME. The heading is even within `heading_noise` to either side of the camera's own; pitch and roll
    are normal about the camera's own with the standard deviation `tilt`.
    """
    heading, pitch, roll = (camera.heading, camera.pitch, camera.roll) if camera else (0.0, 0.0, 0.0)
    if heading_noise > 0:
        heading += float(uniform(f"heading {seed} {name}", (1,))[0]) * heading_noise
    if tilt > 0:
        first, second = (uniform(f"tilt {seed} {name}", (2,)) + 1) / 2
        length, turn = math.sqrt(-2 * math.log(1 - first)), 2 * math.pi * second  # Box and Muller
        pitch += tilt * length * math.cos(turn)
        roll += tilt * length * math.sin(turn)
    return heading, pitch, roll


def turned(rays: np.ndarray, heading: float, pitch: float, roll: float) -> np.ndarray:
    """Directions of the camera frame [..., 3] as (east, north, up)."""
    h, p, r = np.radians([heading, pitch, roll])
    rolled = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    pitched = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    level = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # (right, forward, up)
    headed = np.array([[np.cos(h), np.sin(h), 0], [-np.sin(h), np.cos(h), 0], [0, 0, 1]])
    return rays @ (headed @ level @ pitched @ rolled).T


def samples_along(camera: Camera, panorama: tuple[int, ...]) -> int:
    """How many samples a pixel has along each axis: as many as panorama pixels it is wide in the image's middle."""
    row, col = camera.height / 2, camera.width / 2
    rays, seen = camera.rays(np.array([row, row + 1, row]), np.array([col, col, col + 1]))
    if not seen.all():
        return 1
    widest = max(math.atan2(np.linalg.norm(np.cross(rays[0], ray)), rays[0] @ ray) for ray in rays[1:])
    step = min(math.pi / panorama[0], 2 * math.pi / panorama[1])
    return min(max(math.ceil(widest / step - TOLERANCE), 1), MOST_SAMPLES)


def sampled(panorama: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Bilinear samples [..., 3], float64, of a panorama in directions (east, north, up)."""
    height, width = panorama.shape[:2]
    east, north, up = np.moveaxis(directions, -1, 0)
    row = (0.5 - np.arctan2(up, np.hypot(east, north)) / np.pi) * height - 0.5
    col = (0.5 + np.arctan2(east, north) / (2 * np.pi)) * width - 0.5
    top, left = np.floor(row).astype(int), np.floor(col).astype(int)
    below, right = (row - top)[..., None], (col - left)[..., None]

    def value(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return panorama[np.clip(i, 0, height - 1), j % width].astype(np.float64)

    upper = value(top, left) * (1 - right) + value(top, left + 1) * right
    lower = value(top + 1, left) * (1 - right) + value(top + 1, left + 1) * right
    return upper * (1 - below) + lower * below


def draw(panorama: np.ndarray, camera: Camera, heading: float, pitch: float, roll: float) -> np.ndarray:
    """The view of a camera that stood as told, uint8 [height, width, 3], of a whole panorama, uint8 [h, w, 3]. Black
    where the camera sees no direction.
    """
    along = samples_along(camera, panorama.shape)
    total = np.zeros((camera.height, camera.width, 3))
    count = np.zeros((camera.height, camera.width, 1))
    for i in range(along):
        for j in range(along):
            row, col = np.meshgrid(
                np.arange(camera.height) + (i + 0.5) / along, np.arange(camera.width) + (j + 0.5) / along, indexing="ij"
            )
            rays, seen = camera.rays(row, col)
            total += sampled(panorama, turned(rays, heading, pitch, roll)) * seen[..., None]
            count += seen[..., None]
    return np.floor(total / np.maximum(count, 1) + 0.5).astype(np.uint8)
