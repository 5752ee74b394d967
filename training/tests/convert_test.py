import argparse
import collections
import datetime
import functools
import json
import os
import re
import struct
import subprocess
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch

import convert
from crossfix_training import tensors_file
from crossfix_training.config import METADATA_KEY, ROBOTCAR, Config, Trunk
from crossfix_training.generator import fill
from crossfix_training.model import CrossFix
from crossfix_training.weights import load_tensors, load_weights

SOURCE = Path(__file__).resolve().parents[2]
PROGRAM = SOURCE / "build/bin/crossfix"


@pytest.fixture
def run(capsys):
    """Runs the converter: (exit code, lines on standard error)."""

    def call(*words) -> tuple[int, list[str]]:
        try:
            code = convert.main([str(word) for word in words])
        except SystemExit as stop:  # wrong usage
            code = stop.code
        return code, capsys.readouterr().err.splitlines()

    return call


@pytest.fixture(scope="module")
def state():
    return fill(CrossFix()).state_dict()


def test_nested_and_prefixed_checkpoint(run, state, tmp_path):
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "in.pth")
    code, errors = run(tmp_path / "in.pth", tmp_path / "out.safetensors", "--preset", "robotcar")
    assert code == 0 and not errors
    loaded, config = load_weights(tmp_path / "out.safetensors")
    assert config == ROBOTCAR and len(loaded) == 690
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("run-by-pickle",)


def test_pickles_that_run_code_are_refused(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": Malicious()}}, "bad.pth")
    code, errors = run("bad.pth", "out.safetensors")
    assert code == 3 and len(errors) == 1 and "code" in errors[0]
    assert not Path("run-by-pickle").exists() and not Path("out.safetensors").exists()


@pytest.mark.parametrize(
    "fault, word",
    [("missing", "missing"), ("extra", "unexpected"), ("shape", "shape"), ("nan", "NaN")],
)
def test_faulty_checkpoints_are_named(run, state, tmp_path, fault, word):
    faulty, key = dict(state), "sat_proj.bias"
    if fault == "missing":
        del faulty[key]
    elif fault == "extra":
        faulty["other"] = torch.zeros(1)
    else:
        faulty[key] = torch.zeros(3) if fault == "shape" else torch.full((256,), torch.nan)
    torch.save(faulty, tmp_path / "in.pth")
    code, errors = run(tmp_path / "in.pth", tmp_path / "out.safetensors")
    assert code == 3 and len(errors) == 1 and word in errors[0]
    assert not (tmp_path / "out.safetensors").exists()


def test_usage_and_unreadable_files(run, tmp_path):
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "empty.pth").touch()
    assert run("only-one")[0] == 2
    for name in ("none.pth", "text.pth", "empty.pth"):
        code, errors = run(tmp_path / name, tmp_path / "out.safetensors")
        assert code == 3 and len(errors) == 1, errors


@pytest.fixture
def small(monkeypatch) -> dict[str, torch.Tensor]:
    """The state_dict of a tiny network, which is the preset `small` here."""
    tiny = Config(Trunk((1, 1, 1), planes=4), model_width=16, heads=2, encoder_layers=1, ffn_width=16, grid=4,
                  satellite_size=32, ground_size=(16, 32))  # fmt: skip
    monkeypatch.setitem(convert.PRESETS, "small", tiny)
    return fill(CrossFix(tiny)).state_dict()


@pytest.fixture
def saved(run, small, tmp_path, capsys):
    """Saves a checkpoint and converts it: (exit code, errors, the converted tensors, or None)."""

    def call(checkpoint, *words, **options):
        path, output = tmp_path / "in.pth", tmp_path / "out.safetensors"
        output.unlink(missing_ok=True)
        torch.save(checkpoint, path, **options)
        code, errors = run(path, output, "--preset", "small", *words)
        return code, errors, load_weights(output)[0] if code == 0 else None

    return call


def same(state, other) -> bool:
    return state.keys() == other.keys() and all(torch.equal(state[key], value) for key, value in other.items())


