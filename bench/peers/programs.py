"""This project's own benchmark programs as contenders."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from contest import Contender

NAME = "crossfix"
SECONDS_IN = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def read(text: str) -> dict:
    """Reads Google Benchmark's JSON. For a program that was interrupted it is what the program had written by then, or
    no benchmarks if that is not even one."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        end = text.rfind("\n    }")
        if "benchmarks" not in text or end < text.index("benchmarks"):
            return {"context": {}, "benchmarks": []}
        return json.loads(text[:end] + "\n    }\n  ]\n}")


def parse(text: str, name: str) -> float:
    """Seconds of the benchmark called `name`, or `name` followed by '/' and more, in Google Benchmark's JSON.

    Raises ValueError if there is no such benchmark, or if it refused its own answer.
    """
    for entry in read(text)["benchmarks"]:
        if entry["name"] != name and not entry["name"].startswith(name + "/"):
            continue
        if entry.get("error_occurred"):
            raise ValueError(f"{name}: {entry.get('error_message', 'failed')}")
        if entry.get("run_type", "iteration") == "iteration":
            return entry["real_time"] * SECONDS_IN[entry["time_unit"]]
    raise ValueError(f"no benchmark called {name}")


def measured_before(figures: Path) -> Callable[[str], Contender | None]:
    """Contenders whose times are in a file that a program wrote with --benchmark_out."""

    def make(name: str) -> Contender:
        def time() -> float:
            return parse(figures.read_text(errors="replace"), name)

        def check() -> None:
            time()

        return Contender(NAME, check, time, measured_before=True)

    return make


def contender(program: Path) -> Callable[[str], Contender | None]:
    """Contenders that run `program` for one benchmark; none if there is no such program."""

    def make(name: str) -> Contender | None:
        if not program.is_file():
            return None

        def measure() -> float:
            pattern = f"^{re.escape(name)}(/|$)"
            command = [str(program), f"--benchmark_filter={pattern}", "--benchmark_format=json"]
            run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            if run.returncode != 0:
                lines = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
                raise RuntimeError(f"{program.name}: {lines[-1]}")
            return parse(run.stdout, name)

        def check() -> None:
            measure()

        return Contender(NAME, check, measure)

    return make
