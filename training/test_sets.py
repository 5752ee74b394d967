"""Makes the frozen test sets of the synthetic world and checks that they are the frozen ones.

training/test_sets.json describes them: seeds, cities, sizes, and the checksums of the labels and of the images. It was
written before any network was trained on this version of the world, and does not change. Needs only Python and the
built program.

Example:
    python3 training/test_sets.py --out build/test-sets
Exit codes: 2 wrong usage, 3 the program failed, or a set is not the frozen one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from labels import DataError, cities_of, label_file

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


def command(program: Path, frozen: dict, options: dict, out: Path) -> list[str]:
    """The command that writes a set."""
    words = [str(program), "world", "--out", str(out)]
    words += ["--tile-size", str(frozen["tile_size"]), "--panorama-size", frozen["panorama_size"]]
    for name in ("seed", "cities", "panoramas"):
        words += [f"--{name}", str(options[name])]
    return words + (["--held-out-only"] if options["held_out_only"] else [])


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
    if freeze:
        options.update(found)
    for key, value in found.items():
        if options.get(key) != value:
            raise DataError(f"{root}: {key} is {value}, frozen was {options.get(key)}: not the frozen set")
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
            partial = FROZEN.with_suffix(".partial")
            partial.write_text(json.dumps(frozen, indent=2) + "\n")
            os.replace(partial, FROZEN)
    except (DataError, OSError) as error:
        print(f"test_sets: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
