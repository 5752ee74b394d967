"""Times PyTorch's attention and the reference network in PyTorch, in turns with this project's own programs, on one
GPU. Answers are checked against float64 first.

    python bench/peers/peers.py attention --programs build-gpu/bin --out build-gpu/bench
    python bench/peers/peers.py network --batch 1 --programs build-gpu/bin --out build-gpu/bench
    python bench/peers/peers.py network --modes eager,graph --figures bench-model.json

Each call writes OUT/peers-SECTION.json, and writes OUT/peers.md again from all of them. If PyTorch or a GPU is missing,
it says so in one line and exits with 4.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import attention
import machine
import network
import programs
import table

EXIT_UNAVAILABLE = 4


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("attention", *network.PARTS, "table"))
    parser.add_argument("--batch", type=int, default=1, help="pairs, of a network or its fusion part")
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        help="only attention shapes whose name holds this, as D32/2048x2048; may be given again",
    )
    parser.add_argument(
        "--modes",
        default=",".join(network.USUAL_MODES),
        help=f"how PyTorch runs the network, of {','.join(network.MODES)} (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=Path, default=Path("build-gpu/bin"))
    parser.add_argument(
        "--figures",
        type=Path,
        help="what this project's program wrote with --benchmark_out: its times are taken from there",
    )
    parser.add_argument("--out", type=Path, default=Path("build-gpu/bench"))
    options = parser.parse_args(arguments)
    if options.batch < 1 or options.rounds < 1:
        parser.error("--batch and --rounds start at 1")
    for part in options.shape:
        if not any(part in shape.name for shape in attention.SHAPES):
            parser.error(f"no shape's name holds '{part}'")
    options.shapes = [
        shape
        for shape in attention.SHAPES
        if not options.shape or any(part in shape.name for part in options.shape)
    ]
    options.modes = options.modes.split(",")
    for mode in options.modes:
        if mode not in network.MODES:
            parser.error(f"no mode '{mode}'; there are {', '.join(network.MODES)}")
    return options


def section_of(options: argparse.Namespace) -> str:
    if options.what == "attention":
        return "-".join(["attention", *options.shape]).replace("/", "-").replace(":", "")
    chosen = [] if tuple(options.modes) == network.USUAL_MODES else options.modes
    return "-".join([options.what, str(options.batch), *chosen])


def measure(options: argparse.Namespace) -> Iterator[dict]:
    """Writes the section again after each of its entries, so that an interrupted run keeps what it had. Raises
    machine.Unavailable."""
    found = machine.require()
    program = "bench_kernels" if options.what == "attention" else "bench_model"
    ours = programs.measured_before(options.figures) if options.figures else programs.contender(options.programs / program)
    rounds, l2_bytes = options.rounds, found["l2_bytes"]
    if options.what == "attention":
        entries = attention.run(options.shapes, rounds, ours, l2_bytes)
    else:
        entries = network.run(options.what, options.batch, options.modes, rounds, ours, l2_bytes)
    report = {
        "section": section_of(options),
        "kind": "attention" if options.what == "attention" else "network",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": found,
        "rounds": rounds,
        "entries": [],
    }
    for entry in entries:
        report["entries"].append(entry)
        yield report


def write_table(folder: Path) -> str:
    """Writes peers.md from every peers-*.json in the folder, and returns its text."""
    reports = [json.loads(path.read_text()) for path in sorted(folder.glob("peers-*.json"))]
    text = table.markdown(reports)
    (folder / "peers.md").write_text(text)
    return text


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    timed = options.what == "table"
    try:
        for report in [] if options.what == "table" else measure(options):
            options.out.mkdir(parents=True, exist_ok=True)
            path = options.out / f"peers-{report['section']}.json"
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(report, indent=1) + "\n")
            partial.replace(path)
            timed |= any(result["seconds"] for result in report["entries"][-1]["results"])
    except machine.Unavailable as error:
        print(f"peers: skipped: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    options.out.mkdir(parents=True, exist_ok=True)
    print(write_table(options.out))
    return 0 if timed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
