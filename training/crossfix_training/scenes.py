"""Scenes made of orthophotos: a satellite tile and the panorama of a camera in it, to train the ground matcher on.

An orthophoto shows 25 m, too little to search in. So patches of many are blended to a canvas, roads with markings and
pavements are drawn on it, and things that stand up are put beside them: boxes and crowns with textures out of other
orthophotos. The tile shows the canvas, the tops and their shadows. The panorama shows the ground up to the first thing
that stands in the way, then that thing's side. Both see other cars, shadows and crowns, as on two dates.

Frames: rows grow south, columns east, metres from the north-west corner; azimuths clockwise from north.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from crossfix_training.effects import smooth_noise

SCALE = 0.2  # metres a pixel, of orthophotos and canvases
PATCH = 125  # pixels: the side of an orthophoto
STEP = 0.2  # metres between samples along a ray
REACH = 30.0  # metres: rays end there
DEEPEST = 79.6875  # degrees below the horizon: the lowest row of a panorama; 170 rows of 768 columns a turn
HIGHEST = 4.6875  # degrees above it: the first row; 10 rows


class Orthophotos:
    """The pictures of a folder, uint8 [n, 125, 125, 3]. Every tenth by name is kept for validation."""

    def __init__(self, folder: Path, held_out: bool) -> None:
        names = sorted(folder.glob("*.jpg"))
        if len(names) < 100:
            raise ValueError(f"{folder}: {len(names)} orthophotos (*.jpg), where at least 100 are needed")
        chosen = [name for i, name in enumerate(names) if (i % 10 == 0) == held_out]
        images = [np.asarray(Image.open(name).convert("RGB")) for name in chosen]
        bad = [name for name, image in zip(chosen, images) if image.shape != (PATCH, PATCH, 3)]
        if bad:
            raise ValueError(f"{bad[0]}: no picture of {PATCH} x {PATCH} pixels")
        self.images = np.stack(images)
        self.green, self.grey = self._crops()

    def _crops(self, side: int = 40) -> tuple[np.ndarray, np.ndarray]:
        """Crops of vegetation and of nearly uniform grey (roads, yards) [n, side, side, 3]."""
        green, grey = [], []
        for image in self.images:
            for row in range(0, PATCH - side, side):
                for col in range(0, PATCH - side, side):
                    crop = image[row : row + side, col : col + side]
                    mean = crop.reshape(-1, 3).mean(0)
                    if 2 * mean[1] - mean[0] - mean[2] > 18:
                        green.append(crop)
                    elif mean.max() - mean.min() < 24 and crop.std(axis=(0, 1)).max() < 26 and mean.mean() > 50:
                        grey.append(crop)
        return np.stack(green), np.stack(grey)

    def patch(self, random: np.random.Generator) -> np.ndarray:
        return turned(self.images[random.integers(len(self.images))], random)


def turned(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    image = np.rot90(image, int(random.integers(4)))
    return image[:, ::-1] if random.random() < 0.5 else image


def tiled(crops: np.ndarray, shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """A texture float32 [h, w, 3]: two crops, each mirrored at its edges until it fills the shape, in uneven areas."""
    layers = []
    for _ in range(2):
        crop = turned(crops[random.integers(len(crops))], random)
        crop = np.concatenate([crop, crop[::-1]], 0)
        crop = np.concatenate([crop, crop[:, ::-1]], 1)
        crop = np.roll(crop, random.integers(0, crop.shape[0], 2), (0, 1))
        up, across = -(-shape[0] // crop.shape[0]), -(-shape[1] // crop.shape[1])
        layers.append(np.tile(crop, (up, across, 1))[: shape[0], : shape[1]].astype(np.float32))
    mix = np.clip(0.5 + smooth_noise(shape, max(shape) // 30 + 2, random), 0, 1)[..., None]
    return layers[0] * mix + layers[1] * (1 - mix)


def mosaic(photos: Orthophotos, side: int, random: np.random.Generator) -> np.ndarray:
    """Patches of orthophotos, blended over 4 m: float32 [side, side, 3]."""
    pitch, feather = 103, 20
    ramp = np.clip((np.arange(PATCH) + 1) / feather, 0, 1)
    ramp = np.minimum(ramp, ramp[::-1]).astype(np.float32)
    weight = (ramp[:, None] * ramp[None])[..., None]
    big = side + 2 * PATCH
    total, weights = np.zeros((big, big, 3), np.float32), np.full((big, big, 1), 1e-6, np.float32)
    start = random.integers(0, pitch, 2)
    for row in range(int(start[0]), big - PATCH, pitch):
        for col in range(int(start[1]), big - PATCH, pitch):
            total[row : row + PATCH, col : col + PATCH] += photos.patch(random) * weight
            weights[row : row + PATCH, col : col + PATCH] += weight
    return (total / weights)[PATCH : PATCH + side, PATCH : PATCH + side]


@dataclass
class Road:
    line: np.ndarray  # [n, 2] (row, col), pixels
    width: float  # pixels
    mask: np.ndarray  # bool [side, side]


def stroke(side: int, line: np.ndarray, width: float) -> np.ndarray:
    mask = Image.new("L", (side, side))
    points = [(float(c), float(r)) for r, c in line]
    ImageDraw.Draw(mask).line(points, fill=255, width=max(1, round(width)), joint="curve")
    return np.asarray(mask) > 0


def shifted(line: np.ndarray, by: float) -> np.ndarray:
    """The line moved sideways by `by` pixels."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    return line + by * np.stack([along[:, 1], -along[:, 0]], 1)


