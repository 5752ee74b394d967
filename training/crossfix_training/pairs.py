"""Pairs of any source, and lists of them: what `crossfix locate --pairs` reads (docs/json.md). Needs NumPy and Pillow."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from crossfix_training.atomic_file import whole_file
from crossfix_training.crops import Draws, crop_corner, turned_crop
from crossfix_training.labels import DataError

COLUMNS = (
    "ground", "satellite", "row", "col", "gsd", "bounds", "camera", "heading", "heading_sigma", "hfov", "height",
    "roll", "pitch", "pitch_sigma",
)  # fmt: skip
EARTH_RADIUS = 6378137.0  # metres, as web maps take it
ASPECT_TOLERANCE = 0.01  # how far from twice as wide as high, or from square, an image may be, as in the program


@dataclass(frozen=True)
class GroundCamera:
    """The camera of an image that is no whole panorama, or whose mount is known."""

    model: str  # equirectangular, cylindrical, pinhole or fisheye
    hfov: float | None = None  # degrees that the image is wide, if known
    height: float | None = None  # metres above the ground
    file: Path | None = None  # a camera file (docs/cameras.md)
    text: str = ""  # what a camera file is to say that is yet to be written
    roll: float | None = None  # degrees; said by the file if there is one, as are the next two
    pitch: float | None = None
    pitch_sigma: float | None = None
    whole: bool = False  # a whole panorama
    distorted: bool = False


@dataclass(frozen=True)
class Pair:
    """A ground image and a tile whose upper edge is north, unless `heading` counts from another direction."""

    ground: Path
    satellite: Path
    size: tuple[int, int]  # of the tile: height, width
    row: float  # camera, tile pixels; (0, 0) is the outer corner of the first pixel
    col: float
    gsd: float  # metres per tile pixel
    heading: float | None  # of the ground image's centre, degrees clockwise from north; None: unknown
    camera: GroundCamera | None = None  # None: a whole panorama, its mount unknown
    split: str = ""
    heading_sigma: float | None = None
    bounds: tuple[float, float, float, float] | None = None  # west, south, east, north of the tile

    @property
    def panorama(self) -> bool:
        """Whether the ground image is a whole panorama."""
        return self.camera is None or self.camera.whole


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image, from its first bytes."""
    try:
        with Image.open(path) as image:
            return image.size[1], image.size[0]
    except OSError as error:
        raise DataError(f"{path}: no image that can be read is there ({type(error).__name__})") from error


def checked(pair: Pair, where: str) -> Pair:
    """The pair; raises DataError, beginning with `where`, if an image is missing or a number is out of range."""
    if not pair.ground.is_file():
        raise DataError(f"{where}: no such ground image: {pair.ground}")
    height, width = pair.size
    if not (0 <= pair.row <= height and 0 <= pair.col <= width):
        raise DataError(f"{where}: the camera at ({pair.row:g}, {pair.col:g}) is outside the tile of {height} x {width} pixels")
    if not (pair.gsd > 0 and math.isfinite(pair.gsd)):
        raise DataError(f"{where}: gsd is {pair.gsd:g}; metres per pixel above 0 are expected")
    if pair.heading is not None and not -360 <= pair.heading <= 360:
        raise DataError(f"{where}: heading is {pair.heading:g}; -360 to 360 degrees clockwise from north are expected")
    return pair


def tile_size(path: Path, where: str) -> tuple[int, int]:
    """(height, width) of a tile."""
    if not path.is_file():
        raise DataError(f"{where}: no such tile: {path}")
    return image_size(path)


def zoom_gsd(latitude: float, zoom: int, scale: int = 1) -> float:
    """Metres per pixel of a web map at a zoom level, drawn `scale` times as large."""
    return 2 * math.pi * EARTH_RADIUS * math.cos(math.radians(latitude)) / (256 * 2**zoom * scale)


# ---- Lists


def _northing(latitude: float) -> float:
    return math.atanh(math.sin(math.radians(latitude)))


def _latitude(northing: float) -> float:
    return math.degrees(math.atan(math.sinh(northing)))


