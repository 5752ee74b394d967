import json
import sys
import time
from pathlib import Path

import pytest

import train
from crossfix_training.fresh import FreshWorlds, first_seed
from crossfix_training.labels import DataError

# A stand-in for the program: copies a world, notes its arguments, or fails.
PROGRAM = """#!{python}
import pathlib, shutil, sys
given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
with open({notes!r}, "a") as notes:
    print(*sys.argv[1:], file=notes)
if {fails}:
    sys.exit("no room on the disk")
shutil.copytree({world!r}, given["--out"])
"""


@pytest.fixture
def program(world: Path, tmp_path: Path):
    (world / "world.json").write_text(json.dumps({"tile_size": 64, "panorama_size": [64, 128]}))

    def make(fails: bool = False) -> Path:
        path = tmp_path / "program"
        text = PROGRAM.format(python=sys.executable, notes=str(tmp_path / "notes"), world=str(world), fails=fails)
        path.write_text(text)
        path.chmod(0o755)
        return path

    return make


def waited(fresh: FreshWorlds) -> Path:
    for _ in range(600):
        if world := fresh.take():
            return world
        time.sleep(0.05)
    raise AssertionError("no world in 30 s")


def test_worlds_follow_each_other_with_seeds_of_their_own(program, world, tmp_path):
    fresh = FreshWorlds(program(), world, tmp_path / "fresh", 1_000_007, 1000)
    first, second = waited(fresh), waited(fresh)
    fresh.close()
    assert (first.name, second.name) == ("world-1000007", "world-1000008")
    arguments = (tmp_path / "notes").read_text().splitlines()[0].split()
    assert arguments[0] == "world"
    given = dict(zip(arguments[1::2], arguments[2::2]))
    assert given["--panorama-size"] == "128x64" and given["--tile-size"] == "64"
    assert given["--cities"] == "2" and given["--panoramas"] == "1000"
    assert not (tmp_path / "fresh").exists()


def test_a_renderer_that_fails_says_why(program, world, tmp_path):
    fresh = FreshWorlds(program(fails=True), world, tmp_path / "fresh", 1_000_000, 100)
    with pytest.raises(DataError, match=r"no room on the disk"):
        waited(fresh)
    with pytest.raises(DataError, match=r"--fresh"):
        FreshWorlds(tmp_path / "absent", world, tmp_path / "fresh", 1_000_000, 100)
    (world / "world.json").unlink()
    with pytest.raises(DataError, match=r"world.json"):
        FreshWorlds(program(), world, tmp_path / "fresh", 1_000_000, 100)


def test_no_two_draw_the_same():
    seeds = {first_seed(run, rank, step) for run in (1, 2) for rank in (0, 1, 63) for step in (0, 500)}
    assert len(seeds) == 12 and not any(9000 <= seed <= 9999 for seed in seeds)


@pytest.mark.long
def test_a_run_goes_on_with_fresh_worlds(program, world, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    command = ["train", "--data", str(world), "--out", str(out), "--preset", "small", "--batch", "2", "--steps", "12"]
    command += ["--validation", "0.5", "--precision", "f32", "--every", "12", "--threads", "1"]
    monkeypatch.setattr("sys.argv", [*command, "--fresh", str(program()), "--fresh-panoramas", "8"])
    monkeypatch.setattr(train.Trainer, "renew", lambda self, renew=train.Trainer.renew: (time.sleep(0.2), renew(self)))
    assert train.main() == 0
    drawn = [line for line in capsys.readouterr().out.splitlines() if "world-" in line]
    assert len(drawn) >= 2 and "8 panoramas of world-2000000" in drawn[0]
    assert sorted(path.name for path in out.iterdir()) == ["best.safetensors", "cache", "last.pt", "log.jsonl", "log.svg"]
