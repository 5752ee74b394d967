import os
from pathlib import Path

import pytest
import torch

import convert
from config import ROBOTCAR
from generator import fill
from model import CrossFix
from weights import load_weights


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
