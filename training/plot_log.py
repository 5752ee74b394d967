"""Draws train.py's log as an SVG: median and mean error in metres over steps. Needs no packages.

Example:
    python3 training/plot_log.py build/train-s/log.jsonl docs/images/training.svg
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 640, 320, 48
CURVES = {"mean_metres": ("mean", "#c0c4cc"), "median_metres": ("median", "#1f6feb")}


def svg(lines: list[dict]) -> str:
    """The picture of a log's lines."""
    last = max(line["step"] for line in lines)
    top = max(line[key] for line in lines for key in CURVES)

    def place(step: float, metres: float) -> tuple[float, float]:
        x = MARGIN + step / last * (WIDTH - 2 * MARGIN)
        return x, HEIGHT - MARGIN - metres / top * (HEIGHT - 2 * MARGIN)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#444">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for metres in range(0, int(top) + 1, 2):
        x, y = place(0, metres)
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{WIDTH - MARGIN}" stroke="#e6e8eb"/>')
        parts.append(f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{metres}</text>')
    for fraction in (0, 0.25, 0.5, 0.75, 1):
        x, y = place(fraction * last, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{fraction * last:.0f}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">steps</text>')
    parts.append(f'<text x="{MARGIN}" y="20">error on validation blocks, metres</text>')
    for key, (name, colour) in CURVES.items():
        points = [place(line["step"], line[key]) for line in lines]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[-1]
        parts.append(f'<text x="{x + 4:.1f}" y="{y + 4:.1f}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    lines = [json.loads(line) for line in options.log.read_text().splitlines()]
    options.picture.write_text(svg(lines))


if __name__ == "__main__":
    main()
