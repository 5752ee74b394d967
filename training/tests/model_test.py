import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from crossfix_training.config import ROBOTCAR, SMALL, VIGOR, Config
from crossfix_training.loss import cell_targets, location_loss
from crossfix_training.model import CrossFix, decode, position_encoding
from protocol import fixes_of


def test_reference_has_690_keys_and_27_million_parameters():
    model = CrossFix(VIGOR)
    assert len(model.state_dict()) == 690
    assert sum(p.numel() for p in model.parameters()) == 27_093_123


def test_a_shared_trunk_has_one_set_of_keys():
    shared = replace(SMALL, trunk=replace(SMALL.trunk, shared=True))
    assert not any(key.startswith("grd_extractor") for key in CrossFix(shared).state_dict())


@pytest.mark.parametrize("config", [VIGOR, ROBOTCAR, SMALL])
def test_configuration_survives_its_json(config):
    assert Config.from_json(config.to_json()) == config


def test_position_encoding_counts_from_one():
    encoding = position_encoding(2, 3, 16)
    frequency = math.exp(-2 * 1 * math.log(10000) / 8)
    assert encoding.shape == (6, 16)
    assert encoding[5, 4:8].tolist() == pytest.approx(
        [math.sin(3 * frequency), math.cos(3 * frequency), math.sin(2 * frequency), math.cos(2 * frequency)]
    )


def test_fix_is_the_best_cell_and_its_offset():
    logits = torch.zeros(1, SMALL.cells)
    logits[0, 2 * SMALL.grid + 5] = 3
    offsets = torch.full((1, SMALL.cells, 2), 0.25)
    truth = torch.tensor([[2.25 / SMALL.grid, 5.25 / SMALL.grid]])
    assert decode(logits, offsets, SMALL).tolist() == [[18.0, 42.0]]
    entropy, offset = location_loss(100 * logits, offsets, truth, SMALL, sigma=0.0)
    assert entropy.item() == 0 and offset.item() == 0


def test_a_fix_can_be_the_mean_of_the_neighbourhood():
    config = replace(SMALL, fix="neighbourhood")
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(3, config.cells, generator=generator)
    logits[1, 0] = logits[2, 40] = 9  # a corner, and within
    offsets = torch.rand(3, config.cells, 2, generator=generator)
    fixes = decode(logits, offsets, config) / config.satellite_size
    expected = fixes_of(logits.numpy(), offsets.numpy(), "neighbourhood")
    assert np.abs(fixes.numpy() - expected).max() < 1e-6
    assert (fixes - decode(logits, offsets, SMALL) / config.satellite_size).abs().max() > 1e-3


def test_softened_targets_peak_at_the_true_cell():
    target = cell_targets(torch.tensor([[0.51, 0.26]]), SMALL, 0.7)
    assert target.sum().item() == pytest.approx(1)
    assert target.argmax().item() == 8 * SMALL.grid + 4