def bounds_gsd(bounds: tuple[float, float, float, float], size: tuple[int, int]) -> float:
    """Metres per pixel in the middle of a Web Mercator tile: the square root of a pixel's area."""
    west, south, east, north = bounds
    low, high = _northing(south), _northing(north)
    scale = EARTH_RADIUS * math.cos(math.radians(_latitude((low + high) / 2)))
    return scale * math.sqrt((high - low) / size[0] * math.radians(east - west) / size[1])


def crop_bounds(
    bounds: tuple[float, float, float, float], size: tuple[int, int], row: int, col: int, side: int
) -> tuple[float, float, float, float]:
    """Bounds of the crop of `side` pixels whose first pixel is (row, col)."""
    west, south, east, north = bounds
    low, high = _northing(south), _northing(north)

    def lon(at: int) -> float:
        return west + (east - west) * at / size[1]

    def lat(at: int) -> float:
        return _latitude(high - (high - low) * at / size[0])

    return lon(col), lat(row + side), lon(col + side), lat(row)


def read_camera_file(path: Path) -> tuple[GroundCamera, float | None]:
    """What a camera file says of the image (model, angle of the width, height), and the heading if it gives one. The
    program checks such files; here they are only read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a camera file ({type(error).__name__})") from error
    values = {}
    for line in lines:
        key, found, value = line.partition("#")[0].partition(":")
        if found:
            values[key.strip()] = value.strip()

    def numbers(key: str) -> list[float]:
        return [float(part) for part in values[key].strip("[] ").split(",")]

    try:
        model, height = values["model"], float(values["height_m"])
        whole, hfov = False, None
        if model in ("equirectangular", "cylindrical"):
            edges = numbers("azimuth_deg") if "azimuth_deg" in values else (0.0, float(values.get("hfov_deg", 360)))
            hfov = edges[1] - edges[0]
            rows = numbers("elevation_deg") if "elevation_deg" in values else (-90.0, 90.0)
            whole = model == "equirectangular" and hfov == 360 and tuple(rows) == (-90.0, 90.0)
        elif "hfov_deg" in values:
            hfov = float(values["hfov_deg"])
        elif model == "pinhole":
            width, fx, cx = (float(values[key]) for key in ("width", "fx", "cx"))
            hfov = math.degrees(math.atan(cx / fx) + math.atan((width - cx) / fx))
        known = values.get("heading_deg", "unknown") != "unknown"
        heading = float(values["heading_deg"]) if known else None
    except (KeyError, ValueError, ZeroDivisionError, IndexError) as error:
        raise DataError(f"{path}: no camera file as in docs/cameras.md ({error})") from error
    camera = GroundCamera(model, hfov, height, path, whole=whole, distorted="distortion" in values)
    return camera, heading


class _Row:
    """One line of a list."""

    def __init__(self, path: Path, line: int, values: dict[str, str]) -> None:
        self.where, self.folder, self.values = f"{path}:{line}", path.parent, values

    def text(self, column: str) -> str:
        return self.values.get(column, "")

    def path(self, column: str) -> Path:
        if not self.text(column):
            raise DataError(f"{self.where}: no path under '{column}'")
        return self.folder / self.text(column)

    def number(self, column: str) -> float | None:
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"{self.where}: {column} is '{text}', which is no number")
        return value


def _rows(path: Path) -> tuple[list[str], Iterator[_Row]]:
    """The header and the lines of a list."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            records = [(reader.line_num, record) for record in reader if record]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a CSV list of pairs ({error})") from error
    expected = f"ground,satellite[,{'][,'.join([*COLUMNS[2:], 'split'])}]"
    header = records[0][1] if records else []
    for column in header:
        if column not in (*COLUMNS, "split") or header.count(column) > 1:
            raise DataError(f"{path}:1: column '{column}' is unknown or stands twice; the header is {expected}")
    if "ground" not in header or "satellite" not in header:
        raise DataError(f"{path}:1: the header lacks 'ground' or 'satellite': {expected}")

    def lines() -> Iterator[_Row]:
        for line, record in records[1:]:
            if len(record) != len(header):
                raise DataError(f"{path}:{line}: {len(record)} fields where the header has {len(header)}")
            yield _Row(path, line, dict(zip(header, record)))

    return header, lines()


