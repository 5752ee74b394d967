"""Draws train.py's logs as an SVG: the error in metres against the samples seen. Needs no packages.

One log gives its mean and its median. Several logs give the median of each, named after its folder.

Example:
    python3 training/plot_log.py build/train-s/log.jsonl --out docs/images/training.svg
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from crossfix_training.atomic_file import whole_file

WIDTH, HEIGHT, MARGIN = 640, 320, 48
COLOURS = ("#1f6feb", "#d1480b", "#2f8f46", "#8250df", "#6e7781")
Curve = list[tuple[float, float]]  # samples, metres


def validations(log: Path) -> list[dict]:
    """The lines of a log that have errors in metres."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "median_metres" in line]


def curves_of(runs: dict[str, list[dict]]) -> dict[str, Curve]:
    """The curves to draw, from the validations of each run."""
    kinds = {"median": "median_metres", "mean": "mean_metres"}
    if len(runs) == 1:
        (lines,) = runs.values()
        return {name: [(line["samples"], line[key]) for line in lines] for name, key in kinds.items()}
    return {name: [(line["samples"], line["median_metres"]) for line in lines] for name, lines in runs.items()}


def svg(curves: dict[str, Curve]) -> str:
    """The picture of named curves."""
    last = max(samples for curve in curves.values() for samples, _ in curve)
    top = max(metres for curve in curves.values() for _, metres in curve)

    def place(samples: float, metres: float) -> tuple[float, float]:
        x = MARGIN + samples / last * (WIDTH - 2 * MARGIN)
        return x, HEIGHT - MARGIN - metres / top * (HEIGHT - 2 * MARGIN)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#444">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for metres in range(0, int(top) + 1, 2 if top < 20 else 5):
        x, y = place(0, metres)
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - MARGIN}" stroke="#e6e8eb"/>')
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{metres}</text>')
    for fraction in (0, 0.25, 0.5, 0.75, 1):
        x, y = place(fraction * last, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{fraction * last:.0f}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">samples seen</text>')
    what = "error" if set(curves) == {"median", "mean"} else "median error"
    parts.append(f'<text x="{MARGIN}" y="20">{what} on validation blocks, metres</text>')
    for number, ((name, curve), colour) in enumerate(zip(curves.items(), COLOURS)):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in curve)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = MARGIN + 16 * number
        parts.append(f'<text x="{WIDTH - MARGIN}" y="{y}" text-anchor="end" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def write_picture(runs: dict[str, list[dict]], path: Path) -> None:
    """Draws the validations of runs; writes the file whole or not at all."""
    with whole_file(path) as file:
        file.write_text(svg(curves_of(runs)), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("logs", type=Path, nargs="+", metavar="LOG")
    parser.add_argument("--out", type=Path, required=True, help="the picture")
    options = parser.parse_args()
    write_picture({log.parent.name: validations(log) for log in options.logs}, options.out)


if __name__ == "__main__":
    main()
