"""The published evaluation protocol and its corrections in NumPy, independent of the program's own code.

Takes raw network outputs (`crossfix evaluate --dump`: `logits` [samples, cells] and `offsets`
[samples, cells, 2], in the data set's order) and prints the figures of both modes as JSON.

Example:
    python training/protocol.py --root build/world --world --pairs all --raw raw.safetensors
Exit codes: 2 wrong usage, 3 input.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from crossfix_training.counter import uniform

METRES = {"NewYork": 0.113248, "Seattle": 0.100817, "SanFrancisco": 0.118141, "Chicago": 0.111262}
CITIES = {
    ("same", "test"): ("NewYork", "Seattle", "SanFrancisco", "Chicago"),
    ("cross", "test"): ("SanFrancisco", "Chicago"),
}
LISTS = {"same": "same_area_balanced_test", "cross": "pano_label_balanced"}
BATCH = 4  # of the reference's loader, which drops an incomplete last batch
DRAWS, SEED = 1000, 42  # of the bootstrap
PLACE_SIDE = 0.5  # cells: side of the square that the mass of a cell lies over


class DataError(Exception):
    """The input cannot be used; the message is one line."""


@dataclass
class Labels:
    """Test pairs in the order of the data set, the tiles of a panorama one after the other.

    `delta` [n, 2] is (row, col) as labelled, `metres` [n] a tile pixel's, `panorama` [n] counts panoramas
    through all cities, `panoramas` says how many there are, `city` [n] counts cities, `ground` [n] is the
    panorama's name as the program has it, CITY/panorama/NAME.
    """

    delta: np.ndarray
    metres: np.ndarray
    panorama: np.ndarray
    panoramas: int
    city: np.ndarray
    ground: list[str] = field(default_factory=list)


def read_labels(root: Path, area: str, label_set: str, pairs: str, world: bool) -> Labels:
    """`label_set` is original or corrected."""
    scales = dict(METRES)
    cities = CITIES[area, "test"]
    if world:
        description = json.loads((root / "world.json").read_text())
        scales = {city["name"]: city["metres_per_pixel"] for city in description["cities"]}
        cities = tuple(scales)
    folder, suffix = ("splits__corrected", "__corrected") if label_set == "corrected" else ("splits", "")
    tiles = 4 if pairs == "all" else 1
    delta, metres, panorama, number, ground = [], [], [], [], []
    panoramas = 0
    for index, city in enumerate(cities):
        path = root / folder / city / f"{LISTS[area]}{suffix}.txt"
        for line in path.read_text().split("\n"):
            fields = line.split()
            if not fields:
                continue
            if len(fields) != 13:
                raise DataError(f"{path}: a line of {len(fields)} fields")
            for tile in range(tiles):
                delta.append([float(fields[2 + 3 * tile]), float(fields[3 + 3 * tile])])
                metres.append(scales[city])
                panorama.append(panoramas)
                number.append(index)
                ground.append(f"{city}/panorama/{fields[0]}")
            panoramas += 1
    return Labels(np.array(delta), np.array(metres), np.array(panorama), panoramas, np.array(number), ground)


def heading_columns(degrees: float, seed: int, ground: str, width: int) -> int:
    """What the centre column of a panorama looks at under `crossfix evaluate --heading-noise`, columns
    clockwise from north: even within `degrees` to either side, rounded to a column, halves away from zero.
    """
    if degrees == 0:
        return 0
    columns = float(uniform(f"heading {seed} {ground}", (1,))[0]) * degrees / 360 * width
    return int(math.copysign(math.floor(abs(columns) + 0.5), columns))


@dataclass(frozen=True)
class Decoding:
    """How raw outputs become fixes and posteriors, as the configuration of a weights file says."""

    temperature: float = 1.0
    fix: str = "best_cell"


def fixes_of(logits: np.ndarray, offsets: np.ndarray, rule: str) -> np.ndarray:
    """(row, col) [n, 2] of the fix as shares of the tile's side, by the configuration's `fix`."""
    samples, cells = logits.shape
    grid = math.isqrt(cells)
    fixes = np.empty((samples, 2))
    for i, (scores, shifts) in enumerate(zip(logits.astype(np.float64), offsets.astype(np.float64))):
        row, col = divmod(int(scores.argmax()), grid)
        reach = 1 if rule == "neighbourhood" else 0
        rows = range(max(row - reach, 0), min(row + reach, grid - 1) + 1)
        cols = range(max(col - reach, 0), min(col + reach, grid - 1) + 1)
        near = [(r, c) for r in rows for c in cols]
        weights = np.exp([scores[r * grid + c] - scores.max() for r, c in near])
        fixes[i] = np.average([shifts[r * grid + c] + (r, c) for r, c in near], axis=0, weights=weights)
    return fixes / grid


def truths_of(labels: Labels, mode: str) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Truth [n, 2] in a frame, the frame's side, metres a pixel of it [n], which samples are scored [n]."""
    if mode == "reference":
        rounded = np.round(labels.delta / 640 * 256)
        truth = np.stack([127 + rounded[:, 0], 127 - rounded[:, 1]], axis=1)
        scored = labels.panorama < labels.panoramas // BATCH * BATCH
        return truth, 256.0, np.full(len(truth), 0.285), scored
    truth = np.stack([320 + labels.delta[:, 0], 320 - labels.delta[:, 1]], axis=1)
    return truth, 640.0, labels.metres, np.abs(labels.delta).max(axis=1) < 320


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max())
    return powers / powers.sum()


