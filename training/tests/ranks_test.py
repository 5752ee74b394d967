"""Two processes train like one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossfix_training import compatible
from plot_log import validations

pytestmark = pytest.mark.skipif(not compatible.HAS_SAFE_GLOBALS, reason="PyTorch 1.13's torchrun fails on Python 3.11")

TRAINING = Path(__file__).resolve().parents[1]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")

MEAN_OF_GRADIENTS = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from crossfix_training.ranks import Ranks

ranks = Ranks()
model = torch.nn.Linear(2, 1)
torch.nn.init.constant_(model.weight, 1.0 + ranks.rank)
ranks.same_weights([model])
assert model.weight.tolist() == [[1.0, 1.0]]
model(torch.tensor([[1.0 + 2 * ranks.rank, 4.0]])).sum().backward()
ranks.average_gradients(model.parameters())
assert model.weight.grad.tolist() == [[2.0, 4.0]] and model.bias.grad.tolist() == [1.0]
assert ranks.agree(5.0 + ranks.rank) == 5.0 and ranks.share(6) == 3
"""


def run(*command: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run([*TORCHRUN, *map(str, command)], env=environment, capture_output=True, text=True, timeout=240)


def test_gradients_are_averaged(tmp_path):
    (tmp_path / "ranks_script.py").write_text(MEAN_OF_GRADIENTS)
    done = run(tmp_path / "ranks_script.py", TRAINING)
    assert done.returncode == 0, done.stderr


def test_a_run_of_two_processes_logs_once(world, tmp_path):
    options = ["--data", world, "--out", tmp_path / "run", "--batch", "4", "--validation", "0.5", "--steps", "2"]
    done = run(TRAINING / "train.py", *options, "--precision", "f32", "--threads", "1")
    assert done.returncode == 0, done.stderr
    (line,) = validations(tmp_path / "run" / "log.jsonl")
    assert line["step"] == 2 and line["samples"] == 8
    state = compatible.load(tmp_path / "run" / "last.pt")
    assert all(tensor.isfinite().all() for tensor in state["average"].values() if tensor.is_floating_point())


def test_a_batch_that_does_not_divide_is_refused(world, tmp_path):
    done = run(TRAINING / "train.py", "--data", world, "--out", tmp_path, "--batch", "3", "--validation", "0.5", "--steps", "1")
    assert done.returncode != 0 and "--batch 3 does not divide among 2 processes" in done.stderr
