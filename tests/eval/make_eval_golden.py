"""Writes golden/figures.json: what training/protocol.py computes from the VIGOR fixture and generated outputs.

    python tests/eval/make_eval_golden.py     (numpy)
"""

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "training"))

from protocol import Decoding, Labels, axis_figures, figures_of, fixes_of, heading_columns, read_labels, truths_of  # noqa: E402

GRID = 8
DECODING = Decoding(temperature=1.5)
NOISE, SEED, WIDTH = 45.0, 7, 64  # of the headings, degrees; of the panoramas, columns


def bits(count: int) -> np.ndarray:
    """The top 16 bits of SplitMix64's first outputs."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(48)).astype(np.float32)


def made_outputs(exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noise; two samples of three have a peak at the cell of the truth, `exact` [n, 2] in 640ths."""
    samples = len(exact)
    numbers = bits(samples * GRID * GRID * 3).reshape(samples, GRID * GRID, 3)
    logits, offsets = numbers[..., 0] / 8192, numbers[..., 1:] / 65536
    cells = np.clip(np.floor(exact / 640 * GRID), 0, GRID - 1).astype(int)
    for row in range(samples):
        if row % 3:
            logits[row, cells[row, 0] * GRID + cells[row, 1]] += 9
    return logits, offsets


def rolled_figures(labels: Labels, fixes: np.ndarray, mode: str) -> dict:
    """Along and across the headings of panoramas that were rolled."""
    truth, side, metres, scored = truths_of(labels, mode)
    columns = np.array([heading_columns(NOISE, SEED, ground, WIDTH) for ground in labels.ground])
    away = (fixes * side - truth) * metres[:, None]
    return axis_figures(away[scored], columns[scored] * 360 / WIDTH)


def main() -> None:
    golden = {}
    for pairs in ("positives", "all"):
        labels = read_labels(ROOT / "tests" / "data" / "fixtures" / "vigor", "cross", "original", pairs, False)
        logits, offsets = made_outputs(truths_of(labels, "true")[0])
        for mode in ("reference", "true"):
            golden[f"{pairs} {mode}"] = figures_of(labels, logits, offsets, mode, DECODING, True)
            fixes = fixes_of(logits, offsets, DECODING.fix)
            golden[f"{pairs} {mode}"]["rolled"] = rolled_figures(labels, fixes, mode)
    folder = Path(__file__).parent / "golden"
    folder.mkdir(exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