def places_of(offsets: np.ndarray) -> np.ndarray:
    """The position that each cell gives, (row, col) in cells [cells, 2], from `offsets` [cells, 2]."""
    grid = math.isqrt(len(offsets))
    return np.stack(np.divmod(np.arange(grid * grid), grid), axis=1) + offsets.astype(np.float64)


def mass_within(
    probability: np.ndarray, places: np.ndarray, centre: np.ndarray, radius: float, slices: int = 2000
) -> float:
    """Mass of `probability` [cells] within `radius` cells of `centre`. The mass of each cell lies evenly over a square
    of side PLACE_SIDE about its position [cells, 2]; computed by thin slices of the squares.
    """
    steps = ((np.arange(slices) + 0.5) / slices - 0.5) * PLACE_SIDE
    rows, cols = (places - centre).T
    half = np.sqrt(np.maximum(radius**2 - (cols[:, None] + steps) ** 2, 0))
    low, high = rows[:, None] - PLACE_SIDE / 2, rows[:, None] + PLACE_SIDE / 2
    chord = np.maximum(np.minimum(half, high) - np.maximum(-half, low), 0)
    return float((probability * chord.mean(axis=1) / PLACE_SIDE).sum())


def radius_of(probability: np.ndarray, places: np.ndarray, centre: np.ndarray, share: float = 0.68) -> float:
    low, high = 0.0, np.hypot(*(np.abs(places - centre).max(axis=0) + PLACE_SIDE))
    for _ in range(40):
        middle = (low + high) / 2
        inside = mass_within(probability, places, centre, middle, 500)
        low, high = (middle, high) if inside < share else (low, middle)
    return high


def bootstrap(values: np.ndarray, clusters: np.ndarray, figure) -> list[float]:
    """95 % interval of `figure`, drawing clusters. The members of a cluster are neighbours."""
    starts = np.flatnonzero(np.r_[True, clusters[1:] != clusters[:-1]])
    members = np.split(values, starts[1:])
    generator = np.random.RandomState(SEED)
    drawn = []
    for _ in range(DRAWS):
        bits = generator.randint(0, 2**32, size=len(members), dtype=np.uint32).astype(np.uint64)
        picks = (bits * np.uint64(len(members))) >> np.uint64(32)
        drawn.append(figure(np.concatenate([members[int(pick)] for pick in picks])))
    return np.percentile(drawn, [2.5, 97.5]).tolist()