def draw_roads(canvas: np.ndarray, photos: Orthophotos, random: np.random.Generator) -> list[Road]:
    """Draws one to four roads, paths included, on the canvas, in place."""
    side = canvas.shape[0]
    roads = []
    middle = random.uniform(0.3, 0.7, 2) * side
    turn = random.uniform(0, np.pi)
    for number in range(int(random.choice([1, 2, 2, 3, 4]))):
        angle = turn + (np.pi / 2 if number % 2 else 0) + random.normal(0, 0.25)
        through = middle + random.normal(0, 0.12 if number < 2 else 0.3, 2) * side
        t = np.linspace(-1.2, 1.2, 40) * side
        bend = random.normal(0, 0.15) * (t / side) ** 2 * side
        direction = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-direction[1], direction[0]])
        line = through + t[:, None] * direction + bend[:, None] * across
        if random.random() < 0.25:  # it ends at a junction
            line = line[len(line) // 2 :]
        path = number > 0 and random.random() < 0.35
        width = random.uniform(1.0, 3.0) / SCALE if path else random.uniform(4.5, 14) / SCALE
        mask = stroke(side, line, width)
        texture = tiled(photos.grey, (side, side), random)
        change = (random.uniform(50, 170) - texture.mean()) * random.uniform(0.3, 1)
        texture += change + smooth_noise((side, side), 12, random)[..., None] * random.uniform(0, 10)
        if not path and random.random() < 0.6:
            walk = stroke(side, line, width + random.uniform(1.5, 5) * 2 / SCALE)
            pale = texture.mean() + random.uniform(-15, 70) + 8 * smooth_noise((side, side), 30, random)[..., None]
            canvas[walk] = np.broadcast_to(pale, canvas.shape)[walk] + random.normal(0, 5, 3)
        if not path and random.random() < 0.4:
            kerb = stroke(side, line, width + 2)
            canvas[kerb] = texture.mean() + random.uniform(10, 80)
        canvas[mask] = texture[mask]
        roads.append(Road(line, width, mask))
    for road in roads:  # markings last, so that no road hides another's
        if road.width < 4 / SCALE or random.random() < 0.3:
            continue
        paint = np.array([1, 1, 1]) * random.uniform(150, 250)
        if random.random() < 0.2:
            paint = paint * np.array([1, 0.8, 0.35])
        offsets = [0.0] if random.random() < 0.6 else [-road.width / 6, road.width / 6]
        if random.random() < 0.4:
            offsets += [-road.width / 2 + 2, road.width / 2 - 2]
        for offset in offsets:
            line = shifted(road.line, offset)
            if random.random() < 0.6:  # dashed
                dense = np.stack([np.interp(np.arange(0, len(line) - 1, 0.02), np.arange(len(line)), line[:, k]) for k in (0, 1)], 1)
                length = int(random.uniform(2, 5))
                marks = np.zeros(canvas.shape[:2], bool)
                for begin in range(0, len(dense) - length, 2 * length + int(random.uniform(0, 6))):
                    part = dense[begin : begin + length]
                    if ((part > -20) & (part < canvas.shape[0] + 20)).all():
                        r0, c0 = np.maximum(part.min(0).astype(int) - 2, 0)
                        r1, c1 = part.max(0).astype(int) + 3
                        if r1 > r0 and c1 > c0:
                            small = Image.new("L", (c1 - c0, r1 - r0))
                            ImageDraw.Draw(small).line([(float(c - c0), float(r - r0)) for r, c in part], fill=255, width=1)
                            piece = np.asarray(small) > 0
                            target = marks[r0:r1, c0:c1]
                            target |= piece[: target.shape[0], : target.shape[1]]
            else:
                marks = stroke(canvas.shape[0], line, random.choice([1, 1, 2]))
            canvas[marks] = 0.25 * canvas[marks] + 0.75 * paint
        if random.random() < 0.4:  # a crossing
            at = int(random.integers(12, max(13, len(road.line) - 12))) if len(road.line) > 26 else len(road.line) // 2
            along = road.line[min(at + 1, len(road.line) - 1)] - road.line[at]
            along = along / (np.linalg.norm(along) + 1e-6)
            beside = np.array([along[1], -along[0]])
            for k in np.arange(-road.width / 2 + 2, road.width / 2 - 2, 5):
                ends = np.stack([road.line[at] + k * beside - 8 * along, road.line[at] + k * beside + 8 * along])
                canvas[stroke(canvas.shape[0], ends, 2.5)] = paint
    return roads


def blob(shape: tuple[int, int], at: np.ndarray, radius: float, random: np.random.Generator) -> tuple[slice, slice, np.ndarray] | None:
    """A crown's outline: rows, columns and mask [h, w], soft and uneven; None outside of the canvas."""
    reach = int(radius * 1.5) + 2
    r0, c0 = int(at[0]) - reach, int(at[1]) - reach
    rows, cols = slice(max(r0, 0), min(r0 + 2 * reach, shape[0])), slice(max(c0, 0), min(c0 + 2 * reach, shape[1]))
    if rows.stop <= rows.start + 2 or cols.stop <= cols.start + 2:
        return None
    r, c = np.mgrid[rows, cols]
    distance = np.hypot(r - at[0], c - at[1]) / radius
    return rows, cols, distance + 0.15 * smooth_noise(distance.shape, 6, random) < 1


def box(shape: tuple[int, int], at: np.ndarray, length: float, width: float, angle: float) -> tuple[slice, slice, np.ndarray] | None:
    """A rectangle's rows, columns and mask."""
    reach = int(math.hypot(length, width) / 2) + 2
    rows = slice(max(int(at[0]) - reach, 0), min(int(at[0]) + reach, shape[0]))
    cols = slice(max(int(at[1]) - reach, 0), min(int(at[1]) + reach, shape[1]))
    if rows.stop <= rows.start + 1 or cols.stop <= cols.start + 1:
        return None
    r, c = np.mgrid[rows, cols]
    along = (r - at[0]) * math.cos(angle) + (c - at[1]) * math.sin(angle)
    beside = -(r - at[0]) * math.sin(angle) + (c - at[1]) * math.cos(angle)
    return rows, cols, (abs(along) <= length / 2) & (abs(beside) <= width / 2)


def paste(image: np.ndarray, where: tuple[slice, slice, np.ndarray], texture: np.ndarray) -> None:
    rows, cols, mask = where
    image[rows, cols][mask] = texture[rows, cols][mask]


@dataclass
class Scene:
    """A tile and what a panorama is made of."""

    tile: np.ndarray  # float32 [side, side, 3], levels
    ground: np.ndarray  # float32 [side, side, 3]: as the camera's date shows it, without what stands up
    heights: np.ndarray  # float32 [side, side], metres of what stands on the ground
    roads: list[Road]


def car(image: np.ndarray, heights: np.ndarray | None, road: Road, random: np.random.Generator) -> None:
    k = int(random.integers(1, len(road.line) - 1))
    along = road.line[k + 1] - road.line[k - 1]
    angle = math.atan2(along[1], along[0])
    at = shifted(road.line, random.choice([-0.4, -0.25, 0.25, 0.4]) * road.width)[k]
    where = box(image.shape[:2], at, random.uniform(3.8, 6) / SCALE, random.uniform(1.7, 2.1) / SCALE, angle)
    if where is None:
        return
    paste(image, where, np.broadcast_to(random.uniform(20, 235) + random.normal(0, 25, 3), image.shape))
    if heights is not None:
        rows, cols, mask = where
        heights[rows, cols][mask] = random.uniform(1.3, 2)


def make_scene(photos: Orthophotos, side: int, random: np.random.Generator) -> Scene:
    canvas = mosaic(photos, side, random)
    if random.random() < 0.5:  # calmer land between the roads
        land = tiled(photos.green if random.random() < 0.8 else photos.grey, (side, side), random)
        calm = smooth_noise((side, side), 5, random) > random.normal(-0.3, 0.6)
        canvas[calm] = land[calm]
    roads = draw_roads(canvas, photos, random) if random.random() < 0.93 else []
    on_road = np.zeros((side, side), bool)
    for road in roads:
        on_road |= road.mask
    tile, ground = canvas.copy(), canvas.copy()
    heights = np.zeros((side, side), np.float32)
    changed = smooth_noise((side, side), 6, random) > random.uniform(1.2, 2.5)  # since the other date
    ground[changed] = tiled(photos.images, (side, side), random)[changed]
    sun = [random.normal(0, 1, 2) for _ in range(2)]
    sun = [s / np.linalg.norm(s) * random.uniform(0.3, 1.6) for s in sun]  # pixels of shadow a pixel of height
    dark = [random.uniform(0.35, 0.85) if random.random() < 0.7 else 1.0 for _ in range(2)]
    tops = []
    for _ in range(int(random.integers(4, 80))):
        at = random.uniform(0, side, 2)
        crown = random.random() < 0.65
        height = random.uniform(1, 12)
        if crown:
            where = blob((side, side), at, random.uniform(1, 5) / SCALE, random)
        else:
            where = box((side, side), at, random.uniform(2, 16) / SCALE, random.uniform(2, 10) / SCALE, random.uniform(0, np.pi))
        if where is None:
            continue
        rows, cols, mask = where
        if not crown and (on_road[rows, cols] & mask).any():
            continue
        for image, s, d in ((tile, sun[0], dark[0]), (ground, sun[1], dark[1])):
            shift = np.round(s * height / SCALE).astype(int)
            moved = np.zeros((side, side), bool)
            r0, c0 = rows.start + shift[0], cols.start + shift[1]
            r, c = np.nonzero(mask)
            r, c = r + r0, c + c0
            ok = (r >= 0) & (c >= 0) & (r < side) & (c < side)
            moved[r[ok], c[ok]] = True
            image[moved] *= d
        tops.append((where, crown, height))
        # A crown above the road is on a stem: the camera sees the road below it.
        stands = mask & ~on_road[rows, cols] if crown else mask
        heights[rows, cols][stands] = np.maximum(heights[rows, cols][stands], height)
    for where, crown, _ in tops:
        texture = tiled(photos.green if crown else photos.images, (side, side), random)
        paste(tile, where, texture * random.uniform(0.5, 1.1))
        if not crown or random.random() < 0.3:
            paste(ground, where, texture)
    for road in roads:
        if road.width > 4 / SCALE:
            for _ in range(int(random.integers(0, 5))):
                car(tile, None, road, random)
            for _ in range(int(random.integers(0, 4))):
                car(ground, heights, road, random)
    return Scene(tile, ground, heights, roads)


def panorama_of(
    scene: Scene, camera: np.ndarray, height: float, columns: int, photos: Orthophotos, random: np.random.Generator
) -> np.ndarray:
    """The panorama [rows, columns, 3] from HIGHEST degrees above the horizon to DEEPEST below it, of a level camera at
    (row, col) pixels; the centre column looks north. What stands within 1.5 m of the camera is left out."""
    rows = round((HIGHEST + DEEPEST) / 180 * columns / 2)
    azimuth = (torch.arange(columns) + 0.5) / columns * 2 * math.pi - math.pi
    distance = torch.arange(1, round(REACH / STEP) + 1) * STEP
    row = camera[0] - torch.cos(azimuth)[:, None] * distance / SCALE
    col = camera[1] + torch.sin(azimuth)[:, None] * distance / SCALE
    side = scene.tile.shape[0]
    grid = torch.stack([col / side * 2 - 1, row / side * 2 - 1], -1)[None].float()
    ground = torch.from_numpy(scene.ground).permute(2, 0, 1)[None]
    colours = F.grid_sample(ground, grid, mode="bilinear", padding_mode="reflection", align_corners=False)[0]
    tall = F.grid_sample(torch.from_numpy(scene.heights)[None, None], grid, mode="nearest", padding_mode="zeros", align_corners=False)[0, 0]
    tall = torch.where(distance < 1.5, 0.0, tall)
    elevation = torch.atan2(tall - height, distance.expand_as(tall))  # of the top of each sample
    horizon = torch.cummax(elevation, dim=1).values.contiguous()
    angle = torch.deg2rad(HIGHEST - (torch.arange(rows) + 0.5) * (HIGHEST + DEEPEST) / rows)
    hit = torch.searchsorted(horizon, angle.expand(columns, rows).contiguous())  # the first sample that is in the way
    sky = hit >= len(distance)
    hit = hit.clamp_max(len(distance) - 1)
    image = torch.gather(colours, 2, hit[None].expand(3, -1, -1))  # [3, columns, rows]
    # The side of a thing: the ray meets it above its foot.
    above = height + distance[hit] * torch.tan(angle)
    side_hit = (torch.gather(tall, 1, hit) > 0.3) & (above > 0.25) & ~sky
    wall = torch.from_numpy(photos.patch(random).astype(np.float32))
    u = (azimuth[:, None] * distance[hit] * random.uniform(1, 6) + torch.gather(tall, 1, hit) * 37).long() % PATCH
    v = (above * random.uniform(5, 25)).long() % PATCH
    shade = random.uniform(0.4, 1.1)
    image = torch.where(side_hit, 0.35 * image + 0.65 * shade * wall[v, u].permute(2, 0, 1), image)
    sky_colour = torch.tensor(random.uniform(120, 240, 3), dtype=torch.float32)[:, None, None]
    image = torch.where(sky, sky_colour, image)
    return image.permute(2, 1, 0).clamp(0, 255).numpy()
