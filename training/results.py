"""Evaluates weights on the frozen test sets, with both controls, and prints the tables of docs/results.md.

A finished run in the folder is not repeated, and an interrupted one continues. Needs only Python, the built program,
and the test sets (training/test_sets.py), which it makes if they are missing.

Examples:
    python3 training/results.py --out build/results
    python3 training/results.py --out build/results --model MCC=build/mcc.safetensors crossfix-s=models/crossfix-s.safetensors
Exit codes: 2 wrong usage, 3 the program failed, or a test set is not the frozen one.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

from crossfix_training.labels import LABEL_FRAME, DataError, cities_of, metres_per_label_pixel, read_split
from test_sets import FROZEN

REPOSITORY = Path(__file__).resolve().parents[1]
SETS = {"same-area": "same", "cross-area": "cross"}
CONTROLS = {"ground images shuffled": "shuffled", "satellite alone": "blank"}


def model(text: str) -> tuple[str, Path]:
    """NAME=FILE."""
    name, equals, file = text.partition("=")
    if not equals or not name or "/" in name:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=FILE, such as crossfix-s=models/crossfix-s.safetensors")
    return name, Path(file)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    bundled = ("crossfix-s", REPOSITORY / "models/crossfix-s.safetensors")
    add("--model", type=model, nargs="+", default=[bundled], metavar="NAME=FILE", help="weights (default: the bundled ones)")
    add("--out", type=Path, required=True, help="folder for the runs; its test-sets holds the data")
    add("--test-sets", type=Path, help="the test sets (default: OUT/test-sets)")
    add("--program", type=Path, default=REPOSITORY / "build/bin/crossfix")
    add("--batch", type=int, default=16, help="pairs that go through the network together (default: 16)")
    add("--precision", default="f32", help="as crossfix evaluate takes it (default: f32)")
    add("--limit", type=int, default=0, help="pairs of each run, spread evenly (default: all)")
    return parser.parse_args()


def evaluate(options: argparse.Namespace, weights: Path, test_set: Path, out: Path, *more: str) -> dict:
    """One run of `crossfix evaluate` into `out` -> the figures of its true mode."""
    figures = out / "figures.json"
    if not figures.is_file():
        command = [options.program, "evaluate", "--dataset", "world", "--root", test_set, "--mode", "true"]
        command += ["--model", weights, "--out", out, "--batch", options.batch, "--precision", options.precision, *more]
        command += ["--limit", options.limit] if options.limit else []
        command += ["--resume"] if out.is_dir() else []
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return json.loads(figures.read_text())["modes"]["true"]


def centre_errors(root: Path, split: str) -> tuple[list[float], list[float]]:
    """Metres from the centre of the tile to the truth: of the positives, and of all pairs."""
    positives, every = [], []
    scales = metres_per_label_pixel(root)
    for city in cities_of(root):
        for sample in read_split(root, city, split):
            distances = [math.dist(truth, (0.5, 0.5)) * LABEL_FRAME * scales[city] for truth in sample.truths]
            positives += distances[:1] if sample.positive else []
            every += distances
    return positives, every


def table(head: str, rows: list[str]) -> str:
    columns = head.count("|") + 1
    return "\n".join([f"| {head} |", f"|{' --- |' * columns}", *rows])


def short(errors: dict) -> str:
    """Mean / median."""
    return f"{errors['mean_m']['value']:.2f} / {errors['median_m']['value']:.2f}"


def metres(errors: dict, key: str) -> str:
    """'2.48 [2.35, 2.61]'."""
    low, high = errors[key]["interval95"]
    return f"{errors[key]['value']:.2f} [{low:.2f}, {high:.2f}]"


def error_row(name: str, errors: dict) -> str:
    within = ", ".join(f"{100 * errors[f'within_{m}m']['value']:.1f}" for m in (1, 3, 5))
    return f"| {name} | {errors['count']} | {metres(errors, 'mean_m')} | {metres(errors, 'median_m')} | {within} |"


def radius_row(name: str, uncertainty: dict) -> str:
    fifths = ", ".join(f"{100 * fifth['coverage68']:.0f}" for fifth in uncertainty["fifths"])
    return f"| {name} | {100 * uncertainty['coverage68']:.1f} | {fifths} |"


def print_tables(results: dict[str, dict[str, dict]], centre: list[str]) -> None:
    """`results`: by system, then by set: figures of `all` pairs and of each control."""
    rows, details, controls, radii = [], [], [], []
    for name, of_sets in results.items():
        every = [runs["all"][kind]["errors"] for runs in of_sets.values() for kind in ("positives", "every")]
        rows.append(f"| {name} | {' | '.join(map(short, every))} |")
        for set_name, runs in of_sets.items():
            details.append(error_row(f"{name}, {set_name}, positives", runs["all"]["positives"]["errors"]))
            details.append(error_row(f"{name}, {set_name}, pos+semi", runs["all"]["every"]["errors"]))
            controls += [error_row(f"{name}, {set_name}, {label}", runs[label]["errors"]) for label in CONTROLS]
            radii.append(radius_row(f"{name}, {set_name}", runs["all"]["positives"]["uncertainty"]))
    heads = [f"{set_name}, {kind}" for set_name in SETS for kind in ("positives", "pos+semi")]
    print(table(" | ".join(["mean / median, m", *heads]), [*rows, f"| the tile's centre | {' | '.join(centre)} |"]))
    details_head = "pairs | mean, m | median, m | within 1, 3, 5 m, %"
    print("\n" + table(f"system and set | {details_head}", details))
    print("\n" + table(f"controls, positives | {details_head}", controls))
    print("\n" + table("truths within radius68, positives | all, % | fifths by radius, surest first, %", radii))


def main() -> int:
    options = arguments()
    sets = options.test_sets or options.out / "test-sets"
    make = [sys.executable, REPOSITORY / "training/test_sets.py", "--out", sets, "--program", options.program]
    frozen = json.loads(FROZEN.read_text())
    results: dict[str, dict[str, dict]] = {}
    centre: list[str] = []
    try:
        for set_name, area in SETS.items():
            subprocess.run([str(word) for word in [*make, "--set", set_name]], check=True, stdout=sys.stderr)
            for distances in centre_errors(sets / set_name, frozen["sets"][set_name]["split"]):
                centre.append(f"{statistics.fmean(distances):.2f} / {statistics.median(distances):.2f}")
            for name, weights in options.model:
                runs = results.setdefault(name, {}).setdefault(set_name, {})
                for label, more in {"all": ["--pairs", "all"], **{k: ["--control", v] for k, v in CONTROLS.items()}}.items():
                    print(f"{name}, {set_name}, {label}", file=sys.stderr, flush=True)
                    out = options.out / name / f"{set_name}-{label.replace(' ', '-')}"
                    figures = evaluate(options, weights, sets / set_name, out, "--area", area, *more)
                    runs[label] = {"positives": figures["positives"], "every": figures} if label == "all" else figures
    except (DataError, subprocess.CalledProcessError, OSError) as error:
        print(f"results: {error}", file=sys.stderr)
        return 3
    print_tables(results, centre)
    return 0


if __name__ == "__main__":
    sys.exit(main())
