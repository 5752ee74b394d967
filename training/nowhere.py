"""Fits how `Fix::nowhere` follows from an answer's evidence, and writes it to a weights file.

Takes folders that `crossfix evaluate --wrong-pairs --out DIR` wrote. The fit is a logistic function of the evidence, 0
for right pairs and 1 for wrong ones: by Newton's method, on standardised values, with a small penalty on the squares of
the weights. Right and wrong pairs weigh the same, and so do the folders. Prints the coefficients, and for each folder
the area under the curve and the shares called not here, by cross-validation over ground images. `--wrong-share` is
the share of wrong pairs that the result is for: it moves the bias. Needs only NumPy.

Example:
    python training/nowhere.py --results build/wrong-photo build/wrong-panorama --use peak standout seen \
        --weights models/crossfix-ground.safetensors --out build/ground.safetensors
Exit codes: 2 wrong usage, 3 input.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossfix_training.atomic_file import whole_file
from crossfix_training.config import METADATA_KEY
from protocol import DataError, area_under, read_results

EVIDENCE = ("peak", "standout", "deviation", "share", "seen")
PENALTY = 1e-3  # on half the sum of the squared weights, beside the mean loss in nats
FOLDS = 5
STEEPEST = 1e4  # of a weight or the bias, either way: what a weights file may hold
ALIGNMENT = 8  # bytes: where a safetensors file's data begins


@dataclass
class Pairs:
    """Evidence [n, 5], which pairs are wrong [n], their ground images' names [n] and their folder [n]."""

    evidence: np.ndarray
    wrong: np.ndarray
    ground: np.ndarray
    folder: np.ndarray

    def part(self, rows: np.ndarray) -> Pairs:
        return Pairs(self.evidence[rows], self.wrong[rows], self.ground[rows], self.folder[rows])

    def shares(self) -> np.ndarray:
        """The weight [n] of each pair: each folder's sum to one, half of it for its wrong pairs."""
        weights = np.zeros(len(self.wrong))
        for folder in np.unique(self.folder):
            for wrong in (False, True):
                rows = (self.folder == folder) & (self.wrong == wrong)
                if not rows.any():
                    raise DataError("a folder, or a part of it, has no right or no wrong pairs")
                weights[rows] = 0.5 / rows.sum()
        return weights


def read_pairs(folders: list[Path]) -> Pairs:
    """The pairs whose camera stands in the tile, and the wrong ones. Images that show nothing count as 1 by themselves,
    so pairs without evidence of their own are left out.
    """
    evidence, wrong, ground, of = [], [], [], []
    for number, folder in enumerate(folders):
        found = {False: 0, True: 0}
        for sample in read_results(folder / "samples.jsonl"):
            is_wrong = bool(sample.get("wrong"))
            if "evidence" not in sample or not (is_wrong or "true" in sample):
                continue
            values = [sample["evidence"][name] for name in EVIDENCE]
            if None in values or not any(values[:-1]):
                continue
            found[is_wrong] += 1
            evidence.append(values)
            wrong.append(is_wrong)
            ground.append(sample["ground"])
            of.append(number)
        if not all(found.values()):
            counts = f"{found[False]} right and {found[True]} wrong pairs"
            raise DataError(f"{folder}: {counts}; run evaluate with --wrong-pairs")
    return Pairs(np.array(evidence, float), np.array(wrong), np.array(ground), np.array(of))


def logistic(sums: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(sums, -500, 500)))


def fitted(pairs: Pairs, use: list[str]) -> tuple[float, np.ndarray]:
    """(bias, weights [5]) of the logistic function; evidence that is not in `use`, or does not vary, has weight 0."""
    shares = pairs.shares() / pairs.shares().sum()
    mean = shares @ pairs.evidence
    deviation = np.sqrt(shares @ (pairs.evidence - mean) ** 2)
    used = [i for i, name in enumerate(EVIDENCE) if name in use and deviation[i] > 1e-9 * (1 + abs(mean[i]))]
    values = np.column_stack([np.ones(len(shares)), (pairs.evidence[:, used] - mean[used]) / deviation[used]])
    target = pairs.wrong.astype(float)
    penalty = PENALTY * np.diag([0.0] + [1.0] * len(used))

    def loss(at: np.ndarray) -> float:
        sums = values @ at
        return float(shares @ (np.logaddexp(0, sums) - target * sums) + at @ penalty @ at / 2)

    coefficients = np.zeros(1 + len(used))
    for _ in range(100):
        probability = logistic(values @ coefficients)
        gradient = values.T @ (shares * (probability - target)) + penalty @ coefficients
        curvature = (values.T * (shares * probability * (1 - probability))) @ values + penalty
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while loss(coefficients - size * step) > loss(coefficients) and size > 1e-6:
            size /= 2
        coefficients -= size * step
        if np.abs(size * step).max() < 1e-10:
            break
    weights = np.zeros(len(EVIDENCE))
    weights[used] = coefficients[1:] / deviation[used]
    return float(coefficients[0] - weights @ mean), weights


