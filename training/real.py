"""Measures weights on real photographs: crops the published tiles at random about the camera, locates each crop with
`crossfix locate`, and prints a table by source. Two guesses are given for comparison: the centre of the crop, and
the panorama of another position.

The folder holds pairs.csv with the columns ground, satellite, row, col (camera, tile pixels), gsd (metres a tile
pixel), heading (degrees of the ground image's centre column; empty: unknown), projection and hfov. The source of a pair
is the name of its ground image without number and ending. Only whole panoramas are taken. The camera stands in the
middle of published tiles, so each is cropped to a side of S / 1.9, at most 73 m, with the camera anywhere in the crop;
the centre guess is then worth little. Published panoramas look north, which is one of the headings that a search begins
with. So if headings are searched for, panoramas are rolled at random first, so that their heading can be anything: all
panoramas with --heading unknown, otherwise those whose heading is not settled.

Examples:
    python3 training/real.py --pairs FOLDER
    python3 training/real.py --pairs FOLDER --heading unknown --seeds 2 --ledger docs/real_looks.csv --note "headings searched"
Exit codes: 2 wrong usage, 3 the program failed or the folder holds no pairs.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crossfix_training.crops import crop_corner
from protocol import area_under

REPOSITORY = Path(__file__).resolve().parents[1]
LARGEST_CROP = 73.0  # metres
CROP_SHARE = 1 / 1.9  # of a tile's side
NEAR = 5.0  # metres: the share of fixes within this distance is compared
LEAST_PAIRS = 4  # a source with fewer is reported, but not pooled
SAMPLES = 2000  # of the bootstrap
ROLLS = 4  # of a panorama by random headings, for each seed; its crops use them in turn


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--pairs", type=Path, required=True, metavar="FOLDER", help="folder with pairs.csv")
    add("--model", type=Path, default=REPOSITORY / "models/crossfix-ground.safetensors")
    add("--program", type=Path, default=REPOSITORY / "build/bin/crossfix")
    add("--seeds", type=int, default=5, help="seeds of the crops (default: 5)")
    add("--crops", type=int, default=16, help="crops of a pair and seed (default: 16)")
    add("--heading", choices=("known", "unknown"), default="known", help="unknown: searched for of every pair")
    add("--out", type=Path, help="figures as JSON")
    add("--ledger", type=Path, help="CSV that a line is added to: each look at real pairs is to be counted")
    add("--note", default="", help="what this look was for, in the ledger")
    options = parser.parse_args()
    if options.seeds < 1 or options.crops < 1:
        parser.error("--seeds and --crops start at 1")
    return options


def source_of(pair: dict) -> str:
    return pair["ground"].rsplit(".", 1)[0].removesuffix("-ground").rsplit("-", 1)[0]


def read_pairs(folder: Path) -> list[dict]:
    with open(folder / "pairs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if row["projection"] == "equirectangular" and float(row["hfov"]) == 360]


def crop_corners(pair: dict, number: int, size: tuple[int, int], options: argparse.Namespace) -> list[tuple[int, int, int]]:
    """(row, column, side) of each crop, tile pixels: the same for a pair and a seed, whatever else is measured."""
    gsd = float(pair["gsd"])
    side = int(min(min(size) * CROP_SHARE, LARGEST_CROP / gsd))
    corners = []
    for seed in range(options.seeds):
        random = np.random.default_rng([seed, number])
        for _ in range(options.crops):
            corner = crop_corner((float(pair["row"]), float(pair["col"])), size[::-1], side, random.integers)
            corners.append((*corner, side))
    return corners


def rolled(pair: dict, number: int, options: argparse.Namespace, folder: Path) -> list[tuple[Path, float | None]]:
    """The panorama for each crop of `crop_corners`, and the heading of its centre column if that is known."""
    path = (options.pairs / pair["ground"]).resolve()
    heading = float(pair["heading"]) if pair["heading"] else None
    if options.heading == "known" and heading is not None:
        return [(path, heading)] * (options.seeds * options.crops)
    image = np.asarray(Image.open(path).convert("RGB"))
    turned = []
    for seed in range(options.seeds):
        random = np.random.default_rng([seed, number, 1])
        files = []
        for _ in range(min(ROLLS, options.crops)):
            columns = int(random.integers(image.shape[1]))
            file = folder / f"{path.stem}-{seed}-{columns}.png"
            Image.fromarray(np.roll(image, -columns, axis=1)).save(file, compress_level=1)
            # The column that was `columns` to the right of the centre is now the centre.
            files.append((file, None if heading is None else heading + columns * 360 / image.shape[1]))
        turned += [files[i % len(files)] for i in range(options.crops)]
    return turned


def locate(options: argparse.Namespace, folder: Path, rows: list[dict], heading: str) -> list[dict]:
    """What the program prints for each row of a list."""
    path = folder / f"list-{heading}.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["ground", "satellite", "row", "col", "gsd"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    command = [options.program, "locate", "--model", options.model, "--pairs", path, "--heading", heading]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    if len(lines) != len(rows) or run.returncode not in (0, 3):
        raise RuntimeError(run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit {run.returncode}")
    return lines


def measure(options: argparse.Namespace) -> list[dict]:
    """One row a crop: source, pair, errors of the fix, of the centre and of another position's panorama, radius,
    heading."""
    pairs = read_pairs(options.pairs)
    of_source = defaultdict(list)
    for pair in pairs:
        of_source[source_of(pair)].append(pair)
    rows: list[dict[str, Any]] = []
    lists: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source, members in of_source.items():
            for number, pair in enumerate(members):
                tile = Image.open(options.pairs / pair["satellite"]).convert("RGB")
                # If a source has only one pair, the wrong panorama comes from another source.
                others = members if len(members) > 1 else [p for p in pairs if source_of(p) != source]
                if not others:
                    raise ValueError("the folder holds one panorama alone: there is no wrong one to compare with")
                wrong = others[(number + 1) % len(others)]
                grounds = {"fix": rolled(pair, number, options, folder), "wrong": rolled(wrong, number, options, folder)}
                for i, (row, col, side) in enumerate(crop_corners(pair, number, tile.size, options)):
                    file = folder / f"{source}-{number}-{row}-{col}.png"
                    tile.crop((col, row, col + side, row + side)).save(file, compress_level=1)
                    truth = float(pair["row"]) - row, float(pair["col"]) - col
                    gsd = float(pair["gsd"])
                    entry: dict[str, Any] = {"source": source, "pair": pair["ground"], "heading": grounds["fix"][i][1], "side_m": side * gsd}
                    entry["centre"] = float(np.hypot(truth[0] - side / 2, truth[1] - side / 2)) * gsd
                    for kind, of_crops in grounds.items():
                        ground, heading = of_crops[i]
                        known = options.heading == "known" and heading is not None
                        item: dict[str, Any] = {"ground": ground, "satellite": file, "gsd": gsd}
                        item |= {"row": truth[0], "col": truth[1], "entry": entry, "kind": kind}
                        lists[f"{heading:g}" if known else "unknown"].append(item)
                    rows.append(entry)
        for said, items in lists.items():
            for item, answer in zip(items, locate(options, folder, items, said)):
                if "error" in answer:
                    raise RuntimeError(f"{item['entry']['pair']}: {answer['error']}")
                item["entry"][item["kind"]] = answer["error_m"]
                item["entry"][f"{item['kind']}_nowhere"] = answer.get("nowhere", 0.0)
                if item["kind"] == "fix":
                    item["entry"]["within_radius"] = answer["within_radius68"]
                    item["entry"]["radius"] = answer["radius68_m"]
                    if item["entry"]["heading"] is not None:
                        off = answer.get("heading_degrees", 0.0) - item["entry"]["heading"]
                        item["entry"]["heading_error"] = abs((off + 180) % 360 - 180)
    return rows


def interval(by_pair: list[np.ndarray], statistic) -> list[float] | None:
    """95 % interval of the statistic over pairs drawn with replacement; none for few pairs, whose variation says
    nothing."""
    if len(by_pair) < LEAST_PAIRS:
        return None
    random = np.random.default_rng(0)
    values = []
    for _ in range(SAMPLES):
        drawn = random.integers(0, len(by_pair), len(by_pair))
        values.append(statistic(np.concatenate([by_pair[i] for i in drawn])))
    return [float(np.percentile(values, share)) for share in (2.5, 97.5)]


def summary(rows: list[dict]) -> dict:
    """Figures of some rows, in which each pair has the same weight (all have the same number of crops)."""

    def column(name: str) -> list[np.ndarray]:
        of_pair = defaultdict(list)
        for row in rows:
            of_pair[row["pair"]].append(row[name])
        return [np.array(values, dtype=float) for values in of_pair.values()]

    def share(values: np.ndarray) -> float:
        return float(np.mean(values < NEAR))

    fix = column("fix")
    found: dict[str, Any] = {"pairs": len(fix), "fixes": len(rows), "crop_m": float(np.mean([row["side_m"] for row in rows]))}
    found |= {"within": share(np.concatenate(fix)), "within_interval": interval(fix, share)}
    found |= {"median_m": float(np.median(np.concatenate(fix))), "median_interval": interval(fix, lambda v: float(np.median(v)))}
    for name in ("centre", "wrong"):
        found[f"{name}_within"] = share(np.concatenate(column(name)))
    found["truth_within_radius"] = float(np.mean(np.concatenate(column("within_radius"))))
    found["radius_m"] = float(np.median(np.concatenate(column("radius"))))
    nowhere = [np.concatenate(column(f"{name}_nowhere")) for name in ("fix", "wrong")]
    found["nowhere_area"] = area_under(*nowhere)
    found["not_here"] = [float(np.mean(values >= 0.5)) for values in nowhere]
    headed = [row["heading_error"] for row in rows if "heading_error" in row]
    found["heading_within_20"] = float(np.mean(np.array(headed) <= 20)) if headed else None
    found["heading_median"] = float(np.median(headed)) if headed else None
    return found


def table(figures: dict[str, dict], headings: bool) -> str:
    header = ["source", "pairs", "crop", f"within {NEAR:g} m", "median", "centre guess", "wrong panorama", "truth within radius68", "radius68"]
    header += ["nowhere: area", "not here: right, wrong"]
    lines = [header + (["heading within 20°"] if headings else [])]
    lines.append(["---"] * len(lines[0]))
    for source, found in figures.items():
        shares, median = f"{found['within']:.0%}", f"{found['median_m']:.1f} m"
        if found["within_interval"]:
            shares += " [{:.0%}, {:.0%}]".format(*found["within_interval"])
            median += " [{:.1f}, {:.1f}]".format(*found["median_interval"])
        line = [source, str(found["pairs"]), f"{found['crop_m']:.0f} m", shares, median, f"{found['centre_within']:.0%}"]
        line += [f"{found['wrong_within']:.0%}", f"{found['truth_within_radius']:.0%}", f"{found['radius_m']:.1f} m"]
        line += [f"{found['nowhere_area']:.2f}", "{:.0%}, {:.0%}".format(*found["not_here"])]
        if headings:
            share = found["heading_within_20"]
            line.append("" if share is None else f"{share:.0%}")
        lines.append(line)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def add_to_ledger(options: argparse.Namespace, figures: dict[str, dict]) -> None:
    """Adds one line: when, which commit, what for, and the share within 5 m by source."""
    run = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude", "*"], cwd=REPOSITORY, capture_output=True, text=True)
    date = subprocess.run(["date", "+%F"], capture_output=True, text=True).stdout.strip()
    shares = "; ".join(f"{name} {found['within']:.0%}" for name, found in figures.items())
    shares += "; nowhere's area " + ", ".join(f"{name} {found['nowhere_area']:.2f}" for name, found in figures.items())
    if options.heading == "unknown":
        headed = [f"{name} {found['heading_within_20']:.0%}" for name, found in figures.items() if found["heading_within_20"] is not None]
        shares += f"; headings within 20 degrees {', '.join(headed)}"
    new = not options.ledger.exists()
    with open(options.ledger, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(["date", "commit", "what", "seeds x crops", "heading", f"within {NEAR:g} m"])
        crops = f"{options.seeds} x {options.crops}"
        writer.writerow([date, run.stdout.strip(), options.note, crops, options.heading, shares])


def main() -> int:
    options = arguments()
    if not (options.pairs / "pairs.csv").is_file():
        print(f"real: skipped: no real pairs: {options.pairs} holds no pairs.csv", file=sys.stderr)
        return 3
    try:
        rows = measure(options)
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        print(f"real: {error}", file=sys.stderr)
        return 3
    by_source = defaultdict(list)
    for row in rows:
        by_source[row["source"]].append(row)
    figures = {source: summary(some) for source, some in by_source.items()}
    pooled = [row for source, some in by_source.items() if figures[source]["pairs"] >= LEAST_PAIRS for row in some]
    if pooled:
        figures["pooled"] = summary(pooled)
    print(table(figures, options.heading == "unknown"))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    if options.ledger:
        add_to_ledger(options, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
