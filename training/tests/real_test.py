"""The measurement of real pairs: which crops it takes, how it rolls panoramas, and which figures it gives."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import real

OPTIONS = argparse.Namespace(seeds=2, crops=5, heading="unknown", pairs=Path())
PAIR = {"ground": "street-01-ground.png", "heading": "30", "row": "200", "col": "200", "gsd": "0.25"}


@pytest.fixture
def options(tmp_path):
    columns = np.arange(64, dtype=np.uint8)
    Image.fromarray(np.broadcast_to(columns[None, :, None], (32, 64, 3)).copy()).save(tmp_path / PAIR["ground"])
    return argparse.Namespace(**{**vars(OPTIONS), "pairs": tmp_path})


def test_a_rolled_panorama_looks_where_it_says(options, tmp_path):
    turned = real.rolled(PAIR, 0, options, tmp_path)
    assert len(turned) == options.seeds * options.crops
    assert len({file for file, _ in turned}) > options.seeds  # several headings a seed
    for file, heading in turned:
        middle = int(np.asarray(Image.open(file))[0, 32, 0])
        # A column c of the panorama looked at 30 + (c - 32) 360 / 64.
        assert (30 + (middle - 32) * 360 / 64 - heading) % 360 == pytest.approx(0)
    assert turned == real.rolled(PAIR, 0, options, tmp_path)


def test_a_known_heading_is_not_turned_and_an_unsettled_one_is(options, tmp_path):
    options.heading = "known"
    assert {heading for _, heading in real.rolled(PAIR, 0, options, tmp_path)} == {30.0}
    unsettled = real.rolled({**PAIR, "heading": ""}, 0, options, tmp_path)
    assert {heading for _, heading in unsettled} == {None}
    assert all(file.parent == tmp_path for file, _ in unsettled) and len({file for file, _ in unsettled}) > 1


def test_crops_hold_the_camera_and_are_the_same_each_time():
    corners = real.crop_corners(PAIR, 3, (400, 400), OPTIONS)
    assert corners == real.crop_corners(PAIR, 3, (400, 400), OPTIONS)
    for row, col, side in corners:
        assert side == int(400 / 1.9)
        assert 0 <= row <= 400 - side and 0 <= col <= 400 - side
        assert row < 200 < row + side and col < 200 < col + side


def test_few_pairs_have_no_interval():
    some = [np.array([1.0, 2.0])] * (real.LEAST_PAIRS - 1)
    assert real.interval(some, np.mean) is None
    assert real.interval(some + some, np.mean) == [1.5, 1.5]
