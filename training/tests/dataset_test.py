import json

import numpy as np
import pytest

from crossfix_training.config import SMALL
from crossfix_training.dataset import PairData, validation_split
from crossfix_training.labels import DataError, read_split, refuse_reserved


def test_truth_is_in_tile_fractions_and_tiles_without_the_camera_are_skipped(world):
    samples = read_split(world, "Town", "same_area_balanced_train")
    assert len(samples) == 8
    assert len(samples[3].tiles) == 1 and samples[3].positive
    assert samples[3].truths[0] == pytest.approx(((320 + 31.5) / 640, (320 + 20.25) / 640))


def test_validation_blocks_keep_a_margin(world):
    samples = read_split(world, "Town", "same_area_balanced_train")
    training, held = validation_split(samples, 0.5, block_metres=300, margin_metres=170)
    assert held and training and len(training) + len(held) < 8
    gaps = [
        abs(a.latitude_longitude[0] - b.latitude_longitude[0]) * 111_320
        for a in training
        for b in held
    ]
    assert min(gaps) > 170


def test_images_are_cached_at_network_size(world, tmp_path):
    samples = read_split(world, "Town", "same_area_balanced_train")
    data = PairData(samples, SMALL, tmp_path / "cache", "training")
    satellite, ground, truth = data.batch(np.array([0, 3]), np.array([0, 2]))
    assert satellite.shape == (2, 128, 128, 3) and ground.shape == (2, *SMALL.ground_size, 3)
    assert truth[1] == pytest.approx((351.5 / 640, 340.25 / 640))
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 2


def test_worlds_of_test_seeds_are_refused(world):
    (world / "world.json").write_text(json.dumps({"seed": 9001, "reserved": True}))
    with pytest.raises(DataError, match="9001"):
        refuse_reserved(world)