MOUNT = ("height", "roll", "pitch", "pitch_sigma")


def _camera(row: _Row, files: dict[Path, tuple[GroundCamera, float | None]]) -> tuple[GroundCamera | None, float | None]:
    """The camera of a line, and the heading that its file gives."""
    said = [column for column in ("hfov", *MOUNT) if row.number(column) is not None]
    if row.text("camera"):
        if said:
            raise DataError(f"{row.where}: {said[0]} is said by camera too: give one of them")
        path = row.path("camera")
        if path not in files:
            files[path] = read_camera_file(path)
        return files[path]
    if not said:
        return None, None
    hfov, (height, roll, pitch, pitch_sigma) = row.number("hfov"), (row.number(column) for column in MOUNT)
    if height is None:
        raise DataError(f"{row.where}: {said[0]} needs height too, the metres from the ground to the camera")
    if hfov is None:
        whole = GroundCamera("equirectangular", 360.0, height, roll=roll, pitch=pitch, pitch_sigma=pitch_sigma, whole=True)
        return whole, None
    if not 0 < hfov < 170:
        raise DataError(f"{row.where}: hfov is {hfov:g}; above 0 and below 170 degrees are expected")
    return GroundCamera("pinhole", hfov, height, roll=roll, pitch=pitch, pitch_sigma=pitch_sigma), None


def read_list(path: Path, split: str | None = None, gsd: float | None = None) -> list[Pair]:
    """The pairs of a CSV list. Its columns are those of `crossfix locate --pairs`, and optionally `split`: only lines
    of `split` are read if that is given. The camera's position must be known, and the scale: `gsd` or `bounds`, else
    the argument `gsd`. An empty heading is north, as for the program, unless there is a camera file that gives another or none.

    Raises DataError "FILE:LINE: ..." for anything else.
    """
    header, rows = _rows(path)
    if split is not None and "split" not in header:
        raise DataError(f"{path}:1: no column 'split' to look for '{split}' in; leave the split out, or add the column")
    pairs: list[Pair] = []
    names: dict[str, bool] = {}
    cameras: dict[Path, tuple[GroundCamera, float | None]] = {}
    for row in rows:
        names[row.text("split")] = True
        if split is not None and row.text("split") != split:
            continue
        where = row.where
        satellite, at_row, at_col = row.path("satellite"), row.number("row"), row.number("col")
        if at_row is None or at_col is None:
            raise DataError(f"{where}: row and col are expected, the camera's position in pixels of the tile")
        size = tile_size(satellite, where)
        bounds: tuple[float, float, float, float] | None = None
        if row.text("bounds"):
            try:
                west, south, east, north = (float(part) for part in row.text("bounds").split(","))
            except ValueError as error:
                raise DataError(f"{where}: bounds are not four numbers west,south,east,north in degrees") from error
            if not (-180 <= west < east <= 180 and -90 < south < north < 90):
                raise DataError(f"{where}: bounds {row.text('bounds')} enclose no tile; west,south,east,north in degrees are expected")
            bounds = west, south, east, north
        scale = row.number("gsd")
        if scale is None:
            scale = bounds_gsd(bounds, size) if bounds else gsd
        if scale is None:
            raise DataError(f"{where}: gsd or bounds are expected: the scale of the tile is not known")
        camera, of_file = _camera(row, cameras)
        heading = of_file
        if row.text("heading") and of_file is not None:
            raise DataError(f"{where}: heading is said by camera too: give one of them")
        if row.text("heading") not in ("", "unknown"):
            heading = row.number("heading")
        elif not row.text("heading") and (camera is None or camera.file is None):
            heading = 0.0
        pair = Pair(
            row.path("ground"), satellite, size, at_row, at_col, scale, heading, camera, row.text("split"),
            row.number("heading_sigma"), bounds,
        )  # fmt: skip
        pairs.append(checked(pair, where))
    if not pairs:
        found = f"; its splits: {', '.join(map(repr, names))}" if split is not None else ""
        raise DataError(f"{path}: holds no pairs{'' if split is None else f' of split {split!r}'}{found}")
    return pairs


