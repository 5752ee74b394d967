"""Views: NumPy against the program's own code, and what they promise."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossfix_training.labels import DataError
from crossfix_training.views import Camera, draw, draws, read_camera, samples_along, turned

FOLDER = Path(__file__).resolve().parents[1] / "views"
PROGRAM = FOLDER.parents[1] / "build/bin/crossfix-view"
WHOLE = Camera("equirectangular", 128, 64)


def smooth(height: int) -> np.ndarray:
    """A panorama of noise that is a few pixels wide."""
    noise = np.random.default_rng(0).integers(0, 256, (height // 4, height // 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((2 * height, height), Image.Resampling.BICUBIC))


@pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")
@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yaml")))
@pytest.mark.parametrize("angles", [(0, 0, 0), (-170.5, 4.25, -7.5)])
def test_views_are_those_of_the_program(name, angles, tmp_path):
    panorama = smooth(512)
    Image.fromarray(panorama).save(tmp_path / "panorama.png")
    words = [PROGRAM, tmp_path / "panorama.png", FOLDER / name, tmp_path / "view.png"]
    for option, value in zip(("--heading", "--pitch", "--roll"), angles):
        words += [option, value]
    subprocess.run([str(word) for word in words], check=True)
    theirs = np.asarray(Image.open(tmp_path / "view.png")).astype(int)
    ours = draw(panorama, read_camera(FOLDER / name), *angles).astype(int)
    assert ours.shape == theirs.shape
    # A mean that lies between two levels may round to either.
    assert (np.abs(ours - theirs).max(axis=-1) <= 1).mean() >= 0.999


def test_angles_turn_as_documented():
    forward, right = np.array([0.0, 0, 1]), np.array([1.0, 0, 0])
    assert turned(forward, 90, 0, 0) == pytest.approx([1, 0, 0])  # east
    assert turned(forward, 0, 30, 0) == pytest.approx([0, np.sqrt(0.75), 0.5])  # up
    assert turned(right, 0, 0, 30)[2] == pytest.approx(-0.5)  # down
    assert turned(forward, 0, 30, 50) == pytest.approx(turned(forward, 0, 30, 0))


def test_a_level_view_of_its_own_size_is_the_panorama():
    panorama = np.random.default_rng(1).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    assert (draw(panorama, WHOLE, 0, 0, 0) == panorama).all()
    assert (draw(panorama, WHOLE, 90, 0, 0) == np.roll(panorama, -32, axis=1)).all()


def test_coarse_pixels_have_more_samples():
    counts = {path.stem: samples_along(read_camera(path), (1024, 2048, 3)) for path in FOLDER.glob("*.yaml")}
    assert counts == {"360-panorama": 2, "180-fisheye": 2, "120-pinhole": 2, "90-pinhole": 1, "60-pinhole": 1}


def test_draws_are_by_seed_and_name():
    names = [f"City/panorama/{i}" for i in range(2000)]
    drawn = np.array([draws(name, 1, 3, 45) for name in names])
    assert np.abs(drawn[:, 0]).max() <= 45 and drawn[:, 0].std() == pytest.approx(45 / np.sqrt(3), rel=0.05)
    assert drawn[:, 1:].std(axis=0) == pytest.approx([3, 3], rel=0.07)
    assert np.corrcoef(drawn.T)[np.triu_indices(3, 1)] == pytest.approx(0, abs=0.09)
    assert draws(names[0], 2, 3, 45) != draws(names[0], 1, 3, 45)
    # One draw for all tilts; the camera's own angles are added.
    camera = Camera("pinhole", 64, 48, heading=10, pitch=-4, roll=1)
    assert draws(names[0], 1, 6, 0, camera)[1:] == pytest.approx(2 * drawn[0, 1:] + [-4, 1])
    assert draws(names[0], 1, 0, 0, camera) == (10, -4, 1)


def test_a_distorted_camera_is_refused(tmp_path):
    file = tmp_path / "camera.yaml"
    file.write_text("model: fisheye\ndistortion: [0, 0, 0, 0]\n")
    with pytest.raises(DataError, match="without distortion"):
        read_camera(file)
