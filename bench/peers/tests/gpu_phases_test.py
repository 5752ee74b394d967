"""./dev gpu with stand-ins for the GPU and the tools: what is run, what is passed over, what is said."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Each stand-in notes its arguments in `calls`, and does what a test put into a file of its name.
STAND_IN = """#!/bin/bash
name=$(basename "$0")
printf '%s %s\\n' "$name" "$*" >>"$CALLS"
[ ! -e "$CALLS.$name" ] || . "$CALLS.$name"
"""


class Place:
    """A copy of what ./dev gpu is made of, with stand-ins first on the path."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.tools = folder / "tools"
        self.calls = folder / "calls"
        shutil.copytree(ROOT / "bench", self.root / "bench")
        shutil.copy(ROOT / "dev", self.root / "dev")
        self.tools.mkdir()
        for name in ("nvidia-smi", "nvcc", "cmake", "ctest", "compute-sanitizer"):
            self.executable(self.tools / name)
        self.does("nvidia-smi", '[ "$1" != -L ] || echo "GPU 0: a stand-in"')
        self.does("cmake", 'if [ "$1" = --build ]; then echo "ninja: no work to do."; fi')
        self.does("ctest", '[[ "$*" != *-N* ]] || printf "  Test  #3: kernels_gpu\\n  Test #12: pair_gpu\\n"')
        program = self.root / "build-gpu/tests/test_kernels_gpu"
        for path in (program, *(self.root / f"build-gpu/bin/bench_{x}" for x in ("kernels", "model"))):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.executable(path)
        self.does("test_kernels_gpu", 'echo "sums, twice"; echo "[a] tail"; exit 2')

    def executable(self, path: Path) -> None:
        path.write_text(STAND_IN)
        path.chmod(0o755)

    def does(self, name: str, script: str) -> None:
        Path(f"{self.calls}.{name}").write_text(script + "\n")

    def gpu(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        self.calls.write_text("")
        path = f"{self.tools}:{os.environ['PATH']}"
        variables = {**os.environ, "PATH": path, "CALLS": str(self.calls), **environment}
        return subprocess.run(
            ["./dev", "gpu", *arguments], cwd=self.root, env=variables, capture_output=True, text=True
        )

    def called(self, start: str) -> list[str]:
        return [line for line in self.calls.read_text().splitlines() if line.startswith(start)]

    @property
    def report(self) -> dict:
        return json.loads((self.root / "build-gpu/results/gpu.json").read_text())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_without_a_gpu_one_line_and_exit_4(place):
    place.does("nvidia-smi", "exit 9")
    run = place.gpu()
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr.startswith("dev: skipped: gpu: no NVIDIA GPU") and run.stderr.count("\n") == 1
    assert place.called("cmake") == []


def test_without_nvcc_one_line_and_exit_4(place):
    run = place.gpu(CUDACXX="no-such-nvcc")
    if Path("/usr/local/cuda/bin/nvcc").exists():
        pytest.skip("there is a CUDA toolkit here")
    assert run.returncode == 4 and "no nvcc" in run.stderr


def test_a_phase_that_is_done_is_not_repeated_unless_asked_or_rebuilt(place):
    first = place.gpu("build", "test")
    assert first.returncode == 0, first.stderr
    assert [line.split()[4] for line in place.called("ctest") if "-R" in line] == [
        "^kernels_gpu$",
        "^pair_gpu$",
    ]
    assert place.gpu("build", "test").returncode == 0
    assert [line for line in place.called("ctest") if "-R" in line] == []
    assert len(place.called("cmake")) == 2  # ninja is asked every time
    place.gpu("--again", "test")
    assert len(place.called("ctest")) == 3
    place.does("cmake", "echo built something")
    place.gpu("build", "test")
    assert len(place.called("ctest")) == 3
    assert place.report["steps"]["test-pair_gpu"]["status"] == "ok"


def test_a_failed_test_fails_the_call_and_is_run_again(place):
    place.does("ctest", 'case "$*" in *-N*) echo "  Test #1: a_gpu" ;; *) echo boom; exit 8 ;; esac')
    run = place.gpu("test")
    assert run.returncode == 1 and "boom" in run.stderr and "FAILED (exit 8)" in run.stderr
    assert place.report["steps"]["test-a_gpu"]["status"] == "failed"
    place.does("ctest", 'case "$*" in *-N*) echo "  Test #1: a_gpu" ;; *) echo "***Skipped" ;; esac')
    assert place.gpu("test").returncode == 1  # there is a GPU: nothing may be skipped
    place.does("ctest", '[[ "$*" != *-N* ]] || echo "  Test #1: a_gpu"')
    assert place.gpu("test").returncode == 0


def test_a_failed_build_ends_the_call(place):
    place.does("cmake", 'if [ "$1" = --build ]; then echo "error: no"; exit 1; fi')
    run = place.gpu("build", "test")
    assert run.returncode == 1 and "error: no" in run.stderr
    assert place.called("ctest") == []


def test_each_test_case_is_sanitized_with_each_tool(place):
    assert place.gpu("sanitize").returncode == 0
    calls = place.called("compute-sanitizer")
    assert [line.split()[2] for line in calls] == ["memcheck", "racecheck"] * 2
    assert calls[0].endswith("test_kernels_gpu sums\\, twice")
    assert calls[2].endswith("test_kernels_gpu \\[a] tail")
    place.does("compute-sanitizer", "[[ $* != *racecheck* ]] || exit 86")
    run = place.gpu("--again", "sanitize")
    assert run.returncode == 1
    text = (place.root / "build-gpu/results/gpu.md").read_text()
    assert "| memcheck | 2 of 2 test cases ok |" in text
    assert "| racecheck | 0 of 2 test cases ok, racecheck-test_kernels_gpu-1 failed" in text


def test_what_is_cut_off_goes_on_where_it_was(place):
    names = 'printf "  Test #1: a\\n  Test #2: b\\n"'
    place.does("ctest", f'case "$*" in *-N*) {names} ;; *^b*) exit 124 ;; esac')
    run = place.gpu("test")
    assert run.returncode == 1 and "run the phase again" in run.stderr
    place.does("ctest", f'[[ "$*" != *-N* ]] || {names}')
    assert place.gpu("test").returncode == 0
    assert ["^b$" in line for line in place.called("ctest")] == [False, True]


def test_figures_come_out_as_a_table(place, tmp_path):
    entry = {"name": "softmax/4x4/bf16/manual_time", "run_type": "iteration", "real_time": 12.5}
    entry |= {"time_unit": "us", "GB/s": 3900.0, "of_copy": 0.91, "iterations": 5, "cpu_time": 1.0}
    broken = {"name": "broken", "error_occurred": True, "error_message": "wrong results"}
    out = tmp_path / "out"
    out.mkdir()
    for benchmarks in ([entry, broken], [entry], [entry, broken]):
        content = json.dumps({"context": {"date": "2026"}, "benchmarks": benchmarks})
        write = f"""out=${{1#--benchmark_out=}}; echo '{content}' >"$out" """
        place.does("bench_kernels", write)
        run = place.gpu("--again", "bench-kernels", OUT=str(out))
        # One that refuses its answer is a failure of the whole.
        assert run.returncode == len(benchmarks) - 1, run.stderr
    text = (out / "gpu.md").read_text()
    assert "| softmax/4x4/bf16 | 12.5 us | 3900 GB/s | 91 % of copy |" in text
    assert "| broken | wrong results |  |  |" in text
    assert "*not yet measured*" in text  # the network
    assert json.loads((out / "gpu.json").read_text())["programs"]["bench-kernels"]["benchmarks"]


def test_peers_that_cannot_run_here_are_skipped(place):
    place.executable(place.tools / "python3")
    place.does("python3", 'case "$*" in *peers.py*) echo "peers: skipped: no PyTorch"; exit 4 ;; '
               '*report.py*) exec /usr/bin/env -S PATH=/usr/bin:/usr/local/bin python3 "$@" ;; esac')
    run = place.gpu("peers-network-8")
    assert run.returncode == 0, run.stderr
    assert "skipped: peers-network-8: peers: skipped: no PyTorch" in run.stderr
    (call,) = [line for line in place.called("python3") if "peers.py" in line]
    assert "peers.py network --batch 8 --programs build-gpu/bin" in call
    assert place.report["steps"]["peers-network-8"]["status"] == "skipped"


def test_phases_that_do_not_exist_are_refused(place):
    run = place.gpu("bensh")
    assert run.returncode == 1 and "no phase named 'bensh'" in run.stderr
