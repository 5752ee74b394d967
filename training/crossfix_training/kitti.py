"""KITTI, with satellite images as published for cross-view localization.

Layout: that of Shi and Li, "Beyond Cross-view Image Retrieval: Highly Accurate Vehicle Localization Using Satellite
Image", CVPR 2022 (repository YujiaoShi/HighlyAccurate), which later work uses too:

    raw_data/DATE/calib_cam_to_cam.txt
    raw_data/DATE/DRIVE/image_02/data/IMAGE.png    the left colour camera, rectified
    raw_data/DATE/DRIVE/oxts/data/IMAGE.txt        30 numbers of the positioning system
    satmap/DATE/DRIVE/IMAGE.png                    north up, centred on that system's position
    train_files.txt, test1_files.txt, test2_files.txt

A line of a split file is DATE/DRIVE/IMAGE.png; in the test files three numbers follow, by which that work shifts and
turns its tiles. They are not used here: our tiles are north up, and cropped at random.

Figures, and where they are from:
- The camera is 1.08 m ahead of the position that the tile is centred on, and 0.26 m to its right (`CameraGPS_shift_left`
  in `utils.py` there; `dataLoader/KITTI_dataset.py` turns the tile by the yaw and moves it so).
- A tile is of zoom 18, drawn twice as large (`get_meter_per_pixel` there: 156543.03392 cos(latitude) / 2^18 / 2). That
  work takes the latitude 49.015 for all; here it is each image's own, which differs by less than 0.1 %.
- Latitude, longitude and yaw (radians, counter-clockwise from east) are numbers 1, 2 and 6 of the positioning system's
  30 (`dataformat.txt` of KITTI's development kit).
- The camera is 1.65 m above the ground (Geiger et al., "Vision meets Robotics: The KITTI Dataset", IJRR 2013).
- `P_rect_02` and `S_rect_02` are the rectified camera's matrix and image size. KITTI counts pixels from the centre of
  the first one, so half a pixel is added to its principal point.

The camera is taken for level.
"""

from __future__ import annotations

import math
from pathlib import Path

from crossfix_training.labels import DataError
from crossfix_training.pairs import GroundCamera, Pair, checked, image_size, tile_size, zoom_gsd

SPLITS = {"train": "train_files.txt", "test1": "test1_files.txt", "test2": "test2_files.txt"}
AHEAD, RIGHT = 1.08, 0.26  # metres, of the camera from the position
ZOOM, SCALE = 18, 2
HEIGHT = 1.65  # metres
MEASUREMENTS = 30


def _camera(root: Path, date: str, size: tuple[int, int]) -> GroundCamera:
    """The left colour camera of a day."""
    path = root / "raw_data" / date / "calib_cam_to_cam.txt"
    try:
        lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        matrix = [float(value) for value in lines["P_rect_02"].split()]
        width, height = (int(float(value)) for value in lines["S_rect_02"].split())
        fx, cx, fy, cy = matrix[0], matrix[2] + 0.5, matrix[5], matrix[6] + 0.5
    except OSError as error:
        raise DataError(f"{path}: no such calibration") from error
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"{path}: no calibration with P_rect_02 and S_rect_02 ({error})") from error
    if size != (height, width):
        raise DataError(f"{path}: S_rect_02 is {width} x {height}, and an image of that day is {size[1]} x {size[0]}")
    text = f"model: pinhole\nwidth: {width}\nheight: {height}\nfx: {fx:.9g}\nfy: {fy:.9g}\ncx: {cx:.9g}\ncy: {cy:.9g}\n"
    hfov = math.degrees(math.atan(cx / fx) + math.atan((width - cx) / fx))
    return GroundCamera("pinhole", hfov, HEIGHT, text=f"{text}height_m: {HEIGHT}\n")


def _measured(path: Path) -> tuple[float, float]:
    """(latitude in degrees, yaw in radians)."""
    try:
        fields = path.read_text().split()
    except OSError as error:
        raise DataError(f"{path}: no such file of the positioning system") from error
    if len(fields) != MEASUREMENTS:
        raise DataError(f"{path}: {len(fields)} fields where {MEASUREMENTS} are expected")
    try:
        latitude, longitude, yaw = (float(fields[index]) for index in (0, 1, 5))
    except ValueError as error:
        raise DataError(f"{path}: not numbers ({error})") from error
    if not (abs(latitude) < 85 and abs(longitude) <= 180 and abs(yaw) <= 2 * math.pi):
        raise DataError(f"{path}: latitude {latitude:g}, longitude {longitude:g}, yaw {yaw:g} are out of range; degrees and radians are expected")
    return latitude, yaw


def read(root: Path, split: str, gsd: float | None = None) -> list[Pair]:
    """The pairs of a split; `gsd` instead of the published scale. Raises DataError."""
    path = root / SPLITS[split]
    if not path.is_file():
        raise DataError(f"{path}: no such split file; those of the published work are expected there")
    pairs, cameras = [], {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        fields, where = line.split(), f"{path}:{number}"
        if not fields:
            continue
        count = 1 if split == "train" else 4
        parts = fields[0].split("/")
        if len(fields) != count or len(parts) != 3:
            wanted = "DATE/DRIVE/IMAGE.png" + " and three numbers" * (count > 1)
            raise DataError(f"{where}: {len(fields)} fields where a line of {SPLITS[split]} has {count}: {wanted}")
        date, drive, image = parts
        folder = root / "raw_data" / date / drive
        ground, satellite = folder / "image_02" / "data" / image, root / "satmap" / date / drive / image
        latitude, yaw = _measured(folder / "oxts" / "data" / Path(image).with_suffix(".txt").name)
        if not ground.is_file():
            raise DataError(f"{where}: no such ground image: {ground}")
        tile, size = tile_size(satellite, where), image_size(ground)
        if (date, size) not in cameras:
            cameras[date, size] = _camera(root, date, size)
        scale = gsd or zoom_gsd(latitude, ZOOM, SCALE)
        east = AHEAD * math.cos(yaw) + RIGHT * math.sin(yaw)
        north = AHEAD * math.sin(yaw) - RIGHT * math.cos(yaw)
        row, col = tile[0] / 2 - north / scale, tile[1] / 2 + east / scale
        heading = (90 - math.degrees(yaw)) % 360
        pairs.append(checked(Pair(ground, satellite, tile, row, col, scale, heading, cameras[date, size], split), where))
    if not pairs:
        raise DataError(f"{path}: holds no pairs")
    return pairs
