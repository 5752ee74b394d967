"""./dev gpu with stand-ins for the GPU and the tools: what it runs, skips and prints."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Each stand-in notes its arguments in `calls`, and does what a test put into a file with its name.
STAND_IN = """#!/bin/bash
name=$(basename "$0")
printf '%s %s\\n' "$name" "$*" >>"$CALLS"
[ ! -e "$CALLS.$name" ] || . "$CALLS.$name"
"""


PROGRAMS = (
    "tests/test_kernel_attention_gpu",
    "tests/test_kernels_gpu",
    "tests/test_ops_gpu",
    "tests/test_cuda_gpu",
    "tests/test_cuda_large_gpu",
    "tests/test_world_gpu",
    "bin/bench_kernels",
    "bin/bench_model",
)


LIST = 'if [[ $* == *--list-test* ]]; then echo "a case"; exit 1; fi'


class Place:
    """A copy of the files of ./dev gpu, with the stand-ins first on the path."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self.tools = folder / "tools"
        self.calls = folder / "calls"
        shutil.copytree(ROOT / "bench", self.root / "bench")
        shutil.copy(ROOT / "dev", self.root / "dev")
        self.tools.mkdir()
        for name in ("nvidia-smi", "nvcc", "cmake", "compute-sanitizer", "ncu"):
            self.executable(self.tools / name)
        self.does("nvidia-smi", '[ "$1" != -L ] || echo "GPU 0: a stand-in"')
        self.does("cmake", 'if [ "$1" = --build ]; then echo "ninja: no work to do."; fi')
        self.build = self.root / "build-gpu"
        for program in PROGRAMS:
            path = self.build / program
            path.parent.mkdir(parents=True, exist_ok=True)
            self.executable(path)
        (self.build / "device_programs.txt").write_text("\n".join(PROGRAMS) + "\n")
        (self.build / "device_tests.txt").write_text(
            "kernels_gpu tests/test_kernels_gpu\npair_gpu tests/test_cuda_large_gpu *- float\n"
        )
        (self.build / "skipped.txt").write_text("")
        (self.root / "tests/golden").mkdir(parents=True)
        (self.root / "tests/golden/vigor.safetensors").write_text("")
        for program in PROGRAMS[:6]:
            self.does(Path(program).name, LIST)
        self.does("test_kernels_gpu", 'if [[ $* == *--list-test* ]]; then echo "sums, twice"; echo "[a] tail"; exit 2; fi')
        self.does("bench_model", 'echo "bench_model: cuBLASLt 13, cuDNN 9" >&2')

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

    @property
    def quick_report(self) -> dict:
        return json.loads((self.root / "build-gpu/quick-first/gpu.json").read_text())


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
    run = place.gpu("build", CUDACXX="no-such-nvcc")
    if Path("/usr/local/cuda/bin/nvcc").exists():
        pytest.skip("there is a CUDA toolkit here")
    assert run.returncode == 4 and "no nvcc" in run.stderr


def test_a_phase_that_is_done_is_not_repeated_unless_asked_or_rebuilt(place):
    first = place.gpu("build", "test")
    assert first.returncode == 0, first.stderr
    assert place.called("test_") == ["test_kernels_gpu ", "test_cuda_large_gpu *- float"]
    assert place.gpu("build", "test").returncode == 0
    assert place.called("test_") == []
    assert place.called("cmake")[1:] == ["cmake --build build-gpu --target device_programs"]
    place.gpu("--again", "test")
    assert len(place.called("test_")) == 2
    place.does("cmake", "echo built something")
    place.gpu("build", "test")
    assert len(place.called("test_")) == 2
    assert place.report["steps"]["test-pair_gpu"]["status"] == "ok"


def test_a_failed_test_fails_the_call_and_is_run_again(place):
    place.does("test_cuda_large_gpu", "echo boom; exit 8")
    run = place.gpu("test")
    assert run.returncode == 1 and "boom" in run.stderr and "FAILED (exit 8)" in run.stderr
    assert place.report["steps"]["test-pair_gpu"]["status"] == "failed"
    place.does("test_cuda_large_gpu", "echo nothing was asserted; exit 4")
    assert place.gpu("test").returncode == 1  # there is a GPU: nothing may be skipped
    place.does("test_cuda_large_gpu", "true")
    assert place.gpu("test").returncode == 0
    assert place.called("test_") == ["test_cuda_large_gpu *- float"]


def test_a_failed_build_ends_the_call(place):
    place.does("cmake", 'if [ "$1" = --build ]; then echo "error: no"; exit 1; fi')
    run = place.gpu("build", "test")
    assert run.returncode == 1 and "error: no" in run.stderr
    assert place.called("test_") == []


