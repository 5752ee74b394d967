"""Training on lists of pairs: which are taken, what is kept for validation, and steps of a run."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import calibrate
import readers
import train
from crossfix_training import systems
from crossfix_training.config import PRESETS, SMALL, GroundProjection
from crossfix_training.dataset import PairData, load_resized, read_lists, split_by_ground
from crossfix_training.labels import DataError
from crossfix_training.weights import load_weights

PROGRAM = Path(__file__).resolve().parents[2] / "build/bin/crossfix"
PINHOLE = replace(SMALL, ground_projection=GroundProjection("pinhole"))


@pytest.fixture
def make(tmp_path):
    """Writes a list of four ground images with two tiles each; changes are of columns, by name."""

    def write(name: str = "list.csv", size: tuple[int, int] = (32, 64), **changes: str) -> Path:
        rng = np.random.default_rng(len(name))
        folder = tmp_path / name.removesuffix(".csv")
        folder.mkdir(exist_ok=True)
        columns = {"row": "60.5", "col": "40", "gsd": "0.5", "heading": "", "hfov": "", "height": "", **changes}
        lines = [",".join(["ground", "satellite", *columns])]
        for number in range(8):
            for file, shape in ((f"ground-{number // 2}.png", size), (f"tile-{number}.png", (144, 144))):
                Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)).save(folder / file)
            lines.append(",".join([f"ground-{number // 2}.png", f"tile-{number}.png", *columns.values()]))
        (folder / name).write_text("\n".join(lines) + "\n")
        return folder / name

    return write


@pytest.fixture
def pinhole(monkeypatch):
    """A preset of pinhole images, small."""
    monkeypatch.setattr(systems, "PRESETS", {**PRESETS, "small-pinhole": PINHOLE})
    monkeypatch.setattr(train, "SYSTEMS", [*systems.SYSTEMS, "small-pinhole"])


@pytest.fixture
def run(tmp_path, monkeypatch):
    def training(*words, preset: str = "small", steps: int = 1) -> int:
        command = ["train", "--out", tmp_path / "run", "--preset", preset, "--batch", "2", "--precision", "f32"]
        command += ["--validation", "0.25", "--threads", "1", "--steps", steps, *words]
        monkeypatch.setattr("sys.argv", [str(word) for word in command])
        return train.main()

    return training


def test_panoramas_are_rolled_to_look_north(tmp_path):
    columns = np.arange(64, dtype=np.uint8)
    path = tmp_path / "p.png"
    Image.fromarray(np.broadcast_to(columns[None, :, None], (32, 64, 3)).copy()).save(path)
    # The centre, column 32, looks east: north is a quarter of the width to its left, at column 16.
    assert load_resized(path, 32, 64, 90)[0, 32, 0] == 16
    assert load_resized(path, 32, 64, -90)[0, 32, 0] == 48
    assert load_resized(path, 32, 64, 360)[0, 32, 0] == 32


def test_no_ground_image_is_in_both_parts(make):
    samples, hfov = read_lists([make("a.csv"), make("b.csv", heading="45")], True, 72.0)
    assert hfov is None and len(samples) == 16 and samples[0].truths == ((60.5 / 144, 40 / 144),)
    kept, held = split_by_ground(samples, 0.25, 1)
    assert len(held) == 4 and len(kept) == 12  # two of the eight images, each with two tiles
    assert not {sample.panorama for sample in kept} & {sample.panorama for sample in held}
    assert split_by_ground(samples, 0.25, 1)[1] == held
    assert {sample.panorama for sample in split_by_ground(samples, 0.25, 2)[1]} != {sample.panorama for sample in held}
    assert len(split_by_ground(samples, 0.0, 1)[1]) == 2  # at least one image
    with pytest.raises(DataError, match="the only ground image of the lists"):
        split_by_ground(samples[:2], 0.25, 1)


def test_an_image_is_kept_once(make, tmp_path):
    samples, _ = read_lists([make(heading="90")], True, 72.0)
    data = PairData(samples, SMALL, tmp_path / "cache", "training")
    assert len(data.ground) == 4 and len(data.satellite) == 8
    _, ground, _ = data.batch(np.array([0, 1, 6]), np.array([0, 0, 0]))
    assert (ground[0] == ground[1]).all() and (ground[0] == load_resized(samples[0].panorama, 80, 160, 90)).all()
    assert (ground[2] == load_resized(samples[6].panorama, 80, 160, 90)).all()


def test_lines_of_other_splits_are_left_out(make):
    path = make(split="train")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:7], *(line.replace("train", "test") for line in lines[7:])]))
    assert len(read_lists([path], True, 72.0)[0]) == 6
    with pytest.raises(DataError, match="no line has the split 'train'"):
        read_lists([make(split="val")], True, 72.0)


def test_one_step_on_a_list_of_panoramas(make, run, tmp_path, monkeypatch):
    path = make(heading="200")
    assert run("--list", path) == 0
    assert run("--list", path, "--resume", steps=2) == 0
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 1, 2, 2]
    assert all(np.isfinite(line["median_metres"]) for line in lines[1::2])
    words = ["calibrate", "--weights", tmp_path / "run/best.safetensors", "--list", path, "--out", tmp_path / "w.safetensors"]
    words += ["--cache", tmp_path / "cache", "--validation", "0.25"]
    monkeypatch.setattr("sys.argv", [str(word) for word in words])
    assert calibrate.main() == 0
    assert load_weights(tmp_path / "w.safetensors")[1].radius_scale != 1.0


def test_lists_and_worlds_mix(make, run, world, capsys):
    assert run("--data", world, "--list", make("a.csv"), "--list", make("b.csv"), preset="mcc-small") == 0
    # Two of the lists' eight images are kept, with two tiles each; the world has eight panoramas.
    training, validation = (int(word) for word in capsys.readouterr().out.split() if word.isdigit())
    assert training > 12 and validation >= 4


def test_one_step_on_pinhole_images(make, run, pinhole, tmp_path, monkeypatch):
    path = make(size=(40, 60), heading="0", hfov="75", height="1.6")
    assert run("--list", path, preset="small-pinhole") == 0
    _, config = load_weights(tmp_path / "run/best.safetensors")
    assert config.ground_projection == GroundProjection("pinhole", 75.0)
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built")
    # Such weights know their camera: a list for them says nothing of it.
    words = ["readers", "--kind", "csv", "--root", path, "--out", tmp_path / "bare.csv", "--bare"]
    monkeypatch.setattr("sys.argv", [str(word) for word in words])
    assert readers.main() == 0
    command = [PROGRAM, "locate", "--model", tmp_path / "run/best.safetensors", "--pairs", tmp_path / "bare.csv"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 8, done.stderr


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"heading": "unknown"}, "its heading is unknown"),
        ({"gsd": "0.2"}, r"a tile of 28.8 x 28.8 m, .* squares of 72.0 m: cut them with readers.py --crop 72"),
        ({"size": (32, 48)}, "no whole panorama, .* twice as wide as high"),
        ({"hfov": "75", "height": "1.6"}, "no whole panorama"),
        ({"row": ""}, "list.csv:2: row and col are expected"),
    ],
)
def test_what_a_preset_of_panoramas_cannot_learn_from_is_refused(make, run, capsys, changes, message):
    assert run("--list", make(**changes)) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    with pytest.raises(DataError, match=message):
        raise DataError(error)


def test_what_a_preset_of_pinhole_images_cannot_learn_from_is_refused(make, run, pinhole, world, capsys):
    photo = {"size": (40, 60), "hfov": "75", "height": "1.6"}
    cases = [
        ([make("a.csv")], "no pinhole image without distortion"),
        ([make("b.csv", heading="30", **photo)], "not turned to the camera, .* --crop 72 --turn"),
        ([make("c.csv", **photo), make("d.csv", **{**photo, "hfov": "90"})], "a field of view of 90.0 degrees, and 75.0 before"),
    ]
    for paths, message in cases:
        assert run(*(word for path in paths for word in ("--list", path)), preset="small-pinhole") == 3
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        with pytest.raises(DataError, match=message):
            raise DataError(error)
    assert run("--data", world, "--list", make("c.csv", **photo), preset="small-pinhole") == 3
    assert "--data has panoramas; give --list alone" in capsys.readouterr().err


def test_what_a_list_cannot_be_for_is_refused(make, run, world, capsys):
    assert run("--list", make(), preset="vigor-baseline-small") == 3
    assert "learns from several tiles a panorama" in capsys.readouterr().err
    for words in ([], ["--list", make(), "--fresh", "crossfix"]):
        with pytest.raises(SystemExit) as stopped:
            run(*words)
        assert stopped.value.code == 2