def axis_figures(away: np.ndarray, headings: np.ndarray) -> dict:
    """Of errors (down, right) [n, 2] in the tile, metres, along and across `headings` [n], degrees clockwise
    from the tile's upper edge.
    """
    east, north, angle = away[:, 1], -away[:, 0], np.radians(headings)
    along = np.abs(north * np.cos(angle) + east * np.sin(angle))
    across = np.abs(east * np.cos(angle) - north * np.sin(angle))
    figures = {"longitudinal": along.mean(), "lateral_median": np.median(across)}
    for name, errors in (("longitudinal", along), ("lateral", across)):
        figures[f"{name}_within"] = [(errors <= metre).mean() for metre in (1, 3, 5)]
    return figures


def figures_of(
    labels: Labels,
    logits: np.ndarray,
    offsets: np.ndarray,
    mode: str,
    decoding: Decoding,
    full: bool,
    headings: np.ndarray | None = None,
) -> dict:
    """Mean and median, metres; with `full` all other figures, which take longer. `headings` [n], degrees, are
    what the panoramas' centres look at; north where absent.
    """
    truth, side, metres, scored = truths_of(labels, mode)
    fixes = fixes_of(logits, offsets, decoding.fix)
    away = (fixes * side - truth)[scored]
    pixels = np.sqrt((away**2).sum(axis=1))
    errors, clusters = pixels * metres[scored], labels.panorama[scored]
    figures = {"count": len(errors), "mean": errors.mean(), "median": np.median(errors)}
    by_city = [errors[labels.city[scored] == city] for city in np.unique(labels.city[scored])]
    figures["city_means"] = [part.mean() for part in by_city]
    figures["over_cities"] = [np.mean(figures["city_means"]), np.std(figures["city_means"])]
    if not full:
        return figures
    figures["mean_interval"] = bootstrap(errors, clusters, np.mean)
    figures["median_interval"] = bootstrap(errors, clusters, np.median)
    for metre in (1, 3, 5):
        figures[f"within_{metre}m"] = (errors <= metre).mean()
    within = pixels <= 0.05 * side
    figures["within_5_percent"] = within.mean()
    figures["within_5_percent_interval"] = bootstrap(within, clusters, np.mean)
    angles = np.zeros(len(errors)) if headings is None else headings[scored]
    figures |= axis_figures(away * metres[scored][:, None], angles)

    grid = math.isqrt(logits.shape[1])
    radius_list, level_list, nll = [], [], []
    for row in np.flatnonzero(scored):
        probability, places = softmax(logits[row], decoding.temperature), places_of(offsets[row])
        place, cell = fixes[row] * grid, truth[row] / side * grid
        tile = side * metres[row]
        radius_list.append(radius_of(probability, places, place) / grid * tile)
        level_list.append(mass_within(probability, places, place, np.hypot(*(cell - place))))
        if (cell >= 0).all() and (cell < grid).all():
            at = int(cell[0]) * grid + int(cell[1])
            nll.append(-np.log(probability[at] / (tile / grid) ** 2))
    radii, levels = np.array(radius_list), np.array(level_list)
    order = np.argsort(radii, kind="stable")
    covered = errors <= radii
    figures["coverage"] = covered.mean()
    bounds = [len(order) * i // 5 for i in range(6)]
    figures["fifths"] = [covered[order[a:b]].mean() for a, b in itertools.pairwise(bounds)]
    figures["radii"] = [radii.min(), np.median(radii), radii.max()]
    figures["reliability"] = [(levels <= i / 20).mean() for i in range(1, 20)]
    kept = [-(-len(order) * i // 20) for i in range(1, 21)]
    figures["risk_mean"] = [errors[order[:count]].mean() for count in kept]
    figures["risk_median"] = [np.median(errors[order[:count]]) for count in kept]
    figures["nll"] = [len(nll), np.mean(nll)]
    return figures


def read_results(path: Path) -> list[dict]:
    """The samples of a `samples.jsonl`, without its header."""
    with open(path) as file:
        return [json.loads(line) for line in file][1:]


def area_under(right: np.ndarray, wrong: np.ndarray) -> float:
    """How probable it is that a value of `wrong` is above one of `right`, where equal ones count half (Mann-Whitney).
    NaN if either has none.
    """
    if len(right) == 0 or len(wrong) == 0:
        return math.nan
    ordered = np.sort(right)
    below = np.searchsorted(ordered, wrong, "left") + np.searchsorted(ordered, wrong, "right")
    return float(below.mean() / 2 / len(right))


def nowhere_figures(samples: list[dict], sides: dict[str, float], mode: str) -> dict:
    """How wrong pairs are told from right ones by a run of `crossfix evaluate --wrong-pairs`. `samples` are as
    `read_results` gives them, `sides` the metres of a tile's side by city or run in the mode's scale.
    """
    judged = [s for s in samples if "nowhere" in s and (s.get("wrong") or ("true" in s and mode in s))]
    wrong = np.array([s.get("wrong", False) for s in judged], bool)
    nowhere = np.array([s["nowhere"] for s in judged])
    radii = np.array([s["radius68"] * sides[s["group"]] for s in judged])
    numbers: dict[str, int] = {}
    image = np.array([numbers.setdefault(s["ground"], len(numbers)) for s in judged])
    called = nowhere >= 0.5
    drawn = []
    generator = np.random.RandomState(SEED)
    for _ in range(DRAWS):
        bits = generator.randint(0, 2**32, size=len(numbers), dtype=np.uint32).astype(np.uint64)
        picks = (bits * np.uint64(len(numbers))) >> np.uint64(32)
        times = np.bincount(picks.astype(int), minlength=len(numbers))[image]
        drawn.append(area_under(*(np.repeat(nowhere[part], times[part]) for part in (~wrong, wrong))))
    return {
        "right": int((~wrong).sum()),
        "wrong": int(wrong.sum()),
        "area": area_under(nowhere[~wrong], nowhere[wrong]),
        "area_interval": np.nanpercentile(drawn, [2.5, 97.5]).tolist(),
        "right_not_here": float(called[~wrong].mean()),
        "wrong_not_here": float(called[wrong].mean()),
        "wrong_small_radius": float((~called & (radii < 5))[wrong].mean()),
    }


def read_raw(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """`logits` and `offsets` from a safetensors file."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header, arrays = json.loads(content[8:start]), []
    for name in ("logits", "offsets"):
        if name not in header or header[name]["dtype"] != "F32":
            raise DataError(f"{path}: no f32 tensor `{name}`")
        begin, end = header[name]["data_offsets"]
        data = np.frombuffer(content[start + begin : start + end], np.float32)
        arrays.append(data.reshape(header[name]["shape"]))
    return arrays[0], arrays[1]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--world", action="store_true", help="a synthetic world, not VIGOR")
    parser.add_argument("--area", choices=("same", "cross"), default="same")
    parser.add_argument("--labels", choices=("original", "corrected"), default="original")
    parser.add_argument("--pairs", choices=("positives", "all"), default="positives")
    parser.add_argument("--raw", type=Path, required=True, help="what crossfix evaluate --dump wrote")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--fix", choices=("best_cell", "neighbourhood"), default="best_cell", help="as the weights say")
    parser.add_argument("--full", action="store_true", help="all figures, not only means and medians")
    options = parser.parse_args()
    try:
        labels = read_labels(options.root, options.area, options.labels, options.pairs, options.world)
        logits, offsets = read_raw(options.raw)
        if len(logits) != len(labels.delta):
            raise DataError(f"{options.raw}: {len(logits)} rows for {len(labels.delta)} samples")
        figures = {
            mode: figures_of(labels, logits, offsets, mode, Decoding(options.temperature, options.fix), options.full)
            for mode in ("reference", "true")
        }
    except (DataError, OSError, KeyError, ValueError) as error:
        print(f"protocol: {error}", file=sys.stderr)
        return 3
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
