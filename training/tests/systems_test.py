import argparse
import contextlib
import json

import pytest
import torch

import train
from crossfix_training import tensors_file
from crossfix_training.config import METADATA_KEY, SMALL
from crossfix_training.systems import BASELINES, SYSTEMS, VigorSystem, make_system
from crossfix_training.weights import load_weights
from plot_log import validations


def options_for(preset: str, **changes) -> argparse.Namespace:
    values = {"preset": preset, "trained_on": "noise", "dropout": 0.0, "sigma": (1.0, 0.5), "auxiliary": 0.5}
    values |= {"trunk": None, "trunk_rate": None, "clip": None}
    return argparse.Namespace(**{**values, **changes})


def test_presets_are_those_of_the_program_and_the_baselines():
    small = ["small", "small-256", "small-256-resnet", "mcc-small", "mcc-small-256", "vigor-baseline-small"]
    assert sorted(["crossfix-s", "mcc", "robotcar", "vigor", "vigor-baseline", "vigor-published", *small]) == SYSTEMS


@pytest.mark.parametrize("preset", ["small", "mcc-small", "vigor-baseline-small"])
def test_a_system_has_a_loss_and_a_fix(preset):
    torch.manual_seed(1)
    system = make_system(options_for(preset))
    side = system.size.satellite_size
    satellite, ground, truth = torch.rand(2, 3, side, side), torch.rand(2, 3, 80, 160), torch.rand(2, 2)
    if system.semi_positives:
        satellite, truth = torch.stack([satellite, satellite], 1), torch.stack([truth, truth], 1)
    loss, parts = system.loss(satellite, ground, truth, 0.5, contextlib.nullcontext())
    loss.backward()
    assert loss.isfinite() and all(part.isfinite() for part in parts.values())
    with torch.no_grad():
        fix = system.fix(system.model.eval(), satellite.reshape(-1, 3, side, side)[:2], ground)
    assert fix.shape == (2, 2)
    assert system.tile_metres == 72.0
    assert system.made(system.describe())


def test_other_networks_are_told_apart():
    systems = {preset: make_system(options_for(preset)) for preset in ("mcc-small", "vigor-baseline-small")}
    assert not systems["mcc-small"].made(systems["vigor-baseline-small"].describe())
    small = make_system(options_for("small", trained_on="something else"))
    assert small.made(SMALL.to_json())


@pytest.mark.parametrize("preset, network, grid", [("mcc-small", "mcc", 128), ("vigor-baseline", "vigor-baseline", 1)])
def test_a_baselines_file_says_what_it_is(preset, network, grid, tmp_path):
    system = make_system(options_for(preset))
    system.save(system.model.state_dict(), tmp_path / "best.safetensors")
    _, metadata = tensors_file.read(tmp_path / "best.safetensors")
    fields = json.loads(metadata[METADATA_KEY])
    assert (fields["network"], fields["grid"], fields["trained_on"]) == (network, grid, "noise")


@pytest.mark.parametrize("preset", ["small", "mcc-small", "vigor-baseline-small"])
def test_a_run_of_two_steps(preset, world, tmp_path, monkeypatch):
    """From the command line: trains with sharpness-aware steps, validates, continues."""
    command = ["train", "--data", str(world), "--out", str(tmp_path / "run"), "--preset", preset, "--batch", "2"]
    command += ["--validation", "0.5", "--precision", "f32", "--every", "1", "--threads", "1"]
    for steps in ("1", "2"):
        more = ["--steps", steps, "--sam", "0.05", "--crop", "0.1"] + (["--resume"] if steps == "2" else [])
        monkeypatch.setattr("sys.argv", command + more)
        assert train.main() == 0
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 4
    validated = validations(tmp_path / "run" / "log.jsonl")
    assert [line["samples"] for line in validated] == [2, 4]
    assert "median" in (tmp_path / "run" / "log.svg").read_text()


def test_a_run_starts_from_a_weights_file(world, tmp_path, monkeypatch, capsys):
    def run(preset, out, *more):
        command = ["train", "--data", str(world), "--out", str(tmp_path / out), "--preset", preset, "--batch", "2"]
        command += ["--validation", "0.5", "--precision", "f32", "--threads", "1", "--steps", "1", "--rate", "1e-9"]
        monkeypatch.setattr("sys.argv", command + list(more))
        return train.main()

    assert run("small", "first") == 0
    first = tmp_path / "first" / "best.safetensors"
    assert run("crossfix-s", "second", "--start", str(first)) == 0  # the same network with another rule for the fix
    (before, _), (after, _) = load_weights(first), load_weights(tmp_path / "second" / "best.safetensors")
    key = "sat_extractor.layer1.0.conv1.weight"
    assert torch.allclose(before[key], after[key], atol=1e-6)
    assert run("vigor-baseline-small", "third", "--start", str(tmp_path / "second" / "last.pt")) == 3
    assert "another network than --preset vigor-baseline-small" in capsys.readouterr().err
    first.write_bytes(b"not weights")
    assert run("small", "fourth", "--start", str(first)) == 3
    assert f"{first}: not a safetensors file" in capsys.readouterr().err


def test_vigor_learns_from_a_positive_and_another_tile_of_the_panorama(world, tmp_path):
    options = options_for(
        "vigor-baseline-small", data=[world], out=tmp_path, seed=1, rate=1e-4, decay=0.0, start=None, resume=False, list=[],
        validation=0.5, batch=3, positives=0.6, cache=None, crop=0.0, fresh=None,
    )  # fmt: skip
    trainer = train.Trainer(options)
    satellite, ground, truth = trainer.draw()
    assert satellite.shape == (3, 2, 3, 128, 128) and ground.shape == (3, 3, 80, 160) and truth.shape == (3, 2, 2)
    assert torch.equal(truth[:, 0], truth[:, 1])  # the fixture's panoramas have one tile each
    assert BASELINES["vigor-baseline"][0] is VigorSystem