def nowhere_of(pairs: Pairs, bias: float, weights: np.ndarray) -> np.ndarray:
    return logistic(bias + pairs.evidence @ weights)


def cross_validated(pairs: Pairs, use: list[str]) -> np.ndarray:
    """`nowhere` [n] of each pair, by a fit to the ground images of the other folds."""
    names = np.unique(pairs.ground)
    fold_of = dict(zip(np.random.RandomState(0).permutation(names), np.arange(len(names)) % FOLDS))
    fold = np.array([fold_of[name] for name in pairs.ground])
    result = np.zeros(len(fold))
    for held in range(FOLDS):
        rows = fold == held
        result[rows] = nowhere_of(pairs.part(rows), *fitted(pairs.part(~rows), use))
    return result


def with_nowhere(content: bytes, nowhere: dict[str, float]) -> bytes:
    """A weights file with this field in its configuration; the rest of the configuration and the tensors are as they
    were, byte for byte.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    text = header.setdefault("__metadata__", {}).get(METADATA_KEY, "{}")
    before = json.loads(text)
    field = f'"nowhere":{json.dumps(nowhere, separators=(",", ":"))}'
    # Within strings a quotation mark has a backslash before it, and the field's object holds numbers alone.
    changed, count = re.subn(r'"nowhere"\s*:\s*\{[^{}]*\}', field, text)
    if count == 0:
        changed = text.rstrip()[:-1] + ("," if before else "") + field + "}"
    if json.loads(changed) != {**before, "nowhere": nowhere}:
        raise DataError("the configuration of the weights is not what this program can change")
    header["__metadata__"][METADATA_KEY] = changed
    written = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    written += b" " * (-len(written) % ALIGNMENT)
    return len(written).to_bytes(8, "little") + written + content[8 + length :]


def prior_of(wrong_share: float) -> float:
    """What the bias moves by if so many pairs are wrong, instead of half of them."""
    return float(np.log(wrong_share / (1 - wrong_share)))


def report(pairs: Pairs, folders: list[Path], use: list[str], wrong_share: float) -> float:
    """Prints a row for each folder; the mean of their areas."""
    sums = np.clip(cross_validated(pairs, use), 1e-300, 1 - 1e-16)
    nowhere = logistic(np.log(sums / (1 - sums)) + prior_of(wrong_share))
    areas = []
    print(f"{'by cross-validation':<40} right  wrong   area  not here, %: right  wrong")
    for number, folder in enumerate(folders):
        right, wrong = (nowhere[(pairs.folder == number) & (pairs.wrong == kind)] for kind in (False, True))
        called = [100 * (part >= 0.5).mean() for part in (right, wrong)]
        areas.append(area_under(right, wrong))
        print(
            f"{folder!s:<40} {len(right):5} {len(wrong):6}  {areas[-1]:.3f} {called[0]:19.1f} {called[1]:6.1f}"
        )
    return float(np.mean(areas))


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, nargs="+", required=True, help="folders of evaluate --wrong-pairs --out")
    parser.add_argument("--use", nargs="+", choices=EVIDENCE, default=list(EVIDENCE), help="evidence (default: all)")
    parser.add_argument("--wrong-share", type=float, default=0.5, help="share of wrong pairs assumed (default: 0.5)")
    parser.add_argument("--weights", type=Path, help="weights file to take")
    parser.add_argument("--out", type=Path, help="weights file to write: the same with the fitted function")
    options = parser.parse_args(words)
    if (options.weights is None) != (options.out is None):
        parser.error("--weights and --out go together")
    if not 0.001 <= options.wrong_share <= 0.999:
        parser.error("--wrong-share is from 0.001 to 0.999")
    return options


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    try:
        pairs = read_pairs(options.results)
        bias, weights = fitted(pairs, options.use)
        bias += prior_of(options.wrong_share)
        nowhere = {name: float(f"{value:.6g}") for name, value in zip(("bias", *EVIDENCE), (bias, *weights))}
        if max(abs(value) for value in nowhere.values()) > STEEPEST:
            raise DataError(f"a coefficient is beyond {STEEPEST:g}: {nowhere}")
        nowhere["wrong_share"] = options.wrong_share
        nowhere["area"] = round(report(pairs, options.results, options.use, options.wrong_share), 3)
        print(json.dumps(nowhere))
        if options.out:
            content = with_nowhere(options.weights.read_bytes(), nowhere)
            with whole_file(options.out) as file:
                file.write_bytes(content)
    except (DataError, OSError, KeyError, ValueError) as error:
        print(f"nowhere: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