@pytest.mark.parametrize("prefix", ["", "net.", "module.model.", "_orig_mod.module.", "encoder.of.mine."])
@pytest.mark.parametrize("keys", [(), ("network",), ("weights",), ("module",), ("model", "state_dict"), ("a", "b", "c")])
def test_the_network_is_found_under_any_keys_and_prefix(saved, small, keys, prefix):
    checkpoint = {prefix + key: value for key, value in small.items()}
    for key in reversed(keys):
        checkpoint = {"epoch": 7, key: checkpoint, "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}}
    code, errors, state = saved(checkpoint)
    assert code == 0 and not errors and same(state, small)


def test_old_pickles_and_lists_too(saved, small):
    code, errors, state = saved([small, {"lr": 1}], _use_new_zipfile_serialization=False)
    assert code == 0 and not errors and same(state, small)


BESIDE = {
    "path": PurePosixPath("a/b"), "scalar": np.float32(1.5), "array": np.arange(6).reshape(2, 3),
    "flag": np.bool_(True), "options": argparse.Namespace(rate=0.1, out=Path("x"), inner=argparse.Namespace(a=1)),
    "table": collections.defaultdict(list, {"a": [1]}), "date": datetime.datetime(2024, 1, 2), "seen": {1, 2},
    "hyper_parameters": {"lr": 1e-3, "name": "x", "sizes": (1, 2)}, "none": None,
}  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_data_beside_the_network_is_let_be(saved, small, name):
    code, errors, state = saved({"state_dict": small, name: BESIDE[name], "log": [{"inner": BESIDE[name]}]})
    assert code == 0 and not errors and same(state, small)


def test_counts_of_profilers_and_averages_are_let_be(saved, small):
    counts = {"total_params": torch.ones(1), "sat_extractor.conv1.total_ops": torch.ones(1)}
    counts["sat_extractor.layer1.total_params"] = torch.ones(1)
    counts["n_averaged"] = torch.tensor(9)
    code, errors, state = saved({**small, **counts})
    assert code == 0 and not errors and same(state, small)
    code, errors, _ = saved({**small, "sat_extractor.layer4.weight": torch.ones(1)})
    assert code == 3 and "unexpected sat_extractor.layer4.weight" in errors[0]


def test_of_a_network_and_its_average_the_average_is_taken_and_told(run, small, tmp_path, capsys):
    average = {key: value + 1 for key, value in small.items()}
    path, output = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save({"net": small, "swa_net": {f"module.{key}": value for key, value in average.items()}}, path)
    words = [str(word) for word in (path, output, "--preset", "small")]
    assert convert.main(words) == 0
    assert "`net.`, `swa_net.module.`; `swa_net.module.` is taken" in capsys.readouterr().out
    assert same(load_weights(output)[0], average)
    assert convert.main([*words, "--under", "net"]) == 0
    assert same(load_weights(output)[0], small)
    assert run(*words, "--under", "ema") == (3, [f"convert: {path}: no whole network lies under `ema.`; --under takes "
                                                 "one of `net.`, `swa_net.module.`"])  # fmt: skip


def test_two_networks_of_one_rank_are_refused_with_the_way_to_choose(saved, small):
    both = {"best": small, "last": {key: value + 1 for key, value in small.items()}}
    code, errors, _ = saved(both)
    assert code == 3 and len(errors) == 1 and "`best.`, `last.`; choose one with --under" in errors[0]
    code, _, state = saved(both, "--under", "last.")
    assert code == 0 and same(state, both["last"])


class Trainer:
    """A class of the trainer's own, whose objects are made by its code."""


@pytest.mark.parametrize(
    "beside, name",
    [(Trainer(), "convert_test.Trainer"), (functools.partial(print, 1), "functools.partial"), (re.compile("a"), "re._compile")],
)
def test_an_object_that_could_run_code_is_named(saved, small, beside, name):
    code, errors, _ = saved({"state_dict": small, "beside": beside})
    assert code == 3 and len(errors) == 1 and f"`{name}`" in errors[0] and "code" in errors[0]


def test_a_preset_that_fits_is_named(run, small, tmp_path):
    torch.save(small, tmp_path / "in.pth")
    code, errors = run(tmp_path / "in.pth", tmp_path / "out.safetensors")
    assert code == 3 and errors[0].endswith("it is a network of --preset small")


def unaligned(path: Path, to: Path) -> None:
    """A copy whose tensors begin at odd bytes."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = data[8 : 8 + length].rstrip()
    header += b" " * (1 - len(header) % 2)
    to.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + length :])


@pytest.mark.parametrize("preset", [[], ["--preset"]])
@pytest.mark.parametrize("name, own", [("crossfix-s", "crossfix-s"), ("crossfix-ground-trained", "ground-match")])
def test_a_weights_file_keeps_its_configuration(run, tmp_path, name, own, preset):
    unaligned(SOURCE / f"models/{name}.safetensors", tmp_path / "odd.st")
    before, metadata = load_tensors(tmp_path / "odd.st")
    code, errors = run(tmp_path / "odd.st", tmp_path / "out.safetensors", *preset, *([own] if preset else []))
    assert code == 0 and not errors
    after, kept = load_tensors(tmp_path / "out.safetensors")
    assert kept == metadata
    assert same(after, {key: value.float() if value.is_floating_point() else value for key, value in before.items()})
    code, errors = run(tmp_path / "odd.st", tmp_path / "out.safetensors", "--trained-on", "hills")
    (found,) = [json.loads(load_tensors(tmp_path / "out.safetensors")[1][METADATA_KEY])]
    assert code == 0 and found == {**json.loads(metadata[METADATA_KEY]), "trained_on": "hills"}


def test_a_preset_of_another_network_is_refused(run, tmp_path):
    for name, preset in (("crossfix-s", "vigor"), ("crossfix-s", "ground-match"), ("crossfix-ground", "small")):
        code, errors = run(SOURCE / f"models/{name}.safetensors", tmp_path / "out.safetensors", "--preset", preset)
        assert code == 3 and len(errors) == 1 and "leave out --preset" in errors[0]
        assert not (tmp_path / "out.safetensors").exists()


def test_a_safetensors_file_without_configuration(run, small, tmp_path):
    tensors = {f"net.{key}": value for key, value in small.items()}
    tensors_file.write(tmp_path / "in.safetensors", tensors, {"format": "pt"})
    assert run(tmp_path / "in.safetensors", tmp_path / "out.safetensors", "--preset", "small") == (0, [])
    state, config = load_weights(tmp_path / "out.safetensors")
    assert same(state, small) and config == convert.PRESETS["small"]


@pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not built")
@pytest.mark.parametrize("zipped", [True, False])
def test_the_program_advises_a_command_that_works(zipped, tmp_path):
    path, output = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save({"model": load_weights(SOURCE / "models/crossfix-s.safetensors")[0]}, path, _use_new_zipfile_serialization=zipped)
    refused = subprocess.run([PROGRAM, "info", path], capture_output=True, text=True)
    assert refused.returncode == 3 and "write a weights file of it with training/convert.py" in refused.stderr
    assert convert.main([str(path), str(output), "--preset", "crossfix-s"]) == 0
    assert subprocess.run([PROGRAM, "info", output], capture_output=True).returncode == 0


@pytest.mark.parametrize("link", [lambda path, to: to.symlink_to(path), lambda path, to: to.hardlink_to(path), None])
def test_the_checkpoint_is_not_overwritten(run, small, tmp_path, link):
    path = tmp_path / "in.pth"
    torch.save(small, path)
    before = path.read_bytes()
    other = path
    if link:
        other = tmp_path / "other.safetensors"
        link(path, other)
    code, errors = run(path, other, "--preset", "small")
    assert code == 2 and "is the input" in errors[-1]
    assert path.read_bytes() == before


def test_values_beyond_the_stored_type_are_refused(run, small, tmp_path):
    large = {key: value.clone() for key, value in small.items()}
    large["sat_proj.bias"][0] = 7e4
    torch.save(large, tmp_path / "in.pth")
    out = tmp_path / "out.safetensors"
    code, errors = run(tmp_path / "in.pth", out, "--preset", "small", "--dtype", "f16")
    assert code == 3 and "sat_proj.bias" in errors[-1] and not out.exists()
    assert run(tmp_path / "in.pth", out, "--preset", "small")[0] == 0
