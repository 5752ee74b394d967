"""A scene stays consistent: the bearing from the camera can be read in both views."""

import math

import pytest
import torch

from crossfix_training import augment


def scene(size=64, height=8, width=128):
    """A bright landmark in the tile, and the panorama column in which the camera sees it."""
    truth, landmark = torch.tensor([0.4, 0.7]), (10, 50)
    satellite, ground = torch.zeros(3, size, size), torch.zeros(3, height, width)
    satellite[:, landmark[0], landmark[1]] = 1
    ground[:, :, column_of(landmark, truth, size, width)] = 1
    return satellite, ground, truth


def column_of(landmark, truth, size, width):
    north = truth[0] * size - (landmark[0] + 0.5)
    east = landmark[1] + 0.5 - truth[1] * size
    return int(width / 2 + math.atan2(east, north) / (2 * math.pi) * width) % width


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_landmark_keeps_its_bearing(turns, mirrored):
    satellite, ground, truth = augment.quarter_turn(*scene(), turns)
    if mirrored:
        satellite, ground, truth = augment.mirror(satellite, ground, truth)
    found = divmod(int(satellite[0].argmax()), satellite.shape[-1])
    expected = column_of(found, truth, satellite.shape[-1], ground.shape[-1])
    assert abs(int(ground[0, 0].argmax()) - expected) <= 1


def test_colours_stay_in_range_and_change():
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    changed = augment.colour(images, torch.Generator().manual_seed(1))
    assert changed.min() >= 0 and changed.max() <= 1 and not torch.equal(changed, images)


def test_a_crop_keeps_what_lies_under_the_camera():
    size = 64
    ramps = (torch.arange(size) + 0.5) / size
    tile = torch.stack([ramps[:, None].expand(size, size), ramps.expand(size, size), torch.zeros(size, size)])
    truth = torch.rand(16, 2, generator=torch.Generator().manual_seed(2))
    cut, moved = augment.crop(tile.expand(16, -1, -1, -1), truth, 0.3, torch.Generator().manual_seed(3))
    assert moved.min() >= 0 and moved.max() <= 1 and (moved - truth).abs().max() > 0.05
    for image, before, after in zip(cut, truth, moved):
        row, col = (after * size).long().clamp(max=size - 1)
        assert (image[:2, row, col] - before).abs().max() < 1.5 / size
