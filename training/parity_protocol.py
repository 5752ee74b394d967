"""Compares the figures of `crossfix evaluate` with those of protocol.py, from the same raw network outputs.

Makes a world of pairs that no weights were trained on, runs the built program on it with each setting, and prints
differences with their bounds.

Example:
    python training/parity_protocol.py --bin build/bin
Exit codes: 0 all within bounds, 1 something outside, 3 a program failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from crossfix_training.weights import load_weights
from protocol import DataError, Decoding, figures_of, nowhere_figures, read_labels, read_raw, read_results

# 302 panoramas: batches of four leave two, which the reference drops.
WORLD = ["--seed", "9504", "--cities", "2", "--panoramas", "302"]
IMAGES = ["--tile-size", "128", "--panorama-size", "256x128"]
BOUND = 1e-6  # metres, or shares
FEW = 60  # samples that wrong pairs are made of
BUNDLED = Path(__file__).resolve().parents[1] / "models/crossfix-s.safetensors"


def run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        message = (done.stderr.strip() or "no message").splitlines()[-1]
        raise DataError(f"{Path(str(words[0])).name} {words[1]} exited with {done.returncode}: {message}")


def differences(ours: dict, theirs: dict) -> dict[str, float]:
    """What is compared, metres."""
    over = ours["over_groups"]
    means = [group["errors"]["mean_m"]["value"] for group in ours["groups"]]
    pairs = {
        "mean": [(ours["errors"]["mean_m"]["value"], theirs["mean"])],
        "median": [(ours["errors"]["median_m"]["value"], theirs["median"])],
        "mean by city": list(zip(means, theirs["city_means"], strict=True)),
        "over cities": list(zip((over["mean_m"], over["mean_deviation_m"]), theirs["over_cities"])),
    }
    if ours["errors"]["count"] != theirs["count"]:
        raise DataError(f"{ours['errors']['count']} samples scored where {theirs['count']} belong")
    return {name: max(abs(a - b) for a, b in values) for name, values in pairs.items()}


def compare_wrong_pairs(program: Path, root: Path, out: Path) -> int:
    """Prints rows of wrong pairs; returns how many are outside their bounds."""
    run(
        program, "evaluate", "--dataset", "world", "--root", root, "--area", "cross",
        "--pairs", "all", "--wrong-pairs", "--limit", FEW, "--out", out,
    )  # fmt: skip
    cities = json.loads((root / "world.json").read_text())["cities"]
    figures = json.loads((out / "figures.json").read_text())["modes"]
    samples, failed = read_results(out / "samples.jsonl"), 0
    for mode in ("reference", "true"):
        exact = mode == "true"
        sides = {city["name"]: 640 * city["metres_per_pixel"] if exact else 256 * 0.285 for city in cities}
        ours, theirs = figures[mode]["nowhere"], nowhere_figures(samples, sides, mode)
        area = ours.pop("area")
        ours |= {"area": area["value"], "area_low": area["interval95"][0], "area_high": area["interval95"][1]}
        theirs["area_low"], theirs["area_high"] = theirs.pop("area_interval")
        error = max(abs(ours[name] - value) for name, value in theirs.items())
        within = error <= BOUND
        failed += not within
        what = f"{mode}, wrong pairs ({theirs['wrong']}): all figures"
        print(f"{what:<44} {error:10.2e}  {BOUND:8.0e}  {'ok' if within else 'OUTSIDE'}", flush=True)
    return failed


def compare(program: Path, folder: Path) -> int:
    """Prints the table; returns how many rows are outside their bounds."""
    root, failed = folder / "world", 0
    decoding = Decoding(fix=load_weights(BUNDLED)[1].fix)
    run(program, "world", "--out", root, *WORLD, *IMAGES)
    print(f"{'evaluation protocol':<44} {'difference':>10}  {'bound':>8}")
    for pairs in ("positives", "all"):
        out, raw = folder / pairs, folder / f"{pairs}.safetensors"
        run(
            program, "evaluate", "--dataset", "world", "--root", root, "--area", "cross",
            "--pairs", pairs, "--out", out, "--dump", raw,
        )  # fmt: skip
        figures = json.loads((out / "figures.json").read_text())["modes"]
        labels = read_labels(root, "cross", "original", pairs, True)
        for mode in ("reference", "true"):
            theirs = figures_of(labels, *read_raw(raw), mode, decoding, full=False)
            for name, error in differences(figures[mode], theirs).items():
                within = error <= BOUND
                failed += not within
                what = f"{mode}, {pairs} ({theirs['count']}): {name}"
                print(f"{what:<44} {error:10.2e}  {BOUND:8.0e}  {'ok' if within else 'OUTSIDE'}", flush=True)
    return failed + compare_wrong_pairs(program, root, folder / "wrong")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", type=Path, default=Path("build/bin"), help="folder of the programs")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as name:
            failed = compare(options.bin / "crossfix", Path(name))
    except (DataError, OSError, KeyError, ValueError) as error:
        print(f"parity_protocol: {error}", file=sys.stderr)
        return 3
    if failed:
        print(f"parity_protocol: {failed} outside their bounds", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
