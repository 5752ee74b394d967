"""Times PyTorch's attention and the reference network in PyTorch beside this project's own programs, in
turns, on one GPU; answers are checked against float64 first.

    python bench/peers/peers.py attention --programs build-gpu/bin --out build-gpu/bench
    python bench/peers/peers.py network --batch 1 --programs build-gpu/bin --out build-gpu/bench

Each call writes OUT/peers-SECTION.json, and OUT/peers.md anew from all of them. Where PyTorch or a GPU is
missing it says so in one line and exits 4.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import attention  # noqa: E402
import machine  # noqa: E402
import network  # noqa: E402
import programs  # noqa: E402
import table  # noqa: E402

EXIT_UNAVAILABLE = 4


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("attention", *network.PARTS, "table"))
    parser.add_argument("--batch", type=int, default=1, help="pairs, of a network or its fusion part")
    parser.add_argument("--shape", help="only attention shapes whose name holds this, as D32/2048x2048")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=Path, default=Path("build-gpu/bin"))
    parser.add_argument("--out", type=Path, default=Path("build-gpu/bench"))
    options = parser.parse_args(arguments)
    if options.batch < 1 or options.rounds < 1:
        parser.error("--batch and --rounds start at 1")
    options.shapes = [s for s in attention.SHAPES if not options.shape or options.shape in s.name]
    if not options.shapes:
        parser.error(f"no shape's name holds '{options.shape}'")
    return options


def section_of(options: argparse.Namespace) -> str:
    if options.what != "attention":
        return f"{options.what}-{options.batch}"
    return "attention" + (f"-{options.shape}".replace("/", "-") if options.shape else "")


def measure(options: argparse.Namespace) -> dict:
    """Everything of one section. Raises machine.Unavailable."""
    found = machine.require()
    if options.what == "attention":
        ours = programs.contender(options.programs / "bench_kernels")
        entries = attention.run(options.shapes, options.rounds, ours, found["l2_bytes"])
    else:
        ours = programs.contender(options.programs / "bench_model")
        entries = [network.run(options.what, options.batch, options.rounds, ours, found["l2_bytes"])]
    return {
        "section": section_of(options),
        "kind": "attention" if options.what == "attention" else "network",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": found,
        "rounds": options.rounds,
        "entries": entries,
    }


def write_table(folder: Path) -> str:
    """peers.md from every peers-*.json in the folder; its text."""
    reports = [json.loads(path.read_text()) for path in sorted(folder.glob("peers-*.json"))]
    text = table.markdown(reports)
    (folder / "peers.md").write_text(text)
    return text


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    try:
        report = None if options.what == "table" else measure(options)
    except machine.Unavailable as error:
        print(f"peers: skipped: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    options.out.mkdir(parents=True, exist_ok=True)
    if report is not None:
        path = options.out / f"peers-{report['section']}.json"
        path.write_text(json.dumps(report, indent=1) + "\n")
    print(write_table(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
