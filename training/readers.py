"""Writes a list of pairs of a published data set, or of a list of one's own, that `crossfix locate --pairs` and
`training/train.py --list` read. Layouts: docs/training.md, and the modules kitti, cvact and cvusa.

Published tiles are centred on the camera: --crop METRES cuts each at random about it. The crops go to a folder
beside the list, and so do the camera files of images that are no whole panoramas.

Examples:
    python3 training/readers.py --kind kitti --root KITTI --split test1 --out build/kitti/test1.csv --crop 72 --turn
    python3 training/readers.py --kind csv --root FOLDER --split test --out build/own/test.csv --crop 72 --crops 4
Exit codes: 2 wrong usage, 3 the data cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from crossfix_training import cvact, cvusa, kitti
from crossfix_training.labels import DataError
from crossfix_training.pairs import Pair, cropped, read_list, write_list

KINDS = {"kitti": kitti, "cvact": cvact, "cvusa": cvusa}
LIST = "pairs.csv"  # of --kind csv, if --root is a folder


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--kind", choices=(*KINDS, "csv"), required=True)
    add("--root", type=Path, required=True, metavar="FOLDER", help=f"the data; of csv: a list, or a folder with {LIST}")
    add("--split", metavar="S", help="of kitti: train, test1, test2; cvact: train, val, test; cvusa: train, val; csv: a value of its column split")
    add("--out", type=Path, required=True, metavar="LIST.csv")
    add("--crop", type=float, metavar="METRES", help="cut each tile to this side, at random about the camera")
    add("--crops", type=int, default=1, metavar="N", help="crops of a tile (default: 1)")
    add("--seed", type=int, default=0, metavar="S", help="of the crops (default: 0)")
    add("--turn", action="store_true", help="turn each crop so that the camera looks to its upper edge, for weights of pinhole images")
    add("--bare", action="store_true", help="leave the cameras out of the list, for weights that know a single camera, such as those of train.py")
    add("--gsd", type=float, metavar="METRES", help="a tile's metres per pixel, instead of the published scale")
    options = parser.parse_args()
    if options.kind != "csv" and options.split not in KINDS[options.kind].SPLITS:
        parser.error(f"--split of {options.kind} is one of {', '.join(KINDS[options.kind].SPLITS)}")
    if options.crop is None and (options.crops != 1 or options.turn):
        parser.error("--crops and --turn go with --crop METRES")
    if options.crops < 1 or (options.crop is not None and not options.crop > 0):
        parser.error("--crops starts at 1, and --crop is above 0")
    if options.gsd is not None and not options.gsd > 0:
        parser.error("--gsd is above 0")
    return options


def read(options: argparse.Namespace) -> list[Pair]:
    if options.kind != "csv":
        return KINDS[options.kind].read(options.root, options.split, options.gsd)
    path = options.root / LIST if options.root.is_dir() else options.root
    if path.resolve() == options.out.resolve():
        raise DataError(f"{path}: is --out too; write to another file")
    return read_list(path, options.split, options.gsd)


def main() -> int:
    options = arguments()
    try:
        pairs: Iterable[Pair] = read(options)
        if options.crop:
            folder = options.out.parent / f"{options.out.stem}-tiles"
            pairs = cropped(pairs, folder, options.crop, options.crops, options.seed, options.turn)
        if options.bare:
            pairs = (replace(pair, camera=None) for pair in pairs)
        count = write_list(pairs, options.out)
    except (DataError, OSError) as error:
        print(f"readers: {error}", file=sys.stderr)
        return 3
    print(f"{options.out}: {count} pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