def test_a_build_without_the_backend_is_an_error_and_nothing_is_installed(place):
    place.executable(place.tools / "apt-get")
    (place.build / "skipped.txt").write_text("skipped: CUDA backend: cuDNN's headers are not found\n")
    run = place.gpu("build")
    assert run.returncode == 1 and "CUDA backend would be left out; CUDNN_ROOT" in run.stderr
    place.does("cmake", "echo no Eigen here; exit 1")
    run = place.gpu("build")
    assert run.returncode == 1 and "no Eigen here" in run.stderr and "carry a pack" in run.stderr
    assert place.called("apt-get") == []


def test_in_a_pack_there_is_nothing_to_build_and_its_commit_is_named(place):
    (place.root / "pack.json").write_text('{"commit": "0123abc", "date": "2026"}\n')
    run = place.gpu("build", "test")
    assert run.returncode == 0, run.stderr
    assert place.called("cmake") == [] and place.report["commit"] == "0123abc"
    assert place.gpu("--pack").returncode == 1


def test_each_test_case_is_sanitized_with_each_tool(place):
    assert place.gpu("sanitize").returncode == 0
    calls = place.called("compute-sanitizer")
    assert [line.split()[2] for line in calls] == ["memcheck", "racecheck"] * 3
    assert calls[2].endswith("test_kernels_gpu sums\\, twice")
    assert calls[4].endswith("test_kernels_gpu \\[a] tail")
    place.does("compute-sanitizer", "[[ $* != *racecheck* ]] || exit 86")
    run = place.gpu("--again", "sanitize")
    assert run.returncode == 1
    text = (place.root / "build-gpu/results/gpu.md").read_text()
    assert "| memcheck | 3 of 3 test cases ok |" in text
    assert "| racecheck | 0 of 3 test cases ok, racecheck-test_kernel_attention_gpu-1 failed" in text


def test_what_is_cut_off_goes_on_where_it_was(place):
    place.does("test_cuda_large_gpu", "exit 124")
    run = place.gpu("test")
    assert run.returncode == 1 and "run the phase again" in run.stderr
    place.does("test_cuda_large_gpu", "true")
    assert place.gpu("test").returncode == 0
    assert place.called("test_") == ["test_cuda_large_gpu *- float"]


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
        # A program that refuses its answer makes the whole run fail.
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


def stand_in_python(place, peers="exit 0"):
    place.executable(place.tools / "python3")
    place.does("python3", f'case "$*" in *peers.py*) {peers} ;; *importlib.metadata*) echo "3, PyTorch 2" ;; '
               '*) exec /usr/bin/env -S PATH=/usr/bin:/usr/local/bin python3 "$@" ;; esac')


WRITE_FIGURES = """for argument; do case $argument in --benchmark_out=*) out=${argument#*=} ;; esac; done
[ -z "${out:-}" ] || echo '{"context": {}, "benchmarks": [{"name": "a", "real_time": 1.5, "time_unit": "us"}]}' >"$out"
echo "bench_model: cuBLASLt 13, cuDNN 9" >&2"""


def test_the_quick_list_goes_in_order_and_each_step_has_a_limit(place, tmp_path):
    stand_in_python(place)
    for program in ("bench_kernels", "bench_model"):
        place.does(program, WRITE_FIGURES)
    out = tmp_path / "out"
    out.mkdir()
    run = place.gpu("--quick", OUT=str(out))
    assert run.returncode == 0, run.stderr
    report = json.loads((out / "gpu-first.json").read_text())
    assert list(report["steps"]) == [
        "attention-awkward", "attention", "bench-kernels", "kernels", "golden-small", "golden-bf16",
        "bench-model", "peers-attention", "peers-network", "peers-network-compiled",
    ]
    assert "golden-bf16 (at most 90 s)" in run.stderr
    assert run.stderr.endswith("dev: gpu: the first list: 10 steps went well, 0 did not\n")
    assert "==> build-gpu/quick-first/kernels.log" in (out / "gpu-first.log").read_text()
    peers = [line for line in place.called("python3") if "peers.py" in line]
    assert all("--figures build-gpu/quick-first/bench-" in line for line in peers) and len(peers) == 3


def test_what_fails_or_hangs_in_a_quick_list_costs_only_itself(place):
    stand_in_python(place, peers='echo "peers: skipped: no PyTorch"; exit 4')
    place.does("test_kernel_attention_gpu", LIST + '; [ -n "${LD_TRACE_LOADED_OBJECTS:-}" ] || exit 124')
    place.does("bench_kernels", "true")  # writes no figures
    place.does("bench_model", WRITE_FIGURES)
    place.does("test_kernels_gpu", LIST + '; [ -n "${LD_TRACE_LOADED_OBJECTS:-}" ] || exit 4')
    run = place.gpu("--quick")
    assert run.returncode == 1
    assert run.stderr.endswith(
        "6 steps went well, 4 did not: attention-awkward cut off, attention cut off, "
        "bench-kernels failed, kernels failed\n"
    )
    assert place.quick_report["steps"]["peers-network"]["status"] == "skipped"


