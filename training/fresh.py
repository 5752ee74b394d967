"""Worlds drawn while a run goes on, so that training never sees a pair more often than it must.

`crossfix world` renders the next world in the background; the run takes it when it is done, and the one after that is
begun. Which steps see which world depends on the machine's speed, so such a run cannot be repeated exactly.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from labels import DataError

FIRST_SEED = 1_000_000  # far from the seeds reserved for tests and from those that people type
SEEDS_PER_RUN = 1_000_000  # of a run's --seed


class FreshWorlds:
    """A folder of worlds, each made by `program` with the image sizes of the world in `like` and a seed of its own."""

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
        self.process: subprocess.Popen | None = None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.begin()

    @property
    def world(self) -> Path:
        """The world under way."""
        return self.folder / f"world-{self.seed}"

    def begin(self) -> None:
        command = [self.program, "world", "--out", self.world, "--seed", self.seed, *self.options]
        try:
            with open(self.folder / "messages.txt", "w", encoding="utf-8") as messages:
                self.process = subprocess.Popen(list(map(str, command)), stdout=messages, stderr=messages)
        except OSError as error:
            raise DataError(f"--fresh: {error}") from error

    def take(self) -> Path | None:
        """The next world, if it is done; then the one after it is begun. The taker deletes what it has done with."""
        status = self.process.poll()
        if status is None:
            return None
        if status != 0:
            raise DataError(f"--fresh: {self.program} world failed: {(self.folder / 'messages.txt').read_text().strip()}")
        done = self.world
        self.seed += 1
        self.begin()
        return done

    def close(self) -> None:
        """Stops the renderer; its folder goes."""
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def first_seed(run: int, rank: int, step: int) -> int:
    """The seed to begin with: runs, and the processes of a run, have seeds of their own; so has a run that goes on."""
    return FIRST_SEED + run * SEEDS_PER_RUN + rank * (SEEDS_PER_RUN // 64) + step % (SEEDS_PER_RUN // 64)
