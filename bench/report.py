"""Collects what ./dev gpu measured into gpu.json and gpu.md.

    python3 bench/report.py build-gpu/results
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

import machine
import programs
import table

PROGRAMS = {
    "bench-kernels": "Kernels",
    "bench-memory": "Kernels bound by memory",
    "bench-model": "The whole network and its stages",
}
# Counters of the programs that are rates, in the order in which they are shown.
RATES = ("TFLOP/s", "GB/s", "pairs/s")
SHARES = ("of_target", "of_copy")
SANITIZERS = ("memcheck", "racecheck")
# Google Benchmark's own fields.
OWN = {"real_time", "cpu_time", "iterations", "repetitions", "repetition_index", "threads"}


def last_of_each_step(lines: list[str]) -> dict[str, dict[str, Any]]:
    """The last run of each step counts."""
    steps: dict[str, dict[str, Any]] = {}
    for line in lines:
        note = json.loads(line)
        steps[note["step"]] = note
    return steps


def read(path: Path, parse) -> Any:
    """What a file holds, or a line that says why it cannot be read: one bad file must not cost the report."""
    try:
        return parse(path.read_text(errors="replace"))
    except (ValueError, KeyError) as error:
        print(f"report: {path.name} cannot be read: {error}", file=sys.stderr)
        return None


def gather(folder: Path, commit: str) -> dict[str, Any]:
    notes = folder / "steps.jsonl"
    steps = last_of_each_step(notes.read_text().splitlines() if notes.is_file() else [])
    figures = {}
    for name in PROGRAMS:
        path = folder / f"{name}.json"
        if path.is_file() and path.stat().st_size > 0:
            figures[name] = read(path, programs.read) or {"context": {}, "benchmarks": []}
    peers = [read(path, json.loads) for path in sorted(folder.glob("peers-*.json"))]
    peers = [report for report in peers if report]
    date = datetime.date.today().isoformat()
    return {"machine": machine.state(), "commit": commit, "date": date, "steps": steps, "programs": figures, "peers": peers}


def steps_table(steps: dict[str, dict[str, Any]]) -> str:
    """Every step. For a sanitizer's tool, which has a step for each test case, only how many passed."""
    rows = []
    for name, note in steps.items():
        if not name.startswith(SANITIZERS):
            rows.append([name, note["status"], f"{note['seconds']} s"])
    for tool in SANITIZERS:
        notes = {name: note for name, note in steps.items() if name.startswith(tool)}
        if notes:
            bad = [f"{name} {note['status']}" for name, note in notes.items() if note["status"] != "ok"]
            text = f"{len(notes) - len(bad)} of {len(notes)} test cases ok"
            seconds = sum(note["seconds"] for note in notes.values())
            rows.append([tool, ", ".join([text, *bad]), f"{seconds} s"])
    return table.rows(["step", "result", "time"], rows)


def figure(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def program_table(report: dict[str, Any]) -> str:
    rows = []
    for entry in report["benchmarks"]:
        if entry.get("run_type", "iteration") != "iteration":
            continue
        name = entry["name"].removesuffix("/manual_time").removesuffix("/real_time")
        if entry.get("error_occurred"):
            rows.append([name, entry.get("error_message", "failed"), "", ""])
            continue
        rates = [f"{figure(entry[key])} {key}" for key in RATES if key in entry]
        others = [
            f"{figure(value)} {key}"
            for key, value in entry.items()
            if isinstance(value, float) and key not in (*RATES, *SHARES, *OWN)
        ]
        shares = [f"{100 * entry[key]:.0f} % {key.replace('_', ' ')}" for key in SHARES if key in entry]
        time = f"{figure(entry['real_time'])} {entry['time_unit']}"
        rows.append([name, time, ", ".join(rates or others), ", ".join(shares)])
    return table.rows(["benchmark", "time", "rate", "share"], rows)


def markdown(found: dict[str, Any]) -> str:
    state = found["machine"]
    parts = [
        "# Measured on a GPU",
        f"{state.get('gpu', 'An unnamed GPU')}, driver {state.get('driver', 'unknown')}; "
        f"{found['date']}, commit {found['commit']}.",
        "## Steps",
        steps_table(found["steps"]),
    ]
    for name, title in PROGRAMS.items():
        parts.append(f"## {title}")
        if name in found["programs"]:
            report = found["programs"][name]
            context = report["context"]
            facts = [context.get("date", "undated"), context.get("libraries")]
            parts.append("; ".join(fact for fact in facts if fact) + ".")
            parts.append(program_table(report))
        else:
            parts.append(table.NOT_MEASURED)
    parts.append(table.markdown(found["peers"]).replace("\n## ", "\n### ").replace("# Peers", "## Peers"))
    if not found["peers"]:
        parts.append(table.NOT_MEASURED)
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commit", default="unknown", help="that the programs are of")
    options = parser.parse_args(arguments)
    folder = options.folder
    found = gather(folder, options.commit)
    (folder / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "gpu.md").write_text(markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
