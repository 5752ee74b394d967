"""Trains each small network for a few minutes on a small world, evaluates the weights with the program, and prints
both.

It shows that every system works from end to end, and how fast it is. Minutes on a CPU are too few to beat a guess of
the tile's centre, about 14 m: judging a system takes longer.

Example:
    python training/smoke.py --minutes 5
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
# For each preset: the peak learning rate for a run of a few minutes.
RATES = {"small": 6e-4, "crossfix-s": 6e-4, "mcc-small": 3e-3, "vigor-baseline-small": 3e-4}
WORLD = ("--cities", "2", "--tile-size", "128", "--panorama-size", "256x128")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--minutes", type=float, default=5, help="of training, each (default: 5)")
    add("--presets", nargs="+", choices=RATES, default=list(RATES))
    add("--panoramas", type=int, default=1500, help="of the world (default: 1500)")
    add("--seed", type=int, default=31, help="of the world (default: 31)")
    add("--out", type=Path, default=REPOSITORY / "build/smoke", help="folder; an earlier run's parts in it go")
    add("--program", type=Path, default=REPOSITORY / "build/bin/crossfix")
    add("--threads", type=int, default=1, help="CPU threads (0: all; slow where others use the CPU; default: 1)")
    return parser.parse_args()


def last_line(log: Path) -> dict:
    """The last validation of a run."""
    return json.loads(log.read_text().splitlines()[-1])


def evaluated(program: Path, world: Path, weights: Path) -> tuple[int, str, str, str]:
    """Pairs, mean and median error in metres, and truths within radius68, on the world's test list."""
    data = ["--dataset", "world", "--root", world, "--area", "same", "--mode", "true", "--json"]
    command = [program, "evaluate", *data, "--model", weights, "--batch", "8"]
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    figures = json.loads(done.stdout)["modes"]["true"]
    errors, share = figures["errors"], figures["uncertainty"]["coverage68"]
    mean, median = (f"{errors[key]['value']:.2f}" for key in ("mean_m", "median_m"))
    return errors["count"], mean, median, f"{100 * share:.0f}"


def table(results: dict[str, dict]) -> str:
    """Aligned columns. The validation is the trainer's, on blocks kept from training; the other figures are the
    program's."""
    rows: list[tuple[str, ...]] = [("network", "samples", "samples/s", "validation, m", "pairs", "mean, m", "median, m", "within radius68, %")]
    for preset, line in results.items():
        cells = (line["samples"], line["samples_per_second"], line["median_metres"], *line["evaluated"])
        rows.append((preset, *map(str, cells)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))]) for row in rows
    )


def main() -> int:
    options = arguments()
    world = options.out / "world"
    started = time.monotonic()
    for folder in (world, *(options.out / preset for preset in options.presets)):
        shutil.rmtree(folder, ignore_errors=True)
    options.out.mkdir(parents=True, exist_ok=True)
    numbers = ("--seed", str(options.seed), "--panoramas", str(options.panoramas))
    results = {}
    try:
        subprocess.run([options.program, "world", "--out", world, *numbers, *WORLD], check=True)
        for preset in options.presets:
            out = options.out / preset
            train = [sys.executable, Path(__file__).with_name("train.py"), "--preset", preset]
            run = ["--data", world, "--out", out, "--minutes", str(options.minutes)]
            how = ["--rate", str(RATES[preset]), "--batch", "8", "--warm-up", "50"]
            how += ["--every", "100", "--validation", "0.1"]
            machine = ["--precision", "f32", "--threads", str(options.threads)]
            subprocess.run([*train, *run, *how, *machine], check=True)
            weights = out / "best.safetensors"
            results[preset] = {**last_line(out / "log.jsonl"), "evaluated": evaluated(options.program, world, weights)}
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 3
    print(f"\n{table(results)}\nmetres are of positives, the last four columns by `crossfix evaluate`; {(time.monotonic() - started) / 60:.1f} minutes in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
