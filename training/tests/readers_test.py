"""Readers of published layouts and of lists, on files that the tests write; positions and scales computed by hand."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import readers
from crossfix_training import cvact, cvusa, kitti
from crossfix_training.crops import Draws, turned_crop
from crossfix_training.labels import DataError
from crossfix_training.pairs import cropped, read_list, zoom_gsd

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = REPOSITORY / "build/bin/crossfix"
DRIVE = "2011_09_26/2011_09_26_drive_0001_sync"


def picture(path: Path, height: int, width: int, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return path


def ramp(path: Path, side: int) -> Path:
    """A tile whose pixel (row, col) is (row, col, 0)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row, col = np.mgrid[:side, :side].astype(np.uint8)
    Image.fromarray(np.stack([row, col, 0 * row], axis=-1)).save(path)
    return path


def measured(yaw: float, latitude: float = 49.0, count: int = 30) -> str:
    return " ".join(map(str, ([latitude, 8.4, 112.8, 0.01, 0.02, yaw] + [0.0] * 24)[:count]))


@pytest.fixture
def of_kitti(tmp_path):
    """Four images: three to train (looking east, north and west), one to test."""
    root = tmp_path / "kitti"
    for number, yaw in enumerate((0.0, math.pi / 2, math.pi, 0.0)):
        picture(root / "raw_data" / DRIVE / "image_02/data" / f"{number:010d}.png", 62, 188, number)
        ramp(root / "satmap" / DRIVE / f"{number:010d}.png", 200)
        (root / "raw_data" / DRIVE / "oxts/data").mkdir(parents=True, exist_ok=True)
        (root / "raw_data" / DRIVE / "oxts/data" / f"{number:010d}.txt").write_text(measured(yaw))
    calibration = "calib_time: 09-Jan-2012 13:57:47\nS_rect_02: 1.880000e+02 6.200000e+01\n"
    calibration += "P_rect_02: 94 0 93.5 4.5 0 95 30.5 0.2 0 0 1 0.003\n"
    (root / "raw_data/2011_09_26/calib_cam_to_cam.txt").write_text(calibration)
    (root / "train_files.txt").write_text("".join(f"{DRIVE}/{number:010d}.png\n" for number in range(3)))
    (root / "test1_files.txt").write_text(f"{DRIVE}/{3:010d}.png 0.25 -0.5 0.125\n")
    return root


