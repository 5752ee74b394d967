"""Makes a tiny VIGOR-layout folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Eight panoramas of noise in one city, 160 m apart, each with a positive and tiles that miss it."""
    root = tmp_path / "world"
    rng = np.random.default_rng(0)
    for folder in ("panorama", "satellite"):
        (root / "Town" / folder).mkdir(parents=True)
    (root / "splits" / "Town").mkdir(parents=True)
    lines = []
    for i in range(8):
        latitude = 40 + i * 160 / 111_320
        panorama, tile = f"p{i},{latitude:.6f},-74.000000,.jpg", f"satellite_{latitude:.6f}_-74.0.png"
        for name, folder, size in ((panorama, "panorama", (64, 128)), (tile, "satellite", (64, 64))):
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "Town" / folder / name)
        delta = (10.5 * i, -20.25)
        lines.append(f"{panorama} {tile} {delta[0]} {delta[1]} " + f"{tile} 400 0 " * 3)
    for split in ("train", "test"):
        path = root / "splits" / "Town" / f"same_area_balanced_{split}.txt"
        path.write_text("\r\n".join(lines))
    return root
