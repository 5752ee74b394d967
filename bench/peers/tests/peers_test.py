"""The parts of the peers' benchmark that need no GPU: arguments, shapes, parsing, turns and tables."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

import attention
import contest
import machine
import peers
import programs
import table

SCRIPT = Path(__file__).resolve().parents[1] / "peers.py"


def contender(name, error, seconds, log=None):
    times = iter(seconds)

    def time():
        if log is not None:
            log.append(name)
        return next(times)

    def prepare():
        if isinstance(error, Exception):
            raise error
        return error

    return contest.Contender(name, prepare, time)


def test_contenders_take_turns_and_each_round_starts_with_another():
    log = []
    three = [contender(name, 1e-3, [1.0, 2.0, 4.0], log) for name in "abc"]
    report = contest.run(three, rounds=3, bound=1e-2)
    assert log == list("abcbcacab")
    assert [result["median_s"] for result in report["results"]] == [2.0] * 3
    assert report["results"][0]["spread"] == 1.5
    assert len(report["clocks"]) == 4


def test_wrong_and_unable_contenders_are_not_timed():
    log = []
    report = contest.run(
        [
            contender("wrong", 0.5, [1.0], log),
            contender("nan", math.nan, [1.0], log),
            contender("unable", RuntimeError("no\nkernel here"), [1.0], log),
            contender("checks itself", None, [1.0, 1.0], log),
        ],
        rounds=2,
        bound=1e-2,
    )
    assert log == ["checks itself"] * 2
    why = {result["contender"]: result["why_not"] for result in report["results"]}
    assert why["wrong"].startswith("wrong: relative error 0.5")
    assert why["nan"].startswith("wrong: relative error nan")
    assert why["unable"] == "RuntimeError: no kernel here"
    assert why["checks itself"] is None


def test_one_that_fails_later_keeps_the_others_going():
    report = contest.run(
        [contender("stops", 0.0, [1.0]), contender("goes on", 0.0, [1.0] * 3)], 3, 1e-2
    )
    stopped, going = report["results"]
    assert stopped["why_not"] == "StopIteration"
    assert len(stopped["seconds"]) == 1 and len(going["seconds"]) == 3


def benchmark_json(**more):
    entry = {"name": "a/b/batch:1/bf16/manual_time", "run_type": "iteration", "real_time": 17.5}
    return json.dumps({"benchmarks": [{**entry, "time_unit": "us", **more}]})


def test_the_programs_json_is_read():
    assert programs.parse(benchmark_json(), "a/b/batch:1/bf16") == pytest.approx(17.5e-6)
    with pytest.raises(ValueError, match=r"no benchmark called a/b/batch:1$"):
        programs.parse(benchmark_json(name="a/b/batch:16"), "a/b/batch:1")
    refused = benchmark_json(error_occurred=True, error_message="wrong results")
    with pytest.raises(ValueError, match=r"wrong results"):
        programs.parse(refused, "a/b/batch:1/bf16")


def test_a_program_is_run_for_one_benchmark_alone(tmp_path):
    program = tmp_path / "bench"
    make = programs.contender(program)
    assert make("a/b") is None  # it was not built
    program.write_text(f"#!/bin/sh\necho \"$1\" >'{tmp_path}/log'\ncat <<'E'\n{benchmark_json()}\nE\n")
    program.chmod(0o755)
    own = make("a/b/batch:1/bf16")
    assert own.prepare() is None
    assert own.time() == pytest.approx(17.5e-6)
    assert (tmp_path / "log").read_text() == "--benchmark_filter=^a/b/batch:1/bf16(/|$)\n"
    program.write_text("#!/bin/sh\necho 'bench: no GPU' >&2\nexit 4\n")
    with pytest.raises(RuntimeError, match=r"bench: no GPU"):
        own.time()


def test_times_that_were_measured_before_take_no_turns(tmp_path):
    figures = tmp_path / "figures.json"
    figures.write_text(benchmark_json())
    own = programs.measured_before(figures)("a/b/batch:1/bf16")
    other = programs.measured_before(figures)("a/b/batch:2/bf16")
    peer = contender("peer", 1e-3, [1.0, 2.0, 3.0])
    found = contest.run([own, peer], rounds=3, bound=1e-2)["results"]
    assert found[0]["seconds"] == [pytest.approx(17.5e-6)] and found[0]["spread"] is None
    assert found[0]["measured_before"] and not found[1]["measured_before"]
    assert found[1]["seconds"] == [1.0, 2.0, 3.0]
    (absent,) = contest.run([other], rounds=3, bound=1e-2)["results"]
    assert absent["why_not"] == "ValueError: no benchmark called a/b/batch:2/bf16"


def test_figures_of_a_program_that_was_cut_off_are_those_it_had():
    entries = [{"name": name, "real_time": 1.0, "time_unit": "us"} for name in ("a", "b")]
    whole = json.dumps({"context": {"date": "2026"}, "benchmarks": entries}, indent=2)
    assert programs.read(whole)["benchmarks"] == entries
    second = whole.index('"b"')
    cut = programs.read(whole[:second])
    assert cut["benchmarks"] == entries[:1] and cut["context"] == {"date": "2026"}
    assert programs.read(whole[: whole.index('"a"')])["benchmarks"] == []
    assert programs.read(whole[:5])["benchmarks"] == []


def test_the_gpu_state_is_read_and_gaps_are_none():
    found = machine.parse_query("NVIDIA H200, 580.1, 1980, 3201, [N/A], 41")
    assert found["gpu"] == "NVIDIA H200" and found["driver"] == "580.1"
    assert found["sm_clock_mhz"] == 1980.0 and found["power_w"] is None
    assert machine.parse_query("") == {}


def test_shapes_count_their_work():
    names = [shape.name for shape in attention.SHAPES]
    assert len(names) == len(set(names)) == 14
    assert set(table.ATTENTION_TARGETS) <= set(names)
    shape = attention.Shape(32, 600, 1024, 8)
    assert shape.flop == 4 * 8 * 8 * 600 * 1024 * 32
    assert shape.bytes == 2 * 8 * 256 * (600 + 2 * 1024 + 600)
    assert attention.input_sets(shape, 50 << 20) * shape.bytes >= 3 * (50 << 20)
    assert attention.input_sets(attention.Shape(32, 2048, 2048, 64), 50 << 20) == 1


def result(name, median, error=1e-3, why_not=None):
    return {
        "contender": name,
        "error": error,
        "median_s": median,
        "spread": None if median is None else 0.02,
        "seconds": [],
        "why_not": why_not,
    }


def report(kind, entries):
    found = {"gpu": "H200", "driver": "1", "torch": "2", "cuda": "13", "cudnn": 9}
    common = {"date": "2026", "rounds": 5, "machine": found, "section": kind}
    return {**common, "kind": kind, "entries": entries}


def test_the_attention_table_has_figures_targets_and_reasons():
    shape = attention.Shape(32, 2048, 2048, 32)
    entry = {
        "shape": shape.name,
        "flop": shape.flop,
        "clocks": [{"sm_clock_mhz": 1700.0}, {}, {"sm_clock_mhz": 1980.0}],
        "results": [
            result(programs.NAME, shape.flop / 300e12, error=None),
            result("FLASH_ATTENTION", shape.flop / 200e12),
            result("CUDNN_ATTENTION", None, None, "RuntimeError: a | b"),
        ],
    }
    bare = {**entry, "shape": "D64/2048x2048/batch:8", "results": entry["results"][1:]}
    text = table.markdown([report("attention", [entry, bare])])
    first, second = text.splitlines()[-2:]
    assert "| 300 (" in first and "±1 %" in first and "| 330 |" in first
    assert "| 1.50 (target 1.3) |" in first and "RuntimeError: a \\| b" in first
    assert second.count(table.NOT_MEASURED) == 2 and "| 430 |" in second
    assert "SM clock 1700 to 1980 MHz" in text
    widths = {line.replace("\\|", "").count("|") for line in text.splitlines() if "|" in line}
    assert len(widths) == 1


def test_the_network_table_compares_with_torch_compile_alone():
    entry = {
        "part": "network",
        "batch": 64,
        "clocks": [],
        "results": [
            result(programs.NAME, 0.0256, error=None),
            result("eager", 0.01),
            result("torch.compile, max-autotune", 0.0512),
            result("torch.compile, reduce-overhead", 0.06),
        ],
    }
    text = table.markdown([report("network", [entry])])
    assert "| crossfix | 25.60 ms (2500 /s) ±1 % | 25.60 ms | 2.00 (target 1.3) |" in text
    assert "SM clock not read" in text
    del entry["results"][0]
    assert f"| crossfix | {table.NOT_MEASURED} |" in table.markdown([report("network", [entry])])
    entry["results"].append({**result(programs.NAME, 0.0256, error=None), "spread": None})
    assert "25.60 ms (2500 /s), measured before |" in table.markdown([report("network", [entry])])


def test_arguments():
    options = peers.parse_arguments(["attention", "--shape", "D64"])
    assert [shape.dim for shape in options.shapes] == [64]
    assert peers.section_of(options) == "attention-D64"
    both = peers.parse_arguments(["attention", "--shape", "D64", "--shape", "D128/2048x2048/batch:8"])
    assert [shape.dim for shape in both.shapes] == [64, 128]
    assert peers.section_of(both) == "attention-D64-D128-2048x2048-batch8"
    assert peers.section_of(peers.parse_arguments(["network", "--batch", "8"])) == "network-8"
    some = peers.parse_arguments(["network", "--modes", "eager,graph"])
    assert peers.section_of(some) == "network-1-eager-graph"
    for wrong in (
        ["tables"],
        ["network", "--batch", "0"],
        ["attention", "--shape", "D33"],
        ["attention", "--shape", "D64", "--shape", "D33"],
        ["network", "--modes", "eager,fast"],
        [],
    ):
        with pytest.raises(SystemExit) as stop:
            peers.parse_arguments(wrong)
        assert stop.value.code == 2


def test_the_table_is_written_from_what_lies_in_the_folder(tmp_path):
    content = report("network", [])
    (tmp_path / "peers-network-1.json").write_text(json.dumps(content))
    assert peers.main(["table", "--out", str(tmp_path)]) == 0
    assert "## network" in (tmp_path / "peers.md").read_text()


def test_without_a_gpu_it_says_so_and_exits_4(tmp_path):
    try:
        machine.require()
        pytest.skip("there is a GPU here")
    except machine.Unavailable:
        pass
    command = [sys.executable, str(SCRIPT), "attention", "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 4
    assert run.stderr.startswith("peers: skipped: no ") and run.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_timed_of_the_network_is_the_network():
    torch = pytest.importorskip("torch")
    import network
    from crossfix_training.generator import fill
    from crossfix_training.model import CrossFix, decode
    from golden import TINY

    model = fill(CrossFix(TINY)).double().eval()
    with torch.no_grad():
        satellite, ground = network.inputs_of(TINY, "network", 2, seed=1, device="cpu")
        logits, probability, fix = network.work_of(model, "network")(satellite, ground)
        expected_logits, offsets = model(satellite, ground)
        tokens = network.inputs_of(TINY, "fusion", 2, seed=1, device="cpu")
        (fused,) = network.work_of(model, "fusion")(*tokens)
    assert torch.equal(logits, expected_logits)
    assert torch.allclose(fix * TINY.cell_pixels, decode(logits, offsets, TINY).float())
    assert torch.allclose(probability.sum(dim=1), torch.ones(2))
    assert fused.shape == (2, TINY.cells, TINY.model_width)
    bf16 = network.as_bf16([satellite])[0]
    assert bf16.dtype == torch.bfloat16 and bf16.is_contiguous(memory_format=torch.channels_last)


def test_folding_frozen_norms_changes_nothing_but_the_count():
    torch = pytest.importorskip("torch")
    import network
    from crossfix_training.config import Trunk
    from crossfix_training.generator import features, fill
    from crossfix_training.model import TrunkNetwork

    trunk = fill(TrunkNetwork(Trunk(blocks=(1, 2, 1), planes=8, shared=True))).double().eval()
    image = features("image", (1, 3, 32, 48)).double()
    with torch.no_grad():
        expected = trunk(image)
        network.fold(trunk)
        folded = trunk(image)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in trunk.modules())
    assert torch.linalg.norm(folded - expected) <= 1e-10 * torch.linalg.norm(expected)
