import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from config import ROBOTCAR
from generator import fill
from model import CrossFix
from weights import load_weights

CONVERT = Path(__file__).resolve().parents[1] / "convert.py"


def convert(*words) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, CONVERT, *words], capture_output=True, text=True)


@pytest.fixture(scope="module")
def state():
    return fill(CrossFix()).state_dict()


def test_nested_and_prefixed_checkpoint(state, tmp_path):
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "in.pth")
    done = convert(tmp_path / "in.pth", tmp_path / "out.safetensors", "--preset", "robotcar")
    assert done.returncode == 0, done.stderr
    loaded, config = load_weights(tmp_path / "out.safetensors")
    assert config == ROBOTCAR and len(loaded) == 690
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("run-by-pickle",)


def test_pickles_that_run_code_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": Malicious()}}, "bad.pth")
    done = convert("bad.pth", "out.safetensors")
    assert done.returncode == 3 and len(done.stderr.splitlines()) == 1 and "code" in done.stderr
    assert not Path("run-by-pickle").exists() and not Path("out.safetensors").exists()


@pytest.mark.parametrize("fault, word", [("missing", "missing"), ("extra", "unexpected"), ("shape", "shape"), ("nan", "NaN")])
def test_faulty_checkpoints_are_named(state, tmp_path, fault, word):
    faulty, key = dict(state), "sat_proj.bias"
    if fault == "missing":
        del faulty[key]
    elif fault == "extra":
        faulty["other"] = torch.zeros(1)
    else:
        faulty[key] = torch.zeros(3) if fault == "shape" else torch.full((256,), torch.nan)
    torch.save(faulty, tmp_path / "in.pth")
    done = convert(tmp_path / "in.pth", tmp_path / "out.safetensors")
    assert done.returncode == 3 and word in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.safetensors").exists()


def test_usage_and_unreadable_files(tmp_path):
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "empty.pth").touch()
    assert convert("only-one").returncode == 2
    for name in ("none.pth", "text.pth", "empty.pth"):
        done = convert(tmp_path / name, tmp_path / "out.safetensors")
        assert done.returncode == 3 and len(done.stderr.splitlines()) == 1, done.stderr
