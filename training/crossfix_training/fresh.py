"""Worlds that are rendered during a run, so that training sees pairs no more often than necessary.

`crossfix world` renders the next world in the background. The run takes it when it is done, and the program begins the
one after it. Which steps see which world depends on the speed of the machine, so such a run cannot be repeated exactly.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from crossfix_training.labels import DataError

FIRST_SEED = 1_000_000  # far from the seeds reserved for tests, and from those that people type
SEEDS_PER_RUN = 1_000_000  # for each value of --seed


class FreshWorlds:
    """A folder of worlds. `program` makes each with its own seed, and with the image sizes of the world in `like`."""

    def __init__(self, program: Path, like: Path, folder: Path, seed: int, panoramas: int) -> None:
        self.program, self.folder, self.seed = program, folder, seed
        description = like / "world.json"
        try:
            world = json.loads(description.read_text())
            width, height = reversed(world["panorama_size"])
            sizes = ["--tile-size", str(world["tile_size"]), "--panorama-size", f"{width}x{height}"]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{description}: fresh worlds take their image sizes from it, and it cannot be read ({error})") from error
        self.options = [*sizes, "--cities", str(max(1, panoramas // 500)), "--panoramas", str(panoramas), "--device", "auto"]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.process = self.begin()

    @property
    def world(self) -> Path:
        """The world that is being rendered."""
        return self.folder / f"world-{self.seed}"

    def begin(self) -> subprocess.Popen:
        command = [self.program, "world", "--out", self.world, "--seed", self.seed, *self.options]
        try:
            with open(self.folder / "messages.txt", "w", encoding="utf-8") as messages:
                return subprocess.Popen(list(map(str, command)), stdout=messages, stderr=messages)
        except OSError as error:
            raise DataError(f"--fresh: {error}") from error

    def take(self) -> Path | None:
        """The next world, if it is done; then the one after it is begun. The caller deletes the world when it no longer
        needs it."""
        status = self.process.poll()
        if status is None:
            return None
        if status != 0:
            raise DataError(f"--fresh: {self.program} world failed: {(self.folder / 'messages.txt').read_text().strip()}")
        done = self.world
        self.seed += 1
        self.process = self.begin()
        return done

    def close(self) -> None:
        """Stops the renderer and removes its folder."""
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def first_seed(run: int, rank: int, step: int) -> int:
    """The first seed. Each run, each process of a run, and each continued run has seeds of its own."""
    return FIRST_SEED + run * SEEDS_PER_RUN + rank * (SEEDS_PER_RUN // 64) + step % (SEEDS_PER_RUN // 64)
