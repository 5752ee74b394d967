"""CVUSA, the subset with panoramas (Workman et al., "Wide-Area Image Geolocalization with Aerial Reference Imagery",
ICCV 2015; Zhai et al., "Predicting Ground-Level Scene Layout from Aerial Imagery", CVPR 2017).

    splits/train-19zl.csv, splits/val-19zl.csv   lines of satellite,street,annotation: paths below the folder
    bingmap/19/ID.jpg                            750 x 750, centred on the camera, north up
    streetview/panos/ID.jpg                      1232 x 224, north in the centre, sky and near ground cut away

Figures, and where they are from:
- Zoom 19 (the folder's and the lists' names) at the latitude 38: 0.235 m a pixel. The lists give no coordinates, and
  between 25 and 49 degrees north the scale runs from 0.27 to 0.20, so that a tile's is off by up to 17 %. Published code
  disagrees: Shi et al. (repository YujiaoShi/Sat2StrPanoramaSynthesis) take 55 m a tile, 0.073 m a pixel. At 0.242 m the
  bundled weights find nine published samples to 5 m in 44 % of crops (docs/real.md), which speaks for the first.
- Elevations: pixels are taken for square, 360 degrees over the width of 1232, and the middle of the image for 20 of these
  pixels above the horizon: -26.9 to 38.6 degrees. This is what an author of HC-Net completes the panoramas by (issue 1 of
  the repository xlwangDev/HC-Net). Published code disagrees: the same angle about the horizon, 32.7 degrees to either
  side (Panorama-BEV Co-Retrieval Network, ECCV 2024), or 45 degrees to either side (Shi et al.). The window stands in
  the camera file that is written with a list, and can be changed there.
- North is in the centre: issue 1 of the repository Liumouliu/OriCNN.
- The height is not published; 2.6 m is what the bundled weights assume of panoramas (docs/real.md).
"""

from __future__ import annotations

import csv
from pathlib import Path

from crossfix_training.labels import DataError
from crossfix_training.pairs import GroundCamera, Pair, checked, image_size, tile_size, zoom_gsd

SPLITS = {"train": "train-19zl.csv", "val": "val-19zl.csv"}
ZOOM = 19
LATITUDE = 38.0  # degrees: of the middle of the contiguous states
HEIGHT = 2.6  # metres
MIDDLE = 20 / 1232 * 360  # degrees, elevation of the image's middle row


def _camera(size: tuple[int, int]) -> GroundCamera:
    """The window of the panorama that images of this size show."""
    height, width = size
    half = 180 * height / width
    text = f"model: equirectangular\nwidth: {width}\nheight: {height}\nelevation_deg: [{MIDDLE - half:.4f}, {MIDDLE + half:.4f}]\nheight_m: {HEIGHT}\n"
    return GroundCamera("equirectangular", 360.0, HEIGHT, text=text)


def read(root: Path, split: str, gsd: float | None = None) -> list[Pair]:
    """The pairs of a split; `gsd` instead of the scale above. Raises DataError."""
    path = root / "splits" / SPLITS[split]
    if not path.is_file():
        raise DataError(f"{path}: no such split file; a folder with `splits`, `bingmap` and `streetview` is expected")
    pairs, cameras = [], {}
    with open(path, newline="", encoding="utf-8") as file:
        for number, fields in enumerate(csv.reader(file), start=1):
            where = f"{path}:{number}"
            if not fields:
                continue
            if len(fields) != 3:
                raise DataError(f"{where}: {len(fields)} fields where a line has 3: satellite,street,annotation")
            satellite, ground = root / fields[0], root / fields[1]
            tile = tile_size(satellite, where)
            if not ground.is_file():
                raise DataError(f"{where}: no such ground image: {ground}")
            size = image_size(ground)
            if 2 * size[0] > size[1]:
                raise DataError(f"{ground}: {size[1]} x {size[0]} pixels; a panorama with sky and near ground cut away is expected")
            if size not in cameras:
                cameras[size] = _camera(size)
            scale = gsd or zoom_gsd(LATITUDE, ZOOM)
            pairs.append(checked(Pair(ground, satellite, tile, tile[0] / 2, tile[1] / 2, scale, 0.0, cameras[size], split), where))
    if not pairs:
        raise DataError(f"{path}: holds no pairs")
    return pairs
