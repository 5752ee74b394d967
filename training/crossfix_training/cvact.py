"""CVACT: whole panoramas of Canberra with satellite images (Liu and Li, "Lending Orientation to Neural Networks for
Cross-view Geo-localization", CVPR 2019; repository Liumouliu/OriCNN).

    ACT_data.csv                                          from ACT_data.mat, see below
    ANU_data_small/streetview/ID_grdView.jpg              whole panoramas, north in the centre
    ANU_data_small/satview_polish/ID_satView_polish.jpg   1200 x 1200, centred on the camera, north up
    ANU_data_test/...                                     the same, for split test

The .mat file has `panoIds`, `utm` (metres) and the numbers, from 1, of `trainSet.trainInd`, `valSet.valInd` and
`valSetAll.valInd`. Reading it takes SciPy, which is not required here: CONVERT is run once, where SciPy is at hand.

Figures, and where they are from:
- Zoom 20, as the paper says, drawn twice as large: 0.061 m a pixel, 73 m a tile. The paper says 0.12 m a pixel, which
  leaves out that factor; an author says in issue 5 of that repository that the images were enlarged twice (but still
  calls 0.12 right), and a reader measured about 68 m there. Shi et al. (repository YujiaoShi/Sat2StrPanoramaSynthesis)
  take 50 m. At 0.0609 m the bundled weights find the one full-size sample to 1.4 m (docs/real.md).
- UTM zone 55, south of the equator, which is Canberra's. Only the latitude is needed, for the scale.
- North is in the centre of the panoramas: the orientation maps of that repository.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

from crossfix_training.labels import DataError
from crossfix_training.pairs import Pair, checked, tile_size, zoom_gsd

SPLITS = {"train": "ANU_data_small", "val": "ANU_data_small", "test": "ANU_data_test"}
ZOOM, SCALE = 20, 2
HEADER = ["split", "id", "east", "north"]
CONVERT = (
    "import csv, scipy.io; m = scipy.io.loadmat('ACT_data.mat'); w = csv.writer(open('ACT_data.csv', 'w', newline='')); "
    "w.writerow(['split', 'id', 'east', 'north']); [w.writerow([s, m['panoIds'][i], *map(float, m['utm'][i])]) "
    "for s, a, b in (('train', 'trainSet', 'trainInd'), ('val', 'valSet', 'valInd'), ('test', 'valSetAll', 'valInd')) "
    "for i in m[a][b][0][0].ravel().astype(int) - 1]"
)


def latitude_of(east: float, north: float) -> float:
    """Degrees, negative, of a UTM position south of the equator; within 0.001 degrees (Snyder, "Map Projections: A
    Working Manual", 1987, equations 3-26, 8-17 and 8-25, to the second order in the distance from the meridian).
    """
    axis, squared, shrink = 6378137.0, 0.00669438, 0.9996
    angle = (north - 1e7) / shrink / (axis * (1 - squared / 4 - 3 * squared**2 / 64))
    e1 = (1 - math.sqrt(1 - squared)) / (1 + math.sqrt(1 - squared))
    foot = angle + 1.5 * e1 * math.sin(2 * angle) + 21 / 16 * e1**2 * math.sin(4 * angle)
    part = 1 - squared * math.sin(foot) ** 2
    across = (east - 5e5) / shrink * math.sqrt(part) / axis
    return math.degrees(foot - math.tan(foot) * across**2 / 2 * part / (1 - squared))


def read(root: Path, split: str, gsd: float | None = None) -> list[Pair]:
    """The pairs of a split; `gsd` instead of the published scale. Raises DataError."""
    path = root / "ACT_data.csv"
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    if not path.is_file():
        raise DataError(f'{path}: not there; make it once beside ACT_data.mat, where SciPy is at hand: python3 -c "{CONVERT}"')
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if not lines or lines[0] != HEADER:
        raise DataError(f"{path}:1: the header is expected to be {','.join(HEADER)}")
    pairs, folder = [], root / SPLITS[split]
    for number, fields in enumerate(lines[1:], start=2):
        where = f"{path}:{number}"
        if len(fields) != len(HEADER):
            raise DataError(f"{where}: {len(fields)} fields where {len(HEADER)} are expected")
        if fields[0] != split:
            continue
        try:
            east, north = float(fields[2]), float(fields[3])
        except ValueError as error:
            raise DataError(f"{where}: not numbers ({error})") from error
        if not (1e5 <= east <= 9e5 and 1.1e6 <= north < 1e7):
            raise DataError(f"{where}: east {east:g}, north {north:g} are out of range; metres of UTM in the south are expected")
        satellite = folder / "satview_polish" / f"{fields[1]}_satView_polish.jpg"
        ground = folder / "streetview" / f"{fields[1]}_grdView.jpg"
        size = tile_size(satellite, where)
        scale = gsd or zoom_gsd(latitude_of(east, north), ZOOM, SCALE)
        pairs.append(checked(Pair(ground, satellite, size, size[0] / 2, size[1] / 2, scale, 0.0, None, split), where))
    if not pairs:
        raise DataError(f"{path}: holds no pairs of split '{split}'")
    return pairs