def _text(value: float | None) -> str:
    return "" if value is None else repr(round(value, 9)).removesuffix(".0")


def write_list(pairs: Iterable[Pair], path: Path) -> int:
    """Writes a list, whole or not at all, that `crossfix locate --pairs` reads, and the camera files that it needs into
    a folder beside it -> how many pairs. Its paths begin at its folder where they lie in it, and are absolute otherwise.
    """
    folder = path.parent.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    def named(file: Path) -> str:
        file = file.resolve()
        return str(file.relative_to(folder) if file.is_relative_to(folder) else file)

    texts: dict[str, Path] = {}
    rows = []
    for pair in pairs:
        row = {"ground": named(pair.ground), "satellite": named(pair.satellite)}
        row |= {"row": _text(pair.row), "col": _text(pair.col)}
        row["gsd"] = _text(pair.gsd)
        if pair.bounds:
            row["bounds"] = ",".join(f"{degrees:.10f}" for degrees in pair.bounds)
        camera, heads = pair.camera, False  # whether the camera's file gives the heading
        if camera and camera.text:
            if camera.text not in texts:
                texts[camera.text] = folder / f"{path.stem}-cameras" / f"{len(texts):03d}-{camera.model}.yaml"
                texts[camera.text].parent.mkdir(exist_ok=True)
                texts[camera.text].write_text(camera.text, encoding="utf-8")
            row["camera"] = named(texts[camera.text])
        elif camera and camera.file:
            row["camera"] = named(camera.file)
            heads = read_camera_file(camera.file)[1] is not None
        elif camera:
            row |= {name: _text(getattr(camera, name)) for name in ("height", "roll", "pitch", "pitch_sigma")}
            row["hfov"] = "" if camera.whole else _text(camera.hfov)
        if not heads:
            row["heading"] = "unknown" if pair.heading is None else _text(pair.heading)
        row["heading_sigma"] = _text(pair.heading_sigma)
        rows.append(row)
    used = [column for column in COLUMNS if any(row.get(column) for row in rows)]
    with whole_file(path) as unfinished, open(unfinished, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, used, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


# ---- Crops


def cropped(
    pairs: Iterable[Pair], folder: Path, metres: float, crops: int, seed: int, turn: bool = False
) -> Iterator[Pair]:
    """Each pair `crops` times, its tile cut to a square of `metres` at random about the camera. The crops, PNG, go to
    `folder`. They depend on the seed, the number of the pair and its image's name alone. With `turn` the upper edge of
    each crop is the direction that the camera looks to, and the heading is 0: weights of pinhole images take such tiles.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, pair in enumerate(pairs):
        side = int(metres / pair.gsd + 1e-6)
        widest = min(pair.size) * pair.gsd
        if not 8 <= side <= min(pair.size):
            raise DataError(f"{pair.satellite}: the tile is {widest:.1f} m wide: crops of {metres:g} m cannot be cut from it")
        if turn and pair.heading is None:
            raise DataError(f"{pair.ground}: the heading is not known, so that its tile cannot be turned to it")
        with Image.open(pair.satellite) as image:
            tile = image.convert("RGB")
        for crop in range(crops):
            draws = Draws(f"crop {seed} {number} {pair.ground.name} {crop}")
            file = folder / f"{number:06d}-{crop:02d}.png"
            heading, bounds = pair.heading, None
            if turn and heading is not None:
                found = turned_crop((pair.row, pair.col), pair.size, side, heading, draws)
                if found is None:
                    raise DataError(f"{pair.satellite}: no turned crop of {metres:g} m about the camera lies in the tile of {widest:.1f} m")
                (row, col), matrix = found
                cut = tile.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
                heading = 0.0
            else:
                top, left = crop_corner((pair.row, pair.col), pair.size, side, draws.integer)
                row, col = pair.row - top, pair.col - left
                cut = tile.crop((left, top, left + side, top + side))
                bounds = crop_bounds(pair.bounds, pair.size, top, left, side) if pair.bounds else None
            cut.save(file, compress_level=1)
            yield replace(pair, satellite=file, size=(side, side), row=row, col=col, heading=heading, bounds=bounds)