@pytest.fixture
def of_cvact(tmp_path):
    root = tmp_path / "cvact"
    lines = ["split,id,east,north"]
    for split, name in (("train", "aA-1"), ("train", "b_2"), ("val", "c3"), ("test", "d4")):
        folder = root / cvact.SPLITS[split]
        picture(folder / "streetview" / f"{name}_grdView.jpg", 32, 64)
        picture(folder / "satview_polish" / f"{name}_satView_polish.jpg", 300, 300)
        lines.append(f"{split},{name},693000.0,6104000.0")
    (root / "ACT_data.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def of_cvusa(tmp_path):
    root = tmp_path / "cvusa"
    for split, numbers in (("train", (1, 2, 3)), ("val", (4,))):
        lines = []
        for number in numbers:
            names = [f"bingmap/19/{number:07d}.jpg", f"streetview/panos/{number:07d}.jpg", f"streetview/annotations/{number:07d}.png"]
            picture(root / names[0], 75, 75)
            picture(root / names[1], 28, 154)
            lines.append(",".join(names))
        (root / "splits").mkdir(exist_ok=True)
        (root / "splits" / f"{split}-19zl.csv").write_text("\r\n".join(lines))
    return root


@pytest.fixture
def of_csv(tmp_path):
    """Six lines: panoramas, photos by their field of view, and photos of a camera file."""
    root = tmp_path / "own"
    for number in range(6):
        ramp(root / f"tile-{number}.png", 200)
        picture(root / f"ground-{number}.png", 32, 64 if number < 2 else 48, number)
    (root / "front.yaml").write_text("model: pinhole\nwidth: 48\nheight: 32\nhfov_deg: 80 # wide\nheight_m: 1.6\nheading_deg: 12\n")
    lines = [
        "ground,satellite,row,col,gsd,bounds,heading,camera,hfov,height,split",
        'ground-0.png,tile-0.png,100,90,0.2,,,,,,train',
        'ground-1.png,tile-1.png,60,150,,"8.5,47.3,8.5005,47.30033908",unknown,,,2.5,train',
        'ground-2.png,tile-2.png,100,100,0.2,,-90,,75,1.6,train',
        'ground-3.png,tile-3.png,100,100,0.2,,271.5,,75,1.6,test',
        'ground-4.png,tile-4.png,100,100,0.2,,,front.yaml,,,test',
        'ground-5.png,tile-5.png,100.5,99.25,0.2,,,front.yaml,,,test',
    ]
    (root / "pairs.csv").write_text("\n".join(lines) + "\n")
    return root


def run(monkeypatch, *words) -> int:
    monkeypatch.setattr("sys.argv", ["readers", *map(str, words)])
    return readers.main()


def rows_of(path: Path) -> list[dict]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_scales_are_those_of_web_maps():
    # 156543.03392 m / 2^18 / 2 is 0.298582 m at the equator.
    assert zoom_gsd(0, 18, 2) == pytest.approx(0.2985821, rel=1e-6)
    assert zoom_gsd(60, 18, 2) == pytest.approx(0.1492911, rel=1e-6)


def test_kitti_cameras_are_ahead_and_to_the_right_of_the_tiles_centre(of_kitti):
    east, north, west = kitti.read(of_kitti, "train")
    # 0.2985821 m cos(49) = 0.1958875 m a pixel: 1.08 m are 5.51337 pixels, 0.26 m are 1.32729.
    assert east.gsd == pytest.approx(0.1958875, rel=1e-6)
    assert (east.heading, north.heading, west.heading) == (90, 0, 270)
    assert (east.row, east.col) == pytest.approx((101.32729, 105.51337), abs=1e-5)
    assert (north.row, north.col) == pytest.approx((94.48663, 101.32729), abs=1e-5)
    assert (west.row, west.col) == pytest.approx((98.67271, 94.48663), abs=1e-5)
    assert east.camera is west.camera and not east.panorama
    # The principal point (94, 31) is the middle; half of the width is as long as fx: 45 degrees to each side.
    assert east.camera.hfov == pytest.approx(90) and east.camera.height == 1.65
    assert "cx: 94\ncy: 31\n" in east.camera.text
    assert [pair.split for pair in kitti.read(of_kitti, "test1")] == ["test1"]
    assert kitti.read(of_kitti, "train", gsd=0.5)[0].col == pytest.approx(100 + 1.08 / 0.5)


@pytest.mark.parametrize(
    "file, content, message",
    [
        ("train_files.txt", f"{DRIVE}/0000000000.png 1 2\n", "train_files.txt:1: 3 fields where a line of train_files.txt has 1"),
        ("train_files.txt", f"\n{DRIVE}/0000000009.png\n", "0000000009.txt: no such file"),
        ("train_files.txt", "0000000000.png\n", "has 1: DATE/DRIVE/IMAGE.png"),
        ("train_files.txt", "", "holds no pairs"),
        (f"raw_data/{DRIVE}/oxts/data/0000000000.txt", measured(0, count=6), "6 fields where 30 are expected"),
        (f"raw_data/{DRIVE}/oxts/data/0000000000.txt", measured(0, latitude=149), "latitude 149, .* out of range"),
        (f"raw_data/{DRIVE}/oxts/data/0000000000.txt", measured(90), "yaw 90 are out of range"),
        (f"raw_data/{DRIVE}/oxts/data/0000000000.txt", measured(0).replace("8.4", "x"), "not numbers"),
        ("raw_data/2011_09_26/calib_cam_to_cam.txt", "P_rect_02: 94 0 93.5\n", "no calibration with P_rect_02 and S_rect_02"),
    ],
)
def test_kitti_refuses_what_is_damaged(of_kitti, file, content, message):
    (of_kitti / file).write_text(content)
    with pytest.raises(DataError, match=message):
        kitti.read(of_kitti, "train")


def test_kitti_names_what_is_missing(of_kitti, tmp_path):
    with pytest.raises(DataError, match=r"test2_files.txt: no such split file"):
        kitti.read(of_kitti, "test2")
    with pytest.raises(DataError, match=r"no such split file"):
        kitti.read(tmp_path / "nowhere", "train")
    (of_kitti / "satmap" / DRIVE / f"{1:010d}.png").unlink()
    with pytest.raises(DataError, match=r"train_files.txt:2: no such tile: .*0000000001.png"):
        kitti.read(of_kitti, "train")
    picture(of_kitti / "raw_data" / DRIVE / "image_02/data" / f"{0:010d}.png", 64, 188)
    with pytest.raises(DataError, match=r"S_rect_02 is 188 x 62, and an image of that day is 188 x 64"):
        kitti.read(of_kitti, "train")


def test_cvact_tiles_are_centred_on_panoramas_that_look_north(of_cvact):
    pairs = cvact.read(of_cvact, "train")
    assert [pair.ground.name for pair in pairs] == ["aA-1_grdView.jpg", "b_2_grdView.jpg"]
    assert all((pair.row, pair.col, pair.heading, pair.camera) == (150, 150, 0, None) for pair in pairs)
    # About 35.19 degrees south: 0.0746455 m cos(35.19) = 0.0610 m.
    assert pairs[0].gsd == pytest.approx(0.06101, abs=1e-5)
    assert "ANU_data_test" in str(cvact.read(of_cvact, "test")[0].satellite)


def test_latitudes_of_utm():
    # On the meridian the northing is the arc from the equator, here by the midpoint rule.
    for latitude in (-35.2, -12.0, -60.0):
        axis, squared, steps = 6378137.0, 0.00669437999, 20000
        middles = (np.arange(steps) + 0.5) * math.radians(-latitude) / steps
        arc = (axis * (1 - squared) / (1 - squared * np.sin(middles) ** 2) ** 1.5).sum() * math.radians(-latitude) / steps
        assert cvact.latitude_of(500000, 1e7 - 0.9996 * arc) == pytest.approx(latitude, abs=1e-5)
    # East of it, to the second order, the parallel bends away by N tan(latitude) D^2 / 2.
    away = math.radians(2.1)  # of longitude
    radius = 6378137.0 / math.sqrt(1 - 0.00669437999 * math.sin(math.radians(35.2)) ** 2)
    across = away * math.cos(math.radians(35.2))
    arc = (10000000 - _northing_on_meridian(-35.2)) + 0.9996 * radius * math.tan(math.radians(35.2)) * across**2 / 2
    assert cvact.latitude_of(500000 + 0.9996 * radius * across, 1e7 - arc) == pytest.approx(-35.2, abs=1e-3)


def _northing_on_meridian(latitude: float) -> float:
    low, high = 1e6, 1e7
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if cvact.latitude_of(500000, middle) < latitude else (low, middle)
    return low


@pytest.mark.parametrize(
    "content, message",
    [
        ("split,id,east,north\ntrain,aA-1,693000\n", "ACT_data.csv:2: 3 fields where 4 are expected"),
        ("split,id,east,north\ntrain,aA-1,149.1,-35.2\n", "ACT_data.csv:2: east 149.1, north -35.2 are out of range"),
        ("split,id,east,north\ntrain,aA-1,east,1\n", "not numbers"),
        ("split,id,east,north\ntrain,zz,693000,6104000\n", "no such tile: .*zz_satView_polish.jpg"),
        ("id,split\n", "the header is expected to be split,id,east,north"),
        ("split,id,east,north\nval,c3,693000,6104000\n", "holds no pairs of split 'train'"),
    ],
)
def test_cvact_refuses_what_is_damaged(of_cvact, content, message):
    (of_cvact / "ACT_data.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        cvact.read(of_cvact, "train")


def test_cvact_says_how_its_matrix_is_converted(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"no such folder"):
        cvact.read(tmp_path / "nowhere", "train")
    with pytest.raises(DataError, match=r"make it once beside ACT_data.mat"):
        cvact.read(tmp_path, "train")
    # What SciPy returns for such a file: structures are object arrays of 1 x 1.
    def structure(name: str, numbers: list[int]) -> np.ndarray:
        return np.array([[(np.array(numbers)[:, None],)]], dtype=[(name, "O")])

    matrix = {"panoIds": np.array(["aA-1", "b_2", "c3"]), "utm": np.array([[1.5, 2], [3, 4], [5, 6]])}
    matrix |= {"trainSet": structure("trainInd", [3, 1]), "valSet": structure("valInd", [2]), "valSetAll": structure("valInd", [2, 3])}
    scipy, scipy.io = ModuleType("scipy"), ModuleType("scipy.io")
    scipy.io.loadmat = lambda name: matrix
    monkeypatch.setitem(sys.modules, "scipy", scipy)
    monkeypatch.setitem(sys.modules, "scipy.io", scipy.io)
    monkeypatch.chdir(tmp_path)
    assert '"' not in cvact.CONVERT  # it is quoted by these in the message
    exec(cvact.CONVERT, {})
    with open(tmp_path / "ACT_data.csv", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[:3] == [cvact.HEADER, ["train", "c3", "5.0", "6.0"], ["train", "aA-1", "1.5", "2.0"]]
    assert [line[:2] for line in lines[3:]] == [["val", "b_2"], ["test", "b_2"], ["test", "c3"]]


def test_cvusa_images_are_a_window_of_a_panorama(of_cvusa):
    pairs = cvusa.read(of_cvusa, "train")
    assert len(pairs) == 3 and len(cvusa.read(of_cvusa, "val")) == 1
    assert (pairs[0].row, pairs[0].col, pairs[0].heading) == (37.5, 37.5, 0)
    # 0.2985821 m cos(38) = 0.2352859 m; 28 of 154 columns' degrees are 65.4545, and 20 of 1232 are 5.8442.
    assert pairs[0].gsd == pytest.approx(0.2352859, rel=1e-6)
    assert "elevation_deg: [-26.8831, 38.5714]" in pairs[0].camera.text
    assert not pairs[0].panorama


@pytest.mark.parametrize(
    "content, message",
    [
        ("bingmap/19/0000001.jpg,streetview/panos/0000001.jpg\n", "train-19zl.csv:1: 2 fields where a line has 3"),
        ("bingmap/19/0000009.jpg,streetview/panos/0000001.jpg,a.png\n", "train-19zl.csv:1: no such tile"),
        ("bingmap/19/0000001.jpg,streetview/panos/0000009.jpg,a.png\n", "no such ground image"),
        ("", "holds no pairs"),
    ],
)
def test_cvusa_refuses_what_is_damaged(of_cvusa, tmp_path, content, message):
    (of_cvusa / "splits/train-19zl.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        cvusa.read(of_cvusa, "train")
    with pytest.raises(DataError, match=r"no such split file"):
        cvusa.read(tmp_path / "nowhere", "train")


def test_a_list_gives_scales_headings_and_cameras(of_csv):
    north, unknown, west, _, of_file, _ = pairs = read_list(of_csv / "pairs.csv")
    assert [pair.split for pair in pairs] == ["train"] * 3 + ["test"] * 3
    assert (north.heading, unknown.heading, west.heading, of_file.heading) == (0, None, -90, 12)
    # 0.0005 degrees of longitude are 55.6597 m at the equator; at 47.3002 degrees 37.7466 m, over 200 columns. As many
    # metres are 0.00033908 degrees of latitude, over 200 rows.
    assert unknown.gsd == pytest.approx(0.188733, rel=1e-4)
    assert north.panorama and unknown.panorama and unknown.camera.height == 2.5
    assert (west.camera.model, west.camera.hfov) == ("pinhole", 75)
    assert (of_file.camera.hfov, of_file.camera.height) == (80, 1.6)
    assert len(read_list(of_csv / "pairs.csv", "test")) == 3


@pytest.mark.parametrize(
    "line, message",
    [
        ("ground-0.png,tile-0.png,1,2", "pairs.csv:2: 4 fields where the header has 11"),
        ("ground-0.png,tile-9.png,1,2,0.2,,,,,,", "pairs.csv:2: no such tile: .*tile-9.png"),
        ("ground-9.png,tile-0.png,1,2,0.2,,,,,,", "no such ground image"),
        ("ground-0.png,tile-0.png,1,200.5,0.2,,,,,,", r"the camera at \(1, 200.5\) is outside the tile of 200 x 200 pixels"),
        ("ground-0.png,tile-0.png,1,,0.2,,,,,,", "row and col are expected"),
        ("ground-0.png,tile-0.png,1,2,,,,,,,", "gsd or bounds are expected"),
        ("ground-0.png,tile-0.png,1,2,0,,,,,,", "gsd is 0; metres per pixel above 0"),
        ("ground-0.png,tile-0.png,1,2,x,,,,,,", "gsd is 'x', which is no number"),
        ('ground-0.png,tile-0.png,1,2,,"8,47,7,48",,,,,', "enclose no tile"),
        ('ground-0.png,tile-0.png,1,2,,"8,47,9",,,,,', "bounds are not four numbers"),
        ("ground-0.png,tile-0.png,1,2,0.2,,500,,,,", "heading is 500; -360 to 360"),
        ("ground-0.png,tile-0.png,1,2,0.2,,,,75,,", "hfov needs height too"),
        ("ground-0.png,tile-0.png,1,2,0.2,,,front.yaml,75,,", "hfov is said by camera too"),
        ("ground-0.png,tile-0.png,1,2,0.2,,9,front.yaml,,,", "heading is said by camera too"),
        ("ground-0.png,tile-0.png,1,2,0.2,,,rear.yaml,,,", "rear.yaml: cannot be read as a camera file"),
        (",tile-0.png,1,2,0.2,,,,,,", "no path under 'ground'"),
        ('"ground-0.png,tile-0.png', "cannot be read as a CSV list"),
    ],
)
def test_a_damaged_list_is_refused(of_csv, line, message):
    path = of_csv / "pairs.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n" + line + "\n")
    with pytest.raises(DataError, match=message):
        read_list(path)


def test_a_list_without_pairs_of_a_split_is_refused(of_csv):
    with pytest.raises(DataError, match=r"holds no pairs of split 'val'; its splits: 'train', 'test'"):
        read_list(of_csv / "pairs.csv", "val")
    (of_csv / "bare.csv").write_text("ground,satellite,gsdd\n")
    with pytest.raises(DataError, match=r"bare.csv:1: column 'gsdd' is unknown"):
        read_list(of_csv / "bare.csv")
    (of_csv / "bare.csv").write_text("ground,satellite,row,col\n")
    with pytest.raises(DataError, match=r"no column 'split'"):
        read_list(of_csv / "bare.csv", "train")


def test_crops_hold_the_camera_and_are_those_of_the_seed(of_kitti, tmp_path):
    pairs = kitti.read(of_kitti, "train")
    crops = list(cropped(pairs, tmp_path / "a", 12, 4, seed=3))
    assert len(crops) == 12 and len({(crop.row, crop.col) for crop in crops[:4]}) > 1
    for number, crop in enumerate(crops):
        assert crop.size == (61, 61)  # 12 / 0.1958875 = 61.26
        assert 3 <= crop.row <= 58 and 3 <= crop.col <= 58  # a margin of 5 %
        # The ramp says where the crop's first pixel was.
        first = np.asarray(Image.open(crop.satellite))[0, 0].astype(float)
        pair = pairs[number // 4]
        assert (first[0] + crop.row, first[1] + crop.col) == pytest.approx((pair.row, pair.col))
    again = list(cropped(pairs, tmp_path / "b", 12, 4, seed=3))
    assert [(crop.row, crop.col) for crop in again] == [(crop.row, crop.col) for crop in crops]
    other = list(cropped(pairs, tmp_path / "c", 12, 4, seed=4))
    assert [(crop.row, crop.col) for crop in other] != [(crop.row, crop.col) for crop in crops]


def test_turned_crops_look_up(of_kitti, tmp_path):
    pairs = kitti.read(of_kitti, "train")
    for number, crop in enumerate(cropped(pairs, tmp_path / "tiles", 12, 2, seed=1, turn=True)):
        pair, pixels = pairs[number // 2], np.asarray(Image.open(crop.satellite)).astype(float)
        assert crop.heading == 0
        ahead = np.array([(0, 1), (-1, 0), (0, -1)][number // 2])  # (rows, cols) of the tile: east, north, west
        for step in (0, 2):  # pixels towards the upper edge
            row, col = int(crop.row - step), int(crop.col)
            away = np.array([row + 0.5 - crop.row, col + 0.5 - crop.col])
            right = np.array([ahead[1], -ahead[0]])
            expected = np.array([pair.row, pair.col]) - away[0] * ahead + away[1] * right - 0.5
            assert pixels[row, col, :2] == pytest.approx(expected, abs=1)  # rounded to whole levels


def test_a_turned_crop_lies_in_the_tile_or_is_none():
    (row, col), matrix = turned_crop((100, 100), (200, 200), 60, 37.0, Draws("a"))
    # The camera's pixel of the crop is the camera of the tile.
    at = matrix[3] * col + matrix[4] * row + matrix[5], matrix[0] * col + matrix[1] * row + matrix[2]
    assert at == pytest.approx((100, 100))
    assert turned_crop((100, 100), (200, 200), 190, 45.0, Draws("a")) is None


def test_crops_that_cannot_be_cut_are_refused(of_csv, tmp_path):
    pairs = read_list(of_csv / "pairs.csv")
    with pytest.raises(DataError, match=r"tile-0.png: the tile is 40.0 m wide: crops of 72 m cannot be cut"):
        list(cropped(pairs, tmp_path / "tiles", 72, 1, 0))
    with pytest.raises(DataError, match=r"ground-1.png: the heading is not known"):
        list(cropped(pairs[1:2], tmp_path / "tiles", 20, 1, 0, turn=True))


def test_bounds_of_crops_give_the_same_scale(of_csv, tmp_path, monkeypatch):
    out = tmp_path / "out" / "train.csv"
    assert run(monkeypatch, "--kind", "csv", "--root", of_csv, "--split", "train", "--out", out, "--crop", 20, "--crops", 2) == 0
    pairs = read_list(out)
    assert len(pairs) == 6 and pairs[2].bounds
    west, south, east, north = pairs[2].bounds
    side = pairs[2].size[0]
    assert east - west == pytest.approx(0.0005 * side / 200) and north - south == pytest.approx(0.00033908 * side / 200, rel=1e-4)
    # The camera is 150 columns of 0.0005 / 200 degrees from 8.5, whatever the crop.
    assert west + (east - west) * pairs[2].col / side == pytest.approx(8.5 + 0.75 * 0.0005, abs=1e-8)
    rows = rows_of(out)
    assert rows[0]["satellite"] == "train-tiles/000000-00.png" and "split" not in rows[0]
    assert [row["heading"] for row in rows] == ["0", "0", "unknown", "unknown", "-90", "-90"]


@pytest.mark.parametrize("kind, split, count", [("kitti", "train", 3), ("cvact", "train", 2), ("cvusa", "train", 3), ("csv", None, 6)])
@pytest.mark.parametrize("crop", [None, 16])
def test_written_lists_are_read_by_the_program(kind, split, count, crop, request, tmp_path, monkeypatch):
    root, out = request.getfixturevalue(f"of_{kind}"), tmp_path / "out" / "list.csv"
    words = ["--kind", kind, "--root", root, "--out", out] + (["--split", split] if split else [])
    words += ["--crop", crop, "--crops", 2] if crop else []
    assert run(monkeypatch, *words) == 0
    expected = count * (2 if crop else 1)
    pairs = read_list(out)
    assert len(pairs) == expected
    assert not list(out.parent.glob("*.partial"))
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    command = [PROGRAM, "locate", "--model", REPOSITORY / "models/crossfix-ground.safetensors", "--pairs", out]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == expected, done.stderr
    for answer, pair in zip(answers, pairs):
        assert "error" not in answer, answer["error"]
        assert answer["truth"] == pytest.approx([pair.row, pair.col])
        assert ("position" in answer) == (pair.bounds is not None)


def test_the_command_line_says_what_is_wrong(of_kitti, tmp_path, monkeypatch, capsys):
    base = ["--kind", "kitti", "--root", of_kitti, "--out", tmp_path / "list.csv"]
    for words in (["--split", "val"], ["--split", "train", "--crops", 3], ["--split", "train", "--turn"], ["--split", "train", "--gsd", 0]):
        with pytest.raises(SystemExit) as stopped:
            run(monkeypatch, *base, *words)
        assert stopped.value.code == 2
    capsys.readouterr()
    assert run(monkeypatch, *base, "--split", "test2") == 3
    assert capsys.readouterr().err.startswith("readers: ") and not (tmp_path / "list.csv").exists()
    (tmp_path / "pairs.csv").write_text("")
    assert run(monkeypatch, "--kind", "csv", "--root", tmp_path, "--out", tmp_path / "pairs.csv") == 3
    assert "write to another file" in capsys.readouterr().err