def test_the_report_stands_after_each_step(place):
    stand_in_python(place)
    place.does("test_kernels_gpu", LIST + '; [ -n "${LD_TRACE_LOADED_OBJECTS:-}" ] || kill -9 $(ps -o ppid= -p $PPID)')
    place.gpu("--quick")  # killed in its fourth step
    assert list(place.quick_report["steps"])[:2] == ["attention-awkward", "attention"]
    assert "kernels" not in place.quick_report["steps"]


def test_an_interrupted_list_ends_its_step_and_leaves_its_report(place):
    stand_in_python(place)
    place.does("test_kernels_gpu", LIST + "; touch $CALLS.begun; sleep 60; touch $CALLS.lived")
    place.calls.write_text("")
    path = f"{place.tools}:{os.environ['PATH']}"
    command = subprocess.Popen(
        ["./dev", "gpu", "--quick"],
        cwd=place.root,
        env={**os.environ, "PATH": path, "CALLS": str(place.calls)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Path(f"{place.calls}.begun").exists():
        assert command.poll() is None
        time.sleep(0.05)
    command.terminate()
    assert command.wait(timeout=20) == 143
    assert "attention" in place.quick_report["steps"] and "kernels" not in place.quick_report["steps"]
    assert "test_kernels_gpu" not in subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout


def test_where_there_is_a_gpu_nothing_is_skipped_for_want_of_one(place):
    place.does("test_kernels_gpu", 'echo "skipped, no GPU: out of order"')
    assert place.gpu("test").returncode == 1
    assert place.report["steps"]["test-kernels_gpu"]["status"] == "failed"


def test_the_tests_find_their_golden_files_where_the_programs_are(place):
    place.does("test_kernels_gpu", 'echo "$CROSSFIX_SOURCE_DIR" >"$CALLS.source"')
    place.gpu("test")
    assert Path(f"{place.calls}.source").read_text().strip() == str(place.root)


def test_one_file_that_cannot_be_read_does_not_cost_the_report(place):
    results = place.build / "results"
    results.mkdir()
    (results / "peers-network-1.json").write_text('{"section": ')
    (results / "bench-model.json").write_bytes(b"\xff\xfe")
    assert place.gpu("test").returncode == 0
    assert place.report["peers"] == [] and place.report["steps"]["test-pair_gpu"]["status"] == "ok"


def test_the_lists_do_not_overwrite_each_other(place, tmp_path):
    stand_in_python(place)
    for program in ("bench_kernels", "bench_model"):
        place.does(program, WRITE_FIGURES)
    place.does("ncu", "echo Section:")
    out = tmp_path / "new" / "out"
    for name in ("first", "second"):
        assert place.gpu("--quick", name, OUT=str(out)).returncode == 0
    kept = sorted(path.name for path in out.iterdir())
    assert kept == [f"gpu-{name}.{ending}" for name in ("first", "second") for ending in ("json", "log", "md")]
    place.does("nvidia-smi", "exit 9")
    assert place.gpu("--quick").returncode == 4
    assert place.quick_report["steps"]  # without a GPU nothing is lost


def test_the_second_list(place):
    stand_in_python(place)
    for program in ("bench_kernels", "bench_model"):
        place.does(program, WRITE_FIGURES)
    run = place.gpu("--quick", "second")
    assert run.returncode == 1 and "counters-D32 failed, counters-D128 failed" in run.stderr  # nothing profiled
    place.does("ncu", "echo Section: GPU Speed Of Light")
    run = place.gpu("--quick", "second")
    assert run.returncode == 0, run.stderr
    assert [line.split()[2] for line in place.called("compute-sanitizer")] == ["memcheck", "racecheck"]
    assert "each block with several heads - AttentionSubject<bfloat16\\, cuda" in place.called("compute-sanitizer")[0]
    assert len(place.called("ncu")) == 2
    assert place.gpu("--quick", "third").returncode == 1


def test_without_a_gpu_the_last_line_says_all_that_is_missing(place):
    place.does("nvidia-smi", "exit 9")
    (place.build / "tests/test_ops_gpu").write_text("#!/no/such/loader\n")
    place.does("bench_model", 'echo "bench_model: no pair measured: no libcudnn.so.9" >&2')
    (place.root / "tests/golden/vigor.safetensors").unlink()
    (place.tools / "ncu").unlink()
    run = place.gpu("--quick")
    assert run.returncode == 4
    last = run.stderr.splitlines()[-1]
    assert last.startswith("dev: skipped: gpu: missing here: test_ops_gpu: ")
    for missing in ("tests/golden; ", "no libcudnn.so.9", "ncu, ", "an NVIDIA GPU"):
        assert missing in last
    assert place.called("test_kernels_gpu") == ["test_kernels_gpu --list-test-names-only"]  # nothing runs


def test_a_step_whose_test_has_no_such_case_is_found_without_a_gpu(place):
    place.does("nvidia-smi", "exit 9")
    place.does("test_cuda_large_gpu", "true")
    last = place.gpu("--quick").stderr.splitlines()[-1]
    assert "golden-bf16: no test has the name that it asks for; golden-f32: no test has the name" in last
