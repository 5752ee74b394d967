import csv
import json

import pytest
from PIL import Image

import heldout
from labels import DataError


@pytest.fixture
def scaled(world):
    """The tiny world with its scale: 0.1 m a label pixel; tiles are stored at 64 px, a tenth of that."""
    city = {"name": "Town", "metres_per_pixel": 0.1}
    (world / "world.json").write_text(json.dumps({"cities": [city]}))
    return world


def test_truth_and_scale_are_in_the_stored_tile_s_pixels(scaled, tmp_path):
    pairs = heldout.held_out_pairs(scaled, "same_area_balanced_test")
    assert len(pairs) == 8
    assert (pairs[3].row, pairs[3].col) == pytest.approx((35.15, 34.025))
    assert pairs[3].gsd == pytest.approx(1.0)
    heldout.write_list(pairs, tmp_path / "list.csv")
    rows = list(csv.DictReader(open(tmp_path / "list.csv")))
    assert rows[3]["ground"] == str(pairs[3].ground) and "," in rows[3]["ground"]


def test_shuffling_leaves_nobody_its_own_image_and_loses_none(scaled):
    pairs = heldout.held_out_pairs(scaled, "same_area_balanced_test")
    control = heldout.shuffled(pairs, seed=4)
    own = {pair.satellite: pair.ground for pair in pairs}
    assert all(own[pair.satellite] != pair.ground for pair in control)
    assert {pair.ground for pair in control} == {pair.ground for pair in pairs}


def test_a_tile_that_is_no_square_png_is_named(tmp_path):
    Image.new("RGB", (4, 5)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no")
    for name in ("a.png", "b.png"):
        with pytest.raises(DataError, match=name):
            heldout.png_size(tmp_path / name)
