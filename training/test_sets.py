"""Makes the frozen test sets of the synthetic world and checks that they are the frozen ones.

training/test_sets.json describes them: seeds, cities, sizes, and the checksums of the labels and of the images. What it
says of a set was written before any weights were evaluated on it, and does not change. A set with views also has the
cameras that its panoramas are to be drawn for, and checksums of these files and of the draws. Needs only Python and the
built program; views need NumPy.

Example:
    python3 training/test_sets.py --out build/test-sets
Exit codes: 2 wrong usage, 3 the program failed, or a set is not the frozen one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

from crossfix_training.atomic_file import whole_file
from crossfix_training.labels import DataError, cities_of, label_file

FROZEN = Path(__file__).with_name("test_sets.json")


def checksum(root: Path, files: list[Path]) -> str:
    """SHA-256 over the lines `SHA-256 of the file, two spaces, its path under root`, sorted by path."""
    whole = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.relative_to(root).as_posix()):
        own = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{own}  {path.relative_to(root).as_posix()}\n".encode())
    return whole.hexdigest()


def measure(root: Path, split: str) -> dict[str, int | str]:
    """What identifies a set: the pairs in the label files of its split, and checksums of the labels and of the images.
    """
    cities = cities_of(root)
    labels = [label_file(root, city, split) for city in cities]
    images = [path for city in cities for path in (root / city).rglob("*") if path.is_file()]
    return {
        "panoramas_in_split": sum(len(path.read_text().splitlines()) for path in labels),
        "labels_sha256": checksum(root, labels),
        "images_sha256": checksum(root, images),
    }


def draws_checksum(root: Path, split: str, views: dict, tilt: float) -> str:
    """SHA-256 over the lines `name heading pitch roll`, degrees to nine decimals, of the panoramas of a split: sorted by
    city, then as labelled.
    """
    from crossfix_training.views import draws  # needs NumPy

    whole = hashlib.sha256()
    for city in cities_of(root):
        for line in label_file(root, city, split).read_text().splitlines():
            name = f"{city}/panorama/{line.split()[0]}"
            drawn = draws(name, views["seed"], tilt, views["heading_noise"])
            whole.update(" ".join([name, *(f"{value:.9f}" for value in drawn)]).encode() + b"\n")
    return whole.hexdigest()


def measure_views(root: Path, split: str, views: dict) -> dict[str, dict[str, str]]:
    """What identifies the views of a set: checksums of the cameras' files and, by tilt, of the draws."""
    folder = FROZEN.parent
    return {
        "cameras": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in views["cameras"]},
        "tilts": {tilt: draws_checksum(root, split, views, float(tilt)) for tilt in views["tilts"]},
    }


def command(program: Path, frozen: dict, options: dict, out: Path) -> list[str]:
    """The command that writes a set."""
    words = [str(program), "world", "--out", str(out)]
    for name in ("tile_size", "panorama_size"):  # a set may have its own
        words += [f"--{name.replace('_', '-')}", str(options.get(name, frozen[name]))]
    for name in ("seed", "cities", "panoramas"):
        words += [f"--{name}", str(options[name])]
    return words + (["--held-out-only"] if options["held_out_only"] else [])


def compare(root: Path, frozen: dict, found: dict, freeze: bool) -> None:
    """Compares what was found with what is frozen, or freezes it."""
    if freeze:
        frozen.update(found)
    for key, value in found.items():
        if frozen.get(key) != value:
            raise DataError(f"{root}: {key} is {value}, frozen was {frozen.get(key)}: not the frozen set")


def make(name: str, frozen: dict, program: Path, folder: Path, freeze: bool) -> None:
    """Writes a set if it is missing, and compares it with the frozen one."""
    options = frozen["sets"][name]
    root = folder / name
    if not root.is_dir():
        print(f"{name}: rendering", flush=True)
        if subprocess.run(command(program, frozen, options, root), check=False).returncode != 0:
            raise DataError(f"{name}: {program} world failed")
    version = json.loads((root / "world.json").read_text())["generator_version"]
    if version != frozen["generator_version"]:
        raise DataError(f"{root}: made by version {version} of the world, not {frozen['generator_version']}")
    found = measure(root, options["split"])
    compare(root, options, found, freeze)
    if "views" in options:
        for kind, sums in measure_views(root, options["split"], options["views"]).items():
            compare(root, options["views"][kind], sums, freeze)
    print(f"{name}: {found['panoramas_in_split']} panoramas in {options['split']}, as frozen, in {root}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the sets, made where it is missing")
    parser.add_argument("--program", type=Path, default=Path("build/bin/crossfix"), help="default: build/bin/crossfix")
    parser.add_argument("--set", help="one of the sets alone")
    parser.add_argument("--freeze", action="store_true", help="write the checksums down, where there are none yet")
    options = parser.parse_args()
    frozen = json.loads(FROZEN.read_text())
    names = [options.set] if options.set else list(frozen["sets"])
    try:
        if options.set and options.set not in frozen["sets"]:
            raise DataError(f"--set {options.set}: expected one of {', '.join(frozen['sets'])}")
        if options.freeze and any("images_sha256" in frozen["sets"][name] for name in names):
            raise DataError(f"{FROZEN}: the sets are frozen already")
        options.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            make(name, frozen, options.program, options.out, options.freeze)
        if options.freeze:
            with whole_file(FROZEN) as file:
                file.write_text(json.dumps(frozen, indent=2) + "\n")
    except (DataError, OSError, ImportError) as error:
        print(f"test_sets: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
